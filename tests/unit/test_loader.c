/* test_loader.c - modules: what is refused and in which words, options, start order, registration. The modules are
 * those of tests/badmods. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "module/loader.h"

#define DIR TAUT_MODULE_DIR "/../badmods"

static void expect_refused(const char *name, const char *text) {
    char file[PATH_MAX], *why = NULL;
    snprintf(file, sizeof file, "%s/%s.so", DIR, name);
    assert_null(loader_open(file, &why));
    assert_string_equal(why, text);
    free(why);
}

static void test_what_is_no_module_for_this_server_is_refused_in_one_line(void **state) {
    (void)state;
    expect_refused("no_symbol", "no_symbol.so: is not a Taut module: it has no symbol \"taut_module\"");
    expect_refused("size_zero",
                   "size_zero.so: its module table has an impossible size (0 bytes); declare the module with "
                   "TAUT_MODULE and rebuild it");
    expect_refused("wrong_major", "wrong_major.so: needs module ABI 9.0, this server offers 1.0; rebuild the module "
                                  "or upgrade the server");
    expect_refused("too_new", "too_new.so: needs module ABI 1.7, this server offers 1.0; rebuild the module or upgrade "
                              "the server");
    expect_refused("misnamed", "misnamed.so: calls itself \"another\"; a module's file is named after it");
    expect_refused("no_name", "no_name.so: has no name or no version; this is a fault of the module");
    expect_refused("cut", "cut.so: is cut off (5000 bytes); install it again");
    expect_refused("absent", "absent.so: cannot be loaded: cannot open shared object file: No such file or directory");
}

/* A module whose file ends early. */
static int cut_one(void **state) {
    (void)state;
    char bytes[5000];
    FILE *from = fopen(DIR "/sample.so", "r"), *to = fopen(DIR "/cut.so", "w");
    assert_int_equal(fread(bytes, 1, sizeof bytes, from), sizeof bytes);
    assert_int_equal(fwrite(bytes, 1, sizeof bytes, to), sizeof bytes);
    fclose(from);
    return fclose(to);
}

static int remove_it(void **state) {
    (void)state;
    return unlink(DIR "/cut.so");
}

static struct modules *load(const char *yaml, struct config **c) {
    const struct config_override o = {.data = "/data"};
    *c = config_read_text("taut.yaml", taut_str_z(yaml), &o);
    return loader_load(*c, DIR);
}

static void expect_errors(const char *yaml, const char *errors) {
    struct config *c;
    struct modules *ms = load(yaml, &c);
    char all[4096] = "";
    for (uint32_t i = 0; i < c->errors.n; i++) {
        strncat(all, c->errors.list[i].ptr, sizeof all - strlen(all) - 1);
        strncat(all, "\n", sizeof all - strlen(all) - 1);
    }
    assert_string_equal(all, errors);
    modules_free(ms);
    config_free(c);
}

static void test_errors_of_a_configuration_name_their_places(void **state) {
    (void)state;
    expect_errors(
        "modules:\n  - sampel\n  - too_new\n  - sample: { sync: ful, cahce: 1 }\n  - ../x\n",
        "taut.yaml:2:5: modules: there is no module \"sampel\"; did you mean \"sample\"? (modules are looked for "
        "in " DIR ")\n"
        "taut.yaml:3:5: modules: too_new.so: needs module ABI 1.7, this server offers 1.0; rebuild the "
        "module or upgrade the server\n"
        "taut.yaml:4:21: modules.sample.sync: \"ful\" is not one of off, normal, full; did you mean \"full\"?\n"
        "taut.yaml:4:26: modules.sample: unknown option \"cahce\"; did you mean \"cache\"?\n"
        "taut.yaml:5:5: modules: \"../x\" is not the name of a module\n");
    expect_errors("modules:\n  - sample:\n      sync: off\n      cache: 2GiB\n",
                  "taut.yaml:4:14: modules.sample.cache: is too large without sync\n");
}

