/* test_config.c - taut.yaml: defaults, types, places, and the exact words of every error. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config_harness.h"
#include "taut/host.h"

static struct config *read_text(const char *yaml) {
    return config_read_text("taut.yaml", taut_str_z(yaml), NULL);
}

static void expect_errors(const char *yaml, const char *errors) {
    struct config *c = read_text(yaml);
    assert_problems(&c->errors, errors);
    config_free(c);
}

static void test_a_list_of_modules_alone_means_all_defaults(void **state) {
    (void)state;
    char cwd[PATH_MAX], data[PATH_MAX + 8];
    struct config *c = read_text("modules:\n  - store_x\n");
    snprintf(data, sizeof data, "%s/var", getcwd(cwd, sizeof cwd));
    assert_int_equal(c->errors.n, 0);
    assert_str(c->server.listen, "127.0.0.1:8065");
    assert_str(c->server.public_url, "http://127.0.0.1:8065");
    assert_str(c->server.data, data);
    assert_str(c->admin.listen, "127.0.0.1:8066");
    assert_int_equal(c->server.max_connections, 10000);
    assert_int_equal(c->server.max_body, 1 << 20);
    assert_int_equal(c->server.max_call_bytes, 64 << 20);
    assert_int_equal(c->server.max_input, 64 << 20);
    assert_int_equal(c->server.max_answers, 64 << 20);
    assert_int_equal(c->server.idle_timeout, 120000);
    assert_int_equal(c->server.connection_queue, 256 * 1024);
    assert_int_equal(c->server.log_level, TAUT_LOG_INFO);
    assert_int_equal(c->nmodules, 1);
    assert_str(c->modules[0].name, "store_x");
    assert_null(c->modules[0].options);
    config_free(c);
}

static void test_values_of_every_type_are_read(void **state) {
    (void)state;
    struct config *c =
        read_text("server: { listen: '[::1]:9', public_url: https://chat.example.org/, data: /d, gateways: 2,\n"
                  "          max_body: 64KiB, idle_timeout: 2m, log_level: warn }\n"
                  "admin: { listen: localhost:0 }\n"
                  "modules: []\n");
    assert_int_equal(c->errors.n, 0);
    assert_str(c->server.listen, "[::1]:9");
    assert_str(c->server.public_url, "https://chat.example.org");
    assert_str(c->server.data, "/d");
    assert_int_equal(c->server.gateways, 2);
    assert_int_equal(c->server.max_body, 65536);
    assert_int_equal(c->server.idle_timeout, 120000);
    assert_int_equal(c->server.log_level, TAUT_LOG_WARN);
    assert_true(config_given(c, "admin", "listen"));
    assert_false(config_given(c, "server", "cache"));
    config_free(c);
}

static void test_the_command_line_goes_over_the_file(void **state) {
    (void)state;
    const struct config_override o = {.listen = "127.0.0.1:1", .data = "/other", .admin_listen = "127.0.0.1:2"};
    struct config *c = config_read_text(
        "taut.yaml",
        taut_str_z("server: { listen: 127.0.0.1:9, public_url: https://a.example, data: x }\nmodules: []\n"), &o);
    assert_int_equal(c->errors.n, 0);
    assert_str(c->server.listen, "127.0.0.1:1");
    assert_str(c->server.public_url, "http://127.0.0.1:1");
    assert_str(c->server.data, "/other");
    assert_str(c->admin.listen, "127.0.0.1:2");
    config_free(c);
    const struct config_override bad = {.listen = "8065"};
    c = config_read_text("taut.yaml", taut_str_z("modules: []\n"), &bad);
    assert_str(c->errors.list[0], "--listen: \"8065\" is not an address; write HOST:PORT, such as 127.0.0.1:8065");
    config_free(c);
}

static void test_an_address_that_means_all_of_them_needs_a_public_url(void **state) {
    (void)state;
    const char *const words =
        "server.public_url: must be given when listen is 0.0.0.0:8065, which no client can connect "
        "to; write what they use, like http://192.0.2.7:8065 or https://chat.example.org";
    const char *const file = "server: { listen: 0.0.0.0:8065 }\nmodules: []\n";
    char expected[512];
    snprintf(expected, sizeof expected, "taut.yaml:1:19: %s\n", words);
    expect_errors(file, expected);
    static const char *const others[] = {"*:1", "0:1", "[::0]:1", "0.0:1", "0x0.0.0.0:1"};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        char text[128];
        snprintf(text, sizeof text, "server: { listen: '%s' }\nmodules: []\n", others[i]);
        snprintf(expected, sizeof expected,
                 "taut.yaml:1:19: server.public_url: must be given when listen is %s, which no client can connect to; "
                 "write what they use, like http://192.0.2.7:8065 or https://chat.example.org\n",
                 others[i]);
        expect_errors(text, expected);
    }
    expect_errors("server: { listen: '[::]:1' }\nmodules: []\n",
                  "taut.yaml:1:19: server.public_url: must be given when listen is [::]:1, which no client can connect "
                  "to; write what they use, like http://192.0.2.7:8065 or https://chat.example.org\n");
    expect_errors("server: { listen: 0.0.0.0:8065, public_url: 'http://192.0.2.7:8065' }\nmodules: []\n", "");
    const struct config_override url = {.public_url = "https://chat.example.org"};
    struct config *c = config_read_text("taut.yaml", taut_str_z(file), &url);
    assert_int_equal(c->errors.n, 0);
    assert_str(c->server.public_url, "https://chat.example.org");
    config_free(c);
    const struct config_override all = {.listen = "0.0.0.0:8065"};
    c = config_read_text("taut.yaml", taut_str_z("server: { public_url: 'http://a.example' }\nmodules: []\n"), &all);
    assert_int_equal(c->errors.n, 0);
    assert_str(c->server.public_url, "http://a.example");
    config_free(c);
}

static void expect_listeners(const char *yaml, const char *errors) {
    struct config *c = read_text(yaml);
    config_check(c);
    assert_problems(&c->errors, errors);
    config_free(c);
}

static void test_the_two_listeners_have_addresses_of_their_own(void **state) {
    (void)state;
    expect_listeners(
        "server: { listen: 127.0.0.1:8066 }\nmodules: []\n",
        "taut.yaml:1:19: admin.listen: 127.0.0.1:8066 is taken by server.listen (127.0.0.1:8066); give one "
        "of them another port\n");
    expect_listeners(
        "admin: { listen: localhost:8065 }\nmodules: []\n",
        "taut.yaml:1:18: admin.listen: localhost:8065 is taken by server.listen (127.0.0.1:8065); give one "
        "of them another port\n");
    expect_listeners("server: { listen: '*:8066', public_url: 'http://192.0.2.7:8066' }\nmodules: []\n",
                     "taut.yaml:1:19: admin.listen: 127.0.0.1:8066 is taken by server.listen (*:8066); give one of "
                     "them another port\n");
    expect_listeners("admin: { listen: '[::]:9' }\nserver: { listen: '192.0.2.1:9' }\nmodules: []\n",
                     "taut.yaml:1:18: admin.listen: [::]:9 is taken by server.listen (192.0.2.1:9); give one of them "
                     "another port\n");
    expect_listeners("server: { listen: 127.0.0.1:0 }\nadmin: { listen: 127.0.0.1:0 }\nmodules: []\n", "");
    expect_listeners("server: { listen: 192.0.2.1:9 }\nadmin: { listen: 127.0.0.1:9 }\nmodules: []\n", "");
}

static void test_relative_data_is_below_the_folder_of_the_file(void **state) {
    (void)state;
    char folder[] = "/tmp/taut-config-XXXXXX", file[64], expected[PATH_MAX], cwd[PATH_MAX];
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/taut.yaml", folder);
    FILE *f = fopen(file, "w");
    fputs("server: { data: ./d }\nmodules: []\n", f);
    fclose(f);
    struct config *c = config_read_file(file, NULL);
    snprintf(expected, sizeof expected, "%s/d", folder);
    assert_str(c->server.data, expected);
    config_free(c);
    const struct config_override o = {.data = "e"};
    c = config_read_file(file, &o);
    snprintf(expected, sizeof expected, "%s/e", getcwd(cwd, sizeof cwd - 8));
    assert_str(c->server.data, expected);
    config_free(c);
    unlink(file);
    rmdir(folder);
}

static void test_a_module_can_be_added_to_those_of_the_file(void **state) {
    (void)state;
    struct config *c = read_text("modules:\n  - store: { sync: full }\n");
    config_add_module(c, "more");
    assert_int_equal(c->nmodules, 2);
    assert_str(c->modules[0].name, "store");
    assert_str(c->modules[1].module, "more");
    char *yaml = config_print(c);
    assert_non_null(strstr(yaml, "modules:\n  - store:\n      sync: full\n  - more\n"));
    free(yaml);
    config_free(c);
}

static void test_all_errors_come_at_once_in_the_order_of_their_places(void **state) {
    (void)state;
    expect_errors(
        "server:\n"
        "  lisen: 127.0.0.1:1\n"
        "  listen: nowhere\n"
        "  gateways: 99\n"
        "  max_body: 64M\n"
        "  idle_timeout: 5 s\n"
        "  max_connections: many\n"
        "  log_level: wran\n"
        "  cache: [1]\n"
        "  tail_events:\n"
        "  public_url: chat.example.org\n"
        "sever: {}\n"
        "modules: []\n",
        "taut.yaml:2:3: server: unknown option \"lisen\"; did you mean \"listen\"?\n"
        "taut.yaml:3:11: server.listen: \"nowhere\" is not an address; write HOST:PORT, such as 127.0.0.1:8065\n"
        "taut.yaml:4:13: server.gateways: 99 is out of range: it must be 0 to 32\n"
        "taut.yaml:5:13: server.max_body: \"64M\" is not a size; write it like 512, 64KiB, 1MiB or 2GiB\n"
        "taut.yaml:6:17: server.idle_timeout: \"5 s\" is not a duration; write it like 10ms, 5s, 2m, 1h or 7d\n"
        "taut.yaml:7:20: server.max_connections: \"many\" is not a whole number\n"
        "taut.yaml:8:14: server.log_level: \"wran\" is not one of debug, info, warn, error; did you mean \"warn\"?\n"
        "taut.yaml:9:10: server.cache: must be a single value, not a list\n"
        "taut.yaml:10:3: server.tail_events: has no value; leave the line out to get the default\n"
        "taut.yaml:11:15: server.public_url: \"chat.example.org\" is not a URL; write it like "
        "https://chat.example.org\n"
        "taut.yaml:12:1: unknown section \"sever\"; did you mean \"server\"?\n");
}

static void test_what_is_no_configuration_is_said_so(void **state) {
    (void)state;
    expect_errors("", "taut.yaml: is empty; list at least the modules to run\n");
    expect_errors("- a\n", "taut.yaml:1:1: must be a map with the sections server, admin and modules\n");
    expect_errors("server: {}\n", "taut.yaml:1:1: modules: is missing; without modules a server does nothing\n");
    expect_errors("server: 5\nmodules: []\n", "taut.yaml:1:9: server: must be a map of options\n");
    expect_errors("modules: x\n", "taut.yaml:1:10: modules: must be a list of modules\n");
    expect_errors("server: {\n",
                  "taut.yaml:2:1: not valid YAML: did not find expected node content; a value or a closing bracket is "
                  "missing; in { } and [ ], put text that begins with : in quotes\n");
    expect_errors("a: &x 1\n", "taut.yaml:1:4: anchors (&) and aliases (*) are not supported; write the value out\n");
    expect_errors("a: *x\n", "taut.yaml:1:4: anchors (&) and aliases (*) are not supported; write the value out\n");
    expect_errors("a: !!int 1\n", "taut.yaml:1:4: tags (!) are not supported; write the value without one\n");
    expect_errors("modules: []\n---\nmodules: []\n",
                  "taut.yaml:2:1: a second document begins here; one file holds one configuration\n");
    expect_errors("[a]: 1\n", "taut.yaml:1:1: a key must be plain text\n");
    expect_errors("a: \"x\\0y\"\n", "taut.yaml:1:4: there is a NUL character in this text\n");
}

static void test_keys_given_twice_are_refused(void **state) {
    (void)state;
    expect_errors("server:\n  data: a\n  data: b\nmodules: []\nmodules: []\n",
                  "taut.yaml:3:3: server: \"data\" is given twice, first in line 2\n"
                  "taut.yaml:5:1: \"modules\" is given twice, first in line 4\n");
    expect_errors("modules: []\nmodules: []\nmodules: []\n", /* each once */
                  "taut.yaml:2:1: \"modules\" is given twice, first in line 1\n"
                  "taut.yaml:3:1: \"modules\" is given twice, first in line 1\n");
}

