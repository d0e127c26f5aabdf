/* api.c - /api/METHOD: collects raw values (query, then body over it), then types them by the method's table.
 * Everything that outlives the request is copied into the call's arena. */
#include "gateway/api.h"

#include <ctype.h>
#include <strings.h>

taut_str api_bearer(taut_str v) {
    static const char scheme[] = "Bearer ";
    size_t n = sizeof scheme - 1;
    if (v.len <= n || strncasecmp(v.ptr, scheme, n) != 0) return taut_str_n("", 0);
    while (n < v.len && v.ptr[n] == ' ') n++;
    return taut_str_n(v.ptr + n, v.len - n);
}

void api_set(struct api_args *a, taut_str name, uint32_t kind, taut_str value) {
    if (kind == API_TEXT && taut_str_is(name, "token")) a->token = value; /* a JSON body's token is not read */
    int i = a->call->method ? method_arg_index(a->call->method, name) : -1;
    if (i >= 0) a->values[i] = (struct api_value){kind, value};
}

/* ---- one argument ---- */

/* Returns NULL, or what was expected. */
typedef const char *typer(struct arena *mem, const struct api_value *v, struct taut_argv *out);

/* The text of a scalar; false for arrays and objects. */
static bool scalar(struct arena *mem, const struct api_value *v, taut_str *text) {
    if (v->kind == API_TEXT) {
        *text = v->s;
        return true;
    }
    char c = v->s.ptr[0];
    if (c == '{' || c == '[') return false;
    *text = c == '"' ? json_unquote(mem, v->s) : arena_str(mem, v->s);
    return true;
}

static const char *type_str(struct arena *mem, const struct api_value *v, struct taut_argv *out) {
    return scalar(mem, v, &out->s) ? NULL : "text";
}

static const char *type_int(struct arena *mem, const struct api_value *v, struct taut_argv *out) {
    static const char expected[] = "an integer";
    if (!scalar(mem, v, &out->s)) return expected;
    size_t i = 0, n = out->s.len;
    bool negative = n && out->s.ptr[0] == '-';
    if (negative) i++;
    if (i == n) return n ? expected : (out->present = 0, NULL);
    uint64_t u = 0, max = (uint64_t)INT64_MAX + negative;
    for (; i < n; i++) {
        unsigned d = (unsigned)(out->s.ptr[i] - '0');
        if (d > 9 || u > (max - d) / 10) return expected;
        u = u * 10 + d;
    }
    out->i = negative ? (int64_t)(0 - u) : (int64_t)u;
    return NULL;
}

static const char *type_bool(struct arena *mem, const struct api_value *v, struct taut_argv *out) {
    static const char expected[] = "true or false";
    if (!scalar(mem, v, &out->s)) return expected;
    if (!out->s.len) out->present = 0;
    else if (taut_str_is(out->s, "true") || taut_str_is(out->s, "1")) out->i = 1;
    else if (!taut_str_is(out->s, "false") && !taut_str_is(out->s, "0")) return expected;
    return NULL;
}

/* Appends the items of comma text without blanks and without empty ones. */
static size_t add_items(char *out, size_t n, taut_str text) {
    for (size_t i = 0; i <= text.len; i++) {
        size_t from = i, to;
        while (i < text.len && text.ptr[i] != ',') i++;
        to = i;
        while (from < to && is_json_blank(text.ptr[from])) from++;
        while (to > from && is_json_blank(text.ptr[to - 1])) to--;
        if (from == to) continue;
        if (n) out[n++] = ',';
        memcpy(out + n, text.ptr + from, to - from);
        n += to - from;
    }
    return n;
}

static const char *type_list(struct arena *mem, const struct api_value *v, struct taut_argv *out) {
    static const char expected[] = "comma-separated text or an array of strings";
    taut_str text = v->s, item;
    bool is_bare = v->kind == API_JSON && text.ptr[0] != '"';
    if (v->kind == API_JSON && !is_bare) text = json_unquote(mem, text);
    while (text.len && is_json_blank(text.ptr[0])) text.ptr++, text.len--;
    bool is_array = text.len && text.ptr[0] == '[';
    if (is_bare && !is_array) return expected;
    char *list = arena_alloc(mem, text.len + 1);
    size_t n = 0, at = 0;
    if (is_array) { /* in a form, SDKs write arrays as JSON text */
        if (!json_is_valid(text)) return expected;
        while (json_next_item(text, &at, &item)) {
            if (item.ptr[0] != '"') return expected;
            item = json_unquote(mem, item);
            if (memchr(item.ptr, ',', item.len)) return expected;
            n = add_items(list, n, item);
        }
    } else {
        n = add_items(list, 0, text);
    }
    list[n] = 0;
    out->s = taut_str_n(list, n);
    return NULL;
}

static const char *type_json(struct arena *mem, const struct api_value *v, struct taut_argv *out) {
    static const char expected[] = "a JSON array or object";
    taut_str text = v->s;
    bool known_valid = v->kind == API_JSON;
    if (known_valid && text.ptr[0] == '"') text = json_unquote(mem, text), known_valid = false;
    while (text.len && is_json_blank(text.ptr[0])) text.ptr++, text.len--;
    if (!text.len) return out->present = 0, NULL;
    if (text.ptr[0] != '{' && text.ptr[0] != '[') return expected;
    if (!known_valid && !json_is_valid(text)) return expected;
    out->s = json_compact(mem, text);
    return NULL;
}

static typer *const typers[] = {
    [TAUT_ARG_STR] = type_str,   [TAUT_ARG_INT] = type_int,   [TAUT_ARG_BOOL] = type_bool,
    [TAUT_ARG_LIST] = type_list, [TAUT_ARG_JSON] = type_json,
};

