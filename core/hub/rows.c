/* rows.c - the cache of rows. Keys are (table, primary key) in an encoding of our own; a row is immutable while more
 * than the cache refers to it. Least recently used rows leave first. */
#include "hub/internal.h"

enum { KEY_TABLE = 4, KEY_VALUE = 5, KEY_NUMBER = 8 }; /* bytes: the table; a value's type and length; a number */

bool key_fits(const struct taut_val *key, uint32_t nkey) {
    size_t n = KEY_TABLE;
    for (uint32_t i = 0; i < nkey; i++)
        n += KEY_VALUE + (key[i].type == TAUT_INT || key[i].type == TAUT_SEQ ? KEY_NUMBER : key[i].len);
    return n <= KEY_MAX;
}

size_t key_encode(char out[KEY_MAX], uint32_t table, const struct taut_val *key, uint32_t nkey) {
    size_t at = KEY_TABLE;
    memcpy(out, &table, KEY_TABLE);
    for (uint32_t i = 0; i < nkey; i++) {
        const struct taut_val *v = &key[i];
        size_t need = KEY_VALUE + (v->type == TAUT_INT ? KEY_NUMBER : v->len);
        if (at + need > KEY_MAX) return 0;
        out[at++] = (char)v->type;
        if (v->type == TAUT_INT) {
            memcpy(out + at, &v->u.i, 8);
            at += 8;
        } else if (v->type != TAUT_NULL) {
            memcpy(out + at, &v->len, 4);
            at += 4;
            if (v->len) memcpy(out + at, v->u.p, v->len);
            at += v->len;
        }
    }
    return at;
}

struct crow *crow_new(uint32_t table, taut_str key, const struct taut_val *vals, uint32_t nvals, uint32_t ncols,
                      uint64_t as_of) {
    size_t text = 0;
    for (uint32_t i = 0; i < nvals; i++)
        if (vals[i].type == TAUT_TEXT || vals[i].type == TAUT_BLOB) text += vals[i].len;
    size_t bytes = sizeof(struct crow) + ncols * sizeof(struct taut_val) + key.len + text;
    struct crow *r = xmalloc(bytes);
    char *at = (char *)(r->vals + ncols);
    memset(r, 0, sizeof *r);
    r->refs = 1;
    r->table = table;
    r->bytes = bytes;
    r->key = taut_str_n(at, key.len);
    memcpy(at, key.ptr, key.len);
    at += key.len;
    for (uint32_t i = 0; i < ncols; i++) {
        r->vals[i] = i < nvals ? vals[i] : taut_v_null();
        if (r->vals[i].type != TAUT_TEXT && r->vals[i].type != TAUT_BLOB) continue;
        if (r->vals[i].len) memcpy(at, vals[i].u.p, vals[i].len);
        r->vals[i].u.p = at;
        at += vals[i].len;
    }
    r->row = (struct taut_row){.ncols = ncols, .as_of = as_of, .vals = r->vals};
    return r;
}

static void unlink_row(struct row_cache *c, struct crow *r) {
    *(r->newer ? &r->newer->older : &c->newest) = r->older;
    *(r->older ? &r->older->newer : &c->oldest) = r->newer;
    r->newer = r->older = NULL;
}

static void link_newest(struct row_cache *c, struct crow *r) {
    r->newer = NULL;
    r->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = r;
    c->newest = r;
}

static void link_table(struct row_cache *c, struct crow *r) {
    struct crow **head = &c->by_table[r->table];
    r->table_prev = NULL;
    r->table_next = *head;
    if (*head) (*head)->table_prev = r;
    *head = r;
}

static void unlink_table(struct row_cache *c, struct crow *r) {
    *(r->table_prev ? &r->table_prev->table_next : &c->by_table[r->table]) = r->table_next;
    if (r->table_next) r->table_next->table_prev = r->table_prev;
}

void rows_init(struct row_cache *c, uint32_t ntables, size_t max_bytes) {
    c->by_table = xcalloc(ntables, sizeof *c->by_table);
    c->max_bytes = max_bytes;
}

struct crow *rows_peek(struct row_cache *c, taut_str key) {
    return map_get(&c->map, key);
}

struct crow *rows_find(struct row_cache *c, taut_str key) {
    struct crow *r = map_get(&c->map, key);
    if (!r) {
        c->misses++;
        return NULL;
    }
    c->hits++;
    if (c->newest != r) {
        unlink_row(c, r);
        link_newest(c, r);
    }
    return r;
}

void rows_drop(struct row_cache *c, struct crow *r) {
    map_remove(&c->map, r->key);
    unlink_row(c, r);
    unlink_table(c, r);
    c->bytes -= r->bytes;
    r->cached = false;
    crow_unref(r);
}

void rows_put(struct row_cache *c, struct crow *r) {
    struct crow *old = map_get(&c->map, r->key);
    if (old == r) return;
    if (old) rows_drop(c, old);
    r->refs++;
    r->cached = true;
    map_put(&c->map, r->key, r);
    link_newest(c, r);
    link_table(c, r);
    c->bytes += r->bytes;
    while (c->bytes > c->max_bytes && c->oldest != r) {
        c->evictions++;
        rows_drop(c, c->oldest);
    }
}

void rows_drop_prefix(struct row_cache *c, uint32_t table, taut_str prefix) {
    for (struct crow *r = c->by_table[table], *next; r; r = next) {
        next = r->table_next;
        if (r->key.len >= prefix.len && memcmp(r->key.ptr, prefix.ptr, prefix.len) == 0) rows_drop(c, r);
    }
}

void rows_drop_all(struct row_cache *c) {
    while (c->newest) rows_drop(c, c->newest);
}

void rows_free(struct row_cache *c) {
    rows_drop_all(c);
    map_free(&c->map);
    free(c->by_table);
}
