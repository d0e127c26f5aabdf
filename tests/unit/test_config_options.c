/* test_config_options.c - option tables: every type read, its defaults, its ranges, nested tables, and what is said
 * about each value that does not fit; tables that are wrong themselves. */
#include <stdio.h>

#include "config_harness.h"

struct tls {
    taut_str cert, key;
    int64_t versions;
};
struct rule {
    taut_str name;
    int64_t limit;
    struct taut_array from;
};
struct options {
    taut_str name, path, url, any_url, addr, net, pattern;
    int64_t count, on, mode, wait, room, marks;
    double share;
    struct tls tls;
    struct taut_array nets, ports, shares, labels, limits, rules;
};
static const struct taut_opt tls_options[] = {
    TAUT_OPT(struct tls, cert, TAUT_OPT_PATH, .flags = TAUT_OPT_REQUIRED, .help = "the certificate, as PEM"),
    TAUT_OPT(struct tls, key, TAUT_OPT_PATH, .flags = TAUT_OPT_REQUIRED),
    TAUT_OPT(struct tls, versions, TAUT_OPT_FLAGS, .choices = "1.2|1.3", .dflt = "1.2, 1.3"),
};
static const struct taut_opt rule_options[] = {
    TAUT_OPT(struct rule, name, TAUT_OPT_STR, .flags = TAUT_OPT_REQUIRED, .min = 1, .max = 8),
    TAUT_OPT(struct rule, limit, TAUT_OPT_INT, .dflt = "5", .max = 9),
    TAUT_OPT(struct rule, from, TAUT_OPT_LIST, .item = TAUT_OPT_NET),
};
static const struct taut_opt opts[] = {
    TAUT_OPT(struct options, name, TAUT_OPT_STR, .dflt = "someone", .min = 1, .max = 10),
    TAUT_OPT(struct options, path, TAUT_OPT_PATH, .dflt = "main.db"),
    TAUT_OPT(struct options, url, TAUT_OPT_URL, .choices = "http|https"),
    TAUT_OPT(struct options, any_url, TAUT_OPT_URL),
    TAUT_OPT(struct options, addr, TAUT_OPT_ADDR),
    TAUT_OPT(struct options, net, TAUT_OPT_NET),
    TAUT_OPT(struct options, pattern, TAUT_OPT_REGEX, .dflt = "^a+$"),
    TAUT_OPT(struct options, count, TAUT_OPT_INT, .dflt = "-3", .min = -5, .max = 5),
    TAUT_OPT(struct options, on, TAUT_OPT_BOOL),
    TAUT_OPT(struct options, mode, TAUT_OPT_ENUM, .choices = "off|normal|full", .dflt = "full"),
    TAUT_OPT(struct options, wait, TAUT_OPT_DURATION, .dflt = "1500ms", .min = 100, .max = 60000),
    TAUT_OPT(struct options, room, TAUT_OPT_BYTES, .dflt = "3MiB", .min = 1 << 20),
    TAUT_OPT(struct options, marks, TAUT_OPT_FLAGS, .choices = "read|write|exec", .dflt = "read, exec"),
    TAUT_OPT(struct options, share, TAUT_OPT_FLOAT, .dflt = "0.25", .max = 1),
    TAUT_OPT(struct options, tls, TAUT_OPT_STRUCT, .options = TAUT_ARRAY(tls_options)),
    TAUT_OPT(struct options, nets, TAUT_OPT_LIST, .item = TAUT_OPT_NET, .dflt = "127.0.0.1, ::1"),
    TAUT_OPT(struct options, ports, TAUT_OPT_LIST, .item = TAUT_OPT_INT, .min = 1, .max = 65535, .max_items = 3),
    TAUT_OPT(struct options, shares, TAUT_OPT_LIST, .item = TAUT_OPT_FLOAT),
    TAUT_OPT(struct options, labels, TAUT_OPT_MAP, .item = TAUT_OPT_STR, .max_items = 3),
    TAUT_OPT(struct options, limits, TAUT_OPT_MAP, .item = TAUT_OPT_DURATION),
    TAUT_OPT(struct options, rules, TAUT_OPT_LIST, .item = TAUT_OPT_STRUCT, .options = TAUT_ARRAY(rule_options),
             .item_size = sizeof(struct rule)),
};
static const struct taut_array table = TAUT_ARRAY(opts);

