/* test_badmods.c - one deliberately broken module for each thing that the loader refuses, and the words in which it
 * does. Those that cannot be declared (files that are no shared objects, or only part of one) are written here.
 * tests/lint/loader_texts.mjs holds that no text of the loader is without a test. */
#include <elf.h>
#include <limits.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "module/loader.h"

#define DIR TAUT_MODULE_DIR "/../badmods"

static char made_dir[] = "/tmp/taut-badmods-XXXXXX";

static void expect_refused(const char *file, const char *text) {
    char *why = NULL;
    assert_null(loader_open(file, &why));
    assert_string_equal(why, text);
    free(why);
}

/* ---- declarations ---- */

static const struct {
    const char *name, *text;
} wrong[] = {
#define WRONG(name, text, ...) {#name, text},
#include "../badmods/wrong.def"
};

static void a_declaration_that_is_not_whole_is_refused_for_what_is_wrong(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        char file[PATH_MAX], text[512];
        const char *fault = strncmp(wrong[i].text, "calls itself", 12) == 0 ? "" : "; this is a fault of the module";
        snprintf(file, sizeof file, DIR "/%s.so", wrong[i].name);
        snprintf(text, sizeof text, "%s.so: %s%s", wrong[i].name, wrong[i].text, fault);
        expect_refused(file, text);
    }
}

/* No fault: a module of a later minor that says that it can do without. What this server does not know is cut off. */
static void a_module_with_longer_tables_is_read_as_far_as_they_are_known(void **state) {
    char *why = NULL;
    struct loaded *l = loader_open(DIR "/newer.so", &why);
    (void)state;
    assert_non_null(l);
    assert_int_equal(l->def->size, sizeof *l->def);
    assert_int_equal(l->def->methods.len, 2);
    assert_int_equal(l->def->methods.elem_size, sizeof(struct taut_method));
    const struct taut_method *two = TAUT_AT(l->def->methods, struct taut_method, 1);
    assert_string_equal(two->name, "newer.two");
    assert_int_equal(two->args.elem_size, sizeof(struct taut_arg));
    assert_string_equal(TAUT_AT(two->args, struct taut_arg, 1)->name, "second");
    assert_int_equal(TAUT_AT(two->args, struct taut_arg, 1)->type, TAUT_ARG_INT);
    loader_close(l);
}

static void a_head_that_is_not_for_this_server_is_refused(void **state) {
    (void)state;
    expect_refused(DIR "/no_symbol.so", "no_symbol.so: is not a Taut module: it has no symbol \"taut_module\"");
    expect_refused(DIR "/size_zero.so", "size_zero.so: its module table has an impossible size (0 bytes); declare the "
                                        "module with TAUT_MODULE and rebuild it");
    expect_refused(DIR "/size_small.so", "size_small.so: its module table has an impossible size (40 bytes); declare "
                                         "the module with TAUT_MODULE and rebuild it");
    expect_refused(DIR "/size_large.so", "size_large.so: its module table has an impossible size (4294967295 bytes); "
                                         "declare the module with TAUT_MODULE and rebuild it");
    expect_refused(DIR "/wrong_major.so", "wrong_major.so: needs module ABI 9.0, this server offers 1.0; rebuild the "
                                          "module or upgrade the server");
    expect_refused(DIR "/too_new.so", "too_new.so: needs module ABI 1.7, this server offers 1.0; rebuild the module or "
                                      "upgrade the server");
    expect_refused(DIR "/misnamed.so", "misnamed.so: calls itself \"another\"; a module's file is named after it");
}

/* ---- files ---- */

static const char *made(const char *name) {
    static char file[PATH_MAX];
    snprintf(file, sizeof file, "%s/%s", made_dir, name);
    return file;
}

static char *read_whole(const char *file, size_t *n) {
    FILE *in = fopen(file, "r");
    assert_non_null(in);
    char *bytes = malloc(1 << 20);
    *n = fread(bytes, 1, 1 << 20, in);
    fclose(in);
    return bytes;
}

static const char *write_whole(const char *name, const void *bytes, size_t n) {
    FILE *out = fopen(made(name), "w");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, n, out), n);
    assert_int_equal(fclose(out), 0);
    return made(name);
}

static void a_file_that_is_no_shared_object_is_refused_as_the_linker_says(void **state) {
    static const char text[] =
        "#!/bin/sh\nThis text is long enough to hold the head of a shared object, but is none.\n";
    (void)state;
    expect_refused(write_whole("text.so", text, sizeof text), "text.so: cannot be loaded: invalid ELF header");
    expect_refused(made("absent.so"),
                   "absent.so: cannot be loaded: cannot open shared object file: No such file or directory");
    assert_int_equal(mkdir(made("folder.so"), 0700), 0);
    expect_refused(made("folder.so"), "folder.so: cannot be loaded: cannot read file data: Is a directory");
    assert_int_equal(rmdir(made("folder.so")), 0);
    expect_refused(DIR "/imports.so", "imports.so: cannot be loaded: undefined symbol: hub_of_the_server");
}

