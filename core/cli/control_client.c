/* control_client.c - a command sent to the server that holds the data directory. Blocking: there is nothing else to do.
 */
#include <errno.h>
#include <jansson.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/control.h"
#include "cli/internal.h"
#include "taut/json.h"

enum { STATUS_SECONDS = 5 };

static void write_request(const struct cli *cli, struct taut_json *j) {
    taut_json_open(j, '{');
    taut_json_kstr(j, "command", taut_str_z(cli->command->name));
    taut_json_kopen(j, "args", '{');
    for (uint32_t i = 0; i < cli->command->args.len; i++)
        if (cli->args[i].present)
            taut_json_kstr(j, TAUT_AT(cli->command->args, struct taut_arg, i)->name, cli->args[i].s);
    taut_json_close(j, '}');
    taut_json_close(j, '}');
    taut_json_raw(j, "\n", 1);
}

static bool send_all(int fd, const char *p, size_t n) {
    while (n) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return false;
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

static taut_str member(const json_t *o, const char *name) {
    const json_t *v = json_object_get(o, name);
    return json_is_string(v) ? taut_str_n(json_string_value(v), json_string_length(v)) : taut_str_z("");
}

/* How far a backup is interests who looks on; in cron's mail it would be noise. */
static bool is_watched(const struct cli *cli) {
    return !core_command_of(cli->command->def) || isatty(STDERR_FILENO);
}

/* One line of the answer. True when it was the last; *rc is then the exit code. */
static bool take_answer(const struct cli *cli, const char *line, size_t len, int *rc) {
    json_t *o = json_loadb(line, len, 0, NULL);
    taut_str progress = member(o, "progress");
    bool last = !o || json_is_true(json_object_get(o, "done"));
    if (progress.len && is_watched(cli)) fprintf(stderr, "%.*s\n", (int)progress.len, progress.ptr);
    if (last) {
        json_t *body = json_object_get(o, "body");
        char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
        struct taut_outcome end = {.size = sizeof end,
                                   .status = (int32_t)json_integer_value(json_object_get(o, "status")),
                                   .error = member(o, "error")};
        if (!o) end.status = TAUT_E_IO;
        end.body = end.status == TAUT_OK ? taut_str_z(text) : member(o, "message");
        *rc = command_report(cli, &end);
        free(text);
    }
    json_decref(o);
    return last;
}

/* Others are given the time that they take. */
static void limit_waiting(const struct cli *cli, int fd) {
    const struct timeval limit = {.tv_sec = STATUS_SECONDS};
    if (strcmp(cli->command->name, "status") != 0) return;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

static void say_hangs(const struct cli *cli) {
    fprintf(stderr,
            "taut %s: the server did not answer within %d s: its hub hangs, or the process is stopped; "
            "ask /healthz at its admin address, and look at its log\n",
            cli->command->name, STATUS_SECONDS);
}

static int read_answers(const struct cli *cli, int fd) {
    FILE *in = fdopen(fd, "r");
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    int rc = CLI_FAILED;
    bool ended = false;
    if (!in) panic("fdopen: %s", strerror(errno));
    while (!ended && (errno = 0, n = getline(&line, &cap, in)) > 0) ended = take_answer(cli, line, (size_t)n, &rc);
    if (!ended && errno == EAGAIN) say_hangs(cli);
    else if (!ended)
        fprintf(stderr, "taut %s: the server went away before it answered: it is unknown whether this happened\n",
                cli->command->name);
    free(line);
    fclose(in);
    return rc;
}

int control_connect(const struct datadir *d) {
    struct sockaddr_un to;
    datadir_control_address(d, &to);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        int err = errno;
        close(fd);
        fd = -1;
        errno = err;
    }
    return fd;
}

int control_talk(const struct cli *cli, int fd) {
    struct arena a = {0};
    struct taut_json j;
    arena_json(&a, &j);
    write_request(cli, &j);
    limit_waiting(cli, fd);
    bool sent = send_all(fd, j.ptr, j.len);
    arena_free(&a);
    if (sent) return read_answers(cli, fd);
    fprintf(stderr, "taut %s: the server does not take the command: %s\n", cli->command->name, strerror(errno));
    close(fd);
    return CLI_FAILED;
}

int control_send(const struct cli *cli, const struct datadir *d, long holder) {
    int fd = control_connect(d);
    if (fd >= 0) return control_talk(cli, fd);
    if (errno == ENOENT)
        fprintf(stderr,
                "taut %s: process %ld uses %s, but its control socket is not there: it is just starting, or the socket "
                "was removed; try again in a moment, else restart it\n",
                cli->command->name, holder, d->path);
    else
        fprintf(stderr, "taut %s: process %ld uses %s but does not take commands (%s); try again in a moment\n",
                cli->command->name, holder, d->path, strerror(errno));
    return CLI_FAILED;
}
