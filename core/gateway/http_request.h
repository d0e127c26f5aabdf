/* http_request.h - the parser of one request, in place in the buffer that it arrived in: its head, then its body, as a
 * whole or piece by piece. Pure: no sockets. */
#ifndef GATEWAY_HTTP_REQUEST_H
#define GATEWAY_HTTP_REQUEST_H

#include "base/base.h"

/* The headers that the server looks at. */
enum http_header {
    H_HOST,
    H_CONTENT_LENGTH,
    H_CONTENT_TYPE,
    H_TRANSFER_ENCODING,
    H_AUTHORIZATION,
    H_CONTENT_ENCODING,
    H_EXPECT,
    H_ORIGIN,
    H_UPGRADE,
    H_WS_KEY,
    H_WS_VERSION,
    H_COUNT
};
enum http_verb { VERB_OTHER, VERB_GET, VERB_HEAD, VERB_POST, VERB_PUT, VERB_PATCH, VERB_DELETE, VERB_OPTIONS };
extern const char *const http_verb_names[]; /* by enum http_verb */
enum http_phase { PHASE_HEAD, PHASE_BODY, PHASE_CHUNKS };

struct http_span {
    uint32_t at, len;
};

/* Places are offsets from the request's first byte, so that the buffer may move between two calls. */
struct http_request {
    uint8_t phase, verb, minor; /* HTTP/1.minor */
    bool keep_alive, expects_continue;
    bool wants_upgrade; /* Upgrade and Connection: upgrade */
    uint8_t chunk_state;
    uint32_t line_start; /* of the head's line that is being looked through; of a chunk line: its bytes so far */
    uint32_t scanned;    /* looked at so far */
    uint32_t head_len;
    struct http_span target, path, query, header[H_COUNT];
    uint16_t seen; /* bit by enum http_header */
    uint64_t content_length;
    uint64_t chunk_left;
    uint64_t body_len; /* decoded so far */
    uint64_t framing;  /* bytes of chunks that are not theirs, so far */
    uint64_t max_body; /* set between head and body; the caller has looked at content_length by it */
    size_t end;        /* HTTP_DONE of the body: where the next request starts */
    /* HTTP_REFUSED */
    uint16_t status;
    const char *why; /* static */
};

enum http_progress { HTTP_MORE, HTTP_DONE, HTTP_REFUSED };

/* Looks at the len bytes that have arrived of a request (zeroed before its first byte). HTTP_DONE when the head is
 * there and may be believed; phase then says how the body is framed. The path is one: no scheme, no dot segments, no
 * broken escapes. */
enum http_progress http_parse_head(struct http_request *r, const char *data, size_t len, size_t max_header);

/* The body as a whole, behind the head in the same buffer: HTTP_DONE when it is there. It lies at head_len then; chunks
 * are joined in place. */
enum http_progress http_parse_body(struct http_request *r, char *data, size_t len);

/* The body in pieces: looks at what comes next of it. *used bytes of them are done with, of which *piece is the body's
 * own (perhaps none of them). To be called until HTTP_DONE, or until all is used. */
enum http_progress http_body_next(struct http_request *r, const char *d, size_t len, size_t *used, taut_str *piece);

/* http_target.c: path and query of a request's target, an origin or an absolute form. NULL, or what is wrong. */
const char *http_target(const char *data, struct http_span target, struct http_span *path, struct http_span *query);
/* The host and port that an absolute form names, when its path has been found; empty for an origin form. */
struct http_span http_target_host(const char *data, struct http_span target, struct http_span path);
/* A host with an optional port, or nothing. */
bool http_is_host(const char *p, size_t n);

#endif
