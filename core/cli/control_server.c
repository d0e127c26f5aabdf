/* control_server.c - the server's end of the control socket, on the hub's loop: commands of people at this machine.
 *
 * Who may open DIR/control.sock (mode 0600, in a directory of mode 0700) is the operator. A client sends one command at
 * a time; while it runs nothing is read from it. A client that goes away leaves its command running; what belongs to
 * the client is freed when both have ended.
 */
#include <errno.h>
#include <jansson.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/control.h"
#include "cli/internal.h"
#include "obs/log.h"
#include "taut/json.h"

struct control {
    struct engine *engine;
    uv_pipe_t listener;
    struct client *clients;
    uint32_t nclients;
    bool closed; /* the listener's handle is */
    bool stops;  /* nothing is taken any more; commands under way may still answer */
    bool ended;  /* it is freed when all handles are closed */
};

struct client {
    struct client *next;
    struct control *control;
    uv_pipe_t pipe;
    char *line; /* what has come of the next line */
    size_t len, cap;
    bool running; /* a command */
    bool taking;  /* take_lines is at work below us on the stack */
    bool closing, closed;
};

/* ---- the end of things ---- */

static void control_release(struct control *ct) {
    if (ct->ended && ct->closed && !ct->nclients) free(ct);
}

static void client_release(struct client *cl) {
    struct control *ct = cl->control;
    if (!cl->closed || cl->running) return;
    for (struct client **at = &ct->clients; *at; at = &(*at)->next)
        if (*at == cl) {
            *at = cl->next;
            break;
        }
    ct->nclients--;
    free(cl->line);
    free(cl);
    control_release(ct);
}

static void on_client_closed(uv_handle_t *h) {
    struct client *cl = h->data;
    cl->closed = true;
    client_release(cl);
}

static void client_close(struct client *cl) {
    if (cl->closing) return;
    cl->closing = true;
    uv_close((uv_handle_t *)&cl->pipe, on_client_closed);
}

/* ---- answers ---- */

struct out_line {
    uv_write_t req;
    char text[];
};

static void on_written(uv_write_t *req, int status) {
    struct client *cl = req->data;
    free(CONTAINER_OF(req, struct out_line, req));
    if (status < 0 && status != UV_ECANCELED) client_close(cl);
}

static void send_line(struct client *cl, const struct taut_json *j) {
    if (cl->closing) return;
    if (uv_stream_get_write_queue_size((uv_stream_t *)&cl->pipe) > CONTROL_LINE_MAX) { /* it does not read */
        client_close(cl);
        return;
    }
    struct out_line *o = xmalloc(sizeof *o + j->len + 1);
    memcpy(o->text, j->ptr, j->len);
    o->text[j->len] = '\n';
    o->req.data = cl;
    uv_buf_t buf = uv_buf_init(o->text, (unsigned)j->len + 1);
    if (uv_write(&o->req, (uv_stream_t *)&cl->pipe, &buf, 1, on_written) != 0) {
        free(o);
        client_close(cl);
    }
}

static void send_end(struct client *cl, int32_t status, taut_str body, taut_str error, taut_str message) {
    struct arena a = {0};
    struct taut_json j;
    arena_json(&a, &j);
    taut_json_open(&j, '{');
    taut_json_kbool(&j, "done", 1);
    taut_json_kint(&j, "status", status);
    if (body.len) taut_json_ktext(&j, "body", body);
    if (error.len) taut_json_kstr(&j, "error", error);
    if (message.len) taut_json_kstr(&j, "message", message);
    taut_json_close(&j, '}');
    send_line(cl, &j);
    arena_free(&a);
}

static void refuse(struct client *cl, const char *error, taut_str message) {
    send_end(cl, TAUT_E_INVAL, taut_str_z(""), taut_str_z(error), message);
}

static void on_progress(void *arg, taut_str line) {
    struct arena a = {0};
    struct taut_json j;
    arena_json(&a, &j);
    taut_json_open(&j, '{');
    taut_json_kstr(&j, "progress", line);
    taut_json_close(&j, '}');
    send_line(arg, &j);
    arena_free(&a);
}

static void take_lines(struct client *cl);
static void start_reading(struct client *cl);

