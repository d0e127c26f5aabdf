/* request.h - the request and the answer of a route's handler (calls of kind ROUTE; parts also of kind METHOD).
 *
 *     static int32_t on_upload(struct taut_mod *m, struct taut_call *c) {
 *         const struct taut_part *part = taut_request_part(c, 0);
 *         const struct taut_body *body = part ? &part->body : taut_request_body(c);
 *         …
 *         return taut_reply(c, 200, "text/plain", TAUT_LIT("OK"));
 *     }
 *
 *     static int32_t on_download(struct taut_mod *m, struct taut_call *c) {
 *         …
 *         taut_put_header(c, "ETag", TAUT_LIT("\"F123-1\""));
 *         taut_put_header(c, "Cache-Control", TAUT_LIT("private, max-age=86400"));
 *         return taut_reply_file(c, 200, "image/png", fd, 0, length);
 *     }
 *
 * Of a 200 answer to GET or HEAD the server itself makes 304, 412, 206 and 416 as the request's conditions and its
 * range ask for: conditions by the ETag and Last-Modified that the handler put; ranges (one; several are answered with
 * the whole) when the answer has a file, an ETag or a Last-Modified. HEAD gets the head of the answer to GET. So a
 * handler always answers the whole.
 *
 * Thread: the hub, inside the handler, or until a held call (TAUT_E_PENDING) is answered. What is handed out lives
 * until the call ends. Since: 0.2.
 */
#ifndef TAUT_REQUEST_H
#define TAUT_REQUEST_H

#include "taut/host.h"

/* "GET", "HEAD", "POST", …; "" when the call is no route's. */
static inline taut_str taut_request_verb(struct taut_call *c) {
    return c->mod->host->route->verb(c);
}

/* The value of the request's first header of that name (in any case), without blanks around it; ptr NULL: there is
 * none. Bytes above 0x7f may be in it, control characters other than the tab are not. */
static inline taut_str taut_request_header(struct taut_call *c, const char *name) {
    return c->mod->host->route->header(c, name);
}

/* The request's body. Never NULL; length 0 when it has none, and when it was taken apart. */
static inline const struct taut_body *taut_request_body(struct taut_call *c) {
    return c->mod->host->route->body(c);
}

/* Part i of a body that was taken apart (TAUT_ROUTE_PARTS); NULL past the last one. Of a METHOD call: part i of its
 * multipart body, files and arguments alike; arguments are also where arguments are. */
static inline const struct taut_part *taut_request_part(struct taut_call *c, uint32_t i) {
    return c->mod->host->route->part(c, i);
}

/* Adds a header to the answer, behind those put before in this run; both are copied. TAUT_E_INVAL: the name is no
 * token, or is the server's own (Content-Length, Content-Type, Content-Range, Accept-Ranges, and what concerns the
 * connection: Connection, Keep-Alive, Transfer-Encoding, Trailer, TE, Upgrade, Proxy-…), or the value holds a line
 * break or another control character. TAUT_E_LIMIT: the headers of an answer are over 8 KiB. In both cases nothing is
 * added. */
static inline int32_t taut_put_header(struct taut_call *c, const char *name, taut_str value) {
    return c->mod->host->route->put_header(c, name, value);
}

/* Answers with `length` bytes of the file from `offset` on; see struct taut_file. fd is the server's from here on,
 * whatever is returned. TAUT_OK; TAUT_E_INVAL: fd is no descriptor, or the call is no route's. */
static inline int32_t taut_reply_file(struct taut_call *c, int32_t status, const char *content_type, int32_t fd,
                                      uint64_t offset, uint64_t length) {
    struct taut_file f;
    f.size = (uint32_t)sizeof f;
    f.fd = fd;
    f.offset = offset;
    f.length = length;
    return c->mod->host->route->reply_file(c, status, content_type, &f);
}

#endif
