/* restore.h - a backup put in the place of a store that is not there, and what the first opening after it does. */
#ifndef STORE_RESTORE_H
#define STORE_RESTORE_H

#include "db.h"

/* Hub; instead of opening the store. It can be closed meanwhile, as while it opens. */
void restore_begin(struct store *s, taut_str file, taut_op op);
void restore_look(struct store *s, uint64_t *done, uint64_t *total);

/* Writer, while the store opens: begins all logs anew behind every seq that was ever given, if the store was restored.
 * *base: where the log of a new workspace begins. */
int32_t restore_begin_logs(struct conn *c);
int restore_base(struct conn *c, uint64_t *base); /* a sqlite3 result code */

#endif
