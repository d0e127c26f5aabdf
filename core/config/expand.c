/* expand.c - what stands for a value that is not in the file: ${env:NAME} in any scalar, file:PATH as a secret.
 *
 * A name after "${" that is not env is an error, so that a slip is not taken for a value; "$${" is "${". In a regular
 * expression, where ${ means something, only ${env: is ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "config/internal.h"

enum { SECRET_BYTES_MAX = 64 * 1024 };

static bool is_letter(char ch) {
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_';
}

/* A name of a variable: letters, digits and _. */
static bool is_variable(taut_str name) {
    for (size_t i = 0; i < name.len; i++)
        if (!is_letter(name.ptr[i]) && (!i || name.ptr[i] < '0' || name.ptr[i] > '9')) return false;
    return name.len > 0;
}

/* ---- ${env:NAME} ---- */

struct expansion {
    struct config *config;
    const struct node *node;
    const char *path;
    bool is_regex;
    char *out; /* room for twice the text and all values: grown in the arena */
    size_t len, cap;
    bool failed;
};

static void append(struct expansion *x, const char *p, size_t n) {
    if (x->len + n > x->cap) {
        size_t cap = (x->len + n) * 2 + 64;
        char *out = arena_alloc(&x->config->arena, cap);
        if (x->len) memcpy(out, x->out, x->len);
        x->out = out, x->cap = cap;
    }
    if (n) memcpy(x->out + x->len, p, n);
    x->len += n;
}

static void append_variable(struct expansion *x, taut_str name) {
    const char *z = arena_str(&x->config->arena, name).ptr, *value = getenv(z);
    x->failed = true;
    if (!value) {
        config_error(x->config, x->node, x->path, "the environment variable %s is not set", z);
    } else if (!text_is_clean(taut_str_z(value))) {
        config_error(x->config, x->node, x->path, "the environment variable %s is not UTF-8", z);
    } else {
        x->failed = false;
        append(x, value, strlen(value));
    }
}

/* At "${": how much of s it takes; 0 when it is text like any other. */
static size_t take_reference(struct expansion *x, taut_str s) {
    const char *end = memchr(s.ptr, '}', s.len);
    taut_str inside = taut_str_n(s.ptr + 2, end ? (size_t)(end - s.ptr) - 2 : 0);
    bool is_env = s.len > 6 && !memcmp(s.ptr, "${env:", 6);
    if (!is_env && (x->is_regex || s.len < 3 || !is_letter(s.ptr[2]))) return 0;
    if (is_env && inside.len > 4 && is_variable(taut_str_n(inside.ptr + 4, inside.len - 4))) {
        append_variable(x, taut_str_n(inside.ptr + 4, inside.len - 4));
        return inside.len + 3;
    }
    taut_str reference = end ? taut_str_n(s.ptr, inside.len + 3) : s;
    config_error(x->config, x->node, x->path,
                 "\"%s\" is no reference; write ${env:NAME} for an environment variable, or $${ for the characters ${",
                 text_shown(&x->config->arena, reference));
    x->failed = true;
    return s.len;
}

bool option_expand(struct config *c, const struct taut_opt *o, const struct node *n, const char *path, taut_str *text) {
    struct expansion x = {.config = c, .node = n, .path = path, .is_regex = o->type == TAUT_OPT_REGEX};
    taut_str s = n->text;
    for (size_t i = 0; i < s.len && !x.failed;) {
        size_t taken = 0;
        if (s.len - i > 2 && !memcmp(s.ptr + i, "$${", 3) && (!x.is_regex || (s.len - i > 6 && s.ptr[i + 3] == 'e'))) {
            append(&x, "${", 2);
            taken = 3;
        } else if (s.len - i > 1 && s.ptr[i] == '$' && s.ptr[i + 1] == '{') {
            taken = take_reference(&x, taut_str_n(s.ptr + i, s.len - i));
        }
        if (!taken) append(&x, s.ptr + i, taken = 1);
        i += taken;
    }
    *text = arena_str(&c->arena, taut_str_n(x.out ? x.out : "", x.len));
    return !x.failed;
}

bool text_is_reference(taut_str text) {
    for (size_t i = 0; i + 6 < text.len; i++)
        if (!memcmp(text.ptr + i, "${env:", 6) && (!i || text.ptr[i - 1] != '$')) return true;
    return false;
}

/* ---- secrets ---- */

/* The whole of a small file. NULL, or why not. */
static const char *read_small(struct config *c, const char *path, taut_str *text, unsigned *mode) {
    struct stat st;
    size_t len = 0;
    ssize_t got = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return strerror(errno);
    char *buf = xmalloc(SECRET_BYTES_MAX + 1);
    *mode = fstat(fd, &st) == 0 ? st.st_mode & 0777 : 0;
    while (len <= SECRET_BYTES_MAX && got) {
        got = read(fd, buf + len, SECRET_BYTES_MAX + 1 - len);
        if (got < 0 && errno != EINTR) break;
        if (got > 0) len += (size_t)got;
    }
    const char *why = got < 0 ? strerror(errno) : len > SECRET_BYTES_MAX ? "it is larger than 64 KiB" : NULL;
    close(fd);
    *text = arena_str(&c->arena, taut_str_n(buf, len));
    explicit_bzero(buf, SECRET_BYTES_MAX + 1);
    free(buf);
    return why;
}

static bool read_secret_file(struct config *c, const struct node *n, const char *path, taut_str name, taut_str *text) {
    const char *file = path_absolute(&c->arena, c->folder, name).ptr;
    unsigned mode = 0;
    const char *why = name.len ? read_small(c, file, text, &mode) : "it has no name";
    while (!why && text->len && (text->ptr[text->len - 1] == '\n' || text->ptr[text->len - 1] == '\r')) text->len--;
    if (!why && !text_is_clean(*text)) why = "it is not UTF-8 text";
    if (!why && !text->len) why = "it is empty";
    if (why) {
        config_error(c, n, path, "the secret in %s cannot be read: %s", file, why);
        return false;
    }
    if (mode & 077)
        config_warn(c, n, path, "others may read the secret in %s (its mode is %04o); chmod 600 it", file, mode);
    *text = arena_str(&c->arena, *text); /* a NUL behind it */
    return true;
}

bool option_secret(struct config *c, const struct taut_opt *o, struct node *n, const char *path, taut_str *text) {
    static const char scheme[] = "file:";
    if (!option_expand(c, o, n, path, text)) return false;
    if (text->len >= sizeof scheme - 1 && !memcmp(text->ptr, scheme, sizeof scheme - 1))
        return read_secret_file(c, n, path, taut_str_n(text->ptr + 5, text->len - 5), text);
    if (taut_str_is(*text, SECRET_TEXT)) {
        config_error(c, n, path,
                     "\"" SECRET_TEXT "\" is what `taut config print` writes in place of a secret; write the "
                     "secret itself, ${env:NAME} or file:PATH");
        return false;
    }
    if (text_is_reference(n->text) || !n->text.len) return true;
    n->is_secret = true;
    config_warn(c, n, path, "the secret stands in the file itself; write ${env:NAME} or file:PATH in its place");
    return true;
}
