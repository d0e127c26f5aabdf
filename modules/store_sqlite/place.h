/* place.h - may a store be opened, or made, where its path says? Before SQLite touches anything. */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "store.h"

/* Is there no store, but what a restore left that did not come to its end? Then an empty store would be taken for the
 * restored one. TAUT_E_INVAL: that was logged. */
int32_t place_is_fresh(struct store *s);
/* Is the file, or its folder, there and not ours to write? */
bool place_is_denied(const struct store *s);
/* SQLite has opened the file for reading only. Logs who may write it; gives the cause in a few words. */
const char *place_not_writable(struct store *s);

#endif
