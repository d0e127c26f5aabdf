/* tokens.c - tokens. A token is 256 random bits as text; the store has its hash and nothing from which it could be made
 * again. A plain hash is enough: there is nothing to guess in 256 random bits. */
#include <sodium.h>

#include "internal.h"

enum { HASH_BYTES = 32, SECRET_BYTES = 32, PREFIX_LEN = 5 /* xoxp- */ };
#define SECRET_VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING
enum { SECRET_LEN = sodium_base64_ENCODED_LEN(SECRET_BYTES, SECRET_VARIANT) - 1, TOKEN_LEN = PREFIX_LEN + SECRET_LEN };

static void token_hash(taut_str token, unsigned char out[HASH_BYTES]) {
    crypto_generichash(out, HASH_BYTES, (const unsigned char *)token.ptr, token.len, NULL, 0);
}
static struct taut_val hash_val(const unsigned char hash[HASH_BYTES]) {
    return taut_v_blob(taut_str_n((const char *)hash, HASH_BYTES));
}

static taut_str token_new(struct taut_mod *m, struct taut_call *c, int is_bot) {
    unsigned char secret[SECRET_BYTES];
    char *text = taut_scratch(c, TOKEN_LEN + 1);
    m->host->random(m, secret, sizeof secret);
    memcpy(text, is_bot ? "xoxb-" : "xoxp-", PREFIX_LEN);
    sodium_bin2base64(text + PREFIX_LEN, SECRET_LEN + 1, secret, sizeof secret, SECRET_VARIANT);
    sodium_memzero(secret, sizeof secret);
    return taut_str_n(text, TOKEN_LEN);
}

int32_t token_create(void *self, struct taut_call *c, struct taut_batch *b, taut_str workspace, taut_str user,
                     taut_str bot, taut_str *token, taut_str *token_id) {
    struct taut_mod *m = self;
    char buf[12];
    unsigned char hash[HASH_BYTES];
    *token = token_new(m, c, bot.len > 0);
    *token_id = taut_keep(c, taut_id_new(m, 'K', buf));
    token_hash(*token, hash);
    struct taut_val vals[TOKEN_COLS] = {
        [TOKEN_HASH] = hash_val(hash),
        [TOKEN_ID] = taut_v_str(*token_id),
        [TOKEN_WORKSPACE] = taut_v_str(workspace),
        [TOKEN_USER] = taut_v_str(user),
        [TOKEN_BOT] = taut_v_opt(bot),
        [TOKEN_CREATED] = taut_v_int(now_seconds(m)),
        [TOKEN_REVOKED] = taut_v_null(),
    };
    taut_insert(m, b, &tokens_table, vals, TOKEN_COLS);
    return TAUT_OK;
}

int32_t token_row(struct taut_mod *m, struct taut_call *c, taut_str token, const struct taut_row **row) {
    unsigned char hash[HASH_BYTES];
    *row = NULL;
    if (token.len != TOKEN_LEN) return TAUT_OK;
    token_hash(token, hash);
    return taut_get(m, c, &tokens_table, TAUT_KEY(hash_val(hash)), row);
}

int32_t token_row_by_id(struct taut_mod *m, struct taut_call *c, taut_str workspace, taut_str id,
                        const struct taut_row **row) {
    const struct taut_rows *rows;
    struct taut_val prefix[] = {taut_v_str(workspace), taut_v_str(id)};
    struct taut_scan scan = {.size = sizeof scan, .index = TOKEN_BY_ID, .prefix = prefix, .nprefix = 2, .limit = 1};
    TAUT_TRY(taut_scan(m, c, &tokens_table, &scan, &rows));
    *row = rows->n ? &rows->rows[0] : NULL;
    return TAUT_OK;
}

/* What is wrong with a token that is there: *error NULL when nothing is. */
static int32_t judge_row(struct taut_mod *m, struct taut_call *c, const struct taut_row *row,
                         const struct taut_user **user, const char **error) {
    const struct taut_workspace *ws = NULL;
    taut_str workspace = taut_row_str(row, TOKEN_WORKSPACE);
    *error = "token_revoked";
    if (!taut_row_null(row, TOKEN_REVOKED)) return TAUT_OK;
    int32_t first = workspace_get(m, c, workspace, &ws);
    int32_t second = user_get(m, c, workspace, taut_row_str(row, TOKEN_USER), user);
    TAUT_TRY(first);
    TAUT_TRY(second);
    *error = !ws || ws->revoked || !*user || ((*user)->flags & TAUT_USER_DELETED) ? "account_inactive" : NULL;
    return TAUT_OK;
}

int32_t token_judge(struct taut_mod *m, struct taut_call *c, taut_str token, const struct taut_row **row,
                    const struct taut_user **user, const char **error) {
    *error = token.len ? "invalid_auth" : "not_authed";
    TAUT_TRY(token_row(m, c, token, row));
    return *row ? judge_row(m, c, *row, user, error) : TAUT_OK;
}

int32_t token_check(void *self, struct taut_call *c, taut_str token, taut_str *token_id) {
    const struct taut_row *row;
    const struct taut_user *user;
    const char *error;
    TAUT_TRY(token_judge(self, c, token, &row, &user, &error));
    *token_id = error ? no_str() : taut_row_str(row, TOKEN_ID);
    return TAUT_OK;
}

int32_t token_live(void *self, struct taut_call *c, taut_str workspace, taut_str token_id, uint32_t *live) {
    const struct taut_row *row;
    const struct taut_user *user;
    const char *error = "invalid_auth";
    TAUT_TRY(token_row_by_id(self, c, workspace, token_id, &row));
    if (row) TAUT_TRY(judge_row(self, c, row, &user, &error));
    *live = error == NULL;
    return TAUT_OK;
}

void token_revoke(struct taut_mod *m, struct taut_batch *b, const struct taut_row *row) {
    const struct taut_set set = {TOKEN_REVOKED, TAUT_SET, taut_v_int(now_seconds(m))};
    taut_update(m, b, &tokens_table, TAUT_KEY(taut_v_blob(taut_row_str(row, TOKEN_HASH))), &set, 1);
    append_close(m, b, taut_row_str(row, TOKEN_ID), "token_revoked");
}
