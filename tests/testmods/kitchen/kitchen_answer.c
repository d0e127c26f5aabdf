/* kitchen_answer.c - arguments, answers, errors, pages: what a handler does between its first line and its last. */
#include "kitchen.h"

enum { S, I, B, L, J };

static void echo_arguments(struct taut_call *c, struct taut_json *j) {
    taut_json_kstr(j, "s", taut_arg_str(c, S));
    taut_json_kint(j, "i", taut_arg_int(c, I, -1));
    taut_json_kbool(j, "b", taut_arg_int(c, B, 0) != 0);
    taut_json_kbool(j, "b_given", taut_arg_given(c, B));
    taut_json_kstr(j, "l", taut_arg_str(c, L));
    if (taut_arg(c, J)->present) taut_json_ktext(j, "j", taut_arg(c, J)->s);
    else taut_json_kint(j, "j_type", taut_arg(c, J)->type);
}

/* Everything that the writer can write. */
static void write_all(struct taut_json *j) {
    taut_json_kopen(j, "all", '[');
    taut_json_str(j, TAUT_LIT("\"quoted\"\n\r\t\\\x01"));
    taut_json_int(j, INT64_MIN);
    taut_json_bool(j, 1);
    taut_json_bool(j, 0);
    taut_json_null(j);
    taut_json_text(j, TAUT_LIT("{\"ready\":1.5}"));
    taut_json_open(j, '{');
    taut_json_key(j, "inner");
    taut_json_sep(j);
    taut_json_raw(j, "1e3", 3);
    taut_json_close(j, '}');
    taut_json_sep(j);
    taut_json_quoted(j, TAUT_LIT("last"));
    taut_json_close(j, ']');
}

int32_t kitchen_json(struct taut_mod *m, struct taut_call *c) {
    struct taut_json *j = taut_json_scratch(c);
    (void)m;
    taut_json_open(j, '{');
    taut_json_kstr(j, "short", taut_fmt(c, "%d pots and %s", 3, "a pan"));
    taut_json_kint(j, "long", (int64_t)taut_fmt(c, "%0*d", 300, 7).len);
    taut_json_kstr(j, "kept", taut_keep(c, taut_arg_str(c, S)));
    taut_json_close(j, '}');
    taut_str scratched = taut_json_out(j);
    char *zeros = taut_scratch(c, 64);
    j = taut_answer(c);
    echo_arguments(c, j);
    write_all(j);
    taut_json_ktext(j, "scratch", scratched);
    taut_json_kbool(j, "zeros", zeros[0] == 0 && zeros[63] == 0);
    taut_warn(c, "too_hot");
    return taut_done(c);
}

static int32_t tries(int32_t err) {
    TAUT_TRY(err);
    return 1;
}

int32_t kitchen_fail(struct taut_mod *m, struct taut_call *c) {
    taut_str how = taut_arg_str(c, 0);
    (void)m;
    if (taut_str_is(how, "code")) return taut_fail(c, "burnt");
    if (taut_str_is(how, "text")) return taut_fail_text(c, "burnt", TAUT_LIT("it was in the oven for too long"));
    if (taut_str_is(how, "mended")) { /* who gets TAUT_E_FAILED may still answer otherwise */
        int32_t err = taut_fail(c, "burnt");
        struct taut_json *j = taut_answer(c);
        taut_json_kbool(j, "failed", err == TAUT_E_FAILED);
        taut_json_kint(j, "tried", tries(err));
        return taut_done(c);
    }
    return (int32_t)taut_arg_int(c, 1, TAUT_E_UNAVAILABLE); /* an error that nobody put into words */
}

/* ---- pages ---- */

enum { LIMIT, CURSOR, NUMBERS = 12 };

int32_t kitchen_page(struct taut_mod *m, struct taut_call *c) {
    uint32_t limit;
    taut_str from;
    char text[TAUT_CURSOR_SIZE], back[TAUT_CURSOR_SIZE];
    (void)m;
    TAUT_TRY(taut_limit_arg(c, LIMIT, 5, &limit));
    TAUT_TRY(taut_cursor_arg(c, CURSOR, "page", &from));
    uint32_t at = from.len ? taut_limit_read(from, 0) : 0;
    struct taut_json *j = taut_answer(c);
    taut_json_kopen(j, "numbers", '[');
    for (uint32_t i = 0; i < limit && at < NUMBERS; i++, at++) taut_json_int(j, at);
    taut_json_close(j, ']');
    taut_str written = taut_cursor_write(text, "page", taut_fmt(c, "%u", at)), value = TAUT_NONE;
    taut_json_kbool(j, "cursor_reads_back", taut_cursor_read(written, "page", back, &value));
    if (at < NUMBERS) taut_cursor_answer(c, "page", value);
    else taut_next_cursor(c, TAUT_NONE);
    return taut_done(c);
}
