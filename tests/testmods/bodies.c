/* bodies.c - routes for tests of bodies: uploads that are summed up, kept under a name or thrown away, downloads of
 * what was kept and of holes, answers from memory. What touches a file runs on the pool.
 *
 *   POST /t/upload       says what came: parts, or the raw body, each with its length and sum
 *   POST /t/raw          the same, never taken apart; at most 4 MiB
 *   PUT  /t/kept/NAME    keeps the body under that name, by linking it into place
 *   GET  /t/kept/NAME    gives it back
 *   GET  /t/hole?BYTES   as many zeros, from a file of that size
 *   GET  /t/text         a short text with an ETag and a Last-Modified
 *   GET  /t/echo         the request's Cookie in a header; ?broken puts headers that must be refused
 *   test.files           a method: its parts, and the argument `title`
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "taut/taut.h"

/* ---- what came ---- */

struct sum {
    struct taut_mod *m;
    struct taut_call *call;
    uint32_t n;
    const struct taut_part *parts[65];
    const struct taut_body *bodies[65];
    uint64_t sums[65];
};

static uint64_t add(uint64_t h, const unsigned char *p, size_t n) {
    for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * 1099511628211u;
    return h;
}

static uint64_t sum_of(const struct taut_body *b) {
    static const uint64_t start = 14695981039346656037u;
    uint64_t h = start, at = 0;
    unsigned char buf[65536];
    if (b->fd < 0) return add(h, (const unsigned char *)b->bytes, (size_t)b->length);
    while (at < b->length) {
        ssize_t n = pread(b->fd, buf, sizeof buf, (off_t)at);
        if (n <= 0) return 0;
        h = add(h, buf, (size_t)n);
        at += (uint64_t)n;
    }
    return h;
}

static void work_sum(void *arg) {
    struct sum *s = arg;
    for (uint32_t i = 0; i < s->n; i++) s->sums[i] = sum_of(s->bodies[i]);
}

static void done_sum(struct taut_mod *m, void *arg) {
    struct sum *s = arg;
    struct taut_json *j = taut_json_scratch(s->call);
    (void)m;
    taut_json_open(j, '[');
    for (uint32_t i = 0; i < s->n; i++) {
        const struct taut_part *p = s->parts[i];
        char hex[20];
        snprintf(hex, sizeof hex, "%016" PRIx64, s->sums[i]);
        taut_json_open(j, '{');
        if (p) {
            taut_json_kstr(j, "name", p->name);
            if (p->is_file) taut_json_kstr(j, "filename", p->filename);
            taut_json_kstr(j, "type", p->content_type);
        }
        taut_json_kint(j, "length", (int64_t)s->bodies[i]->length);
        taut_json_kbool(j, "in_file", s->bodies[i]->fd >= 0);
        taut_json_kstr(j, "sum", taut_str_z(hex));
        taut_json_close(j, '}');
    }
    taut_json_close(j, ']');
    taut_reply(s->call, 200, "application/json", taut_json_out(j));
}

static int32_t on_upload(struct taut_mod *m, struct taut_call *c) {
    struct sum *s = taut_scratch(c, sizeof *s);
    s->m = m;
    s->call = c;
    for (const struct taut_part *p; s->n < 64 && (p = taut_request_part(c, s->n)); s->n++) {
        s->parts[s->n] = p;
        s->bodies[s->n] = p->body;
    }
    if (!s->n) s->bodies[s->n++] = taut_request_body(c);
    TAUT_TRY(m->host->work(m, work_sum, done_sum, s));
    return TAUT_E_PENDING;
}

/* ---- keeping ---- */

struct keep {
    struct taut_call *call;
    int fd, err;
    char path[512];
};

static int kept_path(struct taut_mod *m, struct taut_call *c, char *path, size_t size) {
    taut_str data = m->host->info(m)->data, name = taut_str_n(c->text.ptr + 8, c->text.len - 8);
    return snprintf(path, size, "%.*s/kept-%.*s", (int)data.len, data.ptr, (int)name.len, name.ptr) < (int)size;
}

static void work_keep(void *arg) {
    struct keep *k = arg;
    char from[32];
    snprintf(from, sizeof from, "/proc/self/fd/%d", k->fd);
    unlink(k->path);
    k->err = linkat(AT_FDCWD, from, AT_FDCWD, k->path, AT_SYMLINK_FOLLOW);
}

static void done_keep(struct taut_mod *m, void *arg) {
    struct keep *k = arg;
    (void)m;
    taut_reply(k->call, k->err ? 500 : 201, "text/plain", k->err ? TAUT_LIT("not kept\n") : TAUT_LIT("kept\n"));
}

static int32_t on_keep(struct taut_mod *m, struct taut_call *c) {
    const struct taut_body *b = taut_request_body(c);
    struct keep *k = taut_scratch(c, sizeof *k);
    if (b->fd < 0 || !kept_path(m, c, k->path, sizeof k->path))
        return taut_reply(c, 422, "text/plain", TAUT_LIT("too small\n"));
    k->call = c;
    k->fd = b->fd; /* the call's, which stays open until it is answered */
    TAUT_TRY(m->host->work(m, work_keep, done_keep, k));
    return TAUT_E_PENDING;
}

