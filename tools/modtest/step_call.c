/* step_call.c - calls of methods, of HTTP routes and of sub-commands. */
#include "ask.h"
#include "cli/internal.h"
#include "gateway/api.h"

/* ---- methods ---- */

static bool says_ok(const json_t *answer) {
    return json_is_true(json_object_get(answer, "ok"));
}

/* What a method answered, as its step says; without that, that it is well. */
static bool judge_answer(struct world *w, const struct step *s, const struct node *want, taut_str body,
                         const struct asking *how) {
    json_t *got = json_loadb(body.ptr, body.len, JSON_DECODE_ANY, NULL);
    bool ok = true;
    if (!may_judge(how, says_ok(got))) {
        json_decref(got);
        return true;
    }
    if (want) {
        ok = got ? expect_json(w, want, got, "answer") : expect_text(w, want, body, "answer");
        if (!ok && !says_ok(got)) fprintf(w->report, "#   it answered %.*s\n", (int)body.len, body.ptr);
    } else if (!says_ok(got)) {
        fail_at(w, s->value, "answer: expected ok, got %.*s", (int)body.len, body.ptr);
        ok = false;
    }
    json_decref(got);
    return ok;
}

bool step_call(struct world *w, const struct step *s) {
    const struct node *args = node_child(s->node, "args");
    struct asked *a = gateway_call(w, TAUT_CALL_METHOD);
    struct asking how;
    const struct api_request request = {
        .method = node_text(s->value, ""),
        .content_type = TAUT_LIT("application/json; charset=utf-8"),
        .authorization = arena_fmt(&w->arena, "Bearer %s", token_of(w, s).ptr),
        .body = args ? node_json_text(&w->arena, args) : TAUT_NONE,
    };
    api_arguments(w->modules, a->call, &request);
    if (!ask(w, s, a, &how)) return !w->failed;
    return judge_answer(w, s, node_child(s->node, "answer"), a->body, &how) && keep_of(w, s, a->body);
}

bool step_answered(struct world *w, const struct step *s) {
    struct asked *a = w->gateway->pending;
    const struct asking how = {true};
    if (!a) {
        if (is_judged(w)) fail_at(w, s->node, "no call is pending");
        return !w->failed;
    }
    if (!world_wait(w, gateway_is_answered, a)) {
        if (is_judged(w)) fail_at(w, s->node, "there is no answer yet");
        return !w->failed;
    }
    w->gateway->pending = NULL;
    return judge_answer(w, s, s->value, a->body, &how) && keep_of(w, s, a->body);
}

/* ---- routes ---- */

static bool path_matches(const char *pattern, taut_str path) {
    size_t n = strlen(pattern);
    bool is_prefix = n > 1 && pattern[n - 1] == '/';
    return is_prefix ? path.len >= n && !memcmp(path.ptr, pattern, n) : taut_str_is(path, pattern);
}

/* The longest path wins, as at the real gateway. */
static const struct route_entry *find_route(const struct world *w, taut_str verb, taut_str path) {
    const struct route_entry *best = NULL;
    for (uint32_t i = 0; i < w->modules->nroutes; i++) {
        const struct taut_route *def = w->modules->routes[i].def;
        bool is_verb = taut_str_is(verb, def->method) || (taut_str_is(verb, "HEAD") && !strcmp(def->method, "GET"));
        if (is_verb && path_matches(def->path, path) && (!best || strlen(def->path) > strlen(best->def->path)))
            best = &w->modules->routes[i];
    }
    return best;
}