static void a_file_that_ends_early_is_refused_before_it_is_mapped(void **state) {
    (void)state;
    size_t n;
    char *bytes = read_whole(DIR "/sample.so", &n);
    expect_refused(write_whole("empty.so", bytes, 0), "empty.so: is cut off (0 bytes); install it again");
    expect_refused(write_whole("head.so", bytes, 20), "head.so: is cut off (20 bytes); install it again");
    expect_refused(write_whole("segments.so", bytes, 100), "segments.so: is cut off (100 bytes); install it again");
    expect_refused(write_whole("cut.so", bytes, 5000), "cut.so: is cut off (5000 bytes); install it again");
    free(bytes);
}

static void a_file_for_another_machine_is_refused(void **state) {
    (void)state;
    size_t n;
    char *bytes = read_whole(DIR "/sample.so", &n);
    ElfW(Ehdr) *head = (void *)bytes;
    unsigned char class = head->e_ident[EI_CLASS];
    head->e_ident[EI_CLASS] = class == ELFCLASS64 ? ELFCLASS32 : ELFCLASS64;
    expect_refused(write_whole("class.so", bytes, n), class == ELFCLASS64
                                                          ? "class.so: cannot be loaded: wrong ELF class: ELFCLASS32"
                                                          : "class.so: cannot be loaded: wrong ELF class: ELFCLASS64");
    head->e_ident[EI_CLASS] = class;
    head->e_phentsize = 7; /* not for us to judge */
    expect_refused(write_whole("phentsize.so", bytes, n),
                   "phentsize.so: cannot be loaded: ELF file's phentsize not the expected size");
    free(bytes);
}

/* Every byte of the head and of the segments' table set to each of a few values: loaded or refused, never a crash. */
static void a_damaged_head_is_refused_with_a_reason(void **state) {
    (void)state;
    size_t n;
    char *bytes = read_whole(DIR "/sample.so", &n);
    for (size_t at = 0; at < sizeof(ElfW(Ehdr)); at++) {
        char kept = bytes[at], *why = NULL;
        if (at >= offsetof(ElfW(Ehdr), e_entry) && at < offsetof(ElfW(Ehdr), e_phoff)) continue;
        bytes[at] = (char)~kept;
        struct loaded *l = loader_open(write_whole("damaged.so", bytes, n), &why);
        if (!l) assert_int_equal(strncmp(why, "damaged.so: ", 12), 0);
        assert_true(l || strlen(why) > 20);
        loader_close(l);
        free(why);
        assert_int_equal(unlink(made("damaged.so")), 0);
        bytes[at] = kept;
    }
    free(bytes);
}

static void a_folder_that_cannot_be_looked_into_is_named_with_the_reason(void **state) {
    (void)state;
    char text[PATH_MAX + 64], folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s/in", write_whole("text.so", "x", 1));
    snprintf(text, sizeof text, "%s cannot be looked into: Not a directory", folder);
    char *fault = loader_folder_fault(folder);
    assert_string_equal(fault, text);
    free(fault);
}

/* ---- a configuration ---- */

static void expect_errors(const char *yaml, const char *errors) {
    const struct config_override o = {.data = "/data"};
    struct config *c = config_read_text("taut.yaml", taut_str_z(yaml), &o);
    struct modules *ms = loader_load(c, DIR);
    char all[4096] = "";
    for (uint32_t i = 0; i < c->errors.n; i++) {
        strncat(all, c->errors.list[i].ptr, sizeof all - strlen(all) - 1);
        strncat(all, "\n", sizeof all - strlen(all) - 1);
    }
    assert_string_equal(all, errors);
    modules_free(ms);
    config_free(c);
}

static void two_modules_may_not_bring_the_same_name(void **state) {
    (void)state;
    expect_errors("modules:\n  - twin_a\n  - twin_b\n",
                  "taut.yaml:3:5: modules.twin_b: method \"twin.method\" is already registered by modules.twin_a\n"
                  "taut.yaml:3:5: modules.twin_b: route GET /twin is already registered by modules.twin_a\n"
                  "taut.yaml:3:5: modules.twin_b: socket route /twin/ is already registered by modules.twin_a\n"
                  "taut.yaml:3:5: modules.twin_b: command \"twin command\" is already registered by modules.twin_a\n");
    expect_errors("modules:\n  - twin_a: { as: x }\n  - hook_order: { as: x }\n",
                  "taut.yaml:3:5: modules.x: is listed twice, first in line 2; give one of them a name of its own with "
                  "\"as:\"\n");
    expect_errors("modules:\n  - twin_a: { as: x }\n  - hook_order: { as: x_b }\n",
                  "taut.yaml:3:5: modules.x_b: table \"things\" has the same full name as another one: x_b_things\n");
}

