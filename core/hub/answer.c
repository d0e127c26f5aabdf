/* answer.c - answers: what a handler wrote, wrapped in the envelope of API.md section 2. */
#include "hub/internal.h"

static struct taut_json *json_scratch(struct taut_call *c) {
    struct taut_json *j = arena_alloc(&run_of(c)->call->arena, sizeof *j);
    arena_json(&run_of(c)->call->arena, j);
    return j;
}

static struct taut_json *answer(struct taut_call *c) {
    struct run *r = run_of(c);
    arena_json(&r->call->arena, &r->json);
    taut_json_open(&r->json, '{');
    if (c->kind == TAUT_CALL_METHOD) taut_json_kbool(&r->json, "ok", 1);
    r->answer_open = true;
    r->failed = false;
    return &r->json;
}

static void next_cursor(struct taut_call *c, taut_str cursor) {
    struct run *r = run_of(c);
    r->next_cursor = arena_str(&r->call->arena, cursor);
}

static void warn(struct taut_call *c, const char *code) {
    struct run *r = run_of(c);
    if (r->nwarnings < COUNT_OF(r->warnings)) r->warnings[r->nwarnings++] = code;
}

void answer_error(struct run *r, const char *code, taut_str text) {
    r->failed = true;
    r->answer_open = false;
    r->call->pub.failed = arena_str(&r->call->arena, taut_str_z(code));
    r->fail_text = arena_str(&r->call->arena, text);
}

static int32_t fail_with(struct taut_call *c, const char *error, taut_str message) {
    struct run *r = run_of(c);
    check_thread(c->mod, "taut_fail");
    if (held_too_late(c)) return TAUT_E_FAILED;
    if (r->ended_by) check_ends(r, "taut_fail"); /* it may be answered otherwise still, but is not asked after an end */
    answer_error(r, error, message);
    held_answered(r);
    return TAUT_E_FAILED;
}

static int32_t done(struct taut_call *c) {
    struct run *r = run_of(c);
    check_thread(c->mod, "taut_done");
    if (held_too_late(c)) return TAUT_E_TIMEOUT;
    check_ends(r, "taut_done");
    if (!r->answer_open && c->kind == TAUT_CALL_METHOD) answer(c);
    r->replied = true;
    held_answered(r);
    return TAUT_OK;
}

static int32_t reply(struct taut_call *c, int32_t status, const char *content_type, taut_str body) {
    struct run *r = run_of(c);
    if (held_too_late(c)) return TAUT_E_TIMEOUT;
    struct call_out *o = &r->call->out;
    check_ends(r, "taut_reply");
    o->http_status = (int)status;
    o->content_type = (const char *)arena_str(&r->call->arena, taut_str_z(content_type)).ptr;
    o->body = arena_str(&r->call->arena, body);
    r->failed = false;
    r->replied = true;
    held_answered(r);
    return TAUT_OK;
}

static void list(struct taut_json *j, const char *key, const char *const *items, uint32_t n) {
    taut_json_kopen(j, key, '[');
    for (uint32_t i = 0; i < n; i++) taut_json_str(j, taut_str_z(items[i]));
    taut_json_close(j, ']');
}

static void metadata(struct run *r, struct taut_json *j, bool ok) {
    bool messages = !ok && r->fail_text.len;
    if (r->nwarnings) {
        taut_json_key(j, "warning");
        taut_json_sep(j);
        taut_json_raw(j, "\"", 1);
        for (uint32_t i = 0; i < r->nwarnings; i++) {
            if (i) taut_json_raw(j, ",", 1);
            taut_json_raw(j, r->warnings[i], strlen(r->warnings[i]));
        }
        taut_json_raw(j, "\"", 1);
    }
    if (!r->nwarnings && !messages && !(ok && r->next_cursor.ptr && r->next_cursor.len)) return;
    taut_json_kopen(j, "response_metadata", '{');
    if (ok && r->next_cursor.len) taut_json_kstr(j, "next_cursor", r->next_cursor);
    if (r->nwarnings) list(j, "warnings", r->warnings, r->nwarnings);
    if (messages) {
        taut_json_kopen(j, "messages", '[');
        taut_json_str(j, arena_fmt(&r->call->arena, "[ERROR] %.*s", (int)r->fail_text.len, r->fail_text.ptr));
        taut_json_close(j, ']');
    }
    taut_json_close(j, '}');
}

