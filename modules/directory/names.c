/* names.c - what may be a name, and what stands for one. */
#include "names.h"

static int is_word_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

int name_valid(taut_str name) {
    if (name.len == 0 || name.len > NAME_MAX_LEN) return 0;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!is_word_char(c) && c != '.' && c != '_' && c != '-') return 0;
    }
    return 1;
}

int domain_valid(taut_str domain) {
    if (domain.len == 0 || domain.len > DOMAIN_MAX_LEN) return 0;
    for (size_t i = 0; i < domain.len; i++) {
        if (!is_word_char(domain.ptr[i]) && domain.ptr[i] != '-') return 0;
    }
    return domain.ptr[0] != '-' && domain.ptr[domain.len - 1] != '-';
}

taut_str domain_from_name(taut_str name, char out[DOMAIN_MAX_LEN]) {
    size_t n = 0;
    for (size_t i = 0; i < name.len && n < DOMAIN_MAX_LEN; i++) {
        char c = name.ptr[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        if (is_word_char(c)) out[n++] = c;
        else if (n && out[n - 1] != '-') out[n++] = '-';
    }
    if (n && out[n - 1] == '-') n--;
    return taut_str_n(out, n);
}

static int has_control(taut_str s) {
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x20 || c == 0x7f) return 1;
    }
    return 0;
}

int title_valid(taut_str title) {
    return title.len > 0 && title.len <= TITLE_MAX_LEN && !has_control(title);
}

int email_valid(taut_str email) {
    const char *at = email.len ? memchr(email.ptr, '@', email.len) : NULL;
    if (!at || email.len > TITLE_MAX_LEN || has_control(email)) return 0;
    if (memchr(email.ptr, ' ', email.len)) return 0;
    return at > email.ptr && at < email.ptr + email.len - 1;
}