static void on_shut(uv_shutdown_t *req, int status) {
    struct client *cl = req->data;
    (void)status;
    free(req);
    client_close(cl);
}

/* When what was said last has been written. */
static void client_shut(struct client *cl) {
    uv_shutdown_t *req = xmalloc(sizeof *req);
    req->data = cl;
    if (uv_shutdown(req, (uv_stream_t *)&cl->pipe, on_shut) == 0) return;
    free(req);
    client_close(cl);
}

static void on_done(void *arg, const struct taut_outcome *o) {
    struct client *cl = arg;
    cl->running = false;
    if (o->status == TAUT_OK) send_end(cl, TAUT_OK, o->body, taut_str_z(""), taut_str_z(""));
    else send_end(cl, o->status, taut_str_z(""), o->error, o->body);
    if (cl->closing) client_release(cl);
    else if (cl->control->stops) client_shut(cl);
    else start_reading(cl);
}

/* ---- commands ---- */

/* The text of a JSON scalar as it would stand on the command line; empty when it is none. */
static taut_str scalar_text(struct arena *a, const json_t *v) {
    if (json_is_string(v)) return taut_str_n(json_string_value(v), json_string_length(v));
    if (json_is_integer(v)) return arena_fmt(a, "%lld", (long long)json_integer_value(v));
    if (json_is_boolean(v)) return taut_str_z(json_is_true(v) ? "true" : "false");
    return taut_str_z("");
}

/* Fills args by the command's table. NULL, or what is wrong. */
static const char *read_args(struct arena *a, const struct taut_command *def, json_t *given, struct taut_argv *args) {
    size_t used = 0;
    for (uint32_t i = 0; i < def->args.len; i++) {
        const struct taut_arg *arg = TAUT_AT(def->args, struct taut_arg, i);
        const json_t *v = json_object_get(given, arg->name);
        if (!v && !(arg->flags & TAUT_ARG_REQUIRED)) continue;
        if (!v) return arena_fmt(a, "needs %s", arg->name).ptr;
        const char *why = arg_set(a, arg, scalar_text(a, v), &args[i]);
        if (why) return arena_fmt(a, "%s %s", arg->name, why).ptr;
        used++;
    }
    return used == json_object_size(given) ? NULL : "there is an argument that the command does not have";
}

static void run_command(struct client *cl, json_t *request) {
    struct engine *e = cl->control->engine;
    json_t *name = json_object_get(request, "command"), *given = json_object_get(request, "args");
    const struct command_entry *ce =
        json_is_string(name) ? engine_command(e, taut_str_n(json_string_value(name), json_string_length(name))) : NULL;
    struct arena a = {0};
    if (!ce) {
        refuse(cl, "unknown_command", taut_str_z("no module that this server runs has this command"));
        return;
    }
    if (ce->def->flags & (TAUT_CMD_OFFLINE | TAUT_CMD_SERVE)) {
        refuse(cl, "server_running", taut_str_z("this command needs the store to itself; stop the server first"));
        return;
    }
    struct taut_argv *args = arena_zalloc(&a, (ce->def->args.len + 1) * sizeof *args);
    const char *why = read_args(&a, ce->def, given, args);
    if (why) {
        refuse(cl, "invalid_arguments", taut_str_z(why));
    } else {
        log_fmt(TAUT_LOG_INFO, "control", "command", "%s", ce->def->name);
        uv_read_stop((uv_stream_t *)&cl->pipe);
        cl->running = true;
        hub_run_command(e->hub, &(struct hub_command){.command = ce,
                                                      .args = args,
                                                      .nargs = ce->def->args.len,
                                                      .progress = on_progress,
                                                      .done = on_done,
                                                      .arg = cl});
    }
    arena_free(&a);
}

static void on_line(struct client *cl, const char *line, size_t len) {
    json_error_t err;
    json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &err);
    if (json_is_object(request)) run_command(cl, request);
    else refuse(cl, "invalid_json", taut_str_z(request ? "not an object" : err.text));
    json_decref(request);
}

/* ---- lines in ---- */

