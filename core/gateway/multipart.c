/* multipart.c - a push parser. The mark between parts begins with a carriage return, which occurs in it only there: so
 * what was half a mark and went on otherwise is data, and no byte is looked at twice. */
#include "gateway/multipart.h"

#include <strings.h>

#include "base/text.h"

enum { PREAMBLE_OR_DATA, BEHIND_MARK, MARK_LF, MARK_DASH, HEAD, EPILOGUE };

/* RFC 2046 5.1.1, and what senders use beside it. */
static bool is_boundary_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("'()+_,-./:=? *&#%$!@^`|~{}", c));
}

bool multipart_init(struct multipart *m, taut_str boundary) {
    if (!boundary.len || boundary.len > MULTIPART_BOUNDARY_MAX || boundary.ptr[boundary.len - 1] == ' ') return false;
    for (size_t i = 0; i < boundary.len; i++)
        if (!is_boundary_char(boundary.ptr[i])) return false;
    memcpy(m->mark, "\r\n--", 4);
    memcpy(m->mark + 4, boundary.ptr, boundary.len);
    m->mark_len = (uint32_t)boundary.len + 4;
    m->matched = 2; /* the first one needs no line break before it */
    m->state = PREAMBLE_OR_DATA;
    m->parts = m->head_len = 0;
    m->in_part = false;
    m->fresh = true;
    return true;
}

/* ---- a part's head ---- */

static bool is_escape(const char *p, size_t len) {
    return len > 1 && p[0] == '\\' && (p[1] == '"' || p[1] == '\\');
}

/* The length of a parameter's value, all that stands before the next semicolon. */
static size_t value_len(const char *p, size_t len) {
    size_t n = 0;
    if (len && p[0] == '"')
        for (n = 1; n < len && p[n] != '"'; n++)
            if (is_escape(p + n, len - n)) n++;
    while (n < len && p[n] != ';') n++;
    return n;
}

/* Its text, without quotes and escapes, copied to `to`. Never longer than it is. */
static taut_str value_text(const char *p, size_t len, char *to) {
    size_t n = 0;
    if (len && p[0] == '"') {
        for (size_t i = 1; i < len && p[i] != '"'; i++) {
            if (is_escape(p + i, len - i)) i++;
            to[n++] = p[i];
        }
    } else {
        while (len && (p[len - 1] == ' ' || p[len - 1] == '\t')) len--;
        if (len) memcpy(to, p, n = len);
    }
    return taut_str_n(to, n);
}

/* A parameter of Content-Disposition, copied to *to. ptr NULL: not there. */
static taut_str parameter(const char *line, size_t len, const char *key, char **to) {
    size_t n = strlen(key), i = 0;
    while (i < len && line[i] != ';') i++;
    while (i < len) { /* at a semicolon */
        for (i++; i < len && (line[i] == ' ' || line[i] == '\t');) i++;
        size_t name = i;
        while (i < len && line[i] != '=' && line[i] != ';') i++;
        bool is_it = i - name == n && strncasecmp(line + name, key, n) == 0;
        if (i == len || line[i] == ';') continue;
        size_t value = i + 1;
        i = value + value_len(line + value, len - value);
        if (!is_it) continue;
        taut_str text = value_text(line + value, i - value, *to);
        *to += text.len;
        return text;
    }
    return taut_str_n(NULL, 0);
}

/* UTF-8''percent%20encoded (RFC 8187), in place. False: it is none. */
static bool extended(taut_str *v) {
    static const char prefix[] = "UTF-8'";
    if (!starts_with_nocase(*v, prefix)) return false;
    const char *quote = memchr(v->ptr + sizeof prefix - 1, '\'', v->len - sizeof prefix + 1);
    if (!quote) return false;
    char *out = (char *)(uintptr_t)(quote + 1);
    size_t n = 0, len = (size_t)(v->ptr + v->len - out);
    for (size_t i = 0; i < len; i++) {
        char c = out[i];
        if (c == '%') {
            if (i + 2 >= len || hex_digit(out[i + 1]) < 0 || hex_digit(out[i + 2]) < 0) return false;
            c = (char)(hex_digit(out[i + 1]) << 4 | hex_digit(out[i + 2]));
            i += 2;
        }
        out[n++] = c;
    }
    *v = taut_str_n(out, n);
    return true;
}

static const char *disposition(struct multipart_part *p, const char *line, size_t len, char **to) {
    taut_str name = parameter(line, len, "name", to), star = parameter(line, len, "filename*", to),
             filename = parameter(line, len, "filename", to);
    if (name.ptr) p->name = name;
    if (filename.ptr) p->filename = filename;
    if (star.ptr && extended(&star)) p->filename = star;
    p->is_file = filename.ptr || star.ptr;
    if (!name.ptr) return "a part has no name";
    if (p->name.len > MULTIPART_NAME_MAX) return "the name of a part is too long";
    if (p->filename.len > MULTIPART_FILENAME_MAX) return "a file's name is too long";
    return text_is_clean(p->name) && text_is_clean(p->filename) ? NULL : "a name in the multipart body is not UTF-8";
}

static taut_str trimmed(const char *p, size_t n) {
    while (n && (*p == ' ' || *p == '\t')) p++, n--;
    while (n && (p[n - 1] == ' ' || p[n - 1] == '\t')) n--;
    return taut_str_n(p, n);
}

