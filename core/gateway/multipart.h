/* multipart.h - multipart/form-data (RFC 7578, RFC 2046 5.1), taken apart as it arrives. Pure: no sockets, no files. */
#ifndef GATEWAY_MULTIPART_H
#define GATEWAY_MULTIPART_H

#include "base/base.h"

enum {
    MULTIPART_PARTS_MAX = 64,
    MULTIPART_HEAD_MAX = 4096, /* bytes of a part's head */
    MULTIPART_NAME_MAX = 256,
    MULTIPART_FILENAME_MAX = 1024,
    MULTIPART_BOUNDARY_MAX = 70
};

/* A part as its head describes it. Lies in the parser, for the time of on_part. */
struct multipart_part {
    taut_str name, filename, content_type; /* "" when there is none */
    bool is_file;
};

struct multipart {
    void *arg;
    void (*on_part)(void *arg, const struct multipart_part *p); /* a new part begins */
    void (*on_data)(void *arg, const char *p, size_t n);        /* of the part that began last */
    /* the parser's own */
    char mark[MULTIPART_BOUNDARY_MAX + 4]; /* CRLF -- boundary */
    uint32_t mark_len, matched;            /* matched: bytes of the mark that were read last */
    uint32_t state, parts, head_len;
    bool in_part;
    bool fresh; /* matched counts a line break that is no data: at the start, and behind a part's head */
    char head[MULTIPART_HEAD_MAX];
};

/* Texts for people are static. False: no such boundary can be. The boundary is without its quotes. */
bool multipart_init(struct multipart *m, taut_str boundary);
const char *multipart_feed(struct multipart *m, const char *p, size_t n); /* NULL, or what is wrong */
const char *multipart_end(const struct multipart *m); /* the body ends here: NULL, or what is missing */

#endif
