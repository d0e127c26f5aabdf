/* guests.c - a module that does a little of everything, for guests.yaml, which has a step of every kind. It greets
 * guests, counts their visits in a table, tells everybody, and reminds itself every minute. */
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "taut/msg.h"
#include "taut/taut.h"

struct options {
    taut_str greeting;
    int64_t limit;
};
static const struct taut_opt options[] = {
    TAUT_OPT(struct options, greeting, TAUT_OPT_STR, .dflt = "Good day", .max = 40, .flags = TAUT_OPT_LIVE,
             .help = "what guests are greeted with"),
    TAUT_OPT(struct options, limit, TAUT_OPT_INT, .dflt = "3", .min = 1, .max = 1000, .help = "visits of one guest"),
};
static const struct options *options_of(const struct taut_mod *m) {
    return m->config;
}

struct guests {
    taut_timer reminder;
    taut_sub sub;
    char *last; /* who came last; the module's own memory */
    int64_t reminders, logged, sent;
};
static struct guests *guests_of(struct taut_mod *m) {
    return m->state;
}

enum { NAME, VISITS };
static const struct taut_col visit_cols[] = {{"name", TAUT_TEXT, 0}, {"visits", TAUT_INT, 0}};
static const struct taut_table visits = {
    .size = sizeof visits, .key_cols = 1, .name = "visits", .cols = TAUT_ARRAY(visit_cols)};
static const struct taut_table *const tables[] = {&visits};

enum { METRIC_GREETED, METRIC_TOOK };
static const struct taut_metric metrics[] = {
    [METRIC_GREETED] = {.name = "greeted_total",
                        .kind = TAUT_COUNTER,
                        .help = "Guests.",
                        .labels = "result=ok|refused"},
    [METRIC_TOOK] = {.name = "greeting", .kind = TAUT_HISTOGRAM, .unit = "seconds", .help = "Time of a greeting."},
};

/* ---- greeting ---- */

/* Remembers who came last: a change of the module's own state. */
static void remember(struct taut_mod *m, void *arg) {
    const taut_str *name = arg;
    struct guests *g = guests_of(m);
    char *copy = taut_realloc(m, g->last, name->len + 1);
    if (!copy) {
        taut_health(m, TAUT_HEALTH_DEGRADED, "forgetful", TAUT_LIT("there is no memory for the last guest"));
        return;
    }
    memcpy(copy, name->ptr, name->len);
    copy[name->len] = 0;
    g->last = copy;
    taut_count(m, METRIC_GREETED, 1);
    taut_measure(m, METRIC_TOOK, 0, 1000);
}

static int32_t greet(struct taut_mod *m, struct taut_call *c, taut_str name, struct taut_json **answer) {
    const struct taut_row *row;
    TAUT_TRY(taut_get(m, c, &visits, TAUT_KEY(taut_v_str(name)), &row));
    if (row && taut_row_int(row, VISITS) >= options_of(m)->limit) {
        taut_measure(m, METRIC_GREETED, 1, 1);
        return taut_fail_text(c, "too_often", taut_fmt(c, "%.*s was here before", (int)name.len, name.ptr));
    }
    struct taut_batch *b = taut_batch(c);
    const struct taut_set one_more = {VISITS, TAUT_ADD, taut_v_int(1)};
    const taut_str topic = TAUT_LIT("guests");
    const struct taut_event e = {.size = sizeof e,
                                 .topics = &topic,
                                 .ntopics = 1,
                                 .body =
                                     taut_fmt(c, "{\"type\":\"guest\",\"name\":\"%.*s\"}", (int)name.len, name.ptr)};
    taut_str workspace = c->actor && c->actor->workspace.len ? c->actor->workspace : TAUT_LIT("T1");
    taut_str *last = taut_scratch(c, sizeof *last);
    *last = taut_keep(c, name);
    taut_batch_workspace(m, b, workspace);
    if (row) taut_update(m, b, &visits, TAUT_KEY(taut_v_str(name)), &one_more, 1);
    else taut_insert(m, b, &visits, TAUT_KEY(taut_v_str(name), taut_v_int(1)));
    taut_append(m, b, &e);
    taut_at_end(m, c, remember, last);
    taut_str greeting = options_of(m)->greeting;
    *answer = taut_answer(c);
    taut_json_kstr(*answer, "text",
                   taut_fmt(c, "%.*s, %.*s!", (int)greeting.len, greeting.ptr, (int)name.len, name.ptr));
    return taut_commit(c, b);
}

