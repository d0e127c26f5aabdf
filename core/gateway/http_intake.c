/* http_intake.c - bodies to memory and to files. What is to be written is collected in blocks, which the disk's threads
 * write while the next ones fill; when they do not keep up, the socket is not read. An intake outlives its connection
 * while a thread writes for it, and belongs to the call once the body is there. */
#include "gateway/http_intake.h"

#include <errno.h>
#include <unistd.h>

#include "gateway/http_edge.h"
#include "gateway/multipart.h"
#include "obs/log.h"

enum { BLOCK_SIZE = 65536 - 64 };

struct block {
    struct block *next;
    struct piece *of;
    size_t len;
    char data[BLOCK_SIZE];
};
/* A body, or a part of one. */
struct piece {
    struct piece *next;
    struct taut_part part; /* its body is filled in when all is there; the texts lie behind the struct */
    char *mem;             /* all of it, until it is spilled */
    size_t cap;
    uint64_t length;
    bool stays, spilled;
    int fd; /* the disk's threads' while it is written */
};
struct http_intake {
    struct disk_job job;
    struct http_conn *conn; /* NULL: gone, or the call has it */
    struct http_server *s;
    char *head;
    struct multipart *multipart; /* NULL: the body is taken as it is */
    bool is_method, ended, busy;
    const char *bad; /* what is wrong with a method's form: the rest is read over */
    uint16_t status; /* refused with, and why */
    const char *why; /* static */
    int err;         /* the disk's */
    struct piece *first, *last;
    struct block *filling, *filling_last, *writing;
    size_t pending;   /* blocks to be written next */
    size_t in_memory; /* pieces */
    size_t counted;   /* of all that, in s->input */
    uint64_t whose;   /* spool.h */
    uint64_t spilled; /* bytes and files of the spool, as they come */
    uint32_t files;
};

/* What a peer hears when the spool has no room for its body. */
static const struct {
    uint16_t status;
    const char *why;
} no_room[] = {
    [SPOOL_FULL] = {503, "the server keeps as many uploads as it can; try again"},
    [SPOOL_SHARE_FULL] = {429, "your address has as many uploads under way as it may; try again"},
    [SPOOL_NEVER] = {413, "the body is larger than all that the server keeps of your uploads (max_spool)"},
};

/* ---- memory ---- */

static void free_blocks(struct block *b) {
    for (struct block *next; b; b = next) {
        next = b->next;
        free(b);
    }
}

static void free_all(struct http_intake *i) {
    for (struct piece *p = i->first, *next; p; p = next) {
        next = p->next;
        free(p->mem);
        free(p);
    }
    free_blocks(i->filling);
    free_blocks(i->writing);
    spool_give_back(i->s->g->config.spool, i->whose, i->spilled, i->files);
    free(i->multipart);
    free(i->head);
    free(i);
}

static void work_close(struct disk_job *j) {
    struct http_intake *i = CONTAINER_OF(j, struct http_intake, job);
    for (struct piece *p = i->first; p; p = p->next)
        if (p->fd >= 0) close(p->fd);
}

static void on_files_closed(struct disk_job *j) {
    free_all(CONTAINER_OF(j, struct http_intake, job));
}

/* A large file's last descriptor may take long to close. */
static void end(struct http_intake *i) {
    if (!i->files) {
        free_all(i);
        return;
    }
    i->job.work = work_close;
    i->job.done = on_files_closed;
    disk_add(&i->s->disk, &i->job);
}

/* What waits for the disk is not the peer's fault; the number of files bounds it. */
static void count(struct http_intake *i) {
    size_t now = i->in_memory + (i->busy ? 0 : i->pending);
    i->s->input += now - i->counted;
    i->counted = now;
}

static void uncount(struct http_intake *i) {
    i->s->input -= i->counted;
    i->counted = 0;
}

void http_intake_drop(struct http_conn *c) {
    struct http_intake *i = c->intake;
    if (!i) return;
    c->intake = NULL;
    i->conn = NULL;
    uncount(i);
    if (!i->busy) end(i);
}

/* ---- to the disk ---- */

static int write_block(struct http_intake *i, const struct block *b) {
    struct piece *p = b->of;
    if (p->fd < 0) p->fd = spool_file(i->s->g->config.spool);
    if (p->fd < 0) return errno;
    for (size_t at = 0; at < b->len;) {
        ssize_t n = write(p->fd, b->data + at, b->len - at);
        if (n < 0 && errno != EINTR) return errno;
        if (n > 0) at += (size_t)n;
    }
    return 0;
}

static void work_write(struct disk_job *j) {
    struct http_intake *i = CONTAINER_OF(j, struct http_intake, job);
    for (const struct block *b = i->writing; b && !i->err; b = b->next) i->err = write_block(i, b);
}