static int32_t on_kept(struct taut_mod *m, struct taut_call *c) {
    char path[512];
    struct stat st;
    int fd = kept_path(m, c, path, sizeof path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0 || fstat(fd, &st) != 0) return taut_reply(c, 404, "text/plain", TAUT_LIT("no such file\n"));
    taut_put_header(c, "ETag", taut_fmt(c, "\"%lld\"", (long long)st.st_size));
    taut_put_header(c, "Content-Disposition", TAUT_LIT("attachment"));
    return taut_reply_file(c, 200, "application/octet-stream", fd, 0, (uint64_t)st.st_size);
}

/* ---- giving ---- */

static int32_t on_hole(struct taut_mod *m, struct taut_call *c) {
    taut_str dir = m->host->info(m)->data;
    char path[512], query[24];
    snprintf(path, sizeof path, "%.*s", (int)dir.len, dir.ptr);
    snprintf(query, sizeof query, "%.*s", (int)c->query.len, c->query.ptr);
    int fd = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, atoll(query)) != 0) return taut_fail(c, "no_file");
    return taut_reply_file(c, 200, "application/octet-stream", fd, 0, (uint64_t)atoll(query));
}

static int32_t on_text(struct taut_mod *m, struct taut_call *c) {
    (void)m;
    taut_put_header(c, "ETag", TAUT_LIT("\"v1\""));
    taut_put_header(c, "Last-Modified", TAUT_LIT("Tue, 24 Nov 2026 08:00:00 GMT"));
    return taut_reply(c, 200, "text/plain", TAUT_LIT("0123456789"));
}

static int32_t on_echo(struct taut_mod *m, struct taut_call *c) {
    taut_str cookie = taut_request_header(c, "cookie");
    (void)m;
    if (!taut_str_is(c->query, "broken")) {
        taut_put_header(c, "Set-Cookie", taut_fmt(c, "%.*s; HttpOnly", (int)cookie.len, cookie.ptr ? cookie.ptr : ""));
        return taut_reply(c, 302, "text/plain", taut_str_z(""));
    }
    static const char *const names[] = {"Content-Length", "transfer-encoding", "Connection", "X Y", "", "X:Y"};
    int32_t refused = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        refused += taut_put_header(c, names[i], TAUT_LIT("1")) == TAUT_E_INVAL;
    refused += taut_put_header(c, "X-Split", TAUT_LIT("a\r\nSet-Cookie: evil=1")) == TAUT_E_INVAL;
    char *large = taut_scratch(c, 9000);
    memset(large, 'x', 9000);
    refused += taut_put_header(c, "X-Large", taut_str_n(large, 9000)) == TAUT_E_LIMIT;
    return taut_reply(c, 200, "text/plain", taut_fmt(c, "%d refused\n", refused));
}

static int32_t on_files(struct taut_mod *m, struct taut_call *c) {
    struct taut_json *j = taut_answer(c);
    const struct taut_part *p;
    (void)m;
    taut_json_kstr(j, "title", taut_arg_str(c, 0));
    taut_json_kopen(j, "files", '[');
    for (uint32_t i = 0; (p = taut_request_part(c, i)); i++) {
        if (!p->is_file) continue;
        taut_json_open(j, '{');
        taut_json_kstr(j, "filename", p->filename);
        taut_json_kint(j, "length", (int64_t)p->body->length);
        taut_json_kbool(j, "in_file", p->body->fd >= 0);
        taut_json_close(j, '}');
    }
    taut_json_close(j, ']');
    return taut_done(c);
}

static const struct taut_arg files_args[] = {{"title", TAUT_ARG_STR, 0, NULL, NULL}};
static const struct taut_method methods[] = {
    {.name = "test.files", .args = TAUT_ARRAY(files_args), .flags = TAUT_METHOD_NOAUTH, .run = on_files}};

static const struct taut_route routes[] = {
    {.method = "POST", .path = "/t/upload", .flags = TAUT_ROUTE_PARTS, .run = on_upload, .max_body = 2ULL << 30},
    {.method = "POST", .path = "/t/raw", .run = on_upload, .max_body = 4 << 20},
    {.method = "PUT", .path = "/t/kept/", .run = on_keep, .max_body = 2ULL << 30},
    {.method = "GET", .path = "/t/kept/", .run = on_kept},
    {.method = "GET", .path = "/t/hole", .run = on_hole},
    {.method = "GET", .path = "/t/text", .run = on_text},
    {.method = "GET", .path = "/t/echo", .run = on_echo},
};

TAUT_MODULE(.name = "bodies", .version = "1.0.0", .license = "Apache-2.0", .summary = "routes for tests of bodies",
            .flags = TAUT_MODULE_STANDARD, .routes = TAUT_ARRAY(routes), .methods = TAUT_ARRAY(methods));
