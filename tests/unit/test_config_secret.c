/* test_config_secret.c - values that are not in the file: ${env:NAME} in any scalar, secrets in files; and that a
 * secret is never shown, whatever is wrong with it. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_harness.h"

struct options {
    taut_str name, pattern, password;
    int64_t count;
    struct taut_array names, tokens;
};
static const struct taut_opt opts[] = {
    TAUT_OPT(struct options, name, TAUT_OPT_STR),
    TAUT_OPT(struct options, pattern, TAUT_OPT_REGEX),
    TAUT_OPT(struct options, password, TAUT_OPT_SECRET, .min = 4, .max = 40),
    TAUT_OPT(struct options, count, TAUT_OPT_INT, .max = 9),
    TAUT_OPT(struct options, names, TAUT_OPT_LIST, .item = TAUT_OPT_STR),
    TAUT_OPT(struct options, tokens, TAUT_OPT_MAP, .item = TAUT_OPT_SECRET),
};
static const struct taut_array table = TAUT_ARRAY(opts);

static char folder[] = "/tmp/taut-secret-XXXXXX";

static struct config *apply_file(const char *options, struct options *o) {
    char path[64];
    snprintf(path, sizeof path, "%s/taut.yaml", folder);
    FILE *f = fopen(path, "w");
    fprintf(f, "modules:\n- m:\n%s", options);
    fclose(f);
    struct config *c = config_read_file(path, NULL);
    free(c->file);
    c->file = xstrdup("taut.yaml");
    memset(o, 0, sizeof *o);
    config_apply(c, table, c->modules[0].options, c->modules[0].where, "modules.m", TAUT_LIT("/data"), o);
    unlink(path);
    return c;
}

static void expect(const char *options, const char *errors, const char *warnings) {
    struct options o;
    struct config *c = apply_file(options, &o);
    assert_problems(&c->errors, errors);
    assert_problems(&c->warnings, warnings);
    config_free(c);
}

/* A file beside the configuration. */
static void write_file(const char *name, const char *text, mode_t mode) {
    char path[80];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
    chmod(path, mode);
}

