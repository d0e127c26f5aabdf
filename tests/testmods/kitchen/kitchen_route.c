/* kitchen_route.c - HTTP routes and sockets. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>

#include "kitchen.h"

/* ---- routes ---- */

int32_t kitchen_on_echo(struct taut_mod *m, struct taut_call *c) {
    const struct taut_body *body = taut_request_body(c);
    taut_str spice = taut_request_header(c, "X-Spice"), verb = taut_request_verb(c);
    (void)m;
    taut_put_header(c, "X-Spice", spice.ptr ? spice : TAUT_LIT("none"));
    if (body->fd >= 0)
        return taut_reply(c, 200, "text/plain", taut_fmt(c, "%llu bytes", (unsigned long long)body->length));
    return taut_reply(c, 201, "text/plain",
                      taut_fmt(c, "%.*s %.*s?%.*s %.*s", (int)verb.len, verb.ptr, (int)c->text.len, c->text.ptr,
                               (int)c->query.len, c->query.ptr, (int)body->length, body->bytes ? body->bytes : ""));
}

int32_t kitchen_on_form(struct taut_mod *m, struct taut_call *c) {
    struct taut_json *j = taut_json_scratch(c);
    const struct taut_part *p;
    (void)m;
    taut_json_open(j, '[');
    for (uint32_t i = 0; (p = taut_request_part(c, i)); i++) {
        taut_json_open(j, '{');
        taut_json_kstr(j, "name", p->name);
        taut_json_kbool(j, "is_file", p->is_file != 0);
        taut_json_kstr(j, "filename", p->filename);
        taut_json_kint(j, "length", (int64_t)p->body->length);
        taut_json_close(j, '}');
    }
    taut_json_close(j, ']');
    return taut_reply(c, 200, "application/json", taut_json_out(j));
}

int32_t kitchen_on_file(struct taut_mod *m, struct taut_call *c) {
    static const char text[] = "a recipe that is kept in a file\n";
    int fd = memfd_create("recipe", MFD_CLOEXEC);
    (void)m;
    if (fd < 0 || write(fd, text, sizeof text - 1) != (ssize_t)(sizeof text - 1))
        return taut_reply(c, 500, "text/plain", TAUT_LIT("no file\n"));
    taut_put_header(c, "ETag", TAUT_LIT("\"recipe-1\""));
    return taut_reply_file(c, 200, "text/plain", fd, 2, sizeof text - 3);
}

int32_t kitchen_on_health(struct taut_mod *m, struct taut_call *c) {
    return taut_reply(c, 200, "text/plain", options_of(m)->greeting);
}

/* ---- sockets: /kitchen/live/TOKEN, or /kitchen/live/ with the token in a header ---- */

static void count_opened(struct taut_mod *m, void *arg) {
    (void)arg;
    kitchen_of(m)->opened++;
}

int32_t kitchen_open(struct taut_mod *m, struct taut_call *c) {
    struct kitchen *k = kitchen_of(m);
    const struct taut_auth_v1 *auth = k->auth->vtable;
    const struct taut_conversation_v1 *conversation = k->conversation->vtable;
    struct taut_actor *a = taut_scratch(c, sizeof *a);
    const struct taut_topic *topics;
    uint64_t as_of;
    uint32_t n;
    taut_str token = c->text.len ? c->text : taut_request_header(c, "X-Kitchen-Token");
    a->size = sizeof *a;
    int32_t err = auth->resolve(k->auth->self, c, token, a);
    if (err == TAUT_E_FAILED) return taut_reject(c, taut_fmt(c, "{\"refused\":\"%s\"}", c->failed.ptr), 4001);
    TAUT_TRY(err);
    TAUT_TRY(conversation->topics(k->conversation->self, c, a->workspace, a->user, &topics, &n, &as_of));
    const struct taut_accept in = {.size = sizeof in,
                                   .actor = a,
                                   .topics = topics,
                                   .ntopics = n,
                                   .as_of = as_of,
                                   .cursor = as_of,
                                   .hello = TAUT_LIT("{\"type\":\"hello\",\"from\":\"kitchen\"}"),
                                   .state = k};
    taut_at_end(m, c, count_opened, NULL);
    return taut_accept(c, &in);
}

int32_t kitchen_frame(struct taut_mod *m, struct taut_call *c) {
    struct taut_json *j = taut_answer(c);
    taut_json_kstr(j, "echo", c->text);
    taut_json_kbool(j, "has_state", c->arg == m->state);
    taut_json_kstr(j, "user", c->actor->user);
    if (taut_str_is(c->text, "{\"more\":true}")) taut_send(m, c->conn, TAUT_LIT("{\"type\":\"more\"}"));
    if (taut_str_is(c->text, "{\"end\":true}")) taut_conn_close(m, c->conn, 4002, TAUT_LIT("the kitchen closes"));
    return taut_done(c);
}

void kitchen_close(struct taut_mod *m, taut_conn conn, void *state) {
    (void)m;
    if (conn && state) ((struct kitchen *)state)->closed++;
}
