/* test_spool.c - the bound on large bodies, and what is shown of it. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/spool.h"

static char dir[64];
static struct spool *s;

static int begin(void **state) {
    char *why = NULL;
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/taut-spool-XXXXXX");
    if (!mkdtemp(dir)) return -1;
    s = spool_open(dir, 1000, 2, &why);
    return s ? 0 : -1;
}
static int end(void **state) {
    char tmp[96];
    (void)state;
    spool_close(s);
    snprintf(tmp, sizeof tmp, "%s/tmp", dir);
    rmdir(tmp);
    return rmdir(dir);
}

static void shows(long long bytes, long long files, unsigned long long refused) {
    const struct spool_stats *have = spool_stats(s);
    assert_int_equal(atomic_load(&have->bytes), bytes);
    assert_int_equal(atomic_load(&have->files), files);
    assert_int_equal(atomic_load(&have->refused), refused);
}

static void what_is_over_the_bound_is_refused_and_counted_and_takes_nothing(void **state) {
    (void)state;
    assert_int_equal(spool_take(s, 0, 0, 1), SPOOL_ROOM);
    assert_int_equal(spool_take(s, 0, 600, 0), SPOOL_ROOM);
    shows(600, 1, 0);
    assert_int_equal(spool_take(s, 0, 500, 0), SPOOL_FULL);
    shows(600, 1, 1);
    assert_int_equal(spool_take(s, 0, 0, 1), SPOOL_ROOM);
    assert_int_equal(spool_take(s, 0, 0, 1), SPOOL_FULL);
    shows(600, 2, 2);
    spool_give_back(s, 0, 600, 1);
    shows(0, 1, 2);
    assert_int_equal(spool_take(s, 0, 900, 0), SPOOL_ROOM);
    spool_give_back(s, 0, 900, 1);
    shows(0, 0, 2);
}

static void a_file_has_no_name_and_only_its_owner_reads_it(void **state) {
    char tmp[96];
    struct stat st;
    int n = 0;
    (void)state;
    int fd = spool_file(s);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_nlink, 0);
    snprintf(tmp, sizeof tmp, "%s/tmp", dir);
    DIR *d = opendir(tmp);
    for (const struct dirent *e; (e = readdir(d));) n += e->d_name[0] != '.';
    closedir(d);
    assert_int_equal(n, 0);
    close(fd);
}

static void what_a_killed_server_left_is_removed_at_the_start(void **state) {
    char left[128], *why = NULL;
    (void)state;
    snprintf(left, sizeof left, "%s/tmp/body-1", dir);
    fclose(fopen(left, "w"));
    spool_close(s);
    s = spool_open(dir, 1000, 2, &why);
    assert_non_null(s);
    assert_int_not_equal(access(left, F_OK), 0);
}

static void a_folder_that_cannot_be_made_is_refused_with_the_reason(void **state) {
    char *why = NULL;
    (void)state;
    assert_null(spool_open("/proc/self", 1, 1, &why));
    assert_non_null(strstr(why, "/proc/self/tmp: uploads cannot be kept there: "));
    free(why);
}

int main(void) {
#define SPOOL_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(what_is_over_the_bound_is_refused_and_counted_and_takes_nothing),
        SPOOL_TEST(a_file_has_no_name_and_only_its_owner_reads_it),
        SPOOL_TEST(what_a_killed_server_left_is_removed_at_the_start),
        SPOOL_TEST(a_folder_that_cannot_be_made_is_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
