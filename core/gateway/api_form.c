/* api_form.c - forms: application/x-www-form-urlencoded (and the query, which has that form), multipart/form-data that
 * was taken apart. */
#include "base/text.h"
#include "gateway/api.h"

/* A '%' that is no escape stands for itself, as browsers have it. */
static taut_str decode(struct arena *a, taut_str s) {
    char *out = arena_alloc(a, s.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '+') {
            c = ' ';
        } else if (c == '%' && i + 2 < s.len && hex_digit(s.ptr[i + 1]) >= 0 && hex_digit(s.ptr[i + 2]) >= 0) {
            c = (char)(hex_digit(s.ptr[i + 1]) << 4 | hex_digit(s.ptr[i + 2]));
            i += 2;
        }
        out[n++] = c;
    }
    out[n] = 0;
    return taut_str_n(out, n);
}

const char *api_form(struct api_args *a, taut_str text) {
    struct arena *mem = &a->call->arena;
    for (size_t at = 0; at < text.len;) {
        const char *from = text.ptr + at, *amp = memchr(from, '&', text.len - at);
        size_t len = amp ? (size_t)(amp - from) : text.len - at;
        const char *eq = memchr(from, '=', len);
        size_t name_len = eq ? (size_t)(eq - from) : len;
        at += len + 1;
        if (!len) continue;
        taut_str name = decode(mem, taut_str_n(from, name_len));
        taut_str value = eq ? decode(mem, taut_str_n(eq + 1, len - name_len - 1)) : taut_str_n("", 0);
        if (!text_is_clean(name) || !text_is_clean(value)) return "invalid_form_data";
        api_set(a, name, API_TEXT, value);
    }
    return NULL;
}

/* Parts with a file name are no arguments. */
const char *api_parts(struct api_args *a, const struct api_request *r) {
    static const char bad[] = "invalid_form_data";
    if (r->form_error) return bad;
    for (uint32_t i = 0; i < r->nparts; i++) {
        const struct taut_part *p = &r->parts[i];
        if (p->is_file) continue;
        taut_str value = taut_str_n(p->body->bytes, (size_t)p->body->length);
        if (!text_is_clean(value)) return bad;
        api_set(a, p->name, API_TEXT, value);
    }
    return NULL;
}
