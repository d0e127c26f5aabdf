/* test_cli.c - the `taut` program, run as a user runs it: each case in a child process, its exit code and words
 * compared. The modules are those of tests/badmods; sample.c declares the commands. */
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/cli.h"

enum { WORDS_MAX = 16, TEXT_MAX = 16384, WAIT_MS = 10000 };

/* Where the tests work: a fresh directory, also the current one. */
static char dir[PATH_MAX];

static char out[TEXT_MAX], err[TEXT_MAX];

static void slurp(const char *file, char text[TEXT_MAX]) {
    FILE *f = fopen(file, "r");
    size_t n = f ? fread(text, 1, TEXT_MAX - 1, f) : 0;
    text[n] = 0;
    if (f) fclose(f);
}

/* Starts `taut LINE` (words split at blanks) with its output in NAME.out and NAME.err. */
static pid_t start(const char *line, const char *name) {
    pid_t pid = fork();
    if (pid) return pid;
    static char copy[1024], program[] = "taut";
    char *argv[WORDS_MAX] = {program}, file[64];
    int argc = 1;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *w = strtok(copy, " "); w && argc < WORDS_MAX - 1; w = strtok(NULL, " ")) argv[argc++] = w;
    snprintf(file, sizeof file, "%s.out", name);
    if (!freopen(file, "w", stdout)) _exit(99);
    snprintf(file, sizeof file, "%s.err", name);
    if (!freopen(file, "w", stderr)) _exit(99);
    setvbuf(stderr, NULL, _IONBF, 0);
    exit(cli_main(argc, argv));
}

