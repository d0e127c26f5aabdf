/* kept.c - what a step keeps of an answer (`keep: {TS: message.ts}`), and later ones say (`${TS}`). */
#include "modtest.h"

struct kept {
    struct kept *next;
    taut_str name, value;
};

static const struct kept *find(const struct world *w, taut_str name) {
    const struct kept *k = w->kept;
    while (k && !taut_str_eq(k->name, name)) k = k->next;
    return k;
}

/* ---- keeping ---- */

/* "guests.0.name" of an answer; NULL: it is not there. */
static const json_t *follow(const json_t *at, taut_str path) {
    for (const char *p = path.ptr, *end = p + path.len; p < end && at;) {
        size_t n = strcspn(p, ".");
        char key[128];
        snprintf(key, sizeof key, "%.*s", (int)n, p);
        at = json_is_array(at) ? json_array_get(at, strtoul(key, NULL, 10)) : json_object_get(at, key);
        p += n + (p[n] == '.');
    }
    return at;
}

bool keep_of(struct world *w, const struct step *s, taut_str body) {
    const struct node *keep = node_child(s->node, "keep");
    json_t *answer = keep ? json_loadb(body.ptr, body.len, JSON_DECODE_ANY, NULL) : NULL;
    for (const struct node *i = keep ? keep->first : NULL; i; i = i->next) {
        const json_t *v = follow(answer, node_text(i, ""));
        if (!v && is_judged(w)) fail_at(w, i, "keep: there is no \"%s\" in the answer", node_text(i, "").ptr);
        if (!v) continue;
        char *text = json_is_string(v) ? xstrdup(json_string_value(v)) : json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
        struct kept *k = arena_alloc(&w->arena, sizeof *k);
        *k = (struct kept){w->kept, i->key, arena_str(&w->arena, taut_str_z(text))};
        w->kept = k;
        free(text);
    }
    json_decref(answer);
    return !w->failed;
}

/* ---- saying it ---- */

static taut_str fill_text(struct world *w, const struct node *n) {
    taut_str out = TAUT_LIT("");
    const char *at = n->text.ptr, *end = at + n->text.len;
    while (at < end) {
        const char *open = strstr(at, "${"), *close = open ? strchr(open, '}') : NULL;
        if (!close) break;
        taut_str name = taut_str_n(open + 2, (size_t)(close - open) - 2);
        const struct kept *k = find(w, name);
        if (!k && is_judged(w)) fail_at(w, n, "nothing was kept as \"%.*s\"", (int)name.len, name.ptr);
        out = arena_fmt(&w->arena, "%s%.*s%s", out.ptr, (int)(open - at), at, k ? k->value.ptr : "");
        at = close + 1;
    }
    return at == n->text.ptr ? n->text : arena_fmt(&w->arena, "%s%.*s", out.ptr, (int)(end - at), at);
}

/* A copy with everything filled in. The script nests 32 deep at most. */
static struct node *fill(struct world *w, const struct node *n) {
    struct node *copy = arena_alloc(&w->arena, sizeof *copy), **tail = &copy->first;
    *copy = *n;
    copy->first = copy->next = NULL;
    if (n->kind == NODE_SCALAR) copy->text = fill_text(w, n);
    copy->quoted |= copy->text.ptr != n->text.ptr; /* what was kept is text */
    for (const struct node *i = n->first; i; i = i->next) {
        *tail = fill(w, i);
        tail = &(*tail)->next;
    }
    return copy;
}

struct step step_filled(struct world *w, const struct step *s) {
    struct step filled = *s;
    filled.node = fill(w, s->node);
    filled.value = node_child(filled.node, s->kind->name);
    return filled;
}