static void test_a_byte_order_mark_is_no_part_of_the_text(void **state) {
    (void)state;
    expect_errors("\xef\xbb\xbfmodules: []\n", "");
    expect_errors("\xef\xbb\xbfmodule: []\nmodules: []\n",
                  "taut.yaml:1:1: unknown section \"module\"; did you mean \"modules\"?\n");
}

static void test_what_is_empty_is_no_path_and_no_address(void **state) {
    (void)state;
    setenv("TAUT_T_EMPTY", "", 1);
    expect_errors(
        "server: { data: '', listen: '', log_file: '${env:TAUT_T_EMPTY}', trusted_proxies: [''] }\nmodules: []\n",
        "taut.yaml:1:17: server.data: is empty; leave the line out to get the default\n"
        "taut.yaml:1:29: server.listen: is empty; leave the line out to get the default\n"
        "taut.yaml:1:43: server.log_file: is empty; leave the line out to get the default (from "
        "${env:TAUT_T_EMPTY})\n"
        "taut.yaml:1:84: server.trusted_proxies: is empty; leave the line out to get the default\n");
}

static void test_a_port_has_a_range(void **state) {
    (void)state;
    expect_errors(
        "server: { listen: 127.0.0.1:99999 }\nmodules: []\n",
        "taut.yaml:1:19: server.listen: \"127.0.0.1:99999\" is not an address: its port must be 0 to 65535\n");
}