static int32_t on_greet(struct taut_mod *m, struct taut_call *c) {
    struct taut_json *j;
    return greet(m, c, taut_arg_str(c, 0), &j);
}

static int32_t list(struct taut_mod *m, struct taut_call *c) {
    const struct taut_rows *rows;
    const struct taut_scan all = {.size = sizeof all, .index = TAUT_SCAN_PRIMARY, .limit = 100};
    TAUT_TRY(taut_scan(m, c, &visits, &all, &rows));
    struct taut_json *j = taut_answer(c);
    taut_json_kopen(j, "guests", '[');
    for (uint32_t i = 0; i < rows->n; i++) {
        taut_json_open(j, '{');
        taut_json_kstr(j, "name", taut_row_str(&rows->rows[i], NAME));
        taut_json_kint(j, "visits", taut_row_int(&rows->rows[i], VISITS));
        taut_json_close(j, '}');
    }
    taut_json_close(j, ']');
    return taut_done(c);
}

static int32_t on_state(struct taut_mod *m, struct taut_call *c) {
    const struct guests *g = guests_of(m);
    struct taut_json *j = taut_answer(c);
    taut_json_kstr(j, "last", taut_str_z(g->last));
    taut_json_kint(j, "reminders", g->reminders);
    taut_json_kint(j, "logged", g->logged);
    taut_json_kint(j, "sent", g->sent);
    taut_json_kstr(j, "user", c->actor->user);
    taut_json_kint(j, "now", taut_now_us(m) / 1000000);
    taut_json_kint(j, "time", time(NULL));
    return taut_done(c);
}

/* ---- a bell: an answer that comes later ---- */

static void ring(struct taut_mod *m, void *arg) {
    taut_op_complete(m, (taut_op)(uintptr_t)arg, TAUT_OK, NULL, NULL);
}
static void begin_bell(struct taut_mod *m, void *arg, taut_op op) {
    (void)arg;
    if (!taut_timer_start(m, 5000, 0, ring, (void *)(uintptr_t)op)) taut_op_complete(m, op, TAUT_E_NOMEM, NULL, NULL);
}
static int32_t on_bell(struct taut_mod *m, struct taut_call *c) {
    void *nothing;
    int32_t err = taut_await(m, c, NULL, TAUT_LIT("bell"), 10000, begin_bell, NULL, &nothing);
    if (err == TAUT_E_AGAIN) return err;
    if (err < 0) return taut_fail(c, "no_bell");
    taut_json_kstr(taut_answer(c), "text", TAUT_LIT("ding"));
    return taut_done(c);
}

/* ---- a hash, on the pool ---- */

struct hash {
    struct taut_call *call;
    uint32_t value;
};
static void do_hash(void *arg) {
    struct hash *h = arg;
    h->value = 42;
}
static void end_hash(struct taut_mod *m, void *arg) {
    struct hash *h = arg;
    struct taut_call *c = h->call;
    taut_json_kint(taut_answer(c), "hash", h->value);
    taut_done(c);
    taut_free(m, h);
}
static void drop_hash(struct taut_mod *m, void *arg) {
    struct hash *h = arg;
    taut_fail(h->call, "no_thread");
    taut_free(m, h);
}
static void begin_hash(struct taut_mod *m, void *arg) {
    struct hash *h = taut_alloc(m, sizeof *h);
    if (!h) {
        taut_fail(arg, "no_memory");
        return;
    }
    *h = (struct hash){.call = arg};
    if (taut_work(m, do_hash, end_hash, h) < 0) drop_hash(m, h);
}
static int32_t on_hash(struct taut_mod *m, struct taut_call *c) {
    taut_post(m, begin_hash, c);
    return TAUT_E_PENDING;
}

/* ---- a thread and a pipe of its own ---- */

struct errand {
    struct taut_mod *mod;
    taut_op op;
    int fd[2];
    taut_poll poll;
    char byte;
};

static void *run_errand(void *arg) {
    const struct errand *e = arg;
    usleep(20000);
    (void)!write(e->fd[1], "x", 1);
    return NULL;
}

static void end_errand(struct errand *e, int32_t status) {
    struct taut_mod *m = e->mod;
    taut_op op = e->op;
    taut_poll_stop(m, e->poll);
    close(e->fd[0]);
    close(e->fd[1]);
    taut_free(m, e);
    taut_op_complete(m, op, status, NULL, NULL);
}

