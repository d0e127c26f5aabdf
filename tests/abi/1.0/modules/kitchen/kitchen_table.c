/* kitchen_table.c - a table: reads of every kind, and batches with every condition and every write. */
#include "kitchen.h"

enum { ID, N, NOTE, HOW, TOPIC };

static const struct taut_col cols[] = {{"workspace", TAUT_TEXT, 0}, {"id", TAUT_TEXT, 0},  {"n", TAUT_INT, 0},
                                       {"note", TAUT_TEXT, 0},      {"raw", TAUT_BLOB, 0}, {"seq", TAUT_INT, 0}};
enum { BY_N, BY_NOTE };
static const struct taut_index indexes[] = {[BY_N] = {.name = "by_n", .ncols = 2, .cols = {THING_WORKSPACE, THING_N}},
                                            [BY_NOTE] = {.name = "by_note",
                                                         .flags = TAUT_INDEX_UNIQUE | TAUT_INDEX_NOT_NULL,
                                                         .ncols = 2,
                                                         .cols = {THING_WORKSPACE, THING_NOTE}}};
const struct taut_table kitchen_things = {.size = sizeof kitchen_things,
                                          .key_cols = 2,
                                          .name = "things",
                                          .cols = TAUT_ARRAY(cols),
                                          .index = TAUT_ARRAY(indexes)};

static taut_str ws_of(const struct taut_call *c) {
    return c->actor->workspace;
}

static void show(struct taut_json *j, const struct taut_row *row) {
    taut_str raw = taut_row_str(row, THING_RAW);
    taut_json_open(j, '{');
    taut_json_kstr(j, "id", taut_row_str(row, THING_ID));
    taut_json_kint(j, "n", taut_row_int(row, THING_N));
    if (taut_row_null(row, THING_NOTE)) {
        taut_json_key(j, "note");
        taut_json_null(j);
    } else {
        taut_json_kstr(j, "note", taut_row_str(row, THING_NOTE));
    }
    taut_json_kint(j, "raw_bytes", (int64_t)raw.len);
    taut_json_kbool(j, "has_seq", taut_row_int(row, THING_SEQ) > 0);
    taut_json_close(j, '}');
}

/* A new thing, at most one an id and a note, and an event that says so. Done once for each `how`, if that is given. */
int32_t kitchen_put(struct taut_mod *m, struct taut_call *c) {
    taut_str ws = ws_of(c), id = taut_arg_str(c, ID), topic = taut_arg_str(c, TOPIC), claim = taut_arg_str(c, HOW);
    const struct taut_row *row;
    if (c->claimed.len) { /* it was done before */
        struct taut_json *j = taut_answer(c);
        taut_json_kstr(j, "first", c->claimed);
        taut_json_kbool(j, "has_seq", c->claimed_seq > 0);
        return taut_done(c);
    }
    TAUT_TRY(taut_get(m, c, &kitchen_things, THING(ws, id), &row));
    if (row) return taut_fail(c, "is_there");
    struct taut_batch *b = taut_batch(c);
    const struct taut_event event = {
        .size = sizeof event,
        .topics = &topic,
        .ntopics = topic.len ? 1 : 0,
        .body = taut_fmt(c, "{\"type\":\"kitchen_put\",\"id\":\"%.*s\"}", (int)id.len, id.ptr)};
    const struct taut_event ephemeral = {
        .size = sizeof ephemeral,
        .flags = TAUT_EVENT_EPHEMERAL,
        .topics = &topic,
        .ntopics = topic.len ? 1 : 0,
        .body = taut_fmt(c, "{\"type\":\"kitchen_smell\",\"id\":\"%.*s\"}", (int)id.len, id.ptr)};
    taut_expect_absent(m, b, &kitchen_things, THING(ws, id));
    uint32_t number = taut_append(m, b, &event);
    taut_append(m, b, &ephemeral);
    taut_insert(m, b, &kitchen_things,
                TAUT_KEY(taut_v_str(ws), taut_v_str(id), taut_v_int(taut_arg_int(c, N, 0)),
                         taut_v_opt(taut_arg_str(c, NOTE)), taut_v_blob(TAUT_LIT("\0\1")), taut_v_seq(number)));
    if (claim.len) taut_claim(m, b, claim, id);
    taut_json_kstr(taut_answer(c), "id", id);
    return taut_commit(c, b);
}

