/* test_module_path.c - the folders in which modules are looked for: their order, and whose code is not taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "module/internal.h"

static char one[64], two[64], both[160];

static void put(const char *folder, const char *name) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
}

static void drop(const char *folder) {
    static const char *const names[] = {"a.so", "b.so", "c.so"};
    char path[128];
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

static int set_up(void **state) {
    (void)state;
    strcpy(one, "/tmp/taut-path-XXXXXX");
    strcpy(two, "/tmp/taut-path-XXXXXX");
    if (!mkdtemp(one) || !mkdtemp(two)) return -1;
    snprintf(both, sizeof both, "%s:/nowhere::%s", one, two);
    put(one, "b.so");
    put(one, "a.so");
    put(two, "b.so");
    put(two, "c.so");
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    drop(one);
    drop(two);
    return 0;
}

static void expect_file(const char *name, const char *folder) {
    char path[128];
    char *file = loader_file(both, taut_str_z(name));
    snprintf(path, sizeof path, "%s/%s.so", folder, name);
    assert_string_equal(file, path);
    free(file);
}

static void test_the_first_folder_that_has_a_module_wins(void **state) {
    (void)state;
    expect_file("a", one);
    expect_file("b", one);
    expect_file("c", two);
    expect_file("nothing", two);
}

static void test_a_name_in_two_folders_is_one_module(void **state) {
    struct arena a = {0};
    uint32_t n;
    (void)state;
    const char **names = module_names(&a, both, &n);
    assert_int_equal(n, 3);
    assert_string_equal(names[0], "a");
    assert_string_equal(names[1], "b");
    assert_string_equal(names[2], "c");
    module_names(&a, "", &n);
    assert_int_equal(n, 0);
    arena_free(&a);
}

static void expect_fault(const char *folder, const char *text) {
    char *fault = loader_folder_fault(folder);
    if (text) assert_string_equal(fault ? fault : "(none)", text);
    else assert_null(fault);
    free(fault);
}

static void test_a_folder_in_which_others_could_put_code_is_refused(void **state) {
    char text[256], file[128];
    (void)state;
    expect_fault(one, NULL);
    expect_fault("/nowhere", NULL);
    chmod(one, 0777);
    snprintf(
        text, sizeof text,
        "everybody may write to the folder %s, and so put code into this server; give another one, or chmod o-w it",
        one);
    expect_fault(one, text);
    chmod(one, 0755);
    snprintf(file, sizeof file, "%s/a.so", one);
    snprintf(text, sizeof text, "%s is no folder; give the one that the module's file lies in", file);
    expect_fault(file, text);
    if (geteuid() != 0) return; /* only root can give a folder away */
    assert_int_equal(chown(one, 12345, 12345), 0);
    snprintf(text, sizeof text,
             "the folder %s belongs to another user, who could put code into this server; give one that belongs to "
             "root, or to whom the server runs as",
             one);
    expect_fault(one, text);
    assert_int_equal(chown(one, 0, 0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_folder_that_has_a_module_wins),
        cmocka_unit_test(test_a_name_in_two_folders_is_one_module),
        cmocka_unit_test(test_a_folder_in_which_others_could_put_code_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
