/* test_api_args.c - arguments out of query, form, multipart and JSON, typed by the method's table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gateway/api.h"

static const struct taut_arg defs[] = {
    {"channel", TAUT_ARG_STR, TAUT_ARG_REQUIRED, "no_channel", NULL},
    {"text", TAUT_ARG_STR, 0, NULL, NULL},
    {"limit", TAUT_ARG_INT, 0, NULL, NULL},
    {"inclusive", TAUT_ARG_BOOL, 0, NULL, NULL},
    {"users", TAUT_ARG_LIST, 0, NULL, NULL},
    {"blocks", TAUT_ARG_JSON, 0, NULL, NULL},
};
enum { CHANNEL, TEXT, LIMIT, INCLUSIVE, USERS, BLOCKS };
static const struct taut_arg strict_defs[] = {{"name", TAUT_ARG_STR, TAUT_ARG_REQUIRED, NULL, NULL}};
static const struct taut_method say = {.name = "say", .args = TAUT_ARRAY(defs)};
static const struct taut_method strict = {.name = "strict", .args = TAUT_ARRAY(strict_defs)};
static const struct taut_method open_to_all = {.name = "open", .flags = TAUT_METHOD_NOAUTH};
static struct method_entry open_entry = {.def = &open_to_all};
static struct method_entry say_entry = {.def = &say, .nargs = COUNT_OF(defs)};
static struct method_entry strict_entry = {.def = &strict, .nargs = 1};
static struct modules modules;
static struct call_pool pool;
static struct call *call;

static void index_args(struct method_entry *e) {
    for (uint32_t i = 0; i < e->nargs; i++) {
        const struct taut_arg *arg = TAUT_AT(e->def->args, struct taut_arg, i);
        map_put(&e->arg_index, taut_str_z(arg->name), (void *)(uintptr_t)(i + 1));
    }
    map_put(&modules.methods, taut_str_z(e->def->name), e);
}

static int set_up(void **state) {
    (void)state;
    index_args(&say_entry);
    index_args(&strict_entry);
    index_args(&open_entry);
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    if (call) call_put(&pool, call);
    call_pool_free(&pool);
    map_free(&say_entry.arg_index);
    map_free(&strict_entry.arg_index);
    map_free(&modules.methods);
    return 0;
}

static void ask_bytes(const char *method, const char *query, const char *type, const char *authorization,
                      taut_str body) {
    if (call) call_put(&pool, call);
    call = call_get(&pool, TAUT_CALL_METHOD, NULL);
    struct api_request r = {
        .method = taut_str_z(method),
        .query = taut_str_z(query),
        .content_type = type ? taut_str_z(type) : taut_str_n(NULL, 0),
        .authorization = taut_str_z(authorization),
        .body = body,
    };
    /* Exactly as long as it is: a sanitizer sees a read past its end. */
    char *copy = malloc(body.len + !body.len);
    if (body.len) memcpy(copy, body.ptr, body.len);
    r.body.ptr = copy;
    api_arguments(&modules, call, &r);
    free(copy);
}
static void ask(const char *query, const char *type, const char *body) {
    ask_bytes("say", query, type, "Bearer t", taut_str_z(body));
}
static void ask_parts(const struct taut_part *parts, uint32_t n, const char *form_error) {
    struct api_request r = {.method = TAUT_LIT("say"),
                            .query = TAUT_LIT(""),
                            .content_type = TAUT_LIT("multipart/form-data; boundary=x"),
                            .authorization = TAUT_LIT(""),
                            .parts = parts,
                            .nparts = n,
                            .is_multipart = true,
                            .form_error = form_error};
    if (call) call_put(&pool, call);
    call = call_get(&pool, TAUT_CALL_METHOD, NULL);
    api_arguments(&modules, call, &r);
}
#define FORM "application/x-www-form-urlencoded"
#define JSON "application/json; charset=utf-8"

static void is_text(int i, const char *expected) {
    assert_true(call->args[i].present);
    assert_int_equal(call->args[i].s.len, strlen(expected));
    assert_memory_equal(call->args[i].s.ptr, expected, strlen(expected));
}
static void fails(const char *code, const char *text) {
    assert_non_null(call->arg_error);
    assert_string_equal(call->arg_error, code);
    assert_int_equal(call->arg_error_text.len, strlen(text));
    if (*text) assert_memory_equal(call->arg_error_text.ptr, text, strlen(text));
}
static void fine(void) {
    if (call->arg_error) fail_msg("%s", call->arg_error);
}

static void query_and_form_and_json_are_merged(void **state) {
    (void)state;
    ask("channel=C1&text=a%20b%2Bc+d", NULL, "");
    fine();
    is_text(CHANNEL, "C1");
    is_text(TEXT, "a b+c d");
    ask("channel=C1&limit=5", FORM, "channel=C2&text=%E2%82%AC");
    fine();
    is_text(CHANNEL, "C2");
    is_text(TEXT, "\xe2\x82\xac");
    assert_int_equal(call->args[LIMIT].i, 5);
    ask("channel=C1&channel=C3", JSON, "{\"text\":\"\\u20ac \\ud83d\\ude00\\n\",\"li\\u006dit\":7,\"unknown\":[1,{}]}");
    fine();
    is_text(CHANNEL, "C3");
    is_text(TEXT, "\xe2\x82\xac \xf0\x9f\x98\x80\n");
    assert_int_equal(call->args[LIMIT].i, 7);
    ask("channel=C1&text=x", JSON, "{\"text\":null}");
    assert_false(call->args[TEXT].present);
}

