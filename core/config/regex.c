/* regex.c - does PCRE2 take this pattern? Its users get the text and compile it themselves: what a compiled pattern
 * looks like is no part of the module ABI. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "config/internal.h"

enum { PATTERN_BYTES_MAX = 4096 };

const char *regex_fault(struct arena *a, taut_str pattern) {
    int err = 0;
    PCRE2_SIZE at = 0;
    unsigned char text[120];
    if (pattern.len > PATTERN_BYTES_MAX) return arena_fmt(a, "it is longer than %d bytes", PATTERN_BYTES_MAX).ptr;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &err, &at, NULL);
    if (code) {
        pcre2_code_free(code);
        return NULL;
    }
    if (pcre2_get_error_message(err, text, sizeof text) < 0) text[0] = 0;
    return arena_fmt(a, "%s, at byte %zu", (const char *)text, at + 1).ptr;
}
