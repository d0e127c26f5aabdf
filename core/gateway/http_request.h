/* http_request.h - the parser of one request, head and body, in place in the buffer that it arrived in. Pure: no
 * sockets. */
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
    H_EXPECT,
    H_UPGRADE,
    H_WS_KEY,
    H_WS_VERSION,
    H_COUNT
};
enum http_verb { VERB_OTHER, VERB_GET, VERB_HEAD, VERB_POST };
enum http_phase { PHASE_HEAD, PHASE_BODY, PHASE_CHUNKS };

struct http_limits {
    size_t header, body;
};
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
    struct http_span target, header[H_COUNT];
    uint16_t seen; /* bit by enum http_header */
    uint64_t content_length;
    uint64_t chunk_left;
    uint64_t body_len; /* PHASE_CHUNKS: decoded so far */
    size_t end;        /* HTTP_DONE: where the next request starts */
    /* HTTP_REFUSED */
    uint16_t status;
    const char *why; /* static */
};

enum http_progress { HTTP_MORE, HTTP_DONE, HTTP_REFUSED };

/* Looks at the len bytes that have arrived of a request (zeroed before its first byte). The body of HTTP_DONE lies at
 * head_len; chunks are joined in place. */
enum http_progress http_parse(struct http_request *r, char *data, size_t len, const struct http_limits *limits);

#endif