/* ---- all of them ---- */

static void wrong(struct call *c, const struct taut_arg *def, const char *expected) {
    if (c->arg_error) return;
    c->arg_error = def->missing ? def->missing : def->type == TAUT_ARG_LIST ? "invalid_array_arg" : "invalid_arguments";
    c->arg_error_text = arena_fmt(&c->arena, "invalid value for \"%s\": expected %s", def->name, expected);
}

static void missing(struct call *c, const struct taut_arg *def) {
    if (c->arg_error) return;
    c->arg_error = def->missing ? def->missing : "invalid_arguments";
    if (!def->missing) c->arg_error_text = arena_fmt(&c->arena, "missing required field: %s", def->name);
}

static void type_all(struct api_args *a) {
    struct call *c = a->call;
    struct taut_array defs = c->method->def->args;
    for (uint32_t i = 0; i < c->nargs; i++) {
        const struct taut_arg *def = TAUT_AT(defs, struct taut_arg, i);
        struct taut_argv *out = &c->args[i];
        out->type = def->type;
        out->s = taut_str_n("", 0);
        if (a->values[i].kind == API_NONE) continue;
        out->present = 1;
        const char *expected = typers[def->type](&c->arena, &a->values[i], out);
        if (!expected) continue;
        *out = (struct taut_argv){0, def->type, {"", 0}, 0};
        wrong(c, def, expected);
    }
    for (uint32_t i = 0; i < c->nargs; i++) {
        const struct taut_arg *def = TAUT_AT(defs, struct taut_arg, i);
        if (def->flags & TAUT_ARG_REQUIRED && (!c->args[i].present || !c->args[i].s.len)) missing(c, def);
    }
}

/* ---- content types ---- */

static bool type_is(taut_str type, const char *name) {
    return type.len == strlen(name) && strncasecmp(type.ptr, name, type.len) == 0;
}

/* A parameter of the content type without its quotes; ptr NULL: absent. */
static taut_str type_parameter(taut_str v, const char *key) {
    size_t n = strlen(key);
    for (size_t i = 0; i < v.len; i++) {
        if (v.ptr[i] != ';') continue;
        size_t from = i + 1;
        while (from < v.len && (v.ptr[from] == ' ' || v.ptr[from] == '\t')) from++;
        if (from + n >= v.len || strncasecmp(v.ptr + from, key, n) != 0 || v.ptr[from + n] != '=') continue;
        from += n + 1;
        char stop = ';';
        if (from < v.len && v.ptr[from] == '"') stop = '"', from++;
        size_t to = from;
        while (to < v.len && v.ptr[to] != stop) to++;
        while (stop == ';' && to > from && v.ptr[to - 1] == ' ') to--;
        return taut_str_n(v.ptr + from, to - from);
    }
    return taut_str_n(NULL, 0);
}

static taut_str media_type(taut_str v) {
    size_t n = 0;
    while (n < v.len && v.ptr[n] != ';' && v.ptr[n] != ' ') n++;
    return taut_str_n(v.ptr, n);
}

bool api_is_multipart(taut_str content_type, taut_str *boundary) {
    if (!type_is(media_type(content_type), "multipart/form-data")) return false;
    *boundary = type_parameter(content_type, "boundary");
    return true;
}

static bool is_utf8_name(taut_str charset) {
    return type_is(charset, "utf-8") || type_is(charset, "utf8");
}

/* Whose call comes to nothing anyway: there is no such method, or it wants a token, which none has that comes as JSON
 * and has not shown one by now. Nobody's megabyte of brackets is looked at. */
static bool is_strangers(const struct api_args *a) {
    const struct method_entry *method = a->call->method;
    return !method || (!a->token.len && !(method->def->flags & TAUT_METHOD_NOAUTH));
}

static const char *read_body(struct api_args *a, const struct api_request *r) {
    taut_str type = media_type(r->content_type), charset = type_parameter(r->content_type, "charset");
    bool is_json = type_is(type, "application/json");
    bool is_form = type_is(type, "application/x-www-form-urlencoded");
    if (charset.ptr && (is_json || is_form) && !is_utf8_name(charset)) return "invalid_charset";
    if (is_json && !charset.ptr && r->body.len) a->call->arg_warning = "missing_charset";
    if (is_form && charset.ptr) a->call->arg_warning = "superfluous_charset";
    if (r->is_multipart) return api_parts(a, r);
    if (!r->body.len) return NULL;
    if (is_json) return is_strangers(a) ? NULL : api_json(a, r->body);
    if (is_form) return api_form(a, r->body);
    return type.len ? "invalid_post_type" : "missing_post_type";
}

void api_arguments(const struct modules *ms, struct call *c, const struct api_request *r) {
    struct api_args a = {c, NULL, {"", 0}};
    c->method = modules_method(ms, r->method);
    c->method_name = arena_str(&c->arena, r->method);
    if (c->method) {
        c->nargs = c->method->nargs;
        c->args = arena_zalloc(&c->arena, (c->nargs + 1) * sizeof *c->args);
        a.values = arena_zalloc(&c->arena, (c->nargs + 1) * sizeof *a.values);
    }
    const char *error = r->query.len ? api_form(&a, r->query) : NULL;
    taut_str bearer = api_bearer(r->authorization);
    if (bearer.len) a.token = bearer;
    const char *body_error = read_body(&a, r);
    c->arg_error = error ? error : body_error;
    c->token = arena_str(&c->arena, bearer.len ? bearer : a.token);
    if (c->method && !c->arg_error) type_all(&a);
}