static struct config *apply(const char *options, struct options *o) {
    char yaml[4096];
    snprintf(yaml, sizeof yaml, "modules:\n- m:\n%s", options);
    struct config *c = config_read_text("taut.yaml", taut_str_z(yaml), NULL);
    memset(o, 0, sizeof *o);
    if (c->nmodules)
        config_apply(c, table, c->modules[0].options, c->modules[0].where, "modules.m", TAUT_LIT("/data"), o);
    return c;
}

/* The first option is in line 3. */
static void expect(const char *options, const char *errors) {
    struct options o;
    struct config *c = apply(options, &o);
    assert_problems(&c->errors, errors);
    config_free(c);
}

static taut_str text_at(struct taut_array list, uint32_t i) {
    return *TAUT_AT(list, taut_str, i);
}

/* ---- what is right ---- */

static void test_all_defaults(void **state) {
    (void)state;
    struct options o;
    struct config *c = apply("", &o);
    assert_problems(&c->errors, "");
    assert_str(o.name, "someone");
    assert_str(o.path, "/data/main.db");
    assert_str(o.url, "");
    assert_non_null(o.url.ptr);
    assert_str(o.pattern, "^a+$");
    assert_int_equal(o.count, -3);
    assert_int_equal(o.on, 0);
    assert_int_equal(o.mode, 2);
    assert_int_equal(o.wait, 1500);
    assert_int_equal(o.room, 3 << 20);
    assert_int_equal(o.marks, 1 | 4);
    assert_true(o.share > 0.24 && o.share < 0.26);
    assert_str(o.tls.cert, "");
    assert_int_equal(o.tls.versions, 3);
    assert_int_equal(o.nets.len, 2);
    assert_int_equal(o.nets.elem_size, sizeof(taut_str));
    assert_str(text_at(o.nets, 1), "::1");
    assert_int_equal(o.ports.len, 0);
    assert_int_equal(o.rules.len, 0);
    config_free(c);
}

static void test_values_of_every_type(void **state) {
    (void)state;
    struct options o;
    struct config *c = apply("    name: a b\n    path: ./x/y\n    url: https://[::1]:8/a?b=c\n    any_url: redis://h\n"
                             "    addr: '[::1]:7'\n    net: 2001:db8::/32\n    pattern: 'a{2}\\d'\n    count: 5\n"
                             "    on: yes\n    mode: off\n    wait: 1m\n    room: 2GiB\n    marks: [write]\n"
                             "    share: 1e-2\n",
                             &o);
    assert_problems(&c->errors, "");
    assert_str(o.name, "a b");
    assert_str(o.path, "/data/x/y");
    assert_str(o.url, "https://[::1]:8/a?b=c");
    assert_str(o.any_url, "redis://h");
    assert_str(o.addr, "[::1]:7");
    assert_str(o.net, "2001:db8::/32");
    assert_str(o.pattern, "a{2}\\d");
    assert_int_equal(o.count, 5);
    assert_int_equal(o.on, 1);
    assert_int_equal(o.mode, 0);
    assert_int_equal(o.wait, 60000);
    assert_int_equal(o.room, 2ll << 30);
    assert_int_equal(o.marks, 2);
    assert_true(o.share > 0.0099 && o.share < 0.0101);
    config_free(c);
}

static void test_lists_are_arrays_of_their_items(void **state) {
    (void)state;
    struct options o;
    struct config *c = apply("    nets: [10.0.0.0/8]\n    ports:\n    - 80\n    - 443\n    shares: [0.5, -1]\n", &o);
    assert_problems(&c->errors, "");
    assert_int_equal(o.nets.len, 1);
    assert_str(text_at(o.nets, 0), "10.0.0.0/8");
    assert_int_equal(o.ports.len, 2);
    assert_int_equal(o.ports.elem_size, sizeof(int64_t));
    assert_int_equal(*TAUT_AT(o.ports, int64_t, 1), 443);
    assert_true(*TAUT_AT(o.shares, double, 1) < -0.99);
    config_free(c);
    c = apply("    nets: []\n", &o);
    assert_problems(&c->errors, "");
    assert_int_equal(o.nets.len, 0);
    config_free(c);
}

