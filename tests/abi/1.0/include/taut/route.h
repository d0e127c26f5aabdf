/* route.h - plain HTTP routes of a module: what a route declares, and the shapes that its handler sees.
 *
 * The handler is a call of kind ROUTE, restartable like all of them. What it reads of its request and puts in its
 * answer goes through the functions below.
 *
 * A request body of up to 64 KiB is handed over in memory. A larger one is written to an unlinked file below
 * <server.data>/tmp while it arrives, so that a GiB costs no memory; the call begins when the body is there as a whole.
 *
 * Thread: the hub. Since 1.0.
 */
#ifndef TAUT_ROUTE_H
#define TAUT_ROUTE_H

#include "taut/call.h"

enum {
    TAUT_ROUTE_ADMIN = 1, /* on the admin address instead of the public one */
    TAUT_ROUTE_PARTS = 2  /* a multipart/form-data body is taken apart (taut_request_part); bodies of other types, and
                             all bodies without this flag, are handed over as they came. */
};

struct taut_route {
    const char *method; /* "GET" (HEAD too), "POST", "PUT", "PATCH", "DELETE", "OPTIONS" */
    const char *path;   /* exact, or a prefix when it ends in '/' (except "/" itself, which is exact). Matched against
                           the path as it came, escapes undecoded; paths with dot segments, control characters or
                           broken escapes never reach a route */
    uint32_t flags;
    uint32_t reserved;
    int32_t (*run)(struct taut_mod *m, struct taut_call *c);
    uint64_t max_body; /* bytes of a request's body, of all its parts with their framing; more is 413, before it is
                          read. 0: server.max_body. */
};

/* A sequence of bytes that came with a request. In memory (fd -1) or in a file (bytes NULL), never both. It belongs to
 * the call and is closed with it, so it stays open while the call is held (TAUT_E_PENDING). Who wants to keep a file
 * gives it a name:
 *
 *     char from[32];
 *     snprintf(from, sizeof from, "/proc/self/fd/%d", body->fd);
 *     linkat(AT_FDCWD, from, AT_FDCWD, "/srv/files/F123", AT_SYMLINK_FOLLOW);
 *
 * which fails with ENOENT where the file system has no O_TMPFILE, and with EXDEV on another file system: then copy it
 * (copy_file_range). Nothing of it has been synced. All of this may take long: do it in `work`, with the
 * call held. The file's offset is nobody's: read with pread. */
struct taut_body {
    uint32_t size;
    int32_t fd; /* of a regular file, open for reading and writing; or -1 */
    uint64_t length;
    const char *bytes;
};

/* A part of a multipart/form-data body (RFC 7578), in the order in which they came: 64 at most, a head of a part 4 KiB
 * at most. name up to 256 bytes and filename up to 1024, both valid UTF-8, quotes and backslashes unescaped; a
 * filename*=UTF-8''… is taken in place of a filename. A file name is what somebody else's program says: it may hold
 * slashes and dots, and is no path. */
struct taut_part {
    uint32_t size;
    uint32_t is_file; /* it came with a file name, if only an empty one */
    taut_str name;
    taut_str filename;     /* "" when it has none */
    taut_str content_type; /* as it came; "" when it has none */
    const struct taut_body *body;
};

/* What a route answers with besides bytes in memory: `length` bytes of a regular file from `offset` on. They are read
 * off the server's loops while the client takes them, and must not change meanwhile. */
struct taut_file {
    uint32_t size;
    int32_t fd; /* taken over and closed, also when the answer is refused */
    uint64_t offset;
    uint64_t length;
};

/* What the server offers handlers of routes: taut_host.route. Called through the wrappers below, which say what
 * each does.. */
struct taut_route_host {
    uint32_t size;
    uint32_t reserved;
    taut_str (*verb)(struct taut_call *c);
    taut_str (*header)(struct taut_call *c, const char *name);
    const struct taut_body *(*body)(struct taut_call *c);
    const struct taut_part *(*part)(struct taut_call *c, uint32_t i);
    int32_t (*put_header)(struct taut_call *c, const char *name, taut_str value);
    int32_t (*reply_file)(struct taut_call *c, int32_t status, const char *content_type, const struct taut_file *file);
};

/* Sends this; content_type and body are copied. TAUT_OK; TAUT_E_TIMEOUT: the call was held for too long. */
static inline int32_t taut_reply(struct taut_call *c, int32_t status, const char *content_type, taut_str body) {
    return c->mod->host->reply(c, status, content_type, body);
}

/* ---- the request and the answer of a handler ----
 *
 *     static int32_t on_upload(struct taut_mod *m, struct taut_call *c) {
 *         const struct taut_part *part = taut_request_part(c, 0);
 *         const struct taut_body *body = part ? part->body : taut_request_body(c);
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
 * until the call ends. Since 1.0.
 */
/* "GET", "HEAD", "POST", …; "" when the call is neither a route's nor the `open` of a socket. */
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
