/* mark.c - the mark of a seed that is under way. */
#include "mark.h"

#define SEEDING TAUT_LIT("seeding")

enum { MARK_NAME, MARK_SINCE, MARK_COLS };
static const struct taut_col mark_cols[MARK_COLS] = {
    [MARK_NAME] = {"name", TAUT_TEXT, 0}, [MARK_SINCE] = {"since", TAUT_INT, 0}, /* microseconds */
};
const struct taut_table marks_table = {
    .size = sizeof marks_table, .key_cols = 1, .name = "marks", .cols = TAUT_ARRAY(mark_cols)};

int32_t mark_is_set(struct taut_mod *m, struct taut_call *c, int *set) {
    const struct taut_row *row;
    TAUT_TRY(taut_get(m, c, &marks_table, TAUT_KEY(taut_v_str(SEEDING)), &row));
    *set = row != NULL;
    return TAUT_OK;
}

void mark_set(struct taut_mod *m, struct taut_batch *b) {
    taut_insert(m, b, &marks_table, TAUT_KEY(taut_v_str(SEEDING), taut_v_int(taut_now_us(m))));
}

void mark_remove(struct taut_mod *m, struct taut_batch *b) {
    taut_delete(m, b, &marks_table, TAUT_KEY(taut_v_str(SEEDING)));
}

int32_t mark_refuse(struct taut_mod *m, struct taut_call *c) {
    taut_str data = taut_info(m)->data;
    int set;
    TAUT_TRY(mark_is_set(m, c, &set));
    if (!set) return TAUT_OK;
    return taut_fail_text(c, "half_seeded",
                          taut_fmt(c,
                                   "the seed that filled %.*s was interrupted; remove that directory, then seed again",
                                   (int)data.len, data.ptr));
}

/* ---- the module's start ---- */

static int32_t look(struct taut_mod *m, struct taut_call *c) {
    TAUT_TRY(mark_refuse(m, c));
    return taut_done(c);
}

static void on_looked(struct taut_mod *m, void *arg, const struct taut_outcome *o) {
    struct demo *d = arg;
    if (o->status != TAUT_OK && o->body.len)
        taut_log(m, TAUT_LOG_WARN, "half_seeded", "%.*s", (int)o->body.len, o->body.ptr);
    taut_op_complete(m, d->started, TAUT_OK, NULL, NULL);
}

void mark_start(struct taut_mod *m, taut_op op) {
    struct demo *d = demo_of(m);
    d->started = op;
    if (taut_task(m, NULL, look, d, on_looked) != TAUT_OK) taut_op_complete(m, op, TAUT_OK, NULL, NULL);
}