static void test_maps_are_arrays_of_pairs(void **state) {
    (void)state;
    struct options o;
    struct config *c = apply("    labels: { team: blue, 'a key': \"\" }\n    limits: { slow: 2s }\n", &o);
    assert_problems(&c->errors, "");
    assert_int_equal(o.labels.len, 2);
    assert_str(TAUT_AT(o.labels, struct taut_opt_pair, 0)->key, "team");
    assert_str(TAUT_AT(o.labels, struct taut_opt_pair, 0)->text, "blue");
    assert_str(TAUT_AT(o.labels, struct taut_opt_pair, 1)->key, "a key");
    assert_int_equal(TAUT_AT(o.limits, struct taut_opt_pair, 0)->number, 2000);
    config_free(c);
}

static void test_structs_nest_in_place_and_in_lists(void **state) {
    (void)state;
    struct options o;
    struct config *c = apply("    tls: { cert: a.pem, key: /b.pem, versions: ['1.3'] }\n"
                             "    rules:\n    - name: one\n    - { name: two, limit: 9, from: ['::1', 10.0.0.0/8] }\n",
                             &o);
    assert_problems(&c->errors, "");
    assert_str(o.tls.cert, "/data/a.pem");
    assert_str(o.tls.key, "/b.pem");
    assert_int_equal(o.tls.versions, 2);
    assert_int_equal(o.rules.len, 2);
    assert_int_equal(o.rules.elem_size, sizeof(struct rule));
    assert_int_equal(TAUT_AT(o.rules, struct rule, 0)->limit, 5);
    assert_str(TAUT_AT(o.rules, struct rule, 1)->name, "two");
    assert_str(text_at(TAUT_AT(o.rules, struct rule, 1)->from, 1), "10.0.0.0/8");
    config_free(c);
}

/* ---- what is wrong ---- */

static void test_every_type_says_what_is_wrong_with_a_value(void **state) {
    (void)state;
    expect("    name: ''\n    path:\n    url: example.org\n    any_url: 'https://a b'\n    addr: host\n"
           "    net: 10.0.0.0/33\n    pattern: 'a(b'\n    count: 6\n    on: ja\n    mode: fulll\n    wait: 1 s\n"
           "    room: 1KiB\n    marks: [reed, write]\n    share: 1.5\n",
           "taut.yaml:3:11: modules.m.name: is 0 bytes long: it must be 1 to 10\n"
           "taut.yaml:4:5: modules.m.path: has no value; leave the line out to get the default\n"
           "taut.yaml:5:10: modules.m.url: \"example.org\" is not a URL; write it like https://chat.example.org\n"
           "taut.yaml:6:14: modules.m.any_url: \"https://a b\" is not a URL; write it like https://chat.example.org\n"
           "taut.yaml:7:11: modules.m.addr: \"host\" is not an address; write HOST:PORT, such as 127.0.0.1:8065\n"
           "taut.yaml:8:10: modules.m.net: \"10.0.0.0/33\" is not an address or a network; write it like 192.0.2.7, "
           "10.0.0.0/8 or 2001:db8::/32\n"
           "taut.yaml:9:14: modules.m.pattern: \"a(b\" is not a regular expression: missing closing parenthesis, at "
           "byte 4\n"
           "taut.yaml:10:12: modules.m.count: 6 is out of range: it must be -5 to 5\n"
           "taut.yaml:11:9: modules.m.on: \"ja\" is not one of true, false, yes, no, on, off\n"
           "taut.yaml:12:11: modules.m.mode: \"fulll\" is not one of off, normal, full; did you mean \"full\"?\n"
           "taut.yaml:13:11: modules.m.wait: \"1 s\" is not a duration; write it like 10ms, 5s, 2m, 1h or 7d\n"
           "taut.yaml:14:11: modules.m.room: 1KiB is too small: it must be at least 1MiB\n"
           "taut.yaml:15:13: modules.m.marks: \"reed\" is not one of read, write, exec; did you mean \"read\"?\n"
           "taut.yaml:16:12: modules.m.share: 1.5 is out of range: it must be 0 to 1\n");
    expect("    url: ftp://example.org\n    share: inf\n    count: 99999999999999999999\n    wait: 99h\n",
           "taut.yaml:3:10: modules.m.url: \"ftp://example.org\" is no URL that can stand here: its scheme \"ftp\" is "
           "not one of http, https\n"
           "taut.yaml:4:12: modules.m.share: \"inf\" is not a number\n"
           "taut.yaml:5:12: modules.m.count: \"99999999999999999999\" is not a whole number\n"
           "taut.yaml:6:11: modules.m.wait: 99h is out of range: it must be 100ms to 1m\n");
}

