/* tables.h - the four tables of the directory: their columns and indexes by name. Times are seconds since 1970. */
#ifndef DIRECTORY_TABLES_H
#define DIRECTORY_TABLES_H

#include "taut/table.h"

enum { WS_ID, WS_NAME, WS_DOMAIN, WS_CREATED, WS_REVOKED, WS_COLS }; /* REVOKED is NULL while people get in */
enum { WS_BY_CREATED, WS_BY_DOMAIN };

/* NULL for an empty email, time zone or bot. */
enum {
    USER_WORKSPACE,
    USER_ID,
    USER_NAME,
    USER_REAL_NAME,
    USER_EMAIL,
    USER_TZ,
    USER_FLAGS, /* TAUT_USER_* */
    USER_BOT,   /* B… of a bot's user */
    USER_CREATED,
    USER_UPDATED,
    USER_COLS
};
enum { USER_BY_NAME, USER_BY_EMAIL };

enum { BOT_WORKSPACE, BOT_ID, BOT_USER, BOT_APP, BOT_NAME, BOT_DELETED, BOT_UPDATED, BOT_COLS };

/* The key is the hash of the token; the token itself is nowhere. REVOKED is NULL while the token is good. */
enum { TOKEN_HASH, TOKEN_ID, TOKEN_WORKSPACE, TOKEN_USER, TOKEN_BOT, TOKEN_CREATED, TOKEN_REVOKED, TOKEN_COLS };
enum { TOKEN_BY_ID, TOKEN_BY_USER };

extern const struct taut_table workspaces_table, users_table, bots_table, tokens_table;

#endif