static void fill_request(struct world *w, const struct step *s, struct call *c, taut_str verb, taut_str target) {
    const struct node *body = node_child(s->node, "body");
    const char *query = memchr(target.ptr, '?', target.len);
    taut_str text = !body ? TAUT_NONE : body->kind == NODE_SCALAR ? body->text : node_json_text(&w->arena, body);
    struct call_http *h = c->http = arena_zalloc(&c->arena, sizeof *h);
    c->token = token_of(w, s);
    h->verb = verb.ptr;
    h->head = head_of(w, node_child(s->node, "headers"), c->token);
    h->body = (struct taut_body){sizeof h->body, -1, text.len, text.ptr};
    h->bytes = text.len;
    c->pub.text = taut_str_n(target.ptr, query ? (size_t)(query - target.ptr) : target.len);
    c->pub.query = query ? taut_str_z(query + 1) : TAUT_NONE;
}

static bool judge_request(struct world *w, const struct step *s, const struct asked *a) {
    const struct node *status = node_child(s->node, "status"), *type = node_child(s->node, "type");
    const struct node *answer = node_child(s->node, "answer"), *text = node_child(s->node, "text");
    long wanted = status ? strtol(node_text(status, "").ptr, NULL, 10) : 200;
    bool ok = true;
    if (a->status != wanted) {
        fail_at(w, status ? status : s->value, "status: expected %ld, got %d: %.*s", wanted, a->status,
                (int)a->body.len, a->body.ptr);
        return false;
    }
    if (type) ok = expect_text(w, type, taut_str_z(a->type), "type");
    if (text) ok = expect_text(w, text, a->body, "text") && ok;
    if (!answer) return ok;
    json_t *got = json_loadb(a->body.ptr, a->body.len, JSON_DECODE_ANY, NULL);
    ok = expect_json(w, answer, got, "answer") && ok;
    json_decref(got);
    return ok;
}

bool step_request(struct world *w, const struct step *s) {
    taut_str line = node_text(s->value, "");
    size_t n = strcspn(line.ptr, " ");
    taut_str verb = arena_str(&w->arena, taut_str_n(line.ptr, n));
    taut_str target = taut_str_z(line.ptr[n] ? line.ptr + n + 1 : ""), path = target;
    path.len = strcspn(target.ptr, "?");
    const struct route_entry *route = find_route(w, verb, path);
    struct asking how;
    if (!route) {
        fail_at(w, s->value, "no module has a route for \"%s\"; write a verb and a path, as in \"GET /hello\"",
                line.ptr);
        return false;
    }
    struct asked *a = gateway_call(w, TAUT_CALL_ROUTE);
    a->call->route = route;
    fill_request(w, s, a->call, verb, target);
    if (!ask(w, s, a, &how)) return !w->failed;
    return (!may_judge(&how, a->status < 400) || judge_request(w, s, a)) && keep_of(w, s, a->body);
}

/* ---- commands ---- */

struct command_end {
    bool ended;
    int32_t status;
    taut_str body, error;
    struct arena *arena;
};

static void on_command_end(void *arg, const struct taut_outcome *o) {
    struct command_end *e = arg;
    e->status = o->status;
    e->body = arena_str(e->arena, o->body);
    e->error = arena_str(e->arena, o->error);
    e->ended = true;
}

static bool is_ended(struct world *w, const void *arg) {
    (void)w;
    return ((const struct command_end *)arg)->ended;
}

enum { WORDS_MAX = 64 };

static uint32_t words_of(struct world *w, const struct node *n, char *words[WORDS_MAX]) {
    uint32_t count = 0;
    for (const struct node *i = n->kind == NODE_LIST ? n->first : NULL; i && count < WORDS_MAX; i = i->next)
        words[count++] = (char *)(uintptr_t)node_text(i, "").ptr;
    const char *at = n->kind == NODE_SCALAR ? n->text.ptr : "";
    while (*at && count < WORDS_MAX) {
        size_t len = strcspn(at, " ");
        if (len) words[count++] = (char *)(uintptr_t)arena_str(&w->arena, taut_str_n(at, len)).ptr;
        at += len + (at[len] == ' ');
    }
    return count;
}