int32_t kitchen_get(struct taut_mod *m, struct taut_call *c) {
    const struct taut_row *row;
    TAUT_TRY(taut_get(m, c, &kitchen_things, THING(ws_of(c), taut_arg_str(c, ID)), &row));
    if (!row) return taut_fail(c, "not_there");
    struct taut_json *j = taut_answer(c);
    taut_json_key(j, "thing");
    show(j, row);
    return taut_done(c);
}

/* how: "count", "back" (from the highest n down), "notes" (by the other index), or in the order of the key. */
int32_t kitchen_list(struct taut_mod *m, struct taut_call *c) {
    taut_str how = taut_arg_str(c, HOW);
    const struct taut_rows *rows;
    struct taut_scan s = {.size = sizeof s,
                          .index = TAUT_SCAN_PRIMARY,
                          .prefix = TAUT_VALS(taut_v_str(ws_of(c))),
                          .nprefix = TAUT_NVALS(taut_v_str(ws_of(c))),
                          .limit = 100,
                          .workspace = ws_of(c)};
    if (taut_str_is(how, "count")) s.count_only = 1;
    if (taut_str_is(how, "notes")) s.index = BY_NOTE;
    if (taut_str_is(how, "back")) {
        s.index = BY_N;
        s.descending = 1;
        s.hi = taut_v_int(taut_arg_int(c, N, 1000));
        s.hi_open = 1;
    }
    TAUT_TRY(taut_scan(m, c, &kitchen_things, &s, &rows));
    struct taut_json *j = taut_answer(c);
    taut_json_kint(j, "count", (int64_t)rows->count);
    taut_json_kbool(j, "has_position", rows->seq > 0 && rows->as_of > 0);
    taut_json_kopen(j, "things", '[');
    for (uint32_t i = 0; i < rows->n; i++) show(j, &rows->rows[i]);
    taut_json_close(j, ']');
    return taut_done(c);
}

/* how: "add", "max", "set" (when it is 1), "clear" (the note), or puts it there whatever there is. */
int32_t kitchen_change(struct taut_mod *m, struct taut_call *c) {
    taut_str ws = ws_of(c), id = taut_arg_str(c, ID), how = taut_arg_str(c, HOW);
    struct taut_val n = taut_v_int(taut_arg_int(c, N, 0));
    const struct taut_row *row;
    TAUT_TRY(taut_get(m, c, &kitchen_things, THING(ws, id), &row));
    if (!row && how.len) return taut_fail(c, "not_there");
    struct taut_batch *b = taut_batch(c);
    struct taut_set set = {THING_N, TAUT_SET, n};
    if (!how.len) {
        taut_upsert(m, b, &kitchen_things, TAUT_KEY(taut_v_str(ws), taut_v_str(id), n));
    } else if (taut_str_is(how, "set")) {
        if (taut_row_int(row, THING_N) != 1) return taut_fail(c, "is_not_one");
        taut_expect_equals(m, b, &kitchen_things, THING(ws, id), THING_N, taut_v_int(1));
        taut_update(m, b, &kitchen_things, THING(ws, id), &set, 1);
    } else {
        if (taut_str_is(how, "clear")) set = (struct taut_set){THING_NOTE, TAUT_SET, taut_v_null()};
        else set.how = taut_str_is(how, "max") ? TAUT_MAX : TAUT_ADD;
        taut_expect_present(m, b, &kitchen_things, THING(ws, id));
        taut_update(m, b, &kitchen_things, THING(ws, id), &set, 1);
    }
    taut_answer(c);
    return taut_commit(c, b);
}

int32_t kitchen_remove(struct taut_mod *m, struct taut_call *c) {
    struct taut_batch *b = taut_batch(c);
    taut_background(m, b);
    taut_delete(m, b, &kitchen_things, THING(ws_of(c), taut_arg_str(c, ID)));
    taut_answer(c);
    return taut_commit(c, b);
}

/* A command: the operator belongs to no workspace. */
int32_t kitchen_write(struct taut_mod *m, struct taut_call *c) {
    taut_str ws = taut_arg_str(c, 0), id = taut_arg_given(c, 1) ? taut_arg_str(c, 1) : TAUT_LIT("unnamed");
    struct taut_batch *b = taut_batch(c);
    taut_batch_workspace(m, b, ws);
    taut_progress(c, TAUT_LIT("writing"));
    taut_upsert(m, b, &kitchen_things, TAUT_KEY(taut_v_str(ws), taut_v_str(id), taut_v_int(-1)));
    taut_json_kstr(taut_answer(c), "id", id);
    return taut_commit(c, b);
}