static void test_a_value_of_the_wrong_kind_is_told_the_right_one(void **state) {
    (void)state;
    expect("    name: [a]\n    count: { a: 1 }\n    nets: 10.0.0.1\n    marks: read\n    labels: [a]\n    tls: yes\n"
           "    rules: [a, { name: b }]\n    ports: [[1]]\n    limits: { a: [1] }\n",
           "taut.yaml:3:11: modules.m.name: must be a single value, not a list\n"
           "taut.yaml:4:12: modules.m.count: must be a single value, not a map\n"
           "taut.yaml:5:11: modules.m.nets: must be a list, not a single value; write it like [ONE, TWO]\n"
           "taut.yaml:6:12: modules.m.marks: must be a list, not a single value; write it like [ONE, TWO]\n"
           "taut.yaml:7:13: modules.m.labels: must be a map, not a list; write it like { name: value }\n"
           "taut.yaml:8:10: modules.m.tls: must be a map of options\n"
           "taut.yaml:9:13: modules.m.rules[0]: must be a map of options\n"
           "taut.yaml:10:13: modules.m.ports: must be a single value, not a list\n"
           "taut.yaml:11:18: modules.m.limits.a: must be a single value, not a list\n");
    expect("    nets:\n    marks:\n    labels:\n    tls:\n",
           "taut.yaml:3:5: modules.m.nets: has no value; leave the line out to get the default\n"
           "taut.yaml:4:5: modules.m.marks: has no value; leave the line out to get the default\n"
           "taut.yaml:5:5: modules.m.labels: has no value; leave the line out to get the default\n"
           "taut.yaml:6:5: modules.m.tls: has no value; leave the line out to get the default\n");
}

static void test_errors_in_lists_and_maps_stand_at_the_item(void **state) {
    (void)state;
    expect("    nets: ['::1', x]\n    ports: [0, 80,  ]\n    labels: { a: b, a: c }\n    shares:\n    - 1\n    -\n",
           "taut.yaml:3:19: modules.m.nets: \"x\" is not an address or a network; write it like 192.0.2.7, "
           "10.0.0.0/8 or 2001:db8::/32\n"
           "taut.yaml:4:13: modules.m.ports: 0 is out of range: it must be 1 to 65535\n"
           "taut.yaml:5:21: modules.m.labels: \"a\" is given twice, first in line 5\n"
           "taut.yaml:8:6: modules.m.shares: has no value; leave the line out to get the default\n");
    expect("    ports: [1, 2, 3, 4]\n    labels: { a: 1, b: 1, c: 1, d: 1 }\n",
           "taut.yaml:3:12: modules.m.ports: has 4 items; at most 3 may be\n"
           "taut.yaml:4:13: modules.m.labels: has 4 items; at most 3 may be\n");
}

static void test_errors_in_nested_tables_name_the_whole_path(void **state) {
    (void)state;
    expect("    tls: { crt: a, versions: [1.4] }\n"
           "    rules:\n    - { limit: 10 }\n    - { nmae: a, name: much too long }\n",
           "taut.yaml:3:10: modules.m.tls: needs the option \"cert\": the certificate, as PEM\n"
           "taut.yaml:3:10: modules.m.tls: needs the option \"key\"\n"
           "taut.yaml:3:12: modules.m.tls: unknown option \"crt\"; did you mean \"cert\"?\n"
           "taut.yaml:3:31: modules.m.tls.versions: \"1.4\" is not one of 1.2, 1.3; did you mean \"1.2\"?\n"
           "taut.yaml:5:7: modules.m.rules[0]: needs the option \"name\"\n"
           "taut.yaml:5:16: modules.m.rules[0].limit: 10 is out of range: it must be 0 to 9\n"
           "taut.yaml:6:9: modules.m.rules[1]: unknown option \"nmae\"; did you mean \"name\"?\n"
           "taut.yaml:6:24: modules.m.rules[1].name: is 13 bytes long: it must be 1 to 8\n");
}

