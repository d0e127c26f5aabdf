/* schema.h - brings the database to what this program and its modules declare. Writer thread, while the store opens.
 *
 *   migrate.c  the store's own tables: their format, and the steps from older ones
 *   schema.c   the tables that modules declare
 */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "db.h"

enum { CLAIM_KEY_LEN = 16 };

/* Creates and migrates what is missing, and reads the store's claim key. TAUT_E_INVAL when the store and the
 * declarations do not fit (logged as "store_schema"), TAUT_E_IO. */
int32_t schema_open(struct conn *c, unsigned char claim_key[CLAIM_KEY_LEN]);

/* The store's own tables in this program's format. */
int32_t format_open(struct conn *c);
int32_t format_claim_key(struct conn *c, unsigned char claim_key[CLAIM_KEY_LEN]);

/* All of the work or nothing of it, whenever the process dies. */
int32_t schema_in_transaction(struct conn *c, int32_t (*work)(struct conn *c));
int32_t schema_refuse(struct conn *c, const char *text);
int32_t schema_failed(struct conn *c, const char *what);

#endif