static void test_a_public_url_has_a_port_that_there_is(void **state) {
    static const char *const wrong[] = {"http://chat.example.org:99999", "http://chat.example.org:0/x",
                                        "http://[::1]:", "http://chat.example.org:80a"};
    char yaml[128];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        snprintf(yaml, sizeof yaml, "server: { public_url: '%s' }\nmodules: []\n", wrong[i]);
        expect_errors(yaml, "taut.yaml:1:23: server.public_url: its port is none: write a number from 1 to 65535, or "
                            "leave it out\n");
    }
}

static void test_a_public_url_is_what_addresses_can_be_built_on(void **state) {
    static const char *const wrong[] = {"https://ann:pw@chat.example.org",  "https://chat.example.org/x?a=1",
                                        "https://chat.example.org#top",     "https://chat.example.org/a/../b",
                                        "https://chat.example.org/.",       "https://chat.example.org?",
                                        "https://chat.example.org/%2e%2E/b"};
    static const char *const right[] = {"https://chat.example.org/a@b", "https://chat.example.org/a..b/.c/",
                                        "http://[::1]:8065/taut", "http://[::1]", "https://chat.example.org:65535/a:b"};
    static const char why[] = "may not have a user, a query or a fragment, nor . or .. in its path; write it like "
                              "https://chat.example.org/chat\n";
    char yaml[128], want[256];
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(yaml, sizeof yaml, "server: { public_url: '%s' }\nmodules: []\n", wrong[i]);
        snprintf(want, sizeof want, "taut.yaml:1:23: server.public_url: %s", why);
        expect_errors(yaml, want);
    }
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        snprintf(yaml, sizeof yaml, "server: { public_url: '%s' }\nmodules: []\n", right[i]);
        expect_errors(yaml, "");
    }
    const struct config_override o = {.public_url = wrong[0]};
    struct config *c = config_read_text("taut.yaml", taut_str_z("modules: []\n"), &o);
    snprintf(want, sizeof want, "--public-url: %s", why);
    assert_problems(&c->errors, want);
    config_free(c);
}