static void on_byte(struct taut_mod *m, void *arg, uint32_t events) {
    struct errand *e = arg;
    (void)m, (void)events;
    end_errand(e, read(e->fd[0], &e->byte, 1) == 1 ? TAUT_OK : TAUT_E_IO);
}

static void begin_errand(struct taut_mod *m, void *arg, taut_op op) {
    struct errand *e = taut_alloc(m, sizeof *e);
    pthread_t thread;
    (void)arg;
    if (!e) {
        taut_op_complete(m, op, TAUT_E_NOMEM, NULL, NULL);
        return;
    }
    *e = (struct errand){.mod = m, .op = op, .fd = {-1, -1}};
    if (pipe(e->fd) == 0) e->poll = taut_poll_start(m, e->fd[0], TAUT_POLL_READ, on_byte, e);
    if (e->poll && pthread_create(&thread, NULL, run_errand, e) == 0) pthread_detach(thread);
    else end_errand(e, TAUT_E_UNAVAILABLE);
}

static int32_t on_errand(struct taut_mod *m, struct taut_call *c) {
    void *nothing;
    int32_t err = taut_await(m, c, NULL, TAUT_LIT("errand"), 10000, begin_errand, NULL, &nothing);
    if (err == TAUT_E_AGAIN) return err;
    if (err < 0) return taut_fail(c, "no_errand");
    return taut_done(c);
}

/* ---- HTTP, sockets ---- */

static int32_t on_get(struct taut_mod *m, struct taut_call *c) {
    taut_str name = taut_str_n(c->text.ptr + 8, c->text.len - 8), how = taut_request_header(c, "X-How");
    const struct taut_body *body = taut_request_body(c);
    (void)m;
    if (!name.len) return taut_reply(c, 404, "text/plain", TAUT_LIT("nobody"));
    taut_put_header(c, "X-Guest", name);
    return taut_reply(c, 200, "text/plain",
                      taut_fmt(c, "%.*s %.*s %.*s%.*s", (int)how.len, how.ptr ? how.ptr : "", (int)name.len, name.ptr,
                               (int)c->query.len, c->query.ptr, (int)body->length, body->bytes));
}

static int32_t on_open(struct taut_mod *m, struct taut_call *c) {
    taut_str name = c->text.len ? c->text : taut_request_header(c, "X-Guest");
    const struct taut_actor a = {.size = sizeof a, .workspace = TAUT_LIT("T1"), .user = taut_keep(c, name)};
    const struct taut_accept accept = {.size = sizeof accept, .actor = &a, .hello = TAUT_LIT("{\"type\":\"hello\"}")};
    (void)m;
    if (!name.len) return taut_reject(c, TAUT_LIT("{\"type\":\"no\"}"), 1008);
    return taut_accept(c, &accept);
}
static int32_t on_frame(struct taut_mod *m, struct taut_call *c) {
    if (taut_str_is(c->text, "{\"type\":\"bye\"}")) {
        taut_conn_close(m, c->conn, 1000, TAUT_LIT("bye"));
        return taut_done(c);
    }
    taut_send(m, c->conn, TAUT_LIT("{\"type\":\"before\"}"));
    taut_json_kstr(taut_answer(c), "from", c->actor->user);
    return taut_done(c);
}
static void on_close(struct taut_mod *m, taut_conn conn, void *state) {
    (void)conn, (void)state;
    taut_log(m, TAUT_LOG_DEBUG, "left", "a guest left");
}

/* ---- hooks, the log ---- */

static int32_t on_before_send(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data) {
    struct taut_draft *d = data;
    (void)b;
    if (taut_str_is(d->text, "rude")) return taut_fail(c, "be_polite");
    if (taut_str_is(d->text, "bytes"))
        return taut_draft_set(d, m, TAUT_DRAFT_TEXT, TAUT_LIT("\xff")) == TAUT_E_INVAL ? taut_fail(c, "no_text")
                                                                                       : TAUT_OK;
    if (taut_str_is(d->text, "hi")) return taut_draft_set(d, m, TAUT_DRAFT_TEXT, TAUT_LIT("Good day"));
    return TAUT_OK;
}
static void on_sent(struct taut_mod *m, const struct taut_observed *o) {
    guests_of(m)->sent += o->body.len > 2;
}
static void on_events(struct taut_mod *m, void *arg, const struct taut_events *e, taut_op op) {
    struct guests *g = arg;
    g->logged += e->events.len;
    taut_op_complete(m, op, TAUT_OK, NULL, NULL);
}

