/* http_own.c - what the gateway answers by itself, without the hub, which may hang: health on both addresses, metrics
 * on the admin address. Gateway thread. */
#include "base/arena.h"
#include "gateway/http.h"
#include "obs/metrics.h"
#include "taut/json.h"

#define TEXT "text/plain; charset=utf-8"

static void reply_block(struct http_conn *c, bool head_only, uint16_t status, const char *type, char *text,
                        size_t len) {
    http_reply(c, head_only, status, type, taut_str_n(text ? text : "", len));
    http_slot_at(c, (uint16_t)(c->next - 1))->block = text;
}

static void metrics(struct http_conn *c, bool head_only) {
    const struct gateway_config *config = &c->s->g->config;
    char *text = NULL;
    size_t len = 0;
    config->metrics(config->metrics_arg, &text, &len);
    reply_block(c, head_only, 200, METRICS_CONTENT_TYPE, text, len);
}

/* The operator sees the reasons; the public address says yes or no. */
static void health(struct http_conn *c, bool head_only, bool (*ask)(void *arg, struct taut_json *j)) {
    struct arena a = {0};
    struct taut_json j;
    arena_json(&a, &j);
    taut_json_open(&j, '{');
    bool well = ask(c->s->g->config.watch, &j);
    taut_json_close(&j, '}');
    uint16_t status = well ? 200 : 503;
    if (c->admin) reply_block(c, head_only, status, "application/json; charset=utf-8", xstrndup(j.ptr, j.len), j.len);
    else http_reply(c, head_only, status, TEXT, well ? TAUT_LIT("ok\n") : TAUT_LIT("unavailable\n"));
    arena_free(&a);
}

bool http_own(struct http_conn *c, bool head_only, taut_str path) {
    const struct gateway_config *config = &c->s->g->config;
    if (config->live && taut_str_is(path, "/healthz")) health(c, head_only, config->live);
    else if (config->ready && taut_str_is(path, "/readyz")) health(c, head_only, config->ready);
    else if (c->admin && config->metrics && taut_str_is(path, "/metrics")) metrics(c, head_only);
    else if (c->admin && taut_str_is(path, "/"))
        http_reply(c, head_only, 200, TEXT,
                   TAUT_LIT("Taut's admin address. GET /healthz says whether it lives, /readyz whether it is of use; "
                            "/metrics has its numbers.\n"));
    else return false;
    return true;
}
