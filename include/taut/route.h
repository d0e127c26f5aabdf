/* route.h - plain HTTP routes of a module: what a route declares, and the shapes that its handler sees.
 *
 * The handler is a call of kind ROUTE, restartable like all of them. What it reads of its request and puts in its
 * answer goes through request.h; taut_reply (host.h) answers from memory.
 *
 * A request body of up to 64 KiB is handed over in memory. A larger one is written to an unlinked file below
 * <server.data>/tmp while it arrives, so that a GiB costs no memory; the call begins when the body is there as a whole.
 *
 * Thread: the hub. Since: 0.1; members marked so since 0.2.
 */
#ifndef TAUT_ROUTE_H
#define TAUT_ROUTE_H

#include "taut/call.h"

enum {
    TAUT_ROUTE_ADMIN = 1, /* on the admin address instead of the public one */
    TAUT_ROUTE_PARTS = 2  /* a multipart/form-data body is taken apart (taut_request_part); bodies of other types, and
                             all bodies without this flag, are handed over as they came. Since 0.2 */
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
                          read. 0: server.max_body. Since 0.2 */
};

/* A sequence of bytes that came with a request. In memory (fd -1) or in a file (bytes NULL), never both. It belongs to
 * the call and is closed with it. Who wants to keep a file duplicates the descriptor, or gives the file a name:
 *
 *     char from[32];
 *     snprintf(from, sizeof from, "/proc/self/fd/%d", body->fd);
 *     linkat(AT_FDCWD, from, AT_FDCWD, "/srv/files/F123", AT_SYMLINK_FOLLOW);
 *
 * which fails with ENOENT where the file system has no O_TMPFILE, and with EXDEV on another file system: then copy it
 * (copy_file_range). Nothing of it has been synced. All of this may take long: do it in `work`, with a duplicate. The
 * file's offset is nobody's: read with pread. */
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
    struct taut_body body;
};

/* What a route answers with besides bytes in memory: `length` bytes of a regular file from `offset` on. They are read
 * off the server's loops while the client takes them, and must not change meanwhile. */
struct taut_file {
    uint32_t size;
    int32_t fd; /* taken over and closed, also when the answer is refused */
    uint64_t offset;
    uint64_t length;
};

/* What the server offers handlers of routes: taut_host.route. Called through the wrappers in request.h, which say what
 * each does. Since 0.2. */
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

#endif