static void test_what_the_server_has_in_each_item_is_checked_and_kept_from_the_module(void **state) {
    (void)state;
    struct config *c;
    struct modules *ms = load("modules:\n  - chain_a: { memory: { soft: 1MiB }, as: one, enabled: no }\n  - chain_d\n"
                              "  - sample\n",
                              &c);
    assert_int_equal(ms->list[0]->item.memory.soft, 1 << 20);
    assert_int_equal(ms->list[0]->item.memory.hard, 1 << 30);
    assert_true(ms->list[0]->off);
    assert_int_equal(ms->list[1]->item.memory.soft, 256 << 20);
    assert_false(ms->list[1]->off);
    modules_free(ms);
    config_free(c);
    expect_errors(
        "modules:\n  - chain_a: { memory: { soft: 2GiB, sofd: 1, hard: no } }\n",
        "taut.yaml:2:38: modules.chain_a.memory: unknown option \"sofd\"; did you mean \"soft\"?\n"
        "taut.yaml:2:53: modules.chain_a.memory.hard: \"no\" is not a size; write it like 512, 64KiB, 1MiB or "
        "2GiB\n");
    expect_errors("modules:\n  - chain_a: { memory: { soft: 2GiB } }\n",
                  "taut.yaml:2:32: modules.chain_a.memory.soft: 2GiB is more than memory.hard (1GiB); make it less, or "
                  "raise that\n");
    expect_errors("modules:\n  - chain_a: { memory: { soft: 2GiB, hard: 0 } }\n", "");
    expect_errors("modules:\n  - chain_a: { memory: 1GiB }\n",
                  "taut.yaml:2:24: modules.chain_a.memory: must be a map of options\n");
    expect_refused("reserved", "reserved.so: option \"memory\" has a name that the server uses itself; take another; "
                               "this is a fault of the module");
}

static void test_one_that_is_not_to_run_gives_nothing_and_needs_nothing(void **state) {
    (void)state;
    expect_errors("modules:\n  - chain_b: { enabled: no }\n", "");
    expect_errors("modules:\n  - chain_a: { enabled: no }\n  - chain_b\n",
                  "taut.yaml:3:5: modules.chain_b: needs service \"a/1\" of modules.chain_a, which has \"enabled: "
                  "false\"\n");
    expect_errors("modules:\n  - chain_a: { enabled: no }\n  - chain_e\n  - chain_b\n", "");
}

static void test_errors_of_one_section_hide_no_others(void **state) {
    (void)state;
    expect_errors(
        "server: { gateways: 99 }\nadmin: { listen: x }\nmodules:\n  - sample: { sync: ful }\n  - chain_b\n",
        "taut.yaml:1:21: server.gateways: 99 is out of range: it must be 0 to 32\n"
        "taut.yaml:2:18: admin.listen: \"x\" is not an address; write HOST:PORT, such as 127.0.0.1:8065\n"
        "taut.yaml:4:21: modules.sample.sync: \"ful\" is not one of off, normal, full; did you mean \"full\"?\n"
        "taut.yaml:5:5: modules.chain_b: needs service \"a/1\", which no enabled module provides; add \"- chain_a\" to "
        "the modules\n");
    /* what an item that cannot be read would have provided is not called missing */
    expect_errors("modules:\n  - chain_a: {}\n    x: {}\n  - chain_b\n",
                  "taut.yaml:2:5: modules: one module an item, but here are \"chain_a\" and \"x\"; indent the options "
                  "further than the name\n");
}

static void test_services_that_are_missing_doubled_or_in_a_circle(void **state) {
    (void)state;
    expect_errors("modules:\n  - chain_b\n", "taut.yaml:2:5: modules.chain_b: needs service \"a/1\", which no enabled "
                                             "module provides; add \"- chain_a\" to the modules\n");
    expect_errors("modules:\n  - chain_d\n", "taut.yaml:2:5: modules.chain_d: needs service \"a/2\", which no enabled "
                                             "module provides; did you mean \"a/1\"?\n");
    expect_errors(
        "modules:\n  - chain_a\n  - chain_a: { as: second }\n",
        "taut.yaml:3:5: modules.second: provides service \"a/1\", as modules.chain_a already does; remove one of "
        "them\n");
    expect_errors("modules:\n  - chain_a\n  - ring_a\n  - ring_b\n",
                  "taut.yaml:3:5: modules.ring_a: modules wait for each other in a circle: ring_a needs \"rb/1\" from "
                  "ring_b, ring_b needs \"ra/1\" from ring_a\n");
}

static void test_start_order_follows_needs_and_wants_and_else_the_file(void **state) {
    (void)state;
    struct config *c;
    struct modules *ms = load("modules:\n  - chain_c\n  - sample\n  - chain_b\n  - older\n  - chain_a\n", &c);
    static const char *const order[] = {"sample", "older", "chain_a", "chain_b", "chain_c"};
    assert_int_equal(c->errors.n, 0);
    assert_int_equal(ms->n, 5);
    for (uint32_t i = 0; i < ms->n; i++) assert_string_equal(ms->list[i]->name, order[i]);
    modules_free(ms);
    config_free(c);
    ms = load("modules:\n  - chain_c\n", &c); /* a missing want is no error */
    assert_int_equal(c->errors.n, 0);
    modules_free(ms);
    config_free(c);
}

static void test_a_module_with_shorter_tables_is_read_over_zeros(void **state) {
    (void)state;
    struct config *c;
    struct modules *ms = load("modules:\n  - older: { depth: 7 }\n", &c);
    assert_int_equal(c->errors.n, 0);
    const struct taut_module *d = ms->list[0]->def;
    const int64_t *values = ms->list[0]->config;
    assert_int_equal(values[0], 3);
    assert_int_equal(values[1], 7);
    assert_string_equal(TAUT_AT(d->options, struct taut_opt, 1)->name, "depth");
    assert_null(TAUT_AT(d->options, struct taut_opt, 1)->help);
    assert_int_equal(d->methods.len, 0);
    assert_null(d->init);
    modules_free(ms);
    config_free(c);
}

