/* parts.h - a multipart body as the list of parts that a handler gets, data in memory. What the reader promises of each
 * part is held here. */
#ifndef FUZZ_PARTS_H
#define FUZZ_PARTS_H

#include "base/text.h"
#include "gateway/api.h"
#include "gateway/multipart.h"

struct parts {
    struct taut_part list[MULTIPART_PARTS_MAX];
    struct taut_body bodies[MULTIPART_PARTS_MAX];
    uint32_t n;
    char *text; /* data of all, in order */
    size_t len, most;
    struct arena arena;
};

static inline void parts_on_part(void *arg, const struct multipart_part *p) {
    struct parts *to = arg;
    if (to->n == MULTIPART_PARTS_MAX || !text_is_clean(p->name) || !text_is_clean(p->filename)) abort();
    if (p->name.len > MULTIPART_NAME_MAX || p->filename.len > MULTIPART_FILENAME_MAX) abort();
    struct taut_body *body = &to->bodies[to->n];
    *body = (struct taut_body){.size = sizeof *body, .fd = -1, .bytes = to->text + to->len};
    to->list[to->n++] = (struct taut_part){.size = sizeof(struct taut_part),
                                           .is_file = p->is_file,
                                           .name = arena_str(&to->arena, p->name),
                                           .filename = arena_str(&to->arena, p->filename),
                                           .body = body};
}

static inline void parts_on_data(void *arg, const char *p, size_t n) {
    struct parts *to = arg;
    if (!n || !to->n || to->len + n > to->most) abort();
    memcpy(to->text + to->len, p, n);
    to->len += n;
    to->bodies[to->n - 1].length += n;
}

/* What is wrong with it, or NULL. It comes in two pieces, cut at `first`. */
static inline const char *parts_read(taut_str body, size_t first, taut_str boundary, struct parts *to) {
    static struct multipart m;
    memset(&m, 0, sizeof m);
    m.arg = to;
    m.on_part = parts_on_part;
    m.on_data = parts_on_data;
    arena_reset(&to->arena);
    to->n = 0;
    to->len = 0;
    to->most = body.len;
    to->text = arena_alloc(&to->arena, body.len + 1);
    if (!multipart_init(&m, boundary)) return "no boundary";
    const char *wrong = multipart_feed(&m, body.ptr, first);
    if (!wrong) wrong = multipart_feed(&m, body.ptr + first, body.len - first);
    return wrong ? wrong : multipart_end(&m);
}

#endif
