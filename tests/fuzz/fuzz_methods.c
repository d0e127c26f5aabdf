/* fuzz_methods.c - libFuzzer target: query and body of a Web API request through the argument parser, by a table of
 * arguments that the input makes up. What is accepted is clean; sent again, as a query, a form, JSON, and multipart, it
 * is the same.
 *
 * The input: how many arguments, a byte for each (its type, whether it must be there), a byte for the content type, the
 * query up to a line feed, the body.
 */
#include <stdio.h>

#include "parts.h"

enum { ARGS_MAX = 6 };

static const char *const names[ARGS_MAX] = {"a", "list", "n", "token", "t_s", "\xc3\xa4"};
static const char *const types[] = {
    NULL,
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-8",
    "application/json",
    "application/json; charset=\"utf-8\"",
    "application/json; charset=latin1",
    "text/plain",
    "multipart/form-data; boundary=x",
};
enum { FORM = 1, JSON = 4, MULTIPART = 7 };

static struct taut_arg defs[ARGS_MAX];
static struct taut_method def;
static struct method_entry method;
static struct modules modules;
static struct call_pool pool;

/* Returns how many bytes the table took. */
static size_t make_table(const uint8_t *data, size_t size) {
    uint32_t n = size ? data[0] % (ARGS_MAX + 1) : 0, i = 0;
    map_free(&method.arg_index);
    map_free(&modules.methods);
    method = (struct method_entry){.def = &def};
    for (; i < n && i + 1 < size; i++) {
        uint8_t b = data[i + 1];
        defs[i] = (struct taut_arg){names[i], (uint32_t)b % 5 + 1, b & 0x40 ? TAUT_ARG_REQUIRED : 0,
                                    b & 0x80 ? "no_such" : NULL, NULL};
        map_put(&method.arg_index, taut_str_z(names[i]), (void *)(uintptr_t)(i + 1));
    }
    method.nargs = i;
    def = (struct taut_method){.name = "m", .flags = TAUT_METHOD_NOAUTH, .args = {defs, i, sizeof defs[0]}};
    map_put(&modules.methods, TAUT_LIT("m"), &method);
    return i + 1;
}

/* ---- a request ---- */

static struct call *ask(size_t type, taut_str query, taut_str body) {
    static struct parts parts;
    struct call *c = call_get(&pool, TAUT_CALL_METHOD, NULL);
    taut_str boundary, given = type ? taut_str_z(types[type]) : taut_str_n(NULL, 0);
    struct api_request r = {.method = TAUT_LIT("m"), .query = query, .content_type = given, .body = body};
    r.is_multipart = body.len && api_is_multipart(given, &boundary);
    if (r.is_multipart) {
        r.form_error = parts_read(body, body.len, boundary, &parts);
        r.parts = parts.list;
        r.nparts = parts.n;
    }
    /* Exactly as long as they are, and gone behind it: a sanitizer sees what reads past their ends, or later. */
    char *text = malloc(query.len + !query.len), *bytes = malloc(body.len + !body.len);
    if (query.len) memcpy(text, query.ptr, query.len);
    if (body.len) memcpy(bytes, body.ptr, body.len);
    r.query.ptr = text;
    r.body.ptr = bytes;
    api_arguments(&modules, c, &r);
    free(text);
    free(bytes);
    return c;
}

static void check(const struct call *c) {
    if (!text_is_clean(c->token) || !text_is_clean(c->arg_error_text)) panic("unclean text");
    if (c->arg_error && !*c->arg_error) panic("an error without a name");
    for (uint32_t i = 0; i < c->nargs && !c->arg_error; i++) {
        const struct taut_argv *v = &c->args[i];
        if ((defs[i].flags & TAUT_ARG_REQUIRED) && (!v->present || !v->s.len)) panic("%s is missing", defs[i].name);
        if (!v->present) continue;
        if (v->type != defs[i].type || !text_is_clean(v->s)) panic("%s is unclean", defs[i].name);
        if (v->type == TAUT_ARG_BOOL && v->i != 0 && v->i != 1) panic("%s is no truth", defs[i].name);
        if (v->type == TAUT_ARG_JSON && !json_is_valid(v->s)) panic("%s is no JSON", defs[i].name);
    }
}

/* ---- the same again ---- */

static void add(struct arena *a, taut_str *to, taut_str more) {
    *to = arena_fmt(a, "%.*s%.*s", (int)to->len, to->ptr, (int)more.len, more.ptr);
}

