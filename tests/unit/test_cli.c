/* test_cli.c - the `taut` program, run as a user runs it: each case in a child process, its exit code and words
 * compared. The modules are those of tests/badmods; sample.c declares the commands. */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "cli/internal.h"

enum { WORDS_MAX = 16, TEXT_MAX = 16384, WAIT_MS = 10000 };

/* Where the tests work: a fresh directory, also the current one. */
static char dir[PATH_MAX];

static char out[TEXT_MAX], err[TEXT_MAX];

/* How many files the next ones may open; 0: as many as we. */
static rlim_t files_max;

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
    if (files_max && setrlimit(RLIMIT_NOFILE, &(struct rlimit){files_max, files_max}) != 0) _exit(99);
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

/* From its first moments: with a configuration that is not there it comes no further. */
static void test_a_server_that_starts_is_not_ended_by_what_asks_for_a_reload(void **state) {
    static char program[] = "taut", serve[] = "serve", flag[] = "-c", file[] = "nowhere.yaml";
    char *argv[] = {program, serve, flag, file, NULL};
    (void)state;
    pid_t pid = fork();
    if (!pid) {
        if (!freopen("run.err", "w", stderr)) _exit(99);
        cli_main(4, argv);
        for (int number = SIGHUP; number; number = number == SIGHUP ? SIGUSR1 : number == SIGUSR1 ? SIGXFSZ : 0)
            raise(number);
        _exit(7);
    }
    assert_int_equal(end_of(pid), 7);
}

/* ---- usage ---- */

static void test_version(void **state) {
    (void)state;
    expect("version", 0, "taut 0.1.0 (module ABI 1.0)\n", "");
    expect("--version", 0, "taut 0.1.0 (module ABI 1.0)\n", "");
    expect("version --json", 0, "{\"version\":\"0.1.0\",\"abi\":\"1.0\"}\n", "");
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
    expect("sample echo a --times 9223372036854775808", 2, "",
           "taut sample echo: --times: \"9223372036854775808\" is too large a number; see: taut sample echo --help\n");
    expect("sample echo a --text b", 2, "", "taut sample echo: --text is given twice; see: taut sample echo --help\n");
    expect("check --listen x", 2, "", "taut check: unknown flag --listen; see: taut check --help\n");
}

/* ---- configuration ---- */

static void test_check_prints_all_errors_or_ok(void **state) {
    (void)state;
    write_file("good.yaml", "server: { data: d }\nmodules:\n  - chain_a\n  - sample\n");
    write_file("bad.yaml", "sever: {}\nmodules:\n  - sample: { cahce: 1 }\n");
    expect("check -c good.yaml", 0, "good.yaml: ok: 2 modules\n", "");
    expect("check --config=bad.yaml", 1, "",
           "bad.yaml:1:1: unknown section \"sever\"; did you mean \"server\"?\n"
           "bad.yaml:3:15: modules.sample: unknown option \"cahce\"; did you mean \"cache\"?\n");
    write_file("bad.yaml", "server: { gateways: 99, listen: 0.0.0.0:1 }\nadmin: { lisen: a:1 }\nmodules:\n  - chain_b\n"
                           "  - sample: { sync: ful }\n");
    expect("check -c bad.yaml", 1, "",
           "bad.yaml:1:21: server.gateways: 99 is out of range: it must be 0 to 32\n"
           "bad.yaml:1:33: server.public_url: must be given when listen is 0.0.0.0:1, which no client can connect to; "
           "write what they use, like http://192.0.2.7:8065 or https://chat.example.org\n"
           "bad.yaml:2:10: admin: unknown option \"lisen\"; did you mean \"listen\"?\n"
           "bad.yaml:4:5: modules.chain_b: needs service \"a/1\", which no enabled module provides; add \"- chain_a\" "
           "to the modules\n"
           "bad.yaml:5:21: modules.sample.sync: \"ful\" is not one of off, normal, full; did you mean \"full\"?\n");
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
             "server:\n  listen: 127.0.0.1:22310\n  data: %s/d\n  rate_limits: false\nadmin:\n  listen: "
             "127.0.0.1:0\nmodules:\n"
             "  - sample\n",
             dir);
    expect("sample stay x --data d --listen 127.0.0.1:22310 --print-config", 0, yaml, "");
}

static void test_commands_that_serve_stay_on_this_machine(void **state) {
    (void)state;
    expect("sample stay x --data d --listen 0.0.0.0:22310", 1, "",
           "standard configuration: server.public_url: must be given when listen is 0.0.0.0:22310, which no client can "
           "connect to; write what they use, like http://192.0.2.7:8065 or https://chat.example.org\n"
           "taut sample stay: other machines can reach 0.0.0.0:22310, and this command is made for this machine only; "
           "listen on 127.0.0.1, or add --allow-remote\n");
    assert_int_equal(run("sample stay x --data d --listen 0.0.0.0:22310 --public-url http://192.0.2.7:22310 "
                         "--allow-remote --print-config"),
                     0);
    assert_non_null(strstr(out, "  public_url: http://192.0.2.7:22310\n"));
}