static void error_members(struct run *r, struct taut_json *j) {
    struct call *c = r->call;
    taut_json_kbool(j, "ok", 0);
    taut_json_kstr(j, "error", c->pub.failed);
    if (c->pub.kind != TAUT_CALL_METHOD) return;
    if (taut_str_is(c->pub.failed, "unknown_method")) taut_json_kstr(j, "req_method", c->method_name);
    if (taut_str_is(c->pub.failed, "missing_scope")) {
        taut_json_kstr(j, "needed", taut_str_z(c->method->def->scopes));
        taut_json_kstr(j, "provided", r->actor.scopes);
    }
}

static void scope_headers(struct run *r) {
    struct call *c = r->call;
    const char *accepted = c->method ? c->method->def->scopes : NULL;
    taut_str have = c->pub.actor ? c->pub.actor->scopes : taut_str_n("", 0);
    static const char h1[] = "x-oauth-scopes: ", h2[] = "\r\nx-accepted-oauth-scopes: ";
    size_t n2 = accepted ? strlen(accepted) : 0;
    if (!have.len) return;
    char *p = arena_alloc(&c->arena, sizeof h1 + sizeof h2 + have.len + n2 + 2), *at = p;
    memcpy(at, h1, sizeof h1 - 1), at += sizeof h1 - 1;
    memcpy(at, have.ptr, have.len), at += have.len;
    if (n2) {
        memcpy(at, h2, sizeof h2 - 1), at += sizeof h2 - 1;
        memcpy(at, accepted, n2), at += n2;
    }
    memcpy(at, "\r\n", 2), at += 2;
    c->out.headers = taut_str_n(p, (size_t)(at - p));
}

static void finish_method(struct run *r) {
    struct taut_json *j = &r->json;
    if (r->failed) {
        arena_json(&r->call->arena, j);
        taut_json_open(j, '{');
        error_members(r, j);
    }
    metadata(r, j, !r->failed);
    taut_json_close(j, '}');
    scope_headers(r);
    r->call->out.body = taut_str_n(j->ptr, j->len);
    check_object(r->call->pub.mod, r, "the answer", r->call->out.body);
}

void answer_finish(struct run *r) {
    struct call_out *o = &r->call->out;
    struct taut_json *j = &r->json;
    if (!o->http_status) o->http_status = 200;
    switch (r->call->pub.kind) {
    case TAUT_CALL_METHOD:
        if (!r->failed && !r->answer_open) answer(&r->call->pub);
        finish_method(r);
        break;
    case TAUT_CALL_ROUTE:
        route_finish(r->call, r->failed);
        if (!r->failed) break;
        o->http_status = taut_str_is(r->call->pub.failed, "service_unavailable") ? 503 : 500;
        o->content_type = "text/plain; charset=utf-8";
        o->body = r->call->pub.failed;
        break;
    case TAUT_CALL_OPEN:
        if (r->failed) { /* the handler could not decide: the peer may try again */
            o->accepted = false;
            o->close_code = 1013;
        }
        break;
    default:
        if (r->failed) {
            arena_json(&r->call->arena, j);
            if (r->call->pub.kind == TAUT_CALL_FRAME) {
                taut_json_open(j, '{');
                error_members(r, j);
                taut_json_close(j, '}');
                o->body = taut_str_n(j->ptr, j->len);
            } else {
                o->body = r->fail_text;
            }
        } else if (r->answer_open) {
            taut_json_close(j, '}');
            o->body = taut_str_n(j->ptr, j->len);
            check_object(r->call->pub.mod, r, "the answer", o->body);
        }
    }
}

void answer_add_to_host(struct taut_host *t) {
    t->json = json_scratch;
    t->answer = answer;
    t->next_cursor = next_cursor;
    t->warn = warn;
    t->fail_with = fail_with;
    t->done = done;
    t->reply = reply;
}
