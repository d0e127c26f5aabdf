/* http_range.h - what of an answer a request wants: all, a part, or nothing new. Pure. */
#ifndef GATEWAY_HTTP_RANGE_H
#define GATEWAY_HTTP_RANGE_H

#include "hub/call.h"

struct http_selection {
    uint16_t status;       /* 200, 206, 304, 412, 416 */
    bool accepts_ranges;   /* the answer may say so */
    uint64_t from, length; /* 200, 206: of the whole answer */
};

/* For a 200 answer to GET or HEAD whose headers are these (lines with their CRLF) and which has so many bytes. */
struct http_selection http_select(const struct call_http *request, taut_str answer_headers, bool is_file,
                                  uint64_t total);

/* The answer of a route's call as its request wants it: changes call->out and call->http->file. */
void http_apply_selection(struct call *call);

#endif
