/* tables.c - the directory's tables as the store gets them. */
#include "tables.h"

static const struct taut_col workspace_cols[WS_COLS] = {
    [WS_ID] = {"id", TAUT_TEXT, 0},          [WS_NAME] = {"name", TAUT_TEXT, 0},
    [WS_DOMAIN] = {"domain", TAUT_TEXT, 0},  [WS_CREATED] = {"created", TAUT_INT, 0},
    [WS_REVOKED] = {"revoked", TAUT_INT, 0},
};
static const struct taut_index workspace_index[] = {
    [WS_BY_CREATED] = {"created", 0, 1, {WS_CREATED}},
    [WS_BY_DOMAIN] = {"domain", TAUT_INDEX_UNIQUE, 1, {WS_DOMAIN}},
};
const struct taut_table workspaces_table = {
    .size = sizeof workspaces_table,
    .key_cols = 1,
    .name = "workspaces",
    .cols = TAUT_ARRAY(workspace_cols),
    .index = TAUT_ARRAY(workspace_index),
};

static const struct taut_col user_cols[USER_COLS] = {
    [USER_WORKSPACE] = {"workspace", TAUT_TEXT, 0}, [USER_ID] = {"id", TAUT_TEXT, 0},
    [USER_NAME] = {"name", TAUT_TEXT, 0},           [USER_REAL_NAME] = {"real_name", TAUT_TEXT, 0},
    [USER_EMAIL] = {"email", TAUT_TEXT, 0},         [USER_TZ] = {"tz", TAUT_TEXT, 0},
    [USER_FLAGS] = {"flags", TAUT_INT, 0},          [USER_BOT] = {"bot", TAUT_TEXT, 0},
    [USER_CREATED] = {"created", TAUT_INT, 0},      [USER_UPDATED] = {"updated", TAUT_INT, 0},
};
static const struct taut_index user_index[] = {
    [USER_BY_NAME] = {"name", TAUT_INDEX_UNIQUE, 2, {USER_WORKSPACE, USER_NAME}},
    [USER_BY_EMAIL] = {"email", TAUT_INDEX_NOT_NULL, 2, {USER_WORKSPACE, USER_EMAIL}},
};
const struct taut_table users_table = {
    .size = sizeof users_table,
    .key_cols = 2,
    .name = "users",
    .cols = TAUT_ARRAY(user_cols),
    .index = TAUT_ARRAY(user_index),
};

static const struct taut_col bot_cols[BOT_COLS] = {
    [BOT_WORKSPACE] = {"workspace", TAUT_TEXT, 0}, [BOT_ID] = {"id", TAUT_TEXT, 0},
    [BOT_USER] = {"user", TAUT_TEXT, 0},           [BOT_APP] = {"app", TAUT_TEXT, 0},
    [BOT_NAME] = {"name", TAUT_TEXT, 0},           [BOT_DELETED] = {"deleted", TAUT_INT, 0},
    [BOT_UPDATED] = {"updated", TAUT_INT, 0},
};
const struct taut_table bots_table = {
    .size = sizeof bots_table,
    .key_cols = 2,
    .name = "bots",
    .cols = TAUT_ARRAY(bot_cols),
};

static const struct taut_col token_cols[TOKEN_COLS] = {
    [TOKEN_HASH] = {"hash", TAUT_BLOB, 0},
    [TOKEN_ID] = {"id", TAUT_TEXT, 0},
    [TOKEN_WORKSPACE] = {"workspace", TAUT_TEXT, 0},
    [TOKEN_USER] = {"user", TAUT_TEXT, 0},
    [TOKEN_BOT] = {"bot", TAUT_TEXT, 0},
    [TOKEN_CREATED] = {"created", TAUT_INT, 0},
    [TOKEN_REVOKED] = {"revoked", TAUT_INT, 0},
};
static const struct taut_index token_index[] = {
    [TOKEN_BY_ID] = {"id", TAUT_INDEX_UNIQUE, 2, {TOKEN_WORKSPACE, TOKEN_ID}},
    [TOKEN_BY_USER] = {"user", 0, 2, {TOKEN_WORKSPACE, TOKEN_USER}},
};
const struct taut_table tokens_table = {
    .size = sizeof tokens_table,
    .key_cols = 1,
    .name = "tokens",
    .cols = TAUT_ARRAY(token_cols),
    .index = TAUT_ARRAY(token_index),
};