/* ---- texts, copies ---- */

static void print_one(void *arg, const struct taut_opt *o, const char *path) {
    struct options *values = ((void **)arg)[0];
    char *all = ((void **)arg)[1];
    struct arena a = {0};
    sprintf(all + strlen(all), "%s = %s\n", path, option_text(&a, o, (const char *)values + o->offset).ptr);
    arena_free(&a);
}

static void test_values_as_one_would_write_them(void **state) {
    (void)state;
    struct options o;
    char all[4096] = "";
    struct arena a = {0};
    struct config *c = apply("    name: 'a, b'\n    url: http://h\n    share: 0.1\n    tls: { cert: a, key: '$${b' }\n"
                             "    labels: { 'k: 1': v }\n    marks: []\n    rules: [{ name: r, from: ['::1'] }]\n",
                             &o);
    assert_problems(&c->errors, "");
    options_each(&a, table, "m", 0, print_one, (void *[]){&o, all});
    assert_string_equal(all, "m.name = \"a, b\"\nm.path = /data/main.db\nm.url = http://h\nm.any_url = \"\"\n"
                             "m.addr = \"\"\nm.net = \"\"\nm.pattern = ^a+$\nm.count = -3\nm.on = false\n"
                             "m.mode = full\nm.wait = 1500ms\nm.room = 3MiB\nm.marks = []\nm.share = 0.1\n"
                             "m.tls.cert = /data/a\nm.tls.key = \"/data/$${b\"\nm.tls.versions = [1.2, 1.3]\n"
                             "m.nets = [127.0.0.1, \"::1\"]\nm.ports = []\nm.shares = []\nm.labels = {\"k: 1\": v}\n"
                             "m.limits = {}\nm.rules = [{name: r, limit: 5, from: [\"::1\"]}]\n");
    arena_free(&a);
    config_free(c);
}

static void test_a_copy_is_equal_and_lives_on_its_own(void **state) {
    (void)state;
    struct options o, copy = {0};
    struct arena a = {0};
    struct config *c =
        apply("    labels: { a: b }\n    tls: { cert: a, key: b }\n    rules: [{ name: r, from: ['::1'] }]\n", &o);
    for (uint32_t i = 0; i < table.len; i++) {
        struct taut_opt opt = option_at(table, i);
        option_copy(&a, &opt, (char *)&copy + opt.offset, (char *)&o + opt.offset);
        assert_true(option_equal(&opt, (char *)&copy + opt.offset, (char *)&o + opt.offset));
    }
    config_free(c);
    assert_str(copy.tls.cert, "/data/a");
    assert_str(TAUT_AT(copy.labels, struct taut_opt_pair, 0)->text, "b");
    assert_str(text_at(TAUT_AT(copy.rules, struct rule, 0)->from, 0), "::1");
    struct options other;
    c = apply("    labels: { a: c }\n    tls: { cert: a, key: c }\n    rules: [{ name: r, from: ['::2'] }]\n", &other);
    static const char *const changed[] = {"labels", "tls", "rules"};
    for (uint32_t i = 0, k = 0; i < table.len; i++) {
        struct taut_opt opt = option_at(table, i);
        bool same = option_equal(&opt, (char *)&copy + opt.offset, (char *)&other + opt.offset);
        for (k = 0; k < 3 && strcmp(changed[k], opt.name); k++) {
        }
        assert_int_equal(same, k == 3);
    }
    arena_free(&a);
    config_free(c);
}

/* ---- tables that are wrong ---- */

static void expect_fault(const struct taut_opt *o, uint32_t n, uint32_t room, const char *fault) {
    char *text = options_fault((struct taut_array){o, n, sizeof *o}, room, 0);
    assert_non_null(text);
    assert_string_equal(text, fault);
    free(text);
}