/* The command whose name the words begin with; *used: how many of them. */
static const struct command_entry *find_command(const struct world *w, char **words, uint32_t n, uint32_t *used) {
    const struct command_entry *best = NULL;
    *used = 0;
    for (uint32_t i = 0; i < w->modules->ncommands; i++) {
        const char *at = w->modules->commands[i].def->name;
        uint32_t k = 0;
        for (; *at && k < n; k++) {
            size_t len = strcspn(at, " ");
            if (strlen(words[k]) != len || memcmp(words[k], at, len) != 0) break;
            at += len + (at[len] == ' ');
        }
        if (*at || k <= *used) continue;
        best = &w->modules->commands[i];
        *used = k;
    }
    return best;
}

/* As a person sees it. */
static taut_str printed(struct world *w, taut_str body) {
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    render(out, body.len ? body : TAUT_LIT("{}"));
    fclose(out);
    taut_str copy = arena_str(&w->arena, taut_str_n(text, n));
    free(text);
    return copy;
}

static bool judge_lines(struct world *w, const struct node *want, taut_str text) {
    const char *at = text.ptr, *end = at + text.len;
    if (want->kind != NODE_LIST) return expect_text(w, want, text, "output");
    for (const struct node *i = want->first; i; i = i->next) {
        const char *eol = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        if (!eol) {
            fail_at(w, i, "output: expected one more line: \"%s\"", node_text(i, "").ptr);
            return false;
        }
        if (!expect_text(w, i, taut_str_n(at, (size_t)(eol - at)), "output")) return false;
        at = eol + 1;
    }
    if (at < end) fail_at(w, want, "output: expected no more lines, got \"%.*s\"", (int)strcspn(at, "\n"), at);
    return at >= end;
}

static bool judge_command(struct world *w, const struct step *s, const struct command_end *e) {
    const struct node *error = node_child(s->node, "error"), *output = node_child(s->node, "output");
    const struct node *answer = node_child(s->node, "answer");
    bool ok = true;
    taut_str said = arena_fmt(&w->arena, "%s%s%s", e->error.ptr, e->body.len ? ": " : "", e->body.ptr);
    if (error && e->status != TAUT_OK) return expect_text(w, error, said, "error");
    if (error || e->status != TAUT_OK) {
        fail_at(w, error ? error : s->value,
                error ? "error: expected \"%s\", got success%s" : "error: expected none, got %s%s",
                error ? node_text(error, "").ptr : said.ptr, "");
        return false;
    }
    if (output) ok = judge_lines(w, output, printed(w, e->body));
    if (!answer) return ok;
    json_t *got = json_loadb(e->body.ptr, e->body.len, JSON_DECODE_ANY, NULL);
    ok = expect_json(w, answer, got, "answer") && ok;
    json_decref(got);
    return ok;
}

bool step_command(struct world *w, const struct step *s) {
    char *words[WORDS_MAX];
    uint32_t n = words_of(w, s->value, words), used;
    const struct command_entry *entry = find_command(w, words, n, &used);
    if (!entry) {
        fail_at(w, s->value, "no module has such a command");
        return false;
    }
    const struct command command = {.name = entry->def->name, .args = entry->def->args};
    struct cli cli = {.command = &command};
    struct command_end *e = arena_zalloc(&w->arena, sizeof *e);
    bool judged_before = !fault_happened();
    e->arena = &w->arena;
    if (!args_parse(&cli, (int)(n - used), words + used)) {
        fail_at(w, s->value, "the command does not take these words");
        return false;
    }
    hub_run_command(
        w->hub,
        &(struct hub_command){
            .command = entry, .args = cli.args, .nargs = entry->def->args.len, .done = on_command_end, .arg = e});
    if (!world_wait(w, is_ended, e) && !step_lets_pass(w, s, is_ended, e) && !w->failed)
        fail_at(w, s->value, "the command does not end; if it waits for time to pass, say how long: \"within: 5s\"");
    arena_free(&cli.arena);
    if (w->failed) return false;
    bool judged = may_judge(&(struct asking){judged_before}, e->status == TAUT_OK);
    return (!judged || judge_command(w, s, e)) && keep_of(w, s, e->body);
}
