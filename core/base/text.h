/* text.h - bytes that are text: UTF-8, digits, beginnings. Pure. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/base.h"

/* Bytes of the character at p, of n > 0 that are there; 0 when it is none of UTF-8 (RFC 3629: no overlong forms, no
 * surrogates). */
size_t utf8_len(const char *p, size_t n);
bool text_is_clean(taut_str s); /* UTF-8 without NUL */

int hex_digit(char c); /* its value, or -1 */

bool starts_with(taut_str s, const char *beginning);
bool starts_with_nocase(taut_str s, const char *beginning); /* of ASCII */

#endif