static bool is_plain_encoding(taut_str v) {
    return (v.len == 6 && strncasecmp(v.ptr, "binary", 6) == 0) || (v.len == 4 && strncasecmp(v.ptr, "8bit", 4) == 0) ||
           (v.len == 4 && strncasecmp(v.ptr, "7bit", 4) == 0);
}

/* to: where its values are put. */
static const char *head_line(struct multipart_part *p, const char *line, size_t len, char **to) {
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)line[i] < 0x20 && line[i] != '\t') || line[i] == 0x7f)
            return "a control character in a part's head";
    if (*line == ' ' || *line == '\t') return "a header of a part is folded over two lines";
    const char *colon = memchr(line, ':', len);
    if (!colon) return "a header of a part has no colon";
    size_t at = (size_t)(colon - line) + 1;
    if (starts_with_nocase(taut_str_n(line, len), "content-disposition:"))
        return disposition(p, line + at, len - at, to);
    taut_str value = trimmed(line + at, len - at);
    if (starts_with_nocase(taut_str_n(line, len), "content-type:")) p->content_type = value;
    if (starts_with_nocase(taut_str_n(line, len), "content-transfer-encoding:") && !is_plain_encoding(value))
        return "a part has a transfer encoding";
    return NULL;
}

static const char *begin_part(struct multipart *m) {
    static const char nothing[] = "";
    struct multipart_part p = {{nothing, 0}, {nothing, 0}, {nothing, 0}, false};
    char values[MULTIPART_HEAD_MAX], *to = values; /* each is a piece of its own of the head, copied once */
    if (++m->parts > MULTIPART_PARTS_MAX) return "the multipart body has more than 64 parts";
    for (const char *at = m->head, *end = m->head + m->head_len; at < end;) {
        const char *eol = memchr(at, '\r', (size_t)(end - at)); /* head_byte saw to it that each is one of CRLF */
        const char *wrong = eol == at ? NULL : head_line(&p, at, (size_t)(eol - at), &to);
        if (wrong) return wrong;
        at = eol + 2;
    }
    if (p.name.ptr == nothing) return "a part has no name";
    m->in_part = true;
    m->on_part(m->arg, &p);
    return NULL;
}

static const char *head_byte(struct multipart *m, char c) {
    char before = m->head_len ? m->head[m->head_len - 1] : 0;
    if (m->head_len == sizeof m->head) return "the head of a part is too long";
    if ((c == '\n') != (before == '\r')) return "a line of a part's head does not end in CRLF";
    m->head[m->head_len++] = c;
    if (c != '\n') return NULL;
    bool is_empty = m->head_len == 2 || m->head[m->head_len - 3] == '\n';
    if (!is_empty) return NULL;
    const char *wrong = begin_part(m);
    m->head_len = 0;
    m->state = PREAMBLE_OR_DATA;
    m->matched = 2; /* a part may be empty: its mark's line break is the one that ended the head */
    m->fresh = true;
    return wrong;
}

/* ---- data and marks ---- */

static void data(struct multipart *m, const char *p, size_t n) {
    if (n && m->in_part) m->on_data(m->arg, p, n);
}

/* Takes data up to the end of a mark or of p; returns the bytes taken. */
static size_t take_data(struct multipart *m, const char *p, size_t n) {
    size_t i = 0;
    while (i < n) {
        if (!m->matched) { /* the common case: up to the next carriage return at once */
            const char *cr = memchr(p + i, '\r', n - i);
            size_t len = cr ? (size_t)(cr - p) - i : n - i;
            data(m, p + i, len);
            i += len;
            if (i == n) break;
        }
        if (p[i] == m->mark[m->matched]) {
            i++;
            if (++m->matched < m->mark_len) continue;
            m->fresh = false;
            m->matched = 0;
            m->state = BEHIND_MARK;
            break;
        }
        /* Not a mark. Of what matched, the line break of the head is no data. */
        if (m->fresh) data(m, m->mark + 2, m->matched - 2);
        else data(m, m->mark, m->matched);
        m->fresh = false;
        m->matched = 0;
        if (p[i] != '\r') data(m, p + i++, 1);
    }
    return i;
}

static const char *behind_mark(struct multipart *m, char c) {
    switch (m->state) {
    case BEHIND_MARK: /* blanks may stand there */
        if (c == ' ' || c == '\t') return NULL;
        m->state = c == '-' ? MARK_DASH : MARK_LF;
        return c == '-' || c == '\r' ? NULL : "a boundary is followed by something else";
    case MARK_LF:
        m->state = HEAD;
        m->in_part = false;
        return c == '\n' ? NULL : "a boundary's line does not end in CRLF";
    default:
        m->state = EPILOGUE;
        m->in_part = false;
        return c == '-' ? NULL : "a boundary is followed by something else";
    }
}

const char *multipart_feed(struct multipart *m, const char *p, size_t n) {
    const char *wrong = NULL;
    for (size_t i = 0; i < n && !wrong && m->state != EPILOGUE;) {
        if (m->state == PREAMBLE_OR_DATA) i += take_data(m, p + i, n - i);
        else if (m->state == HEAD) wrong = head_byte(m, p[i++]);
        else wrong = behind_mark(m, p[i++]);
    }
    return wrong;
}

const char *multipart_end(const struct multipart *m) {
    return m->state == EPILOGUE ? NULL : "the multipart body ends without its last boundary";
}