static void test_serve_and_check_need_a_configuration(void **state) {
    (void)state;
    expect("serve", 1, "", "taut serve: no configuration: give one with -c, or write ./taut.yaml\n");
    expect("serve --data d", 1, "", "taut serve: no configuration: give one with -c, or write ./taut.yaml\n");
    expect("check", 1, "", "taut check: no configuration: give one with -c, or write ./taut.yaml\n");
}

static void test_a_command_that_serves_brings_its_module(void **state) {
    (void)state;
    write_file("without.yaml", "server: { data: d }\nmodules:\n  - chain_a\n");
    assert_int_equal(run("sample stay x -c without.yaml --print-config"), 0);
    assert_non_null(strstr(out, "modules:\n  - chain_a\n  - sample\n"));
    write_file("as.yaml", "server: { data: d }\nmodules:\n  - sample: { as: other }\n");
    assert_int_equal(run("sample stay x -c as.yaml --print-config"), 0);
    assert_non_null(strstr(out, "modules:\n  - sample:\n      as: other\n"));
    assert_null(strstr(out, "  - sample\n"));
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
    int rc = run("sample stay x");
    setenv("TAUT_MODULE_DIR", TAUT_MODULE_DIR "/../badmods", 1);
    assert_int_equal(rc, 2);
    assert_string_equal(err, "there are no modules in /nowhere; install taut as a whole, or set TAUT_MODULE_DIR\n"
                             "taut: unknown command \"sample\"; see: taut --help\n");
}

/* ---- modules ---- */

static void test_module_info_needs_no_running_code(void **state) {
    (void)state;
    assert_int_equal(run("module info sample --json"), 0);
    assert_non_null(strstr(out, "{\"name\":\"sample\",\"version\":\"1.2\",\"license\":\"Apache-2.0\""));
    assert_non_null(
        strstr(out, "{\"name\":\"cache\",\"type\":\"bytes\",\"default\":\"1MiB\",\"live\":false,\"help\":\"\"}"));
    assert_int_equal(run("module info " TAUT_MODULE_DIR "/../badmods/chain_b.so"), 0);
    assert_non_null(strstr(out, "provides: b/1\nneeds: a/1\n"));
    assert_non_null(strstr(out, "\nabi: 1.0 (needs 1."));
    expect("module info too_new", 1, "",
           "taut module info: too_new.so: needs module ABI 1.7, this server offers 1.0; rebuild the module or upgrade "
           "the server\n");
    assert_int_equal(run("module list"), 0);
    assert_non_null(strstr(out, "\nsample "));
    assert_non_null(strstr(out, " 1.2      true      one of everything\n"));
}

/* ---- commands ---- */

static void test_a_command_runs_here_when_no_server_does(void **state) {
    (void)state;
    char words[2 * PATH_MAX + 256];
    assert_int_equal(run("sample echo hi --data fresh"), 1);
    snprintf(words, sizeof words,
             "taut sample echo: the data directory %s/fresh does not exist; look at --data, or at server.data of the "
             "configuration\n",
             dir);
    assert_string_equal(err, words);
    assert_int_not_equal(access("fresh", F_OK), 0);
    assert_int_equal(mkdir("fresh", 0700), 0);
    assert_int_equal(run("sample echo hi --data fresh"), 1);
    assert_non_null(strstr(err, "/fresh is none of taut's: it has no lock file; look at --data, or at server.data"));
    assert_int_equal(mkdir("fresh/dir", 0700), 0);
    write_file("fresh/dir/lock", "");
    expect("sample echo hi --times=3 --loud-voice --data fresh/dir", 0, "text: hi\ntimes: 3\nloud: true\n",
           "echoing\n");
    expect("sample echo --text hi --json --data fresh/dir", 0, "{\"text\":\"hi\",\"times\":1,\"loud\":false}\n",
           "echoing\n");
    expect("sample echo fail --data fresh/dir", 1, "", "taut sample echo: name_taken: somebody was first\n");
    assert_int_equal(chmod("fresh/dir", 0777), 0);
    snprintf(words, sizeof words,
             "taut sample echo: everybody on this machine may write in the data directory %s/fresh/dir (mode 0777); "
             "change that: chmod 700 %s/fresh/dir\n",
             dir, dir);
    expect("sample echo hi --data fresh/dir", 1, "", words);
    write_file("file", "");
    assert_int_equal(run("sample echo x --data file/dir"), 1);
    assert_non_null(strstr(err, "taut sample echo: the data directory "));
    assert_non_null(strstr(err, "/file/dir cannot be used: Not a directory\n"));
}