static void test_a_table_that_is_wrong_is_found_out(void **state) {
    (void)state;
    struct taut_opt self = {.name = "s", .type = TAUT_OPT_STRUCT};
    self.options = (struct taut_array){&self, 1, sizeof self};
    const struct taut_opt twice[] = {{.name = "a", .type = TAUT_OPT_INT}, {.name = "a", .type = TAUT_OPT_INT}};
    char *fault = options_fault(table, sizeof(struct options), 0);
    assert_null(fault);
    expect_fault(&(struct taut_opt){.name = NULL}, 1, 8, "option 0 has no name or an unknown type");
    expect_fault(&(struct taut_opt){.name = "x", .type = 99}, 1, 8, "option 0 has no name or an unknown type");
    expect_fault(&(struct taut_opt){.name = "X", .type = TAUT_OPT_INT}, 1, 8,
                 "option \"X\" has a name that is none: use a-z, 0-9 and _, at most 32 characters");
    expect_fault(twice, 2, 8, "option \"a\" is declared twice");
    expect_fault(&(struct taut_opt){.name = "x", .type = TAUT_OPT_INT, .offset = 8}, 1, 15,
                 "option \"x\" lies outside of the options struct");
    expect_fault(&(struct taut_opt){.name = "x", .type = TAUT_OPT_LIST, .item = TAUT_OPT_INT}, 1, 8,
                 "option \"x\" lies outside of the options struct");
    expect_fault(&(struct taut_opt){.name = "x", .type = TAUT_OPT_LIST, .item = TAUT_OPT_LIST}, 1, 16,
                 "option \"x\" has no type that its items can have");
    expect_fault(&(struct taut_opt){.name = "x", .type = TAUT_OPT_MAP, .item = TAUT_OPT_STRUCT}, 1, 16,
                 "option \"x\" has no type that its items can have");
    expect_fault(&(struct taut_opt){.name = "x", .type = TAUT_OPT_ENUM}, 1, 8,
                 "option \"x\" has 0 choices; 1 to 32 may be");
    expect_fault(&(struct taut_opt){.name = "x", .type = TAUT_OPT_STRUCT}, 1, 8,
                 "option \"x\" has no table of its own");
    expect_fault(&self, 1, 8, "option \"s\" is nested deeper than 4 levels");
    fault = options_fault((struct taut_array){opts, 1, 4}, 8, 0);
    assert_string_equal(fault, "its options have an impossible size (4 bytes)");
    free(fault);
    const struct taut_opt rules = {.name = "r",
                                   .type = TAUT_OPT_LIST,
                                   .item = TAUT_OPT_STRUCT,
                                   .options = TAUT_ARRAY(rule_options),
                                   .item_size = 16};
    expect_fault(&rules, 1, 16, "option \"limit\" lies outside of the options struct");
}

static void test_options_of_an_older_shorter_table_are_read(void **state) {
    (void)state;
    struct {
        char head[offsetof(struct taut_opt, unit)];
    } old[2];
    const struct taut_opt now[2] = {{.name = "a", .type = TAUT_OPT_INT, .dflt = "7"},
                                    {.name = "b", .type = TAUT_OPT_STR, .offset = 8, .dflt = "x"}};
    struct {
        int64_t a;
        taut_str b;
    } o;
    for (int i = 0; i < 2; i++) memcpy(&old[i], &now[i], sizeof old[i]);
    const struct taut_array shorter = TAUT_ARRAY(old);
    assert_null(options_fault(shorter, sizeof o, 0));
    struct config *c = config_read_text("taut.yaml", taut_str_z("modules: [m: { a: 8 }]\n"), NULL);
    config_apply(c, shorter, c->modules[0].options, NULL, "modules.m", TAUT_LIT("/"), &o);
    assert_problems(&c->errors, "");
    assert_int_equal(o.a, 8);
    assert_str(o.b, "x");
    config_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_defaults),
        cmocka_unit_test(test_values_of_every_type),
        cmocka_unit_test(test_lists_are_arrays_of_their_items),
        cmocka_unit_test(test_maps_are_arrays_of_pairs),
        cmocka_unit_test(test_structs_nest_in_place_and_in_lists),
        cmocka_unit_test(test_every_type_says_what_is_wrong_with_a_value),
        cmocka_unit_test(test_a_value_of_the_wrong_kind_is_told_the_right_one),
        cmocka_unit_test(test_errors_in_lists_and_maps_stand_at_the_item),
        cmocka_unit_test(test_errors_in_nested_tables_name_the_whole_path),
        cmocka_unit_test(test_values_as_one_would_write_them),
        cmocka_unit_test(test_a_copy_is_equal_and_lives_on_its_own),
        cmocka_unit_test(test_a_table_that_is_wrong_is_found_out),
        cmocka_unit_test(test_options_of_an_older_shorter_table_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