static void multipart_fields_are_arguments_and_files_are_not(void **state) {
    (void)state;
    static const struct taut_body bodies[] = {{.fd = -1, .length = 2, .bytes = "C1"},
                                              {.fd = -1, .length = 4, .bytes = "file"},
                                              {.fd = -1, .length = 0, .bytes = ""},
                                              {.fd = -1, .length = 2, .bytes = "\xff\xfe"}};
    static const struct taut_part parts[] = {
        {.name = {"channel", 7}, .body = &bodies[0]},
        {.name = {"text", 4}, .is_file = 1, .filename = {"text", 4}, .body = &bodies[1]},
        {.name = {"users", 5}, .body = &bodies[2]},
        {.name = {"text", 4}, .body = &bodies[3]},
    };
    ask_parts(parts, 3, NULL);
    fine();
    is_text(CHANNEL, "C1");
    assert_false(call->args[TEXT].present);
    is_text(USERS, "");
    ask_parts(parts, 4, NULL);
    fails("invalid_form_data", "");
    ask_parts(parts, 1, "the multipart body ends without its last boundary");
    fails("invalid_form_data", "");
}

static void types_are_read_as_sdks_write_them(void **state) {
    (void)state;
    ask("", FORM, "channel=C1&limit=-12&inclusive=1&users= U1 , ,U2,&blocks=[ {\"a\" : \"b c\"} ]");
    fine();
    assert_int_equal(call->args[LIMIT].i, -12);
    is_text(LIMIT, "-12");
    assert_int_equal(call->args[INCLUSIVE].i, 1);
    is_text(USERS, "U1,U2");
    is_text(BLOCKS, "[{\"a\":\"b c\"}]");
    ask("", FORM, "channel=C1&inclusive=false&users=[\"U1\", \"U2\"]");
    fine();
    assert_int_equal(call->args[INCLUSIVE].i, 0);
    is_text(USERS, "U1,U2");
    ask("", FORM, "channel=C1&users= [\"U1\", \"U2\"]");
    fine();
    is_text(USERS, "U1,U2");
    ask("", JSON,
        "{\"channel\":12.50,\"text\":true,\"limit\":\"3\",\"inclusive\":true,\"users\":[\" U1\",\"U2\"],"
        "\"blocks\":[ 1.10, \"\\\" \" ]}");
    fine();
    is_text(CHANNEL, "12.50");
    is_text(TEXT, "true");
    assert_int_equal(call->args[LIMIT].i, 3);
    is_text(USERS, "U1,U2");
    is_text(BLOCKS, "[1.10,\"\\\" \"]");
    ask("", JSON, "{\"channel\":\"C\",\"blocks\":\"[{\\\"a\\\": 1}]\",\"users\":\"U1, U2\",\"limit\":\"\"}");
    fine();
    is_text(BLOCKS, "[{\"a\":1}]");
    is_text(USERS, "U1,U2");
    assert_false(call->args[LIMIT].present);
    ask("channel=C&limit=9223372036854775807", NULL, "");
    assert_true(call->args[LIMIT].i == INT64_MAX);
    ask("channel=C&limit=-9223372036854775808", NULL, "");
    assert_true(call->args[LIMIT].i == INT64_MIN);
}