static void fail(struct http_intake *i, uint16_t status, const char *why) {
    if (i->status) return;
    i->status = status;
    i->why = why;
}

static void fail_disk(struct http_intake *i) {
    bool full = i->err == ENOSPC || i->err == EDQUOT || i->err == EFBIG;
    fail(i, full ? 507 : 500, full ? "the server has no room for this body" : "the server cannot keep this body");
    log_fmt(TAUT_LOG_WARN, "gateway", "spool", "a body cannot be kept: %s", strerror(i->err));
}

static void on_written(struct disk_job *j);

static void write_more(struct http_intake *i) {
    if (i->busy || !i->pending || (i->pending < BLOCK_SIZE && !i->ended)) return;
    i->writing = i->filling;
    i->filling = i->filling_last = NULL;
    i->pending = 0;
    i->busy = true;
    i->job.work = work_write;
    i->job.done = on_written;
    disk_add(&i->s->disk, &i->job);
}

static void say_no(struct http_conn *c, uint16_t status, const char *why) {
    http_refuse(c, status, why, status == 503 || status == 429 ? "Retry-After: 5\r\n" : "");
}

static void refuse(struct http_conn *c) {
    const struct http_intake *i = c->intake;
    say_no(c, i->status, i->why);
    http_intake_drop(c);
}

static void on_written(struct disk_job *j) {
    struct http_intake *i = CONTAINER_OF(j, struct http_intake, job);
    free_blocks(i->writing);
    i->writing = NULL;
    i->busy = false;
    if (!i->conn) {
        end(i);
        return;
    }
    http_conn_dirty(i->conn);
    if (i->err) {
        fail_disk(i);
        refuse(i->conn);
        return;
    }
    write_more(i);
    count(i);
}

/* ---- pieces ---- */

static struct piece *add_piece(struct http_intake *i, const struct multipart_part *from) {
    size_t text = from ? from->name.len + from->filename.len + from->content_type.len : 0;
    struct piece *p = xcalloc(1, sizeof *p + text);
    char *at = (char *)(p + 1);
    p->fd = -1;
    p->part.size = sizeof p->part;
    if (from) {
        const taut_str *in[] = {&from->name, &from->filename, &from->content_type};
        taut_str *out[] = {&p->part.name, &p->part.filename, &p->part.content_type};
        for (int k = 0; k < 3; k++) {
            if (in[k]->len) memcpy(at, in[k]->ptr, in[k]->len);
            *out[k] = taut_str_n(at, in[k]->len);
            at += in[k]->len;
        }
        p->part.is_file = from->is_file;
    }
    p->stays = !i->s->g->config.spool || (i->is_method && from && !from->is_file);
    *(i->last ? &i->last->next : &i->first) = p;
    i->last = p;
    return p;
}

static void to_memory(struct http_intake *i, struct piece *p, const char *data, size_t n) {
    size_t have = (size_t)p->length;
    if (have + n > p->cap) {
        p->cap = have + n < 1024 ? 1024 : have + n > p->cap * 2 ? have + n : p->cap * 2;
        p->mem = xrealloc(p->mem, p->cap);
    }
    memcpy(p->mem + have, data, n);
    i->in_memory += n;
}

static bool take_room(struct http_intake *i, uint64_t bytes, uint32_t files) {
    struct spool *spool = i->s->g->config.spool;
    bool fits = i->spilled + bytes <= spool_most(spool, i->whose);
    enum spool_room room = fits ? spool_take(spool, i->whose, bytes, files) : SPOOL_NEVER;
    if (room != SPOOL_ROOM) {
        fail(i, no_room[room].status, no_room[room].why);
        return false;
    }
    i->spilled += bytes;
    i->files += files;
    return true;
}

static void to_blocks(struct http_intake *i, struct piece *p, const char *data, size_t n) {
    if (!take_room(i, n, 0)) return;
    while (n) {
        struct block *b = i->filling_last;
        if (!b || b->of != p || b->len == BLOCK_SIZE) {
            b = xmalloc(sizeof *b);
            b->next = NULL;
            b->of = p;
            b->len = 0;
            *(i->filling_last ? &i->filling_last->next : &i->filling) = b;
            i->filling_last = b;
        }
        size_t take = BLOCK_SIZE - b->len < n ? BLOCK_SIZE - b->len : n;
        memcpy(b->data + b->len, data, take);
        b->len += take;
        i->pending += take;
        data += take;
        n -= take;
    }
}

static void spill(struct http_intake *i, struct piece *p) {
    if (!take_room(i, 0, 1)) return;
    p->spilled = true;
    to_blocks(i, p, p->mem, (size_t)p->length);
    i->in_memory -= (size_t)p->length;
    free(p->mem);
    p->mem = NULL;
}

