/* http_file.c - files on their way to a socket: the disk's threads send from the one to the other, so that neither
 * memory nor the loop has to do with it. While a thread sends, the loop leaves the socket alone. */
#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/http.h"

enum { PIECE = 1 << 20, PIECES_A_JOB = 4 };

/* The thread's while the file is busy. */
struct sending {
    struct disk_job job;
    int fd, sock;
    uint64_t at, left;
    uint64_t sent; /* by this job */
    bool is_blocked;
    int err;
};

/* The loop's. */
struct http_file {
    struct sending sending;
    struct http_conn *conn; /* NULL: gone; the socket is ours then */
    struct http_server *s;
    bool busy, blocked;
};

struct http_file *http_file_new(struct http_server *s, const struct taut_file *from) {
    struct http_file *f = xcalloc(1, sizeof *f);
    f->s = s;
    f->sending.fd = from->fd;
    f->sending.sock = -1;
    f->sending.at = from->offset;
    f->sending.left = from->length;
    return f;
}

uint64_t http_file_length(const struct http_file *f) {
    return f->sending.left;
}

static void work_close(struct disk_job *j) {
    close(CONTAINER_OF(j, struct sending, job)->fd);
}
static void on_closed(struct disk_job *j) {
    free(CONTAINER_OF(j, struct http_file, sending.job));
}

static void end(struct http_file *f) {
    f->sending.job.work = work_close;
    f->sending.job.done = on_closed;
    disk_add(&f->s->disk, &f->sending.job);
}

static void work_send(struct disk_job *j) {
    struct sending *f = CONTAINER_OF(j, struct sending, job);
    for (int i = 0; i < PIECES_A_JOB && f->left;) {
        off_t at = (off_t)f->at;
        ssize_t n = sendfile(f->sock, f->fd, &at, f->left < PIECE ? (size_t)f->left : PIECE);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            f->is_blocked = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
            if (!f->is_blocked) f->err = n ? errno : EIO; /* 0: it is shorter than was said */
            return;
        }
        f->at += (uint64_t)n;
        f->left -= (uint64_t)n;
        f->sent += (uint64_t)n;
        i++;
    }
}

static void on_sent(struct disk_job *j) {
    struct http_file *f = CONTAINER_OF(j, struct http_file, sending.job);
    struct http_conn *c = f->conn;
    atomic_fetch_add_explicit(&f->s->g->stats.bytes_out, f->sending.sent, memory_order_relaxed);
    f->busy = false;
    if (!c) {
        close(f->sending.sock);
        end(f);
        return;
    }
    if (f->sending.sent) c->progressed = true;
    f->blocked = f->sending.is_blocked;
    http_conn_dirty(c);
}

bool http_file_send(struct http_conn *c) {
    struct http_file *f = c->file;
    if (f->busy || f->blocked) return true;
    if (f->sending.err) return false;
    if (!f->sending.left) {
        c->file = NULL;
        end(f);
        return true;
    }
    f->conn = c;
    f->sending.sock = c->fd;
    f->sending.sent = 0;
    f->sending.is_blocked = false;
    f->busy = true;
    f->sending.job.work = work_send;
    f->sending.job.done = on_sent;
    disk_add(&f->s->disk, &f->sending.job);
    return true;
}

bool http_file_waits(const struct http_conn *c) {
    return c->file && !c->file->busy && c->file->blocked;
}

void http_file_writable(struct http_conn *c) {
    if (c->file && !c->file->busy) c->file->blocked = false;
}

void http_file_drop(struct http_conn *c) {
    struct http_file *f = c->file;
    if (!f) return;
    c->file = NULL;
    if (!f->busy) {
        end(f);
        return;
    }
    f->conn = NULL;
    shutdown(c->fd, SHUT_RDWR);
    c->fd = -1; /* closed when the thread is done with it */
}

void http_file_free(struct http_file *f) {
    if (f) end(f);
}
