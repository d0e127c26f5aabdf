/* node_json.c - values of a script as JSON: plain true, false, null and numbers are what they look like, everything
 * else is text; in quotes all is text. */
#include <math.h>

#include "modtest.h"

static json_t *scalar(const struct node *n) {
    char *end;
    if (!n->quoted) {
        if (!n->text.len || taut_str_is(n->text, "null") || taut_str_is(n->text, "~")) return json_null();
        if (taut_str_is(n->text, "true")) return json_true();
        if (taut_str_is(n->text, "false")) return json_false();
        if (strchr("-0123456789", n->text.ptr[0])) {
            long long i = strtoll(n->text.ptr, &end, 10);
            if (!*end && n->text.len < 19) return json_integer(i);
            double d = strtod(n->text.ptr, &end);
            if (!*end && isfinite(d) && n->text.len < 19) return json_real(d);
        }
    }
    return json_stringn(n->text.ptr, n->text.len);
}

json_t *node_json(const struct node *n) {
    if (n->kind == NODE_SCALAR) return scalar(n);
    json_t *all = n->kind == NODE_MAP ? json_object() : json_array();
    for (const struct node *i = n->first; i; i = i->next) {
        json_t *v = node_json(i);
        if (n->kind == NODE_MAP) json_object_set_new_nocheck(all, i->key.ptr, v);
        else json_array_append_new(all, v);
    }
    return all;
}

taut_str node_json_text(struct arena *a, const struct node *n) {
    json_t *v = node_json(n);
    char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
    taut_str copy = arena_str(a, taut_str_z(text));
    free(text);
    json_decref(v);
    return copy;
}

bool node_is_true(const struct node *n) {
    return n && n->kind == NODE_SCALAR && (taut_str_is(n->text, "true") || taut_str_is(n->text, "yes"));
}

taut_str node_text(const struct node *n, const char *dflt) {
    return n && n->kind == NODE_SCALAR ? n->text : taut_str_z(dflt);
}
