/* test_log_format.c - a line of the log from its parts: whatever these hold, it is one line, and valid. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "obs/log_format.h"

#define TIME "2026-01-31T12:00:00.007Z"
enum { AT_S = 1769860800 };

static char line[LOG_LINE_MAX + 1];

static const char *format_in(size_t cap, enum log_format format, const char *event, taut_str text,
                             const struct taut_kv *kvs, uint32_t n) {
    const struct log_record r = {AT_S * 1000000ll + 7999, TAUT_LOG_WARN, "chat", event, text, kvs, n};
    size_t len = log_format_line(line, cap, format, &r);
    assert_in_range(len, 1, cap);
    assert_int_equal(line[len - 1], '\n');
    assert_ptr_equal(memchr(line, '\n', len), line + len - 1);
    line[len] = 0;
    return line;
}
#define FORMAT(format, event, text, ...)                                          \
    format_in(LOG_LINE_MAX, format, event, text, (struct taut_kv[]){__VA_ARGS__}, \
              sizeof((struct taut_kv[]){__VA_ARGS__}) / sizeof(struct taut_kv))

/* Text `key` of the JSON line. */
static const char *member(const char *json, const char *key) {
    static char text[LOG_LINE_MAX + 1];
    json_error_t why;
    json_t *o = json_loads(json, JSON_REJECT_DUPLICATES, &why);
    if (!o) fail_msg("%s: %s", why.text, json);
    const char *z = json_string_value(json_object_get(o, key));
    if (!z) fail_msg("no text \"%s\" in %s", key, json);
    snprintf(text, sizeof text, "%s", z ? z : "");
    json_decref(o);
    return text;
}

static void a_text_line_has_time_level_who_event_text_and_fields(void **state) {
    (void)state;
    assert_string_equal(FORMAT(LOG_TEXT, "late", TAUT_LIT("a call took long"), {"ms", TAUT_LIT("120")},
                               {"method", TAUT_LIT("chat.post me")}),
                        TIME " warn  chat late: a call took long ms=120 method=\"chat.post me\"\n");
}

static void a_json_line_has_the_same_as_members(void **state) {
    (void)state;
    assert_string_equal(FORMAT(LOG_JSON, "late", TAUT_LIT("a call took long"), {"ms", TAUT_LIT("120")}),
                        "{\"time\":\"" TIME "\",\"level\":\"warn\",\"module\":\"chat\",\"event\":\"late\","
                        "\"text\":\"a call took long\",\"ms\":\"120\"}\n");
}

static void control_characters_are_escaped_in_text(void **state) {
    (void)state;
    assert_string_equal(FORMAT(LOG_TEXT, "e", TAUT_LIT("a\nb\x1b[31m\x7f\xc2\x85"), {"k", TAUT_LIT("x\ny")}),
                        TIME " warn  chat e: a\\x0ab\\x1b[31m\\x7f\\xc2\\x85 k=\"x\\x0ay\"\n");
}

static void quotes_and_backslashes_are_escaped_in_fields(void **state) {
    (void)state;
    assert_string_equal(FORMAT(LOG_TEXT, "e", TAUT_LIT("\"as it is\\\""), {"k", TAUT_LIT("\"\\")}, {"e", TAUT_LIT("")},
                               {"q", TAUT_LIT("a=b")}),
                        TIME " warn  chat e: \"as it is\\\" k=\"\\\"\\\\\" e=\"\" q=\"a=b\"\n");
}

static void json_gives_back_exactly_what_was_said(void **state) {
    static const char said[] = "\"quoted\\ \b\f\n\r\t\x01\x1f\x7f \xc2\x85 \xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x8c";
    (void)state;
    assert_string_equal(member(FORMAT(LOG_JSON, "e", taut_str_z(said), {"k", taut_str_z(said)}), "text"), said);
    assert_string_equal(member(line, "k"), said);
}

/* Bytes that are no UTF-8: stray continuations, overlong forms, surrogates, beyond U+10FFFF, cut off. */
static void bytes_that_are_no_utf8_make_no_line_invalid(void **state) {
    static const char *const wrong[] = {
        "\x80",     "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
        "\xe2\x82", "\xff"};
    char text[32], hex[128];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        snprintf(text, sizeof text, "a%sb", wrong[i]);
        const char *told = member(FORMAT(LOG_JSON, "e", taut_str_z(text), {"k", taut_str_z(text)}), "text");
        assert_int_equal(told[0], 'a');
        assert_int_equal(told[strlen(told) - 1], 'b');
        assert_non_null(strstr(told, "\xef\xbf\xbd"));
        hex[0] = 0;
        for (const char *p = wrong[i]; *p; p++)
            snprintf(hex + strlen(hex), sizeof hex - strlen(hex), "\\x%02x", (unsigned)(unsigned char)*p);
        assert_non_null(strstr(FORMAT(LOG_TEXT, "e", taut_str_z(text), {"k", taut_str_z(text)}), hex));
    }
}

