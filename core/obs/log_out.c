/* log_out.c - see log_out.h.
 *
 * Callers put whole lines into a ring; the thread takes them out and writes. So a reader that does not read, a full
 * disk or one that hangs holds up this thread alone: the ring fills, and what has no room is dropped. Without the
 * thread (commands, and the first moments of a server) lines are written at once, if poll says that stderr has room for
 * them.
 */
#include "obs/log_out.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

enum { RING_BYTES = 256 * 1024, CHUNK_BYTES = 16 * 1024, IDLE_MS = 1000, STOP_MS = 1000, FILE_MODE = 0640 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t more, drained;
    char *ring;
    _Atomic size_t in, out; /* bytes put in, bytes written: in - out wait */
    char *file;
    _Atomic int fd;
    int next; /* what a reopening has opened and the thread has not taken yet; -1: nothing */
    bool running, stop, ended;
    bool cut; /* the file ends in half a line; the thread's */
    uint64_t lost;
    const char *why;
    void (*idle)(void);
    char chunk[CHUNK_BYTES]; /* the thread's */
} out = {.lock = PTHREAD_MUTEX_INITIALIZER,
         .more = PTHREAD_COND_INITIALIZER,
         .drained = PTHREAD_COND_INITIALIZER,
         .fd = STDERR_FILENO,
         .next = -1};

/* poll() says whether a pipe has room for PIPE_BUF bytes: a write of no more does not block then. */
static bool write_now(const char *line, size_t len) {
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (len > PIPE_BUF) return false;
    return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) && write(STDERR_FILENO, line, len) == (ssize_t)len;
}

bool log_out_beside(const char *line, size_t len) {
    return write_now(line, len);
}

bool log_out_put(const char *line, size_t len) {
    pthread_mutex_lock(&out.lock);
    if (!out.running) {
        bool ok = write_now(line, len);
        pthread_mutex_unlock(&out.lock);
        return ok;
    }
    size_t in = out.in;
    bool fits = len <= RING_BYTES - (in - out.out);
    for (size_t i = 0; fits && i < len;) {
        size_t at = (in + i) % RING_BYTES, n = len - i < RING_BYTES - at ? len - i : RING_BYTES - at;
        memcpy(out.ring + at, line + i, n);
        i += n;
    }
    if (fits) {
        out.in = in + len;
        pthread_cond_signal(&out.more);
    } else {
        out.lost++;
        out.why = "nothing read the log fast enough";
    }
    pthread_mutex_unlock(&out.lock);
    return fits;
}

/* ---- the thread ---- */

static const char *why_of(int err) {
    switch (err) {
    case ENOSPC:
    case EDQUOT: return "the disk was full";
    case EAGAIN: return "nothing read the log fast enough";
    default: return "the log could not be written";
    }
}

static uint64_t count_lines(const char *p, size_t n) {
    uint64_t lines = 0;
    for (size_t i = 0; i < n; i++) lines += p[i] == '\n';
    return lines;
}

/* Writes all of it, or gives up: a line that is cut off is ended by a newline of its own before the next one. Returns
 * how much was written; *err. The thread's. */
static size_t write_out(const char *p, size_t n, int *err) {
    size_t done = 0;
    while (done < n) {
        ssize_t got = out.cut ? write(out.fd, "\n", 1) : write(out.fd, p + done, n - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) { /* somebody made it non-blocking */
            struct pollfd w = {.fd = out.fd, .events = POLLOUT};
            if (poll(&w, 1, STOP_MS) == 1) continue;
            errno = EAGAIN;
        }
        if (got <= 0) break;
        if (!out.cut) done += (size_t)got;
        out.cut = false;
    }
    *err = errno;
    if (done && done < n) out.cut = p[done - 1] != '\n';
    return done;
}

bool log_out_now(const char *line, size_t len) {
    int err;
    return write_out(line, len, &err) == len;
}

static void write_chunk(size_t n) {
    int err;
    size_t done = write_out(out.chunk, n, &err);
    if (done == n) return;
    pthread_mutex_lock(&out.lock);
    out.lost += count_lines(out.chunk + done, n - done);
    out.why = why_of(err);
    pthread_mutex_unlock(&out.lock);
}

/* A pipe that nobody reads is not waited for. */
static int open_file(const char *file) {
    int fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, FILE_MODE);
    if (fd >= 0) fcntl(fd, F_SETFL, O_APPEND);
    return fd;
}