static int end_of(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int run(const char *line) {
    int rc = end_of(start(line, "run"));
    slurp("run.out", out);
    slurp("run.err", err);
    return rc;
}

static void expect(const char *line, int rc, const char *on_stdout, const char *on_stderr) {
    int got = run(line);
    assert_string_equal(err, on_stderr);
    assert_string_equal(out, on_stdout);
    assert_int_equal(got, rc);
}

static void write_file(const char *name, const char *text) {
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* ---- usage ---- */

static void test_version(void **state) {
    (void)state;
    expect("version", 0, "taut 0.1.0 (module ABI 0.1)\n", "");
    expect("--version", 0, "taut 0.1.0 (module ABI 0.1)\n", "");
    expect("version --json", 0, "{\"version\":\"0.1.0\",\"abi\":\"0.1\"}\n", "");
}

static void test_help_is_everywhere(void **state) {
    (void)state;
    assert_int_equal(run("--help"), 0);
    assert_non_null(strstr(out, "\n  serve                      run the server\n"));
    assert_non_null(strstr(out, "\n  sample echo                say it again\n"));
    assert_int_equal(run("help"), 0);
    assert_int_equal(run(""), 2);
    assert_non_null(strstr(err, "usage: taut COMMAND"));
    assert_int_equal(run("sample --help"), 0);
    assert_non_null(strstr(out, "usage: taut sample COMMAND"));
    assert_int_equal(run("sample"), 2);
    assert_int_equal(run("help sample echo"), 0);
    assert_memory_equal(out, "usage: taut sample echo TEXT [--times N] [--loud-voice] [FLAGS]\n", 63);
    assert_int_equal(run("sample echo --help"), 0);
    assert_null(strstr(out, "--listen"));
    assert_int_equal(run("sample stay --help"), 0);
    assert_non_null(strstr(out, "--listen ADDR:PORT"));
}

static void test_wrong_usage_says_what_was_meant(void **state) {
    (void)state;
    assert_int_equal(run("servr"), 2);
    assert_non_null(strstr(err, "taut: unknown command \"servr\"; did you mean \"serve\"?; see: taut --help\n"));
    assert_int_equal(run("sampel echo x"), 2);
    assert_non_null(strstr(err, "taut: unknown command \"sampel\"; did you mean \"sample echo\"?; see: taut --help\n"));
    assert_int_equal(run("sample ecoh x"), 2);
    assert_non_null(
        strstr(err, "taut: unknown command \"sample ecoh\"; did you mean \"sample echo\"?; see: taut --help\n"));
    expect("sample echo x --tiems 2", 2, "",
           "taut sample echo: unknown flag --tiems; did you mean --times?; see: taut sample echo --help\n");
    expect("sample echo", 2, "", "taut sample echo: needs text; see: taut sample echo --help\n");
    expect("sample echo a b", 2, "", "taut sample echo: \"b\" is one word too many; see: taut sample echo --help\n");
    expect("sample echo a --times", 2, "", "taut sample echo: --times needs a value; see: taut sample echo --help\n");
    expect("sample echo a --times two", 2, "",
           "taut sample echo: --times: \"two\" is not a whole number; see: taut sample echo --help\n");
    expect("sample echo a --text b", 2, "", "taut sample echo: --text is given twice; see: taut sample echo --help\n");
    expect("check --listen x", 2, "", "taut check: unknown flag --listen; see: taut check --help\n");
}

/* ---- configuration ---- */

static void test_check_prints_all_errors_or_ok(void **state) {
    (void)state;
    write_file("good.yaml", "server: { data: d }\nmodules:\n  - chain_a\n  - sample\n");
    write_file("bad.yaml", "sever: {}\nmodules:\n  - sample: { cahce: 1 }\n");
    expect("check -c good.yaml", 0, "good.yaml: ok: 2 modules\n", "");
    expect("check --config=bad.yaml", 1, "", "bad.yaml:1:1: unknown section \"sever\"; did you mean \"server\"?\n");
    write_file("bad.yaml", "modules:\n  - sample: { cahce: 1 }\n  - nothing_like_it\n");
    assert_int_equal(run("check -c bad.yaml"), 1);
    assert_non_null(strstr(err, "bad.yaml:2:15: modules.sample: unknown option \"cahce\"; did you mean \"cache\"?\n"));
    assert_non_null(
        strstr(err, "bad.yaml:3:5: modules: there is no module \"nothing_like_it\" (modules are looked for in "));
}

static void test_print_config_is_what_would_run(void **state) {
    (void)state;
    char yaml[PATH_MAX + 256];
    snprintf(yaml, sizeof yaml,
             "server:\n  listen: 127.0.0.1:20110\n  data: %s/d\n  rate_limits: false\nadmin:\n  listen: "
             "127.0.0.1:0\nmodules:\n"
             "  - sample\n",
             dir);
    expect("sample stay x --data d --listen 127.0.0.1:20110 --print-config", 0, yaml, "");
}

static void test_commands_that_serve_stay_on_this_machine(void **state) {
    (void)state;
    expect("sample stay x --data d --listen 0.0.0.0:20110", 1, "",
           "taut sample stay: other machines can reach 0.0.0.0:20110, and this command is made for this machine only; "
           "listen on 127.0.0.1, or add --allow-remote\n");
    assert_int_equal(run("sample stay x --data d --listen 0.0.0.0:20110 --allow-remote --print-config"), 0);
}

static void test_a_command_of_a_module_that_is_not_enabled_is_unknown(void **state) {
    (void)state;
    write_file("without.yaml", "server: { data: d }\nmodules:\n  - chain_a\n");
    expect(
        "sample echo x -c without.yaml", 2, "",
        "taut: unknown command \"sample echo\": the module \"sample\" that brings it is not enabled in without.yaml\n");
}

static void test_a_module_directory_without_modules_is_named(void **state) {
    (void)state;
    setenv("TAUT_MODULE_DIR", "/nowhere", 1);
    int rc = run("serve --data d");
    setenv("TAUT_MODULE_DIR", TAUT_MODULE_DIR "/../badmods", 1);
    assert_int_equal(rc, 1);
    assert_string_equal(err,
                        "standard configuration: there are no modules in /nowhere; install taut as a whole, or set "
                        "TAUT_MODULE_DIR\n");
}

/* ---- modules ---- */

static void test_module_info_needs_no_running_code(void **state) {
    (void)state;
    assert_int_equal(run("module info sample --json"), 0);
    assert_non_null(strstr(out, "{\"name\":\"sample\",\"version\":\"1.2\",\"license\":\"Apache-2.0\""));
    assert_non_null(strstr(out, "{\"name\":\"cache\",\"type\":\"bytes\",\"default\":\"1MiB\",\"help\":\"\"}"));
    assert_int_equal(run("module info " TAUT_MODULE_DIR "/../badmods/chain_b.so"), 0);
    assert_non_null(strstr(out, "provides: b/1\nneeds: a/1\n"));
    expect(
        "module info too_new", 1, "",
        "taut module info: too_new.so: needs module ABI 0.7, this server offers 0.0-0.1; rebuild the module or upgrade "
        "the server\n");
    assert_int_equal(run("module list"), 0);
    assert_non_null(strstr(out, "\nsample   1.2      true      one of everything\n"));
}

/* ---- commands ---- */

static void test_a_command_runs_here_when_no_server_does(void **state) {
    (void)state;
    struct stat st;
    expect("sample echo hi --times=3 --loud-voice --data fresh/dir", 0, "text: hi\ntimes: 3\nloud: true\n",
           "echoing\n");
    expect("sample echo --text hi --json --data fresh/dir", 0, "{\"text\":\"hi\",\"times\":1,\"loud\":false}\n",
           "echoing\n");
    expect("sample echo fail --data fresh/dir", 1, "", "taut sample echo: name_taken: somebody was first\n");
    assert_int_equal(stat("fresh/dir", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    write_file("file", "");
    assert_int_equal(run("sample echo x --data file/dir"), 1);
    assert_non_null(strstr(err, "taut sample echo: the data directory "));
    assert_non_null(strstr(err, "/file/dir cannot be used: Not a directory\n"));
}

/* Waits until the file has a line. */
static bool wait_for(const char *file, char text[TEXT_MAX]) {
    for (int ms = 0; ms < WAIT_MS; ms += 10) {
        slurp(file, text);
        if (strchr(text, '\n')) return true;
        usleep(10000);
    }
    return false;
}

/* One request on the control socket; its answers, until `done`. */
static void control(const char *request, char answer[TEXT_MAX]) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    size_t n = 0;
    ssize_t got = 1;
    snprintf(at.sun_path, sizeof at.sun_path, "held/control.sock");
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(write(fd, request, strlen(request)), (ssize_t)strlen(request));
    for (answer[0] = 0; got > 0 && !strstr(answer, "\"done\""); answer[n] = 0) {
        got = read(fd, answer + n, TEXT_MAX - 1 - n);
        if (got > 0) n += (size_t)got;
    }
    close(fd);
}

static void test_a_server_holds_its_directory_and_takes_commands(void **state) {
    (void)state;
    char expected[PATH_MAX + 256], answer[TEXT_MAX];
    struct stat st;
    pid_t server = start("sample stay hello --json --data held --listen 127.0.0.1:0", "server");
    assert_true(wait_for("server.out", out));
    assert_string_equal(out, "{\"text\":\"hello\",\"times\":1,\"loud\":false}\n");
    assert_int_equal(stat("held/control.sock", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    expect("sample echo hi --data held", 0, "text: hi\ntimes: 1\nloud: false\n", "echoing\n");
    expect("sample echo fail --data held", 1, "", "taut sample echo: name_taken: somebody was first\n");
    snprintf(expected, sizeof expected,
             "taut sample alone: needs the store to itself, but process %ld is using %s/held; stop it first\n",
             (long)server, dir);
    expect("sample alone --data held", 1, "", expected);
    snprintf(
        expected, sizeof expected,
        "taut: the data directory %s/held is in use by another taut (process %ld); stop it, or use another --data\n",
        dir, (long)server);
    expect("sample stay x --data held --listen 127.0.0.1:0", 1, "", expected);

    control("{\"command\":\"nothing\"}\n", answer);
    assert_non_null(strstr(answer, "\"error\":\"unknown_command\""));
    control("{\"command\":\"sample alone\"}\n", answer);
    assert_non_null(strstr(answer, "\"error\":\"server_running\""));
    control("{bad\n", answer);
    assert_non_null(strstr(answer, "\"error\":\"invalid_json\""));
    control("{\"command\":\"sample echo\",\"args\":{\"text\":\"a\",\"zz\":1}}\n", answer);
    assert_non_null(strstr(answer, "there is an argument that the command does not have"));
    control("{\"command\":\"sample echo\",\"args\":{\"text\":\"a\",\"times\":2}}\n", answer);
    assert_string_equal(answer, "{\"progress\":\"echoing\"}\n"
                                "{\"done\":true,\"status\":0,\"body\":{\"text\":\"a\",\"times\":2,\"loud\":false}}\n");

    slurp("server.err", err);
    const char *port = strstr(err, "http://127.0.0.1:");
    assert_non_null(port);
    char address[32] = "", line[128];
    snprintf(address, sizeof address, "%.*s", (int)strcspn(port + 7, ","), port + 7);
    snprintf(line, sizeof line, "sample stay x --data elsewhere --listen %s", address);
    snprintf(
        expected, sizeof expected,
        "taut sample stay: %s: address already in use; another server is running there: stop it, or choose another "
        "listen address\n",
        address);
    expect(line, 1, "", expected);

    kill(server, SIGTERM);
    assert_int_equal(end_of(server), 0);
    assert_int_not_equal(stat("held/control.sock", &st), 0);
}

static void test_a_server_whose_command_fails_ends(void **state) {
    (void)state;
    assert_int_equal(run("sample stay fail --data failing --listen 127.0.0.1:0"), 1);
    assert_string_equal(out, "");
    assert_non_null(strstr(err, "taut sample stay: name_taken: somebody was first\n"));
}

static int set_up(void **state) {
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/taut-cli-XXXXXX");
    return mkdtemp(dir) && chdir(dir) == 0 && setenv("TAUT_MODULE_DIR", TAUT_MODULE_DIR "/../badmods", 1) == 0 ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    char command[PATH_MAX + 16];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_help_is_everywhere),
        cmocka_unit_test(test_wrong_usage_says_what_was_meant),
        cmocka_unit_test(test_check_prints_all_errors_or_ok),
        cmocka_unit_test(test_print_config_is_what_would_run),
        cmocka_unit_test(test_commands_that_serve_stay_on_this_machine),
        cmocka_unit_test(test_a_command_of_a_module_that_is_not_enabled_is_unknown),
        cmocka_unit_test(test_a_module_directory_without_modules_is_named),
        cmocka_unit_test(test_module_info_needs_no_running_code),
        cmocka_unit_test(test_a_command_runs_here_when_no_server_does),
        cmocka_unit_test(test_a_server_holds_its_directory_and_takes_commands),
        cmocka_unit_test(test_a_server_whose_command_fails_ends),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