static void wrong_values_say_what_was_expected(void **state) {
    (void)state;
    static const struct {
        const char *body, *code, *text;
    } cases[] = {
        {"{\"limit\":\"x\"}", "invalid_arguments", "invalid value for \"limit\": expected an integer"},
        {"{\"limit\":1.5}", "invalid_arguments", "invalid value for \"limit\": expected an integer"},
        {"{\"limit\":9223372036854775807,\"inclusive\":2}", "invalid_arguments",
         "invalid value for \"inclusive\": expected true or false"},
        {"{\"limit\":\"9223372036854775808\"}", "invalid_arguments",
         "invalid value for \"limit\": expected an integer"},
        {"{\"limit\":\"-\"}", "invalid_arguments", "invalid value for \"limit\": expected an integer"},
        {"{\"text\":{}}", "invalid_arguments", "invalid value for \"text\": expected text"},
        {"{\"users\":[1]}", "invalid_array_arg",
         "invalid value for \"users\": expected comma-separated text or an array of strings"},
        {"{\"users\":5}", "invalid_array_arg",
         "invalid value for \"users\": expected comma-separated text or an array of strings"},
        {"{\"blocks\":\"[1,\"}", "invalid_arguments", "invalid value for \"blocks\": expected a JSON array or object"},
        {"{\"blocks\":7}", "invalid_arguments", "invalid value for \"blocks\": expected a JSON array or object"},
        {"{\"text\":\"x\"}", "no_channel", ""},
        {"{\"channel\":\"\"}", "no_channel", ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ask("", JSON, cases[i].body);
        fails(cases[i].code, cases[i].text);
    }
    ask_bytes("strict", "", NULL, "", taut_str_z(""));
    fails("invalid_arguments", "missing required field: name");
}

static void bodies_that_are_no_arguments_are_told_apart(void **state) {
    (void)state;
    char deep[200];
    memset(deep, '[', 100);
    memset(deep + 100, ']', 99);
    deep[199] = 0;
    static const struct {
        const char *type, *body, *code;
    } cases[] = {
        {JSON, "{", "invalid_json"},
        {JSON, "{\"a\":1,\"a\":2}", "invalid_json"},
        {JSON, "{\"a\":\"\xff\"}", "invalid_json"},
        {JSON, "{\"a\":\"\\u0000\"}", "invalid_json"},
        {JSON, "[]", "json_not_object"},
        {JSON, "5", "json_not_object"},
        {NULL, "x", "missing_post_type"},
        {"text/plain", "x", "invalid_post_type"},
        {FORM, "text=%ff", "invalid_form_data"},
        {FORM, "text=%00", "invalid_form_data"},
        {FORM, "text=%c0%af", "invalid_form_data"},
        {FORM, "text=%ed%a0%80", "invalid_form_data"},
        {FORM "; charset=latin1", "a=b", "invalid_charset"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ask("", cases[i].type, cases[i].body);
        fails(cases[i].code, "");
    }
    ask("", JSON, deep);
    fails("invalid_json", "");
    ask_bytes("say", "channel=C1", JSON, "Bearer t", TAUT_LIT("{\"limit\": 82\0 }"));
    fails("invalid_json", "");
    ask("text=%ff", NULL, "");
    fails("invalid_form_data", "");
}

static void empty_bodies_of_any_type_are_fine(void **state) {
    (void)state;
    static const char *const types[] = {JSON, FORM, NULL, "text/plain", "multipart/form-data; boundary=x"};
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        ask("channel=C1", types[i], "");
        fine();
    }
    ask("channel=C1", JSON, " null ");
    fine();
    ask("channel=C1", JSON, "  ");
    fine();
}

static void the_header_s_token_wins_and_json_has_none(void **state) {
    (void)state;
    ask_bytes("say", "token=q", FORM, "Bearer h", taut_str_z("token=f"));
    assert_true(taut_str_is(call->token, "h"));
    ask_bytes("say", "token=q", FORM, "", taut_str_z("token=f"));
    assert_true(taut_str_is(call->token, "f"));
    ask_bytes("say", "token=q", FORM, "Basic abc", taut_str_z(""));
    assert_true(taut_str_is(call->token, "q"));
    ask_bytes("say", "", JSON, "", taut_str_z("{\"token\":\"j\"}"));
    assert_int_equal(call->token.len, 0);
}

/* A megabyte of brackets would keep the gateway busy for a tenth of a second. */
static void json_of_one_without_a_token_is_not_looked_at(void **state) {
    (void)state;
    ask_bytes("say", "channel=C1", JSON, "", taut_str_z("{\"channel\": [[["));
    fine();
    ask_bytes("no.such", "", JSON, "Bearer t", taut_str_z("{\"channel\": [[["));
    fine();
    ask_bytes("say", "token=q", JSON, "", taut_str_z("{\"channel\": [[["));
    fails("invalid_json", "");
    ask_bytes("open", "", JSON, "", taut_str_z("{\"channel\": [[["));
    fails("invalid_json", "");
}

static void charsets_earn_warnings(void **state) {
    (void)state;
    ask("", "application/json", "{}");
    assert_string_equal(call->arg_warning, "missing_charset");
    ask("", JSON, "{}");
    assert_null(call->arg_warning);
    ask("", FORM "; charset=\"UTF-8\"", "channel=a");
    assert_string_equal(call->arg_warning, "superfluous_charset");
}

static void an_unknown_method_keeps_its_name_and_token(void **state) {
    (void)state;
    ask_bytes("no.such", "a=b", FORM, "Bearer t", taut_str_z("c=d"));
    assert_null(call->method);
    assert_true(taut_str_is(call->method_name, "no.such"));
    assert_true(taut_str_is(call->token, "t"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(query_and_form_and_json_are_merged),
        cmocka_unit_test(multipart_fields_are_arguments_and_files_are_not),
        cmocka_unit_test(types_are_read_as_sdks_write_them),
        cmocka_unit_test(wrong_values_say_what_was_expected),
        cmocka_unit_test(bodies_that_are_no_arguments_are_told_apart),
        cmocka_unit_test(empty_bodies_of_any_type_are_fine),
        cmocka_unit_test(the_header_s_token_wins_and_json_has_none),
        cmocka_unit_test(json_of_one_without_a_token_is_not_looked_at),
        cmocka_unit_test(charsets_earn_warnings),
        cmocka_unit_test(an_unknown_method_keeps_its_name_and_token),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