static void test_limits(void **state) {
    (void)state;
    char deep[256] = "a: ";
    for (int i = 0; i < 40; i++) strcat(deep, "[");
    expect_errors(deep, "taut.yaml:1:35: nested deeper than 32 levels\n");
    size_t n = 1024 * 1024 + 1;
    char *large = malloc(n);
    memset(large, '#', n);
    struct config *c = config_read_text("taut.yaml", taut_str_n(large, n), NULL);
    assert_int_equal(c->errors.n, 1);
    assert_str(c->errors.list[0], "taut.yaml: is larger than 1 MiB");
    config_free(c);
    free(large);
}

static void test_modules_have_names_and_may_be_renamed(void **state) {
    (void)state;
    struct config *c =
        read_text("modules:\n  - store: { sync: full }\n  - store: { as: archive, sync: off }\n  - rtm:\n");
    assert_int_equal(c->errors.n, 0);
    assert_int_equal(c->nmodules, 3);
    assert_str(c->modules[1].module, "store");
    assert_str(c->modules[1].name, "archive");
    assert_str(c->modules[1].options->first->key, "sync");
    assert_null(c->modules[1].options->first->next);
    assert_int_equal(c->modules[2].where->col, 5);
    config_free(c);
    expect_errors(
        "modules:\n  - rtm\n  - store:\n    sync: full\n  - rtm\n  - x: { as: A-B }\n  - []\n  - y: 5\n",
        "taut.yaml:3:5: modules: one module an item, but here are \"store\" and \"sync\"; indent the options "
        "further than the name\n"
        "taut.yaml:5:5: modules.rtm: is listed twice, first in line 2; give one of them a name of its own with "
        "\"as:\"\n"
        "taut.yaml:6:14: modules.x.as: \"A-B\" is not a name; use a-z, 0-9 and _, at most 32 characters, a "
        "letter first\n"
        "taut.yaml:7:5: modules: an item is the name of a module, or its name with a map of options\n"
        "taut.yaml:8:8: modules.y: must be a map of options\n");
}