static int set_up(void **state) {
    (void)state;
    setenv("TAUT_T_NAME", "ada", 1);
    setenv("TAUT_T_EMPTY", "", 1);
    setenv("TAUT_T_TEN", "10", 1);
    setenv("TAUT_T_BAD", "a\xff", 1);
    setenv("TAUT_T_PASSWORD", "hunter22", 1);
    unsetenv("TAUT_T_UNSET");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state) {
    char command[80];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static void test_the_environment_may_stand_in_any_scalar(void **state) {
    (void)state;
    struct options o;
    struct config *c =
        apply_file("    name: ${env:TAUT_T_NAME}@${env:TAUT_T_NAME}.example\n"
                   "    names: ['${env:TAUT_T_NAME}', '$${env:TAUT_T_NAME}', '$5 ${', '${env:TAUT_T_EMPTY}']\n"
                   "    pattern: 'x${env:TAUT_T_NAME}[${a]'\n",
                   &o);
    assert_problems(&c->errors, "");
    assert_str(o.name, "ada@ada.example");
    assert_str(*TAUT_AT(o.names, taut_str, 0), "ada");
    assert_str(*TAUT_AT(o.names, taut_str, 1), "${env:TAUT_T_NAME}");
    assert_str(*TAUT_AT(o.names, taut_str, 2), "$5 ${");
    assert_str(*TAUT_AT(o.names, taut_str, 3), "");
    assert_str(o.pattern, "xada[${a]");
    config_free(c);
}

static void test_what_is_wrong_with_a_reference(void **state) {
    (void)state;
    expect("    name: ${env:TAUT_T_UNSET}\n    count: ${env:TAUT_T_TEN}\n"
           "    names: ['${env:TAUT_T_BAD}', '${ENV:X}', '${env:}', '${env:A-B}', 'a ${TOKEN} b', '${env:X']\n",
           "taut.yaml:3:11: modules.m.name: the environment variable TAUT_T_UNSET is not set\n"
           "taut.yaml:4:12: modules.m.count: 10 is out of range: it must be 0 to 9 (from ${env:TAUT_T_TEN})\n"
           "taut.yaml:5:13: modules.m.names: the environment variable TAUT_T_BAD is not UTF-8\n"
           "taut.yaml:5:34: modules.m.names: \"${ENV:X}\" is no reference; write ${env:NAME} for an environment "
           "variable, or $${ for the characters ${\n"
           "taut.yaml:5:46: modules.m.names: \"${env:}\" is no reference; write ${env:NAME} for an environment "
           "variable, or $${ for the characters ${\n"
           "taut.yaml:5:57: modules.m.names: \"${env:A-B}\" is no reference; write ${env:NAME} for an environment "
           "variable, or $${ for the characters ${\n"
           "taut.yaml:5:71: modules.m.names: \"${TOKEN}\" is no reference; write ${env:NAME} for an environment "
           "variable, or $${ for the characters ${\n"
           "taut.yaml:5:87: modules.m.names: \"${env:X\" is no reference; write ${env:NAME} for an environment "
           "variable, or $${ for the characters ${\n",
           "");
}

static void test_a_secret_comes_from_the_environment_or_a_file(void **state) {
    (void)state;
    struct options o;
    write_file("password", "tr0ub4dor\n", 0600);
    struct config *c = apply_file("    password: ${env:TAUT_T_PASSWORD}\n    tokens: { a: 'file:./password' }\n", &o);
    assert_problems(&c->errors, "");
    assert_problems(&c->warnings, "");
    assert_str(o.password, "hunter22");
    assert_str(TAUT_AT(o.tokens, struct taut_opt_pair, 0)->text, "tr0ub4dor");
    config_free(c);
}

static void test_a_secret_in_the_file_itself_or_for_all_to_read_is_warned_of(void **state) {
    (void)state;
    write_file("open", "secret\n", 0644);
    char warnings[400];
    snprintf(warnings, sizeof warnings,
             "taut.yaml:3:15: warning: modules.m.password: the secret stands in the file itself; write ${env:NAME} or "
             "file:PATH in its place\n"
             "taut.yaml:4:18: warning: modules.m.tokens.a: others may read the secret in %s/open (its mode is 0644); "
             "chmod 600 it\n",
             folder);
    expect("    password: correct horse\n    tokens: { a: 'file:open' }\n", "", warnings);
}

static void test_what_stands_for_a_secret_in_print_is_none(void **state) {
    (void)state;
    expect("    password: (secret)\n",
           "taut.yaml:3:15: modules.m.password: \"(secret)\" is what `taut config print` writes in place of a secret; "
           "write the secret itself, ${env:NAME} or file:PATH\n",
           "");
}

static void test_what_is_wrong_with_a_secret_is_said_without_it(void **state) {
    (void)state;
    char errors[1200], big[70000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = 0;
    write_file("empty", "\n", 0600);
    write_file("binary", "a\xff", 0600);
    write_file("big", big, 0600);
    expect("    password: abc\n", "taut.yaml:3:15: modules.m.password: is 3 bytes long: it must be 4 to 40\n",
           "taut.yaml:3:15: warning: modules.m.password: the secret stands in the file itself; write ${env:NAME} or "
           "file:PATH in its place\n");
    snprintf(errors, sizeof errors,
             "taut.yaml:3:15: modules.m.password: the environment variable TAUT_T_UNSET is not set\n"
             "taut.yaml:5:10: modules.m.tokens.a: the secret in %s/none cannot be read: No such file or directory\n"
             "taut.yaml:6:10: modules.m.tokens.b: the secret in %s/empty cannot be read: it is empty\n"
             "taut.yaml:7:10: modules.m.tokens.c: the secret in %s/binary cannot be read: it is not UTF-8 text\n"
             "taut.yaml:8:10: modules.m.tokens.d: the secret in %s/big cannot be read: it is larger than 64 KiB\n"
             "taut.yaml:9:10: modules.m.tokens.e: the secret in %s/ cannot be read: it has no name\n"
             "taut.yaml:10:10: modules.m.tokens.f: must be a single value, not a list\n"
             "taut.yaml:11:7: modules.m.tokens.g: has no value; leave the line out to get the default\n",
             folder, folder, folder, folder, folder);
    expect("    password: ${env:TAUT_T_UNSET}\n    tokens:\n      a: file:none\n      b: file:empty\n"
           "      c: file:binary\n      d: file:big\n      e: 'file:'\n      f: [s3cret]\n      g:\n",
           errors, "");
}

static void test_a_secret_is_never_printed(void **state) {
    (void)state;
    struct options o;
    struct arena a = {0};
    struct config *c =
        apply_file("    password: plain-s3cret\n    tokens: { a: '${env:TAUT_T_PASSWORD}', b: s3cret }\n", &o);
    char *yaml = config_print(c);
    assert_non_null(strstr(yaml, "      password: (secret)\n      tokens:\n        a: \"${env:TAUT_T_PASSWORD}\"\n"
                                 "        b: (secret)\n"));
    assert_null(strstr(yaml, "s3cret"));
    for (uint32_t i = 0; i < table.len; i++) {
        struct taut_opt opt = option_at(table, i);
        const char *text = option_text(&a, &opt, (char *)&o + opt.offset).ptr;
        assert_null(strstr(text, "s3cret"));
        assert_null(strstr(text, "hunter22"));
    }
    free(yaml);
    arena_free(&a);
    config_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_environment_may_stand_in_any_scalar),
        cmocka_unit_test(test_what_is_wrong_with_a_reference),
        cmocka_unit_test(test_what_stands_for_a_secret_in_print_is_none),
        cmocka_unit_test(test_a_secret_comes_from_the_environment_or_a_file),
        cmocka_unit_test(test_a_secret_in_the_file_itself_or_for_all_to_read_is_warned_of),
        cmocka_unit_test(test_what_is_wrong_with_a_secret_is_said_without_it),
        cmocka_unit_test(test_a_secret_is_never_printed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