static void hooks_that_no_order_satisfies_are_refused(void **state) {
    (void)state;
    expect_errors(
        "modules:\n  - hook_incomplete\n",
        "taut.yaml:2:5: modules.hook_incomplete: hook 0 (\"x\") lacks its name, its point or its function; this "
        "is a fault of the module\n"
        "taut.yaml:2:5: modules.hook_incomplete: hook 1 lacks its name, its point or its function; this is a "
        "fault of the module\n");
    expect_errors("modules:\n  - hook_twice\n",
                  "taut.yaml:2:5: modules.hook_twice: has two hooks \"x\" at p; this is a fault of the module\n");
    expect_errors("modules:\n  - hook_circle\n",
                  "taut.yaml:2:5: modules.hook_circle: hooks at p want to be asked before each other, in a circle\n");
    expect_errors("modules:\n  - hook_stage\n",
                  "taut.yaml:2:5: modules.hook_stage: hook \"x\" at p is to be asked before \"y\", which stands in an "
                  "earlier stage\n");
}

static void hooks_at_points_that_the_server_does_not_have_are_warned_of(void **state) {
    const struct config_override o = {.data = "/data"};
    struct config *c = config_read_text("taut.yaml", TAUT_LIT("modules:\n  - hook_nowhere\n"), &o);
    struct modules *ms = loader_load(c, DIR);
    (void)state;
    assert_int_equal(c->errors.n, 0);
    assert_int_equal(c->warnings.n, 2);
    assert_string_equal(
        c->warnings.list[0].ptr,
        "taut.yaml:2:5: warning: modules.hook_nowhere: hook \"x\" is at a point that the server does not "
        "have: \"mesage.before_send\"; did you mean \"message.before_send\"?");
    assert_string_equal(
        c->warnings.list[1].ptr,
        "taut.yaml:2:5: warning: modules.hook_nowhere: hook \"y\" is at a point that the server does not "
        "have: \"message.archive_all\"");
    modules_free(ms);
    config_free(c);
}

/* x before y and behind z, all in one stage; w, of higher priority, first. */
static void each_hook_stands_where_it_does_for_a_reason(void **state) {
    static const char *const right[][2] = {{"n", "stage normalise, start of hook_reasons"},
                                           {"w", "stage policy, priority 5, start of hook_reasons"},
                                           {"z", "stage policy, before x, start of hook_reasons"},
                                           {"x", "stage policy, after z, before y, start of hook_reasons"},
                                           {"y", "stage policy, after x, start of hook_reasons"},
                                           {"o", "stage 7, start of hook_reasons"}};
    const struct config_override o = {.data = "/data"};
    struct config *c = config_read_text("taut.yaml", TAUT_LIT("modules:\n  - hook_reasons\n"), &o);
    struct modules *ms = loader_load(c, DIR);
    (void)state;
    assert_int_equal(c->errors.n, 0);
    assert_int_equal(ms->nhooks, COUNT_OF(right));
    for (size_t i = 0; i < COUNT_OF(right); i++) {
        assert_string_equal(ms->hooks[i].def->name, right[i][0]);
        assert_string_equal(ms->hooks[i].reason, right[i][1]);
    }
    modules_free(ms);
    config_free(c);
}

static void what_is_broken_stands_beside_everything_else_that_is(void **state) {
    (void)state;
    expect_errors("modules:\n  - method_no_run\n  - table_no_key\n  - sample: { sync: ful }\n",
                  "taut.yaml:2:5: modules: method_no_run.so: method \"a.b\" has no function; this is a fault of the "
                  "module\n"
                  "taut.yaml:3:5: modules: table_no_key.so: table \"t\" has 1 columns, but a key of 2; this is a fault "
                  "of the module\n"
                  "taut.yaml:4:21: modules.sample.sync: \"ful\" is not one of off, normal, full; did you mean "
                  "\"full\"?\n");
}

static int make_dir(void **state) {
    (void)state;
    return mkdtemp(made_dir) ? 0 : -1;
}
static int remove_dir(void **state) {
    static const char *const names[] = {"text.so", "empty.so", "head.so",     "segments.so",
                                        "cut.so",  "class.so", "phentsize.so"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) unlink(made(names[i]));
    return rmdir(made_dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_declaration_that_is_not_whole_is_refused_for_what_is_wrong),
        cmocka_unit_test(a_module_with_longer_tables_is_read_as_far_as_they_are_known),
        cmocka_unit_test(a_head_that_is_not_for_this_server_is_refused),
        cmocka_unit_test(a_file_that_is_no_shared_object_is_refused_as_the_linker_says),
        cmocka_unit_test(a_file_that_ends_early_is_refused_before_it_is_mapped),
        cmocka_unit_test(a_file_for_another_machine_is_refused),
        cmocka_unit_test(a_damaged_head_is_refused_with_a_reason),
        cmocka_unit_test(a_folder_that_cannot_be_looked_into_is_named_with_the_reason),
        cmocka_unit_test(two_modules_may_not_bring_the_same_name),
        cmocka_unit_test(hooks_that_no_order_satisfies_are_refused),
        cmocka_unit_test(hooks_at_points_that_the_server_does_not_have_are_warned_of),
        cmocka_unit_test(each_hook_stands_where_it_does_for_a_reason),
        cmocka_unit_test(what_is_broken_stands_beside_everything_else_that_is),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
