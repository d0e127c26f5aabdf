/* typed.c - values and scans held against a module's declarations, so that a fault is said to its author and not by the
 * store. Pure. */
#include "hub/internal.h"

static const char *const names[] = {"NULL", "a number", "text", "a blob", "the seq of an event"};

static const char *type_name(uint32_t type) {
    return type < COUNT_OF(names) ? names[type] : "of no type";
}

static const struct taut_col *column(const struct taut_table *t, uint32_t col) {
    return (const void *)((const char *)t->cols.ptr + (size_t)col * t->cols.elem_size);
}

static const struct taut_index *index_of(const struct taut_table *t, int32_t i) {
    return (const void *)((const char *)t->index.ptr + (size_t)i * t->index.elem_size);
}

const char *value_fault(struct arena *a, const struct taut_table *t, uint32_t col, const struct taut_val *v,
                        enum value_use use) {
    if (col >= t->cols.len) return arena_fmt(a, "table %s has no column %u", t->name, col).ptr;
    const struct taut_col *c = column(t, col);
    const char *what = col < t->key_cols ? "key column" : "column";
    if (v->type == c->type) return NULL;
    if (v->type == TAUT_SEQ && c->type == TAUT_INT && use != VALUE_SOUGHT) return NULL;
    if (v->type == TAUT_NULL && (use == VALUE_SOUGHT || col >= t->key_cols)) return NULL;
    return arena_fmt(a, "table %s: %s %s is %s, got %s", t->name, what, c->name, type_name(c->type), type_name(v->type))
        .ptr;
}

const char *key_fault(struct arena *a, const struct taut_table *t, const struct taut_val *key, uint32_t nkey,
                      enum value_use use) {
    if (nkey != t->key_cols)
        return arena_fmt(a, "table %s: its key has %u columns, got %u", t->name, t->key_cols, nkey).ptr;
    return values_fault(a, t, key, nkey, use);
}

const char *values_fault(struct arena *a, const struct taut_table *t, const struct taut_val *vals, uint32_t n,
                         enum value_use use) {
    const char *fault = NULL;
    for (uint32_t i = 0; i < n && !fault; i++) fault = value_fault(a, t, i, &vals[i], use);
    return fault;
}

const char *set_fault(struct arena *a, const struct taut_table *t, const struct taut_set *sets, uint32_t i) {
    uint32_t col = sets[i].col;
    if (col < t->key_cols)
        return arena_fmt(a, "table %s: column %s is of its key, which stays", t->name, column(t, col)->name).ptr;
    const char *fault = value_fault(a, t, col, &sets[i].val, VALUE_WRITTEN);
    if (!fault && (sets[i].how < TAUT_SET || sets[i].how > TAUT_MAX))
        fault = arena_fmt(a, "table %s: column %s is set by %u, which is none of TAUT_SET, TAUT_ADD, TAUT_MAX", t->name,
                          column(t, col)->name, sets[i].how)
                    .ptr;
    if (!fault && sets[i].how != TAUT_SET && sets[i].val.type != TAUT_INT && sets[i].val.type != TAUT_SEQ)
        fault = arena_fmt(a, "table %s: column %s: TAUT_ADD and TAUT_MAX are of numbers, got %s", t->name,
                          column(t, col)->name, type_name(sets[i].val.type))
                    .ptr;
    for (uint32_t k = 0; k < i && !fault; k++) /* which one should count? */
        if (sets[k].col == col)
            fault = arena_fmt(a, "table %s: column %s is set twice", t->name, column(t, col)->name).ptr;
    return fault;
}

static const char *scan_columns_fault(struct arena *a, const struct taut_table *t, const struct taut_scan *s) {
    const struct taut_index *index = s->index == TAUT_SCAN_PRIMARY ? NULL : index_of(t, s->index);
    uint32_t ncols = index ? index->ncols : t->key_cols;
    bool is_bounded = s->lo.type != TAUT_NULL || s->hi.type != TAUT_NULL;
    if (s->nprefix > ncols || (is_bounded && s->nprefix == ncols))
        return arena_fmt(a, "table %s: a scan by %llu columns of %u that %s has", t->name,
                         (unsigned long long)s->nprefix + is_bounded, ncols, index ? index->name : "its key")
            .ptr;
    for (uint32_t i = 0; i < s->nprefix + 2; i++) {
        uint32_t at = i < s->nprefix ? i : s->nprefix;
        const struct taut_val *v = i < s->nprefix ? &s->prefix[i] : i == s->nprefix ? &s->lo : &s->hi;
        if (v->type == TAUT_NULL) continue;
        const char *fault = value_fault(a, t, index ? index->cols[at] : at, v, VALUE_SOUGHT);
        if (fault && index) return arena_fmt(a, "%s; in index %s, number %d", fault, index->name, (int)s->index).ptr;
        if (fault) return fault;
    }
    return NULL;
}

const char *scan_fault(struct arena *a, const struct taut_table *t, const struct taut_scan *s) {
    if (!s->size) return arena_fmt(a, "table %s: a scan whose size is 0; set .size = sizeof it", t->name).ptr;
    if (!s->count_only && (!s->limit || s->limit > 10000))
        return arena_fmt(a, "table %s: the limit of a scan is 1 to 10000, got %u", t->name, s->limit).ptr;
    if (s->index != TAUT_SCAN_PRIMARY && (s->index < 0 || (uint32_t)s->index >= t->index.len))
        return arena_fmt(a, "table %s has no index number %d; by its key: .index = TAUT_SCAN_PRIMARY", t->name,
                         (int)s->index)
            .ptr;
    return scan_columns_fault(a, t, s);
}

const char *event_fault(struct arena *a, const struct taut_event *e) {
    taut_str b = TAUT_HAS(e, body) ? e->body : taut_str_n("", 0);
    if (!TAUT_HAS(e, body)) return arena_fmt(a, "an event whose size is %u; set .size = sizeof it", e->size).ptr;
    if (e->ntopics > 64 || e->ndeltas > 64) return "an event has at most 64 topics and 64 deltas";
    for (uint32_t i = 0; i < e->ntopics; i++) /* the log has them in one text */
        if (!e->topics[i].len || memchr(e->topics[i].ptr, ' ', e->topics[i].len))
            return "a topic of an event is empty, or has a blank in it";
    for (uint32_t i = 0; i < e->ndeltas; i++)
        if (memchr(e->deltas[i].who.ptr, ' ', e->deltas[i].who.len) ||
            memchr(e->deltas[i].who.ptr, ',', e->deltas[i].who.len) ||
            memchr(e->deltas[i].topic.ptr, ',', e->deltas[i].topic.len))
            return "a delta of an event has a comma in it, or a blank in who it is about";
    if (b.len && (b.len < 2 || b.ptr[0] != '{' || b.ptr[b.len - 1] != '}')) /* not shown: somebody may have said it */
        return arena_fmt(a, "the body of an event is a JSON object, from { to }; this is none (%zu bytes)", b.len).ptr;
    return NULL;
}
