/* test_config_yaml.c - files that are no configuration: wrong YAML, wrong bytes, too much of everything. Each is
 * refused with its place and with words that say what to do. */
#include <stdio.h>
#include <stdlib.h>

#include "config_harness.h"

static void expect_bytes(taut_str yaml, const char *errors) {
    struct config *c = config_read_text("taut.yaml", yaml, NULL);
    assert_problems(&c->errors, errors);
    config_free(c);
}
static void expect(const char *yaml, const char *errors) {
    expect_bytes(taut_str_z(yaml), errors);
}

static void test_tabs_cannot_indent(void **state) {
    (void)state;
    expect("server:\n\tlisten: x\n",
           "taut.yaml:2:1: not valid YAML: found character that cannot start any token; a tab cannot indent; use "
           "spaces\n");
    expect("server:\n  data: x\n\tlisten: x\n",
           "taut.yaml:3:1: not valid YAML: found a tab character that violates indentation; a tab cannot indent; use "
           "spaces\n");
}

static void test_wrong_indentation_is_found_and_explained(void **state) {
    (void)state;
    expect("server:\n  data: x\n   listen: y\n",
           "taut.yaml:3:10: not valid YAML: mapping values are not allowed in this context; check the indentation, or "
           "put text that contains \": \" in quotes\n");
    expect("server:\n    data: x\n  listen: y\n",
           "taut.yaml:3:3: not valid YAML: did not find expected key; this line is indented differently from the "
           "options above it\n");
    expect("modules:\n  - a\n - b\n",
           "taut.yaml:3:2: not valid YAML: did not find expected key; this line is indented differently from the "
           "options above it\n");
    expect("server:\n  data\n  listen: y\n",
           "taut.yaml:3:9: not valid YAML: mapping values are not allowed in this context; check the indentation, or "
           "put text that contains \": \" in quotes\n");
    expect("server: {data: x\nmodules: []\n",
           "taut.yaml:2:8: not valid YAML: did not find expected ',' or '}'; a closing bracket or a comma is missing; "
           "in { } and [ ], put ${…} in quotes\n");
    expect("server: {data: \"x}\n",
           "taut.yaml:2:1: not valid YAML: found unexpected end of stream; a closing quote is missing\n");
    expect("a: @x\n", "taut.yaml:1:4: not valid YAML: found character that cannot start any token; put text that "
                      "begins with %, @, ` or a tab in quotes\n");
    expect("a: \"C:\\data\"\n", "taut.yaml:1:7: not valid YAML: found unknown escape character; in \"double quotes\" "
                                "write \\\\ for a backslash, or use 'single quotes'\n");
}

static void test_a_file_is_utf8_text(void **state) {
    (void)state;
    expect("a: 1\nb: \"\xff\"\n",
           "taut.yaml:2:5: not valid YAML: invalid leading UTF-8 octet; save the file as UTF-8\n");
    expect("a: \xc3\xa9\xc3(\n",
           "taut.yaml:1:6: not valid YAML: invalid trailing UTF-8 octet; save the file as UTF-8\n");
    expect_bytes(taut_str_n("\xff\xfe"
                            "a\0:\0",
                            6),
                 "taut.yaml:1:1: not valid YAML: invalid leading UTF-8 octet; save the file as UTF-8\n");
    expect("a: \x1b[31m\n", "taut.yaml:1:4: not valid YAML: control characters are not allowed; in \"double quotes\" "
                            "they can be written like \\x1b\n");
    expect("\xef\xbb\xbfmodules: []\n", "");
}

static void test_control_characters_of_a_value_do_not_reach_the_terminal(void **state) {
    (void)state;
    expect("server: { log_level: \"\\e[31m\\n\" }\nmodules: []\n",
           "taut.yaml:1:22: server.log_level: \"?[31m?\" is not one of debug, info, warn, error\n");
    expect("\"a\\nb\": { c: 1, c: 2 }\nmodules: []\n", "taut.yaml:1:1: unknown section \"a?b\"\n"
                                                       "taut.yaml:1:17: a?b: \"c\" is given twice, first in line 1\n");
}

static void test_a_long_value_is_shown_in_part(void **state) {
    (void)state;
    char yaml[512] = "server: { log_level: ", errors[512];
    for (int i = 0; i < 60; i++) strcat(yaml, "é");
    strcat(yaml, " }\nmodules: []\n");
    strcpy(errors, "taut.yaml:1:22: server.log_level: \"");
    for (int i = 0; i < 40; i++) strcat(errors, "é");
    strcat(errors, "…\" is not one of debug, info, warn, error\n");
    expect(yaml, errors);
}

static void test_bombs_of_aliases_are_refused_at_their_first_anchor(void **state) {
    (void)state;
    expect("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
           "taut.yaml:1:4: anchors (&) and aliases (*) are not supported; write the value out\n");
}

static void test_a_file_of_too_many_values_is_refused(void **state) {
    (void)state;
    char *yaml = malloc(60000), *at = yaml;
    at += sprintf(at, "modules: [");
    for (int i = 0; i < 20000; i++) at += sprintf(at, "a,");
    strcpy(at, "a]\n");
    expect(yaml, "taut.yaml:1:40007: more than 20000 values in one file\n");
    free(yaml);
}

static void test_of_very_many_errors_the_first_are_shown(void **state) {
    (void)state;
    char *yaml = malloc(20000), *at = yaml;
    at += sprintf(at, "modules: []\n");
    for (int i = 0; i < 300; i++) at += sprintf(at, "wrong%d: 1\n", i);
    struct config *c = config_read_text("taut.yaml", taut_str_z(yaml), NULL);
    assert_int_equal(c->errors.n, 201);
    assert_str(c->errors.list[199], "taut.yaml:201:1: unknown section \"wrong199\"");
    assert_str(c->errors.list[200], "taut.yaml: and more; these are the first that were found");
    config_free(c);
    free(yaml);
}

static void test_an_error_comes_in_parts_as_well(void **state) {
    (void)state;
    struct config *c = config_read_text("taut.yaml", taut_str_z("server: { gateways: x }\nmodules: []\n"), NULL);
    const struct config_problem *p = &c->errors.problems[0];
    assert_int_equal(p->line, 1);
    assert_int_equal(p->col, 21);
    assert_string_equal(p->source, "taut.yaml");
    assert_string_equal(p->option, "server.gateways");
    assert_string_equal(p->text, "\"x\" is not a whole number");
    config_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tabs_cannot_indent),
        cmocka_unit_test(test_wrong_indentation_is_found_and_explained),
        cmocka_unit_test(test_a_file_is_utf8_text),
        cmocka_unit_test(test_control_characters_of_a_value_do_not_reach_the_terminal),
        cmocka_unit_test(test_a_long_value_is_shown_in_part),
        cmocka_unit_test(test_bombs_of_aliases_are_refused_at_their_first_anchor),
        cmocka_unit_test(test_a_file_of_too_many_values_is_refused),
        cmocka_unit_test(test_of_very_many_errors_the_first_are_shown),
        cmocka_unit_test(test_an_error_comes_in_parts_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