/* ---- a module's options ---- */

struct options {
    int64_t sync, cache, on;
    taut_str path, dsn;
};
static const struct taut_opt opts[] = {
    TAUT_OPT(struct options, sync, TAUT_OPT_ENUM, .choices = "off|normal|full", .dflt = "full"),
    TAUT_OPT(struct options, cache, TAUT_OPT_BYTES, .dflt = "64MiB", .min = 1 << 20),
    TAUT_OPT(struct options, on, TAUT_OPT_BOOL, .dflt = "yes"),
    TAUT_OPT(struct options, path, TAUT_OPT_PATH, .dflt = "main.db"),
    TAUT_OPT(struct options, dsn, TAUT_OPT_STR, .flags = TAUT_OPT_REQUIRED, .help = "where the database is"),
};
static const struct taut_array table = TAUT_ARRAY(opts);

static void apply_first(struct config *c, struct options *o) {
    memset(o, 0, sizeof *o);
    config_apply(c, table, c->modules[0].options, c->modules[0].where, "modules.store_sqlite", TAUT_LIT("/data"), o);
}

static void test_options_of_modules_are_applied_with_their_defaults(void **state) {
    (void)state;
    struct options o;
    struct config *c = read_text("modules:\n  - store_sqlite: { dsn: x, path: ./sub/a.db, on: off }\n");
    apply_first(c, &o);
    assert_int_equal(c->errors.n, 0);
    assert_int_equal(o.sync, 2);
    assert_int_equal(o.cache, 64 << 20);
    assert_int_equal(o.on, 0);
    assert_str(o.path, "/data/sub/a.db");
    assert_str(o.dsn, "x");
    config_free(c);
}

static void test_errors_in_options_of_modules(void **state) {
    (void)state;
    struct options o;
    struct config *c =
        read_text("modules:\n  - store_sqlite:\n      sync:  \"ful\"\n      cahce: 1\n      cache: 5KiB\n"
                  "      on: maybe\n");
    apply_first(c, &o);
    assert_int_equal(c->errors.n, 5);
    assert_str(c->errors.list[0],
               "taut.yaml:2:5: modules.store_sqlite: needs the option \"dsn\": where the database is");
    assert_str(
        c->errors.list[1],
        "taut.yaml:3:14: modules.store_sqlite.sync: \"ful\" is not one of off, normal, full; did you mean \"full\"?");
    assert_str(c->errors.list[2],
               "taut.yaml:4:7: modules.store_sqlite: unknown option \"cahce\"; did you mean \"cache\"?");
    assert_str(c->errors.list[3],
               "taut.yaml:5:14: modules.store_sqlite.cache: 5KiB is too small: it must be at least 1MiB");
    assert_str(c->errors.list[4],
               "taut.yaml:6:11: modules.store_sqlite.on: \"maybe\" is not one of true, false, yes, no, on, off");
    config_free(c);
}

