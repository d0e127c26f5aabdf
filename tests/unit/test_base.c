/* test_base.c - memory, maps, text, the mailbox between threads, did-you-mean, events and their positions. */
#include "base/arena.h"
#include "base/mailbox.h"
#include "base/map.h"
#include "base/text.h"
#include "log/event.h"
#include "taut/json.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void a_map_keeps_what_was_put_through_growth_and_removal(void **state) {
    enum { N = 5000 };
    struct map m = {0};
    static char keys[N][24];
    (void)state;
    for (int i = 0; i < N; i++) {
        snprintf(keys[i], sizeof keys[i], "key%d", i);
        assert_null(map_put(&m, taut_str_z(keys[i]), keys[i]));
    }
    for (int i = 0; i < N; i += 3) assert_ptr_equal(map_remove(&m, taut_str_z(keys[i])), keys[i]);
    for (int i = 0; i < N; i++) assert_ptr_equal(map_get(&m, taut_str_z(keys[i])), i % 3 ? keys[i] : NULL);
    assert_int_equal(m.len, N - (N + 2) / 3);
    assert_null(map_remove(&m, TAUT_LIT("nobody")));
    map_free(&m);
}

static void arena_memory_is_aligned_and_is_reused_after_reset(void **state) {
    struct arena a = {0};
    (void)state;
    for (size_t n = 1; n < 20000; n = n * 2 + 1) assert_int_equal((uintptr_t)arena_alloc(&a, n) % 16, 0);
    arena_reset(&a);
    assert_true(a.total <= 4096);
    void *first = arena_alloc(&a, 64);
    arena_reset(&a);
    assert_ptr_equal(arena_alloc(&a, 64), first);
    arena_free(&a);
}

static void json_is_escaped_and_compact(void **state) {
    struct arena a = {0};
    struct taut_json j;
    (void)state;
    arena_json(&a, &j);
    taut_json_open(&j, '{');
    taut_json_kstr(&j, "a\"b", taut_str_n("x\n\\\x01\"\0z\xc3\xa9", 9));
    taut_json_kint(&j, "min", INT64_MIN);
    taut_json_kopen(&j, "list", '[');
    taut_json_bool(&j, 1);
    taut_json_null(&j);
    taut_json_open(&j, '{');
    taut_json_close(&j, '}');
    taut_json_close(&j, ']');
    taut_json_ktext(&j, "raw", TAUT_LIT("[1]"));
    taut_json_close(&j, '}');
    assert_string_equal(arena_str(&a, taut_str_n(j.ptr, j.len)).ptr,
                        "{\"a\\\"b\":\"x\\n\\\\\\u0001\\\"\\u0000z\xc3\xa9\",\"min\":-9223372036854775808,"
                        "\"list\":[true,null,{}],\"raw\":[1]}");
    arena_free(&a);
}

static void the_nearest_word_is_found_and_far_ones_are_not(void **state) {
    const char *const words[] = {"off", "normal", "full", "cache", "listen"};
    (void)state;
    assert_string_equal(nearest(TAUT_LIT("ful"), words, 5), "full");
    assert_string_equal(nearest(TAUT_LIT("cahce"), words, 5), "cache");
    assert_null(nearest(TAUT_LIT("database"), words, 5));
}

static void every_error_has_a_text_of_its_own(void **state) {
    (void)state;
    for (int32_t e = TAUT_E_AGAIN; e >= TAUT_E_DENIED; e--) {
        assert_string_not_equal(error_text(e), "unknown error");
        for (int32_t f = e - 1; f >= TAUT_E_DENIED; f--) assert_string_not_equal(error_text(e), error_text(f));
    }
    assert_string_equal(error_text(-99), "unknown error");
}

static void a_position_survives_its_text_and_foreign_texts_are_refused(void **state) {
    const uint64_t seqs[] = {0, 1, 15, 16, 123456789, UINT64_MAX};
    const char *const foreign[] = {"", "1-", "2-1", "1-G", "1-11111111111111111", "1_1", "dXNlcjpVMDYx"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(seqs); i++) {
        char text[CURSOR_MAX];
        uint64_t back;
        assert_true(cursor_read(taut_str_n(text, cursor_write(text, seqs[i])), &back));
        assert_true(back == seqs[i]);
    }
    for (size_t i = 0; i < COUNT_OF(foreign); i++) {
        uint64_t seq;
        assert_false(cursor_read(taut_str_z(foreign[i]), &seq));
    }
}

static void an_event_read_back_from_the_log_is_the_event_that_was_written(void **state) {
    (void)state;
    struct event *e = event_from_record(TAUT_LIT("T1"), 7, 99, TAUT_LIT("C1 U2"),
                                        TAUT_LIT("+U1 C1,-U2 C1,xK7 token revoked"), TAUT_LIT("{}"));
    assert_int_equal(e->ntopics, 2);
    assert_true(taut_str_is(e->topics[1], "U2"));
    assert_int_equal(e->ndeltas, 3);
    assert_int_equal(e->deltas[1].how, '-');
    assert_true(taut_str_is(e->deltas[1].who, "U2"));
    assert_true(taut_str_is(e->deltas[2].topic, "token revoked"));
    assert_true(e->skip == 99 && e->seq == 7);
    event_unref(e);
    e = event_from_record(TAUT_LIT("T1"), 8, 0, TAUT_LIT(""), TAUT_LIT(""), TAUT_LIT(""));
    assert_int_equal(e->ntopics + e->ndeltas, 0);
    event_unref(e);
}