static void a_field_cannot_stand_in_for_one_of_the_line_s_own(void **state) {
    (void)state;
    const char *json =
        FORMAT(LOG_JSON, "e", TAUT_LIT("mine"), {"level", TAUT_LIT("error")}, {"text", TAUT_LIT("theirs")});
    assert_string_equal(member(json, "level"), "warn");
    assert_string_equal(member(json, "text"), "mine");
    assert_string_equal(member(json, "text_"), "theirs");
}

/* At every length around the end: nothing is overrun, and what is there is whole. */
static void a_line_that_is_too_long_is_cut_and_still_whole(void **state) {
    static char text[3 * LOG_LINE_MAX];
    static const char *const pieces[] = {"x", "\xc3\xa9", "\xf0\x9f\x90\x8c", "\n", "\"", "\xff"};
    (void)state;
    for (size_t p = 0; p < COUNT_OF(pieces); p++)
        for (size_t pad = 0; pad < 40; pad++) {
            size_t n = pad;
            memset(text, 'p', pad);
            while (n + 4 < sizeof text) {
                memcpy(text + n, pieces[p], strlen(pieces[p]));
                n += strlen(pieces[p]);
            }
            const struct taut_kv kv = {"key", taut_str_n(text, n)};
            for (int format = LOG_TEXT; format <= LOG_JSON; format++) {
                format_in(LOG_LINE_LEAST, (enum log_format)format, "e", taut_str_n(text, n), &kv, 1);
                if (format == LOG_JSON) member(line, "text");
                format_in(LOG_LINE_LEAST, (enum log_format)format, "e", taut_str_n(text, 300 + pad), &kv, 1);
                if (format == LOG_JSON) member(line, "text");
            }
        }
}

static void who_and_event_are_cut_and_fields_beyond_sixteen_are_left_out(void **state) {
    struct taut_kv kvs[20];
    char event[200];
    (void)state;
    memset(event, 'e', sizeof event - 1);
    event[sizeof event - 1] = 0;
    for (size_t i = 0; i < COUNT_OF(kvs); i++) kvs[i] = (struct taut_kv){"k", TAUT_LIT("v")};
    format_in(LOG_LINE_MAX, LOG_TEXT, event, TAUT_LIT("t"), kvs, COUNT_OF(kvs));
    int n = 0;
    for (const char *p = line; (p = strstr(p, " k=v")); p++) n++;
    assert_int_equal(n, 16);
    event[64] = 0;
    assert_non_null(strstr(line, event));
    assert_null(strstr(line, "eeeee"
                             "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"));
}

static void a_level_that_does_not_exist_is_the_nearest(void **state) {
    char out[LOG_LINE_LEAST];
    (void)state;
    struct log_record r = {0, 9, "w", "e", TAUT_LIT(""), NULL, 0};
    log_format_line(out, sizeof out, LOG_TEXT, &r);
    assert_int_equal(strncmp(out, "1970-01-01T00:00:00.000Z error w e: \n", 36), 0);
    r.level = -3;
    log_format_line(out, sizeof out, LOG_TEXT, &r);
    assert_int_equal(strncmp(out, "1970-01-01T00:00:00.000Z debug w e: \n", 36), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_line_has_time_level_who_event_text_and_fields),
        cmocka_unit_test(a_json_line_has_the_same_as_members),
        cmocka_unit_test(control_characters_are_escaped_in_text),
        cmocka_unit_test(quotes_and_backslashes_are_escaped_in_fields),
        cmocka_unit_test(json_gives_back_exactly_what_was_said),
        cmocka_unit_test(bytes_that_are_no_utf8_make_no_line_invalid),
        cmocka_unit_test(a_field_cannot_stand_in_for_one_of_the_line_s_own),
        cmocka_unit_test(a_line_that_is_too_long_is_cut_and_still_whole),
        cmocka_unit_test(who_and_event_are_cut_and_fields_beyond_sixteen_are_left_out),
        cmocka_unit_test(a_level_that_does_not_exist_is_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