static void test_what_is_printed_reads_back_the_same(void **state) {
    (void)state;
    const char *expected = "server:\n"
                           "  listen: 127.0.0.1:9\n"
                           "  data: \"/d/with space: and #\"\n"
                           "  idle_timeout: 3m\n"
                           "admin:\n"
                           "  listen: 127.0.0.1:8066\n"
                           "modules:\n"
                           "  - store:\n"
                           "      as: main\n"
                           "      sync: full\n"
                           "      list:\n"
                           "        - 1\n"
                           "        - \"\"\n"
                           "  - rtm\n";
    struct config *c = read_text("server: { listen: 127.0.0.1:9, data: '/d/with space: and #', idle_timeout: 180s }\n"
                                 "modules: [{store: {sync: full, list: [1, ''], as: main}}, rtm]\n");
    char *once = config_print(c);
    assert_string_equal(once, expected);
    config_free(c);
    c = read_text(once);
    assert_int_equal(c->errors.n, 0);
    char *twice = config_print(c);
    assert_string_equal(twice, expected);
    config_free(c);
    free(once);
    free(twice);
}

static void test_a_file_that_cannot_be_read(void **state) {
    (void)state;
    struct config *c = config_read_file("/nowhere/taut.yaml", NULL);
    assert_str(c->errors.list[0], "/nowhere/taut.yaml: cannot be read: No such file or directory");
    assert_str(c->server.listen, "127.0.0.1:8065");
    config_free(c);
}

/* A writer may come late; nobody may come at all. */
static void test_a_pipe_is_read_unless_only_a_file_will_do(void **state) {
    char dir[] = "/tmp/taut-config-XXXXXX", path[64], want[200];
    const struct config_override only_file = {.only_file = true};
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/fifo", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    struct config *c = config_read_file(path, NULL); /* no writer: does not wait */
    snprintf(want, sizeof want, "%s: is empty; list at least the modules to run\n", path);
    assert_problems(&c->errors, want);
    config_free(c);
    c = config_read_file(path, &only_file);
    snprintf(want, sizeof want, "%s: is no regular file; a server that runs reads its configuration from a file only\n",
             path);
    assert_problems(&c->errors, want);
    config_free(c);

    int fd = open(path, O_RDWR); /* does not wait for a reader */
    pid_t child = fork();
    if (!child) {
        usleep(50000);
        _exit(write(fd, "modules: [rtm]\n", 15) == 15 && usleep(200000) == 0 ? 0 : 1);
    }
    close(fd);
    c = config_read_file(path, NULL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_problems(&c->errors, "");
    assert_int_equal(c->nmodules, 1);
    config_free(c);
    unlink(path);
    rmdir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_list_of_modules_alone_means_all_defaults),
        cmocka_unit_test(test_values_of_every_type_are_read),
        cmocka_unit_test(test_the_command_line_goes_over_the_file),
        cmocka_unit_test(test_an_address_that_means_all_of_them_needs_a_public_url),
        cmocka_unit_test(test_the_two_listeners_have_addresses_of_their_own),
        cmocka_unit_test(test_relative_data_is_below_the_folder_of_the_file),
        cmocka_unit_test(test_a_module_can_be_added_to_those_of_the_file),
        cmocka_unit_test(test_all_errors_come_at_once_in_the_order_of_their_places),
        cmocka_unit_test(test_what_is_no_configuration_is_said_so),
        cmocka_unit_test(test_keys_given_twice_are_refused),
        cmocka_unit_test(test_a_byte_order_mark_is_no_part_of_the_text),
        cmocka_unit_test(test_what_is_empty_is_no_path_and_no_address),
        cmocka_unit_test(test_a_port_has_a_range),
        cmocka_unit_test(test_a_public_url_has_a_port_that_there_is),
        cmocka_unit_test(test_a_public_url_is_what_addresses_can_be_built_on),
        cmocka_unit_test(test_a_pipe_is_read_unless_only_a_file_will_do),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_modules_have_names_and_may_be_renamed),
        cmocka_unit_test(test_options_of_modules_are_applied_with_their_defaults),
        cmocka_unit_test(test_errors_in_options_of_modules),
        cmocka_unit_test(test_what_is_printed_reads_back_the_same),
        cmocka_unit_test(test_a_file_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