static void test_everything_that_a_module_brings_is_registered(void **state) {
    (void)state;
    struct config *c;
    struct modules *ms = load("modules:\n  - older\n  - sample: { as: main }\n", &c);
    assert_int_equal(c->errors.n, 0);
    struct method_entry *me = modules_method(ms, TAUT_LIT("sample.echo"));
    assert_non_null(me);
    assert_null(modules_method(ms, TAUT_LIT("sample.ech")));
    assert_string_equal(me->owner->name, "main");
    assert_int_equal(me->nargs, 3);
    assert_int_equal(method_arg_index(me, TAUT_LIT("text")), 0);
    assert_int_equal(method_arg_index(me, TAUT_LIT("loud_voice")), 2);
    assert_int_equal(method_arg_index(me, TAUT_LIT("nothing")), -1);
    assert_int_equal(ms->nroutes, 1);
    assert_int_equal(ms->ncommands, 3);
    assert_int_equal(ms->nhooks, 1);
    assert_int_equal(ms->ntables, 1);
    assert_string_equal(ms->tables[0].sql_name, "main_things");
    assert_int_equal(ms->list[1]->first_table, 0);
    assert_int_equal(ms->list[1]->ntables, 1);
    assert_string_equal(ms->list[1]->where, "taut.yaml:3:5");
    modules_free(ms);
    config_free(c);
}

#define ONCE ": a module with methods, routes, sockets or commands can be configured once"
static void test_two_instances_may_not_bring_the_same_method(void **state) {
    (void)state;
    expect_errors("modules:\n  - sample\n  - sample: { as: other }\n",
                  "taut.yaml:3:5: modules.other: method \"sample.echo\" is already registered by modules.sample: a "
                  "module with methods, routes, sockets or commands can be configured once\n"
                  "taut.yaml:3:5: modules.other: route GET /sample is already registered by modules.sample: a module "
                  "with methods, routes, sockets or commands can be configured once\n"
                  "taut.yaml:3:5: modules.other: command \"sample echo\" is already registered by modules.sample: a "
                  "module with methods, routes, sockets or commands can be configured once\n"
                  "taut.yaml:3:5: modules.other: command \"sample alone\" is already registered by modules.sample: a "
                  "module with methods, routes, sockets or commands can be configured once\n"
                  "taut.yaml:3:5: modules.other: command \"sample stay\" is already registered by modules.sample: a "
                  "module with methods, routes, sockets or commands can be configured once\n");
}

static void test_the_standard_configuration_lists_standard_modules(void **state) {
    (void)state;
    char *yaml = loader_standard_config(DIR);
    assert_string_equal(yaml, "modules:\n  - sample\n");
    free(yaml);
    yaml = loader_standard_config("/nowhere");
    struct config *c = config_read_text("x", taut_str_z(yaml), NULL);
    assert_int_equal(c->errors.n, 0);
    config_free(c);
    free(yaml);
}

static void test_a_scan_reports_what_it_leaves_out(void **state) {
    (void)state;
    struct loaded **list;
    char *why;
    uint32_t n = loader_scan(DIR, &list, &why);
    assert_true(n >= 6);
    assert_string_equal(list[0]->def->name, "chain_a");
    assert_non_null(strstr(why, "no_symbol.so: is not a Taut module: it has no symbol \"taut_module\"\n"));
    for (uint32_t i = 0; i < n; i++) loader_close(list[i]);
    free(list);
    free(why);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_no_module_for_this_server_is_refused_in_one_line, cut_one,
                                        remove_it),
        cmocka_unit_test(test_errors_of_a_configuration_name_their_places),
        cmocka_unit_test(test_errors_of_one_section_hide_no_others),
        cmocka_unit_test(test_what_the_server_has_in_each_item_is_checked_and_kept_from_the_module),
        cmocka_unit_test(test_one_that_is_not_to_run_gives_nothing_and_needs_nothing),
        cmocka_unit_test(test_services_that_are_missing_doubled_or_in_a_circle),
        cmocka_unit_test(test_start_order_follows_needs_and_wants_and_else_the_file),
        cmocka_unit_test(test_a_module_with_shorter_tables_is_read_over_zeros),
        cmocka_unit_test(test_everything_that_a_module_brings_is_registered),
        cmocka_unit_test(test_two_instances_may_not_bring_the_same_method),
        cmocka_unit_test(test_the_standard_configuration_lists_standard_modules),
        cmocka_unit_test(test_a_scan_reports_what_it_leaves_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
