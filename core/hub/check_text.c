/* check_text.c - with TAUT_CHECKS: is what modules write a JSON object in UTF-8? Any thread. */
#include "hub/internal.h"

#ifdef TAUT_CHECKS
#include <jansson.h>

enum { SHOWN_MAX = 100 };

/* jansson reads over a NUL that stands behind a number. */
static bool is_object(taut_str s) {
    json_t *j = s.len && !memchr(s.ptr, 0, s.len)
                    ? json_loadb(s.ptr, s.len, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL)
                    : NULL;
    bool is = json_is_object(j) && s.ptr[0] == '{' && s.ptr[s.len - 1] == '}';
    json_decref(j);
    return is;
}

void check_object(const struct taut_mod *m, const struct run *r, const char *what, taut_str text) {
    int n = (int)(text.len < SHOWN_MAX ? text.len : SHOWN_MAX);
    if (!is_object(text))
        panic("module %s: %s%s%s is not a JSON object in UTF-8: %.*s", m->name, what, r ? " of " : "",
              r ? handler_name(r) : "", n, text.len ? text.ptr : "");
}
#else
void check_object(const struct taut_mod *m, const struct run *r, const char *what, taut_str text) {
    (void)m, (void)r, (void)what, (void)text;
}
#endif
