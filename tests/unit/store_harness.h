/* store_harness.h - that of the store's own tests. */
#include "../../modules/store_sqlite/tests/store_harness.h"
