/* schema.h - brings the database to what this program and its modules declare. Writer thread, while the store opens. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "db.h"

enum { CLAIM_KEY_LEN = 16 };

/* Creates what is missing, all in one transaction, and reads the store's claim key. TAUT_E_INVAL when the store and the
 * declarations do not fit (logged as "store_schema"), TAUT_E_IO. */
int32_t schema_open(struct conn *c, unsigned char claim_key[CLAIM_KEY_LEN]);

#endif
