/* event.c - see event.h. */
#include "log/event.h"

static char *put(char **at, taut_str s) {
    char *p = *at;
    if (s.len) memcpy(p, s.ptr, s.len);
    *at += s.len;
    return p;
}

struct event *event_new(taut_str workspace, uint64_t seq, const struct taut_event *in) {
    size_t bytes = sizeof(struct event) + in->ntopics * sizeof(taut_str) + in->ndeltas * sizeof(struct taut_delta) +
                   workspace.len + in->body.len;
    for (uint32_t i = 0; i < in->ntopics; i++) bytes += in->topics[i].len;
    for (uint32_t i = 0; i < in->ndeltas; i++) bytes += in->deltas[i].who.len + in->deltas[i].topic.len;

    struct event *e = xmalloc(bytes);
    struct taut_delta *deltas = (struct taut_delta *)(void *)(e + 1);
    taut_str *topics = (taut_str *)(void *)(deltas + in->ndeltas);
    char *at = (char *)(topics + in->ntopics);
    atomic_init(&e->refs, 1);
    e->ntopics = in->ntopics;
    e->ndeltas = in->ndeltas;
    e->seq = seq;
    e->at_us = 0;
    e->skip = in->skip;
    e->bytes = bytes;
    for (uint32_t i = 0; i < in->ntopics; i++) topics[i] = taut_str_n(put(&at, in->topics[i]), in->topics[i].len);
    for (uint32_t i = 0; i < in->ndeltas; i++) {
        deltas[i] = in->deltas[i];
        deltas[i].who.ptr = put(&at, in->deltas[i].who);
        deltas[i].topic.ptr = put(&at, in->deltas[i].topic);
    }
    e->workspace = taut_str_n(put(&at, workspace), workspace.len);
    e->body = taut_str_n(put(&at, in->body), in->body.len);
    e->topics = topics;
    e->deltas = deltas;
    return e;
}

/* The part of *rest before `sep`; *rest moves behind it. */
static taut_str cut(taut_str *rest, char sep) {
    const char *p = rest->len ? memchr(rest->ptr, sep, rest->len) : NULL;
    taut_str part = taut_str_n(rest->ptr, p ? (size_t)(p - rest->ptr) : rest->len);
    size_t used = part.len + (p ? 1 : 0);
    *rest = taut_str_n(rest->ptr + used, rest->len - used);
    return part;
}

struct event *event_from_record(taut_str workspace, uint64_t seq, taut_conn skip, taut_str topics, taut_str deltas,
                                taut_str body) {
    taut_str t[64];
    struct taut_delta d[64];
    struct taut_event e = {.size = sizeof e, .topics = t, .deltas = d, .skip = skip, .body = body};
    while (topics.len && e.ntopics < COUNT_OF(t)) t[e.ntopics++] = cut(&topics, ' ');
    while (deltas.len && e.ndeltas < COUNT_OF(d)) {
        taut_str one = cut(&deltas, ',');
        if (one.len < 2) continue;
        struct taut_delta *to = &d[e.ndeltas++];
        to->how = (uint32_t)(unsigned char)one.ptr[0];
        to->reserved = 0;
        one = taut_str_n(one.ptr + 1, one.len - 1);
        to->who = cut(&one, ' ');
        to->topic = one;
    }
    return event_new(workspace, seq, &e);
}

void event_unref(struct event *e) {
    if (atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) == 1) free(e);
}

size_t cursor_write(char out[CURSOR_MAX], uint64_t seq) {
    static const char digits[] = "0123456789abcdef";
    char tmp[16];
    size_t n = 0, len = 0;
    do tmp[n++] = digits[seq & 15];
    while (seq >>= 4);
    out[len++] = '1'; /* the version of this text */
    out[len++] = '-';
    while (n) out[len++] = tmp[--n];
    return len;
}

bool cursor_read(taut_str text, uint64_t *seq) {
    if (text.len < 3 || text.len > 18 || text.ptr[0] != '1' || text.ptr[1] != '-') return false;
    *seq = 0;
    for (size_t i = 2; i < text.len; i++) {
        char c = text.ptr[i];
        unsigned v = c >= '0' && c <= '9' ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
        if (v > 15) return false;
        *seq = *seq << 4 | v;
    }
    return true;
}