/* ---- life ---- */

static void on_reminder(struct taut_mod *m, void *arg) {
    struct guests *g = arg;
    g->reminders++;
    taut_log(m, TAUT_LOG_INFO, "reminder", "number %lld", (long long)g->reminders);
}

static int32_t on_init(struct taut_mod *m) {
    struct guests *g = m->state = taut_alloc(m, sizeof *g);
    if (!g) return TAUT_E_NOMEM;
    *g = (struct guests){0};
    return TAUT_OK;
}

static void on_start(struct taut_mod *m, taut_op op) {
    struct guests *g = guests_of(m);
    const struct taut_subscription s = {.size = sizeof s, .name = "guests", .on_events = on_events, .arg = g};
    g->reminder = taut_timer_start(m, 60000, 60000, on_reminder, g);
    if (!g->reminder) {
        taut_free(m, g);
        taut_op_complete(m, op, TAUT_E_NOMEM, NULL, NULL);
        return;
    }
    g->sub = taut_subscribe(m, &s);
    taut_op_complete(m, op, TAUT_OK, NULL, NULL);
}

static void on_stop(struct taut_mod *m, taut_op op) {
    taut_timer_stop(m, guests_of(m)->reminder);
    taut_unsubscribe(m, guests_of(m)->sub);
    taut_op_complete(m, op, TAUT_OK, NULL, NULL);
}

static void on_fini(struct taut_mod *m) {
    taut_free(m, guests_of(m)->last);
    taut_free(m, m->state);
}

static int32_t on_reconfigure(struct taut_mod *m, const struct taut_reconfigure *r) {
    const struct options *o = r->config;
    (void)m;
    if (r->phase == TAUT_PREPARE && taut_str_is(o->greeting, "Boo"))
        r->error(r->ctx, "greeting", "nobody is to be frightened");
    return TAUT_OK;
}

static const struct taut_arg greet_args[] = {{"name", TAUT_ARG_STR, TAUT_ARG_REQUIRED, "no_name", NULL}};
static const struct taut_arg greeted_args[] = {
    {"name", TAUT_ARG_STR, TAUT_ARG_REQUIRED | TAUT_ARG_POSITIONAL, NULL, "who"}};
static const struct taut_method methods[] = {
    {"guests.greet", TAUT_ARRAY(greet_args), NULL, TAUT_RATE_TIER2, TAUT_METHOD_NOAUTH, on_greet},
    {.name = "guests.state", .run = on_state},
    {.name = "guests.list", .run = list},
    {.name = "guests.bell", .run = on_bell},
    {.name = "guests.hash", .run = on_hash},
    {.name = "guests.errand", .run = on_errand},
};
static const struct taut_command commands[] = {
    {"guests list", "who was here", {NULL, 0, 0}, 0, 0, list},
    {"guests greet", "greets somebody", TAUT_ARRAY(greeted_args), 0, 0, on_greet},
};
static const struct taut_route routes[] = {{.method = "GET", .path = "/guests/", .run = on_get},
                                           {.method = "POST", .path = "/guests/", .run = on_get}};
static const struct taut_socket_route sockets[] = {{"/guests-live/", "guests", on_open, on_frame, on_close}};
static const struct taut_hook hooks[] = {
    TAUT_FILTER(TAUT_HOOK_BEFORE_SEND, "guests/manners", on_before_send, .on_error = TAUT_FAIL_CLOSED),
    TAUT_OBSERVE(TAUT_HOOK_SENT, "guests/count", on_sent),
};

TAUT_MODULE(.name = "guests", .version = "0.1.0", .license = "Apache-2.0", .summary = "Greets, for tests",
            .needs = TAUT_LIST("storage/1"), .options = TAUT_ARRAY(options), .config_size = sizeof(struct options),
            .tables = TAUT_ARRAY(tables), .methods = TAUT_ARRAY(methods), .routes = TAUT_ARRAY(routes),
            .sockets = TAUT_ARRAY(sockets), .commands = TAUT_ARRAY(commands), .hooks = TAUT_ARRAY(hooks),
            .metrics = TAUT_ARRAY(metrics), .init = on_init, .start = on_start, .stop = on_stop, .fini = on_fini,
            .reconfigure = on_reconfigure);