static void on_data(void *arg, const char *data, size_t n) {
    struct http_intake *i = arg;
    struct piece *p = i->last;
    if (i->status) return;
    if (!p->spilled && !p->stays && i->in_memory + n > INTAKE_MEMORY_MAX) spill(i, p);
    if (p->spilled) to_blocks(i, p, data, n);
    else to_memory(i, p, data, n);
    p->length += n;
}

static void on_part(void *arg, const struct multipart_part *part) {
    add_piece(arg, part);
}

/* ---- life ---- */

bool http_intake_start(struct http_conn *c, const char *head, bool is_multipart, taut_str boundary, bool is_method) {
    struct spool *spool = c->s->g->config.spool;
    uint64_t whose = http_limited_group(c, head), length = c->req.content_length;
    enum spool_room room = spool && length > INTAKE_MEMORY_MAX ? spool_look(spool, whose, length) : SPOOL_ROOM;
    if (room != SPOOL_ROOM) {
        say_no(c, no_room[room].status, no_room[room].why);
        return false;
    }
    struct http_intake *i = c->intake = xcalloc(1, sizeof *i);
    i->conn = c;
    i->s = c->s;
    i->whose = whose;
    i->is_method = is_method;
    i->head = xmalloc(c->req.head_len);
    memcpy(i->head, head, c->req.head_len);
    if (!is_multipart) {
        add_piece(i, NULL);
        return true;
    }
    i->multipart = xcalloc(1, sizeof *i->multipart);
    i->multipart->arg = i;
    i->multipart->on_part = on_part;
    i->multipart->on_data = on_data;
    if (multipart_init(i->multipart, boundary)) return true;
    i->bad = "the multipart body has no usable boundary";
    if (is_method) return true;
    http_refuse(c, 400, i->bad, "");
    http_intake_drop(c);
    return false;
}

static void form_is_bad(struct http_intake *i, const char *why) {
    if (!why || i->bad) return;
    i->bad = why;
    if (!i->is_method) fail(i, 400, why);
}

static void take(struct http_intake *i, taut_str piece) {
    if (!i->multipart) on_data(i, piece.ptr, piece.len);
    else if (!i->bad) form_is_bad(i, multipart_feed(i->multipart, piece.ptr, piece.len));
}

size_t http_intake_feed(struct http_conn *c, const char *p, size_t n) {
    struct http_intake *i = c->intake;
    size_t at = 0, used;
    taut_str piece;
    while (at < n && !i->ended && !i->status) {
        enum http_progress progress = http_body_next(&c->req, p + at, n - at, &used, &piece);
        at += used;
        if (progress == HTTP_REFUSED) fail(i, c->req.status, c->req.why);
        else if (piece.len) take(i, piece);
        if (progress != HTTP_DONE) continue;
        i->ended = true;
        if (i->multipart) form_is_bad(i, multipart_end(i->multipart));
    }
    if (i->status) {
        refuse(c);
        return n;
    }
    write_more(i);
    count(i);
    return at;
}

bool http_intake_wants(const struct http_intake *i) {
    return !i->ended && !(i->busy && i->pending >= BLOCK_SIZE);
}

bool http_intake_is_whole(const struct http_intake *i) {
    return i->ended && !i->busy && !i->pending;
}

bool http_intake_holds(const struct http_intake *i) {
    return i->counted != 0;
}

const char *http_intake_head(const struct http_intake *i) {
    return i->head;
}

const char *http_intake_error(const struct http_intake *i) {
    return i->bad;
}

/* ---- to the call ---- */

static void release(struct call_http *h) {
    if (h->files) end(h->files);
    h->files = NULL;
    if (h->file.size) close(h->file.fd);
    h->file.size = 0;
}

static struct taut_body body_of(const struct piece *p) {
    return (struct taut_body){sizeof(struct taut_body), p->fd, p->length, p->spilled ? NULL : p->mem ? p->mem : ""};
}

void http_intake_give(struct http_conn *c, struct call *call) {
    struct http_intake *i = c->intake;
    struct call_http *h = call->http;
    uint32_t n = 0;
    c->intake = NULL;
    i->conn = NULL;
    uncount(i);
    free(i->multipart);
    bool is_multipart = i->multipart != NULL;
    i->multipart = NULL;
    for (const struct piece *p = i->first; p; p = p->next) n++;
    struct taut_part *parts = arena_alloc(&call->arena, (n + 1) * sizeof *parts);
    struct taut_body *bodies = arena_alloc(&call->arena, (n + 1) * sizeof *bodies);
    n = 0;
    for (const struct piece *p = i->first; p; p = p->next, n++) {
        bodies[n] = body_of(p);
        parts[n] = p->part;
        parts[n].body = &bodies[n];
    }
    if (is_multipart) {
        h->parts = parts;
        h->nparts = n;
    } else {
        h->body = bodies[0];
    }
    h->bytes = i->in_memory;
    h->files = i;
    h->release = release;
}