static void use(int fd) {
    close(out.fd);
    out.fd = fd;
    out.cut = false;
}

static void wait_for_more(void) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += IDLE_MS / 1000;
    pthread_cond_timedwait(&out.more, &out.lock, &until);
}

static void *write_all(void *arg) {
    int64_t idle_us = clock_mono_us();
    (void)arg;
    pthread_mutex_lock(&out.lock);
    while (!out.stop || out.in != out.out) {
        if (out.in == out.out && out.next < 0) wait_for_more();
        int next = out.next;
        size_t waits = out.in - out.out, at = out.out % RING_BYTES, n = waits;
        if (n > RING_BYTES - at) n = RING_BYTES - at;
        if (n > CHUNK_BYTES) n = CHUNK_BYTES;
        memcpy(out.chunk, out.ring + at, n);
        out.next = -1;
        pthread_mutex_unlock(&out.lock);
        if (n) write_chunk(n);
        if (next >= 0) use(next); /* behind what was said before */
        if (clock_mono_us() - idle_us >= IDLE_MS * 1000) {
            idle_us = clock_mono_us();
            out.idle();
        }
        pthread_mutex_lock(&out.lock);
        out.out += n;
    }
    out.ended = true;
    pthread_cond_broadcast(&out.drained);
    pthread_mutex_unlock(&out.lock);
    return NULL;
}

/* ---- life ---- */

static void close_file(void) {
    if (out.file) close(out.fd);
    if (out.next >= 0) close(out.next);
    out.next = -1;
    free(out.file);
    out.file = NULL;
    out.fd = STDERR_FILENO;
}

bool log_out_start(const char *file, void (*idle)(void)) {
    pthread_t thread;
    sigset_t all, before;
    int fd = file ? open_file(file) : STDERR_FILENO;
    if (fd < 0) return false;
    if (!out.ring) out.ring = xmalloc(RING_BYTES);
    out.file = file ? xstrdup(file) : NULL;
    out.fd = fd;
    out.idle = idle;
    out.stop = out.ended = false;
    sigfillset(&all); /* signals are others' business */
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int err = pthread_create(&thread, NULL, write_all, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err) {
        close_file();
        errno = err;
        return false;
    }
    pthread_detach(thread); /* it may hang in a write for ever */
    pthread_mutex_lock(&out.lock);
    out.running = true;
    pthread_mutex_unlock(&out.lock);
    return true;
}

void log_out_stop(void) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += STOP_MS / 1000;
    pthread_mutex_lock(&out.lock);
    if (out.running) {
        out.stop = true;
        pthread_cond_signal(&out.more);
        while (!out.ended && pthread_cond_timedwait(&out.drained, &out.lock, &until) == 0) continue;
        if (out.ended) {
            close_file();
            free(out.ring);
            out.ring = NULL;
            out.running = false;
        } /* else the thread still has all of it: later lines only fill the ring */
    }
    pthread_mutex_unlock(&out.lock);
}

const char *log_out_file(void) {
    return out.file;
}

int log_out_reopen(void) {
    int fd = out.file ? open_file(out.file) : STDERR_FILENO;
    if (fd < 0) return errno;
    if (!out.file) return 0;
    pthread_mutex_lock(&out.lock);
    if (out.next >= 0) close(out.next);
    out.next = fd;
    pthread_cond_signal(&out.more);
    pthread_mutex_unlock(&out.lock);
    return 0;
}

uint64_t log_out_lost(const char **why) {
    pthread_mutex_lock(&out.lock);
    uint64_t n = out.lost;
    *why = out.why ? out.why : "";
    out.lost = 0;
    pthread_mutex_unlock(&out.lock);
    return n;
}

uint64_t log_out_waiting(void) {
    size_t written = out.out, in = out.in; /* in this order: never below 0 */
    return in - written;
}

/* What the thread was writing may come twice. */
void log_out_crash_drain(void) {
    size_t in = out.in, at = out.out;
    while (out.ring && at < in) {
        size_t from = at % RING_BYTES, n = in - at < RING_BYTES - from ? in - at : RING_BYTES - from;
        ssize_t got = write(out.fd, out.ring + from, n);
        if (got <= 0) return;
        at += (size_t)got;
    }
}
