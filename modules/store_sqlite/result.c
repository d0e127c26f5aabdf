/* result.c - rows of a result: collected in buffers that the reader keeps, handed out as one block. */
#include "reader.h"

enum { KEEP_BYTES = 256 << 10 /* of buffers, between two jobs */ };

static bool reserve(void **p, size_t *cap, size_t need, size_t elem) {
    if (need <= *cap) return true;
    size_t want = *cap ? *cap : 64;
    while (want < need) want *= 2;
    void *q = realloc(*p, want * elem);
    if (!q) return false;
    *p = q;
    *cap = want;
    return true;
}

bool build_val(struct build *b, const struct taut_val *v) {
    bool has_bytes = v->type == TAUT_TEXT || v->type == TAUT_BLOB;
    if (!reserve((void **)&b->vals, &b->vals_cap, b->nvals + 1, sizeof *b->vals)) return false;
    struct taut_val *to = &b->vals[b->nvals];
    *to = *v;
    if (has_bytes) {
        if (!reserve((void **)&b->bytes, &b->bytes_cap, b->nbytes + v->len, 1)) return false;
        if (v->len) memcpy(b->bytes + b->nbytes, v->u.p, v->len);
        to->u.i = (int64_t)b->nbytes;
        b->nbytes += v->len;
    }
    b->nvals++;
    return true;
}

bool build_row(struct build *b, sqlite3_stmt *st, uint32_t ncols) {
    if (!reserve((void **)&b->row_cols, &b->rows_cap, b->nrows + 1, sizeof *b->row_cols)) return false;
    for (uint32_t i = 0; i < ncols; i++) {
        struct taut_val v = column_val(st, (int)i);
        if (!build_val(b, &v)) return false;
    }
    b->row_cols[b->nrows++] = ncols;
    return !ncols || sqlite3_errcode(sqlite3_db_handle(st)) != SQLITE_NOMEM; /* then what it gave are not the values */
}

void *build_seal(struct build *b, size_t head, uint64_t as_of, struct taut_row **rows) {
    size_t rows_at = (head + 15) & ~(size_t)15, vals_at = rows_at + b->nrows * sizeof(struct taut_row);
    size_t bytes_at = vals_at + b->nvals * sizeof(struct taut_val);
    char *block = malloc(bytes_at + b->nbytes + 1);
    if (!block) return NULL;
    struct taut_val *vals = (struct taut_val *)(void *)(block + vals_at);
    memset(block, 0, rows_at);
    *rows = (struct taut_row *)(void *)(block + rows_at);
    if (b->nvals) memcpy(vals, b->vals, b->nvals * sizeof *vals);
    if (b->nbytes) memcpy(block + bytes_at, b->bytes, b->nbytes);
    for (size_t i = 0; i < b->nvals; i++)
        if (vals[i].type == TAUT_TEXT || vals[i].type == TAUT_BLOB) vals[i].u.p = block + bytes_at + vals[i].u.i;
    for (size_t i = 0; i < b->nrows; i++) {
        (*rows)[i] = (struct taut_row){b->row_cols[i], 0, as_of, vals};
        vals += b->row_cols[i];
    }
    return block;
}

void build_reset(struct build *b) {
    b->nvals = b->nbytes = b->nrows = 0;
    if (b->bytes_cap + b->vals_cap * sizeof *b->vals > KEEP_BYTES) build_free(b);
}

void build_free(struct build *b) {
    free(b->vals);
    free(b->bytes);
    free(b->row_cols);
    memset(b, 0, sizeof *b);
}