/* As after a restore by root: the directory's owner has it, and whoever cannot read it is told whose it is. */
static void test_a_lock_that_cannot_be_used_is_named_with_its_owner(void **state) {
    enum { NOBODY = 65534 };
    bool is_root = geteuid() == 0;
    unsigned owner = geteuid(), reader = is_root ? NOBODY : owner;
    struct datadir d;
    struct stat st;
    char *why = NULL, said[160];
    long holder;
    (void)state;
    assert_int_equal(mkdir("theirs", 0700), 0);
    if (is_root) assert_int_equal(chown("theirs", NOBODY, NOBODY), 0);
    assert_int_equal(datadir_open(&d, "theirs", true, &holder, &why), TAUT_OK);
    datadir_close(&d);
    assert_int_equal(stat("theirs/lock", &st), 0);
    assert_int_equal(st.st_uid, reader);

    assert_int_equal(chown("theirs/lock", owner, (gid_t)-1), 0);
    assert_int_equal(chmod("theirs/lock", 0), 0);
    assert_int_equal(chmod(dir, 0755), 0);
    snprintf(said, sizeof said,
             "the data directory theirs cannot be used: theirs/lock: Permission denied; it belongs to user %u and has "
             "mode 0000, and this is user %u: chown what is in ",
             owner, reader);
    pid_t pid = fork();
    if (!pid) {
        if (seteuid(reader) != 0 || datadir_open(&d, "theirs", true, &holder, &why) != TAUT_E_IO) _exit(99);
        _exit(strstr(why, said) ? 0 : 1);
    }
    assert_int_equal(end_of(pid), 0);
}

static void test_too_few_descriptors_are_said_so(void **state) {
    (void)state;
    files_max = 16;
    int echo = run("sample echo hi --data fresh/dir");
    assert_string_equal(err, "taut sample echo: only 16 files may be open, and it needs 64 at least; raise the limit: "
                             "ulimit -n 256\n");
    int stay = run("sample stay hi --data few --listen 127.0.0.1:0");
    files_max = 0;
    assert_int_equal(echo, 1);
    assert_int_equal(stay, 1);
    assert_string_equal(err, "taut sample stay: only 16 files may be open, and it needs 64 at least; raise the limit: "
                             "ulimit -n 10256\n");
}

static void test_numbers_are_shown_short(void **state) {
    (void)state;
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    assert_true(render(f, TAUT_LIT("{\"seconds\":7.7000000000000002,\"n\":12345678}")));
    fclose(f);
    assert_string_equal(text, "seconds: 7.7\nn: 12345678\n");
    free(text);
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
    assert_int_equal(stat("held", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
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

/* As end_of; kills it when it does not end. */
static int end_in_time(pid_t pid) {
    int status = 0;
    for (int ms = 0; ms < WAIT_MS; ms += 10) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
        usleep(10000);
    }
    kill(pid, SIGKILL);
    return end_of(pid);
}

/* Its answer goes into a full pipe: the thread that would take up signals hangs there. */
static void test_a_second_signal_ends_a_server_that_hangs(void **state) {
    (void)state;
    static const char bytes[4096];
    assert_int_equal(mkfifo("hung.out", 0600), 0);
    int fd = open("hung.out", O_RDWR | O_NONBLOCK);
    while (write(fd, bytes, sizeof bytes) > 0) {
    }
    pid_t server = start("sample stay hello --json --data hung --listen 127.0.0.1:0", "hung");
    assert_true(wait_for("hung.err", err));
    usleep(200000);
    kill(server, SIGTERM);
    usleep(200000);
    assert_int_equal(waitpid(server, NULL, WNOHANG), 0);
    kill(server, SIGTERM);
    int rc = end_in_time(server);
    close(fd);
    assert_int_equal(rc, 1000 + SIGTERM);
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
        cmocka_unit_test(test_a_server_that_starts_is_not_ended_by_what_asks_for_a_reload),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_help_is_everywhere),
        cmocka_unit_test(test_wrong_usage_says_what_was_meant),
        cmocka_unit_test(test_check_prints_all_errors_or_ok),
        cmocka_unit_test(test_print_config_is_what_would_run),
        cmocka_unit_test(test_commands_that_serve_stay_on_this_machine),
        cmocka_unit_test(test_serve_and_check_need_a_configuration),
        cmocka_unit_test(test_a_command_that_serves_brings_its_module),
        cmocka_unit_test(test_a_command_of_a_module_that_is_not_enabled_is_unknown),
        cmocka_unit_test(test_a_module_directory_without_modules_is_named),
        cmocka_unit_test(test_module_info_needs_no_running_code),
        cmocka_unit_test(test_a_command_runs_here_when_no_server_does),
        cmocka_unit_test(test_a_lock_that_cannot_be_used_is_named_with_its_owner),
        cmocka_unit_test(test_too_few_descriptors_are_said_so),
        cmocka_unit_test(test_numbers_are_shown_short),
        cmocka_unit_test(test_a_server_holds_its_directory_and_takes_commands),
        cmocka_unit_test(test_a_second_signal_ends_a_server_that_hangs),
        cmocka_unit_test(test_a_server_whose_command_fails_ends),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