static void take_lines(struct client *cl) {
    char *end;
    if (cl->taking) return;
    cl->taking = true;
    while (!cl->running && !cl->closing && (end = memchr(cl->line, '\n', cl->len))) {
        size_t n = (size_t)(end - cl->line);
        char *line = xstrndup(cl->line, n);
        cl->len -= n + 1;
        memmove(cl->line, end + 1, cl->len);
        on_line(cl, line, n);
        free(line);
    }
    cl->taking = false;
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf) {
    struct client *cl = h->data;
    (void)suggested;
    if (cl->cap - cl->len < 4096) {
        cl->cap = cl->cap ? cl->cap * 2 : 8192;
        cl->line = xrealloc(cl->line, cl->cap);
    }
    *buf = uv_buf_init(cl->line + cl->len, (unsigned)(cl->cap - cl->len));
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf) {
    struct client *cl = s->data;
    (void)buf;
    if (n < 0) {
        client_close(cl);
        return;
    }
    cl->len += (size_t)n;
    take_lines(cl);
    if (cl->len > CONTROL_LINE_MAX) client_close(cl);
}

static void start_reading(struct client *cl) {
    if (cl->line) take_lines(cl);
    if (!cl->running && !cl->closing) uv_read_start((uv_stream_t *)&cl->pipe, on_alloc, on_read);
}

static void on_connection(uv_stream_t *s, int status) {
    struct control *ct = s->data;
    if (status < 0) return;
    struct client *cl = xcalloc(1, sizeof *cl);
    cl->control = ct;
    uv_pipe_init(s->loop, &cl->pipe, 0);
    cl->pipe.data = cl;
    cl->next = ct->clients;
    ct->clients = cl;
    ct->nclients++;
    if (uv_accept(s, (uv_stream_t *)&cl->pipe) != 0 || ct->nclients > CONTROL_CLIENTS_MAX) client_close(cl);
    else start_reading(cl);
}

/* ---- listening ---- */

/* -1, with errno as it was. */
static int close_with(int fd) {
    int err = errno;
    close(fd);
    errno = err;
    return -1;
}

/* A bound socket whose file has its mode from the first moment. */
static int bind_socket(const struct datadir *d) {
    struct sockaddr_un at;
    datadir_control_address(d, &at);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    if (unlink(at.sun_path) != 0 && errno != ENOENT) return close_with(fd); /* a dead server's: the lock is ours */
    if (fchmod(fd, CONTROL_FILE_MODE) == 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0) return fd;
    return close_with(fd);
}

static void on_listener_closed(uv_handle_t *h) {
    struct control *ct = h->data;
    ct->closed = true;
    control_release(ct);
}

struct control *control_new(struct engine *e, char **why) {
    struct control *ct = xcalloc(1, sizeof *ct);
    int fd = bind_socket(&e->dir);
    if (fd < 0) {
        *why = xasprintf("the control socket %s/control.sock could not be made: %s", e->dir.path, strerror(errno));
        free(ct);
        return NULL;
    }
    ct->engine = e;
    uv_pipe_init(&e->loop, &ct->listener, 0);
    ct->listener.data = ct;
    int err = uv_pipe_open(&ct->listener, fd);
    if (!err) err = uv_listen((uv_stream_t *)&ct->listener, CONTROL_CLIENTS_MAX, on_connection);
    if (!err) return ct;
    *why = xasprintf("the control socket in %s does not listen: %s", e->dir.path, uv_strerror(err));
    control_end(ct);
    return NULL;
}

void control_stop(struct control *ct) {
    struct sockaddr_un at;
    if (!ct || ct->stops) return;
    ct->stops = true;
    datadir_control_address(&ct->engine->dir, &at);
    unlink(at.sun_path);
    for (struct client *cl = ct->clients, *next; cl; cl = next) {
        next = cl->next;
        if (!cl->running) client_close(cl);
    }
    uv_close((uv_handle_t *)&ct->listener, on_listener_closed);
}

void control_end(struct control *ct) {
    if (!ct) return;
    control_stop(ct);
    ct->ended = true;
    for (struct client *cl = ct->clients, *next; cl; cl = next) {
        next = cl->next;
        client_close(cl);
    }
    control_release(ct);
}