/* ---- the mailbox ---- */

enum { WRITERS = 3, EACH = 20000 };
struct letter {
    struct mail mail;
    int writer, number;
};
static struct mailbox box;

static void *writer(void *arg) {
    for (int i = 0; i < EACH; i++) {
        struct letter *l = xmalloc(sizeof *l);
        *l = (struct letter){.writer = (int)(intptr_t)arg, .number = i};
        mailbox_push(&box, &l->mail);
    }
    return NULL;
}

/* As between a module of today and one of another minor version. */
static void a_struct_is_copied_as_far_as_both_sides_know_it(void **state) {
    struct old {
        uint32_t size, a;
    };
    struct new {
        uint32_t size, a, b;
    };
    struct {
        struct old old;
        uint32_t behind;
    } from = {{sizeof(struct old), 7}, 0xdead}, to = {{0, 0}, 0xbeef};
    const struct new whole = {sizeof whole, 1, 2};
    struct new got = {0, 9, 9};
    (void)state;
    taut_copy_sized(&got, sizeof got, &from.old);
    assert_int_equal(got.size, sizeof got);
    assert_int_equal(got.a, 7);
    assert_int_equal(got.b, 0);
    taut_copy_sized(&to.old, sizeof to.old, &whole);
    assert_int_equal(to.old.size, sizeof to.old);
    assert_int_equal(to.old.a, 1);
    assert_int_equal(to.behind, 0xbeef);
}

static void letters_of_each_writer_arrive_once_and_in_order(void **state) {
    pthread_t threads[WRITERS];
    int next[WRITERS] = {0}, total = 0;
    (void)state;
    for (intptr_t i = 0; i < WRITERS; i++) pthread_create(&threads[i], NULL, writer, (void *)i);
    while (total < WRITERS * EACH) {
        struct mail *m = mailbox_take(&box);
        while (m) {
            struct letter *l = CONTAINER_OF(m, struct letter, mail);
            m = m->next;
            assert_int_equal(l->number, next[l->writer]++);
            total++;
            free(l);
        }
    }
    for (int i = 0; i < WRITERS; i++) pthread_join(threads[i], NULL);
    assert_null(mailbox_take(&box));
}

/* Written as RFC 3629 has it, whatever the code point; returns the length. */
static size_t put_point(char out[4], uint32_t c) {
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; c >>= 6) out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(first[n] | c);
    return n;
}

static void every_character_of_utf8_is_one_and_nothing_else_is(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "\x80",         "\xc0\x80",         "\xc1\xbf",         "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf",
        "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80", "\xc3(",        "\xe2\x82"};
    char text[4];
    for (uint32_t c = 0; c < 0x110000; c++) {
        bool is_surrogate = c >= 0xd800 && c < 0xe000;
        size_t n = put_point(text, c);
        assert_int_equal(utf8_len(text, n), is_surrogate ? 0 : n);
        assert_int_equal(text_is_clean(taut_str_n(text, n)), c && !is_surrogate);
        if (n > 1) assert_int_equal(utf8_len(text, n - 1), 0);
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++) assert_false(text_is_clean(taut_str_z(wrong[i])));
    assert_true(text_is_clean(taut_str_n("", 0)));
}

static void digits_and_beginnings(void **state) {
    (void)state;
    static const char digits[] = "0123456789abcdefABCDEF";
    for (int c = 0; c < 256; c++) {
        const char *at = c ? strchr(digits, c) : NULL;
        int want = at ? (int)(at - digits) : -1;
        assert_int_equal(hex_digit((char)c), want > 15 ? want - 6 : want);
    }
    assert_true(starts_with(TAUT_LIT("/api/x"), "/api/") && starts_with(TAUT_LIT("x"), ""));
    assert_false(starts_with(TAUT_LIT("/API/"), "/api/") || starts_with(TAUT_LIT("/a"), "/api/"));
    assert_true(starts_with_nocase(TAUT_LIT("HTTPS://x"), "https://"));
    assert_false(starts_with_nocase(TAUT_LIT("http"), "https"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_keeps_what_was_put_through_growth_and_removal),
        cmocka_unit_test(arena_memory_is_aligned_and_is_reused_after_reset),
        cmocka_unit_test(json_is_escaped_and_compact),
        cmocka_unit_test(the_nearest_word_is_found_and_far_ones_are_not),
        cmocka_unit_test(every_error_has_a_text_of_its_own),
        cmocka_unit_test(a_position_survives_its_text_and_foreign_texts_are_refused),
        cmocka_unit_test(an_event_read_back_from_the_log_is_the_event_that_was_written),
        cmocka_unit_test(every_character_of_utf8_is_one_and_nothing_else_is),
        cmocka_unit_test(digits_and_beginnings),
        cmocka_unit_test(a_struct_is_copied_as_far_as_both_sides_know_it),
        cmocka_unit_test(letters_of_each_writer_arrive_once_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
