/* log.c - see log.h. Any thread; one lock, held for a write that cannot block.
 *
 * Nobody may have to wait for whoever reads stderr: poll() says whether a pipe has room for PIPE_BUF bytes, which a
 * line never exceeds, so the write behind it does not block. Lines that find no room are dropped and counted. One
 * write() a line, so that lines do not mix.
 */
#include "obs/log.h"

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "taut/host.h"

enum { LINE_MAX_BYTES = 2048, HEAD_MAX = 512, KINDS_MAX = 64, KIND_LINES_MAX = 10, WINDOW_US = 1000000 };
_Static_assert(LINE_MAX_BYTES <= PIPE_BUF, "a line is written whole or not at all");

/* Lines of one who and one event in the second that began at `since`. */
struct kind {
    char name[96]; /* "WHO EVENT"; empty: unused */
    int64_t since;
    uint32_t lines, left_out;
    int level;
};

static _Atomic int min_level = TAUT_LOG_INFO;

static struct {
    pthread_mutex_t lock; /* of all of this */
    struct kind kinds[KINDS_MAX];
    uint64_t dropped;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

void log_set_level(int level) {
    min_level = level;
}
bool log_wants(int level) {
    return level >= min_level;
}

/* ---- writing ---- */

/* "2026-01-31T12:00:00.000Z info  WHO EVENT: "; its length. */
static size_t write_head(char line[LINE_MAX_BYTES], int level, const char *name) {
    static const char *const names[] = {"debug", "info", "warn", "error"};
    int64_t now = clock_wall_us();
    time_t sec = (time_t)(now / 1000000);
    struct tm tm;
    gmtime_r(&sec, &tm);
    const char *word = names[level < 0 ? 0 : level > 3 ? 3 : level];
    int n = snprintf(line, HEAD_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %-5s %s: ", tm.tm_year + 1900, tm.tm_mon + 1,
                     tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(now / 1000 % 1000), word, name);
    return n < 0 ? 0 : n < HEAD_MAX ? (size_t)n : HEAD_MAX - 1;
}

static bool put(const char *line, size_t len) {
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) && write(STDERR_FILENO, line, len) == (ssize_t)len;
}

static void put_line(int level, const char *name, taut_str text) {
    char line[LINE_MAX_BYTES];
    size_t len = write_head(line, level, name);
    for (size_t i = 0; i < text.len && len < sizeof line - 8; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c >= 0x20 && c != 0x7f) line[len++] = (char)c;
        else len += (size_t)snprintf(line + len, 5, "\\x%02x", c);
    }
    line[len++] = '\n';
    if (!put(line, len)) state.dropped++;
}

static void put_count(int level, const char *name, uint64_t n, const char *what) {
    char text[128];
    int len = snprintf(text, sizeof text, "%llu %s", (unsigned long long)n, what);
    put_line(level, name, taut_str_n(text, (size_t)len));
}

/* ---- how many ---- */

static void tell_left_out(struct kind *k) {
    if (k->left_out) put_count(k->level, k->name, k->left_out, "more such lines were left out");
    k->left_out = 0;
}

/* Its entry for this second; a new one in the place of one whose second is over. NULL: there are too many kinds. */
static struct kind *kind_of(const char *name, int64_t now) {
    struct kind *own = NULL, *over = NULL;
    for (size_t i = 0; i < KINDS_MAX; i++) {
        struct kind *k = &state.kinds[i];
        bool is_over = !k->name[0] || now - k->since >= WINDOW_US;
        if (is_over) tell_left_out(k);
        if (is_over && !over) over = k;
        if (!is_over && !strcmp(k->name, name)) own = k;
    }
    if (!own && over) {
        *over = (struct kind){.since = now};
        snprintf(over->name, sizeof over->name, "%s", name);
        own = over;
    }
    return own;
}

/* Of debugging nothing is left out. */
static bool is_too_much(int level, const char *name) {
    struct kind *k = kind_of(name, clock_mono_us());
    if (level <= TAUT_LOG_DEBUG || !k || k->lines++ < KIND_LINES_MAX) return false;
    k->level = level;
    k->left_out++;
    return true;
}

void log_line(int level, const char *who, const char *event, taut_str text) {
    char name[sizeof state.kinds[0].name];
    if (!log_wants(level)) return;
    snprintf(name, sizeof name, "%s %s", who, event);
    pthread_mutex_lock(&state.lock);
    if (!is_too_much(level, name)) {
        uint64_t dropped = state.dropped;
        put_line(level, name, text);
        if (dropped && dropped == state.dropped) {
            state.dropped = 0;
            put_count(TAUT_LOG_WARN, "log dropped", dropped, "lines were dropped before this one: stderr was not read");
        }
    }
    pthread_mutex_unlock(&state.lock);
}

void log_fmt(int level, const char *who, const char *event, const char *fmt, ...) {
    if (!log_wants(level)) return;
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    log_line(level, who, event, taut_str_n(text, n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1));
}

void log_kv(int level, const char *who, const char *event, taut_str text, const struct taut_kv *kvs, uint32_t n) {
    (void)kvs, (void)n;
    log_line(level, who, event, text);
}