static taut_str percent(struct arena *a, taut_str s) {
    char *out = arena_alloc(a, 3 * s.len + 1);
    for (size_t i = 0; i < s.len; i++) snprintf(out + 3 * i, 4, "%%%02X", (unsigned char)s.ptr[i]);
    return taut_str_n(out, 3 * s.len);
}

static taut_str quoted(struct arena *a, taut_str s) {
    char *out = arena_alloc(a, 6 * s.len + 3);
    size_t n = 0;
    out[n++] = '"';
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x20 || c == '"' || c == '\\') n += (size_t)snprintf(out + n, 7, "\\u%04x", c);
        else out[n++] = (char)c;
    }
    out[n++] = '"';
    return taut_str_n(out, n);
}

static taut_str as_form(struct arena *a, const struct call *c) {
    taut_str text = TAUT_NONE;
    for (uint32_t i = 0; i < c->nargs; i++) {
        if (!c->args[i].present) continue;
        add(a, &text, percent(a, taut_str_z(names[i])));
        add(a, &text, TAUT_LIT("="));
        add(a, &text, percent(a, c->args[i].s));
        add(a, &text, TAUT_LIT("&"));
    }
    return text;
}

static taut_str as_json(struct arena *a, const struct call *c) {
    taut_str text = TAUT_LIT("{");
    for (uint32_t i = 0; i < c->nargs; i++) {
        if (!c->args[i].present) continue;
        if (text.len > 1) add(a, &text, TAUT_LIT(", "));
        add(a, &text, quoted(a, taut_str_z(names[i])));
        add(a, &text, TAUT_LIT(" :"));
        add(a, &text, quoted(a, c->args[i].s));
    }
    add(a, &text, TAUT_LIT("}"));
    return text;
}

/* "": a value holds the boundary, which is nothing that this form can say. */
static taut_str as_multipart(struct arena *a, const struct call *c) {
    taut_str text = TAUT_NONE;
    for (uint32_t i = 0; i < c->nargs; i++) {
        if (!c->args[i].present) continue;
        for (size_t k = 0; k + 3 <= c->args[i].s.len; k++)
            if (!memcmp(c->args[i].s.ptr + k, "--x", 3)) return TAUT_NONE;
        add(a, &text, arena_fmt(a, "--x\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n", names[i]));
        add(a, &text, c->args[i].s);
        add(a, &text, TAUT_LIT("\r\n"));
    }
    if (text.len) add(a, &text, TAUT_LIT("--x--\r\n"));
    return text;
}

/* A list whose first item begins as an array does is taken for one when it is written as text. */
static bool looks_like_array(const struct call *c) {
    for (uint32_t i = 0; i < c->nargs; i++)
        if (c->args[i].type == TAUT_ARG_LIST && c->args[i].s.len && c->args[i].s.ptr[0] == '[') return true;
    return false;
}

static void compare(const struct call *c, size_t type, taut_str query, taut_str body) {
    struct call *again = ask(type, query, body);
    if (again->arg_error) panic("%s: %s", again->arg_error, body.len ? body.ptr : query.ptr);
    for (uint32_t i = 0; i < c->nargs; i++) {
        const struct taut_argv *v = &c->args[i], *w = &again->args[i];
        if (v->present != w->present || v->i != w->i || (v->present && !taut_str_eq(v->s, w->s)))
            panic("%s differs: %s", names[i], body.len ? body.ptr : query.ptr);
    }
    call_put(&pool, again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t used = make_table(data, size);
    if (used >= size) return 0;
    size_t type = data[used++] % COUNT_OF(types);
    const char *text = (const char *)data + used, *lf = used < size ? memchr(text, '\n', size - used) : NULL;
    taut_str query = taut_str_n(text, lf ? (size_t)(lf - text) : size - used);
    taut_str body = taut_str_n(text + query.len + !!lf, size - used - query.len - !!lf);
    struct call *c = ask(type, query, body);
    check(c);
    if (!c->arg_error && !looks_like_array(c)) {
        struct arena a = {0};
        compare(c, 0, as_form(&a, c), TAUT_NONE);
        compare(c, FORM, TAUT_NONE, as_form(&a, c));
        compare(c, JSON, TAUT_NONE, as_json(&a, c));
        taut_str parts = as_multipart(&a, c);
        if (parts.len) compare(c, MULTIPART, TAUT_NONE, parts);
        arena_free(&a);
    }
    call_put(&pool, c);
    return 0;
}
