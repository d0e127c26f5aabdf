/* log.c - see log.h: which lines are written, what is remembered of them. Any thread; one short lock. */
#include "obs/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include "obs/log_format.h"
#include "obs/log_out.h"
#include "obs/metrics.h"

enum { EARLY_LINE_MAX = 2048, KINDS_MAX = 64, KIND_LINES_MAX = 10, WINDOW_US = 1000000, NAME_MAX_BYTES = 48 };

/* Lines of one who and one event in the second that began at `since`. */
struct kind {
    char who[NAME_MAX_BYTES], event[NAME_MAX_BYTES]; /* who empty: unused */
    int64_t since;
    uint32_t lines, left_out;
    int level;
};

static _Atomic int min_level = TAUT_LOG_INFO;
static _Atomic int line_format = LOG_TEXT;
static _Atomic bool is_open;
static atomic_ullong lines[4], left_out, dropped;

static struct {
    pthread_mutex_t lock; /* of all of this */
    struct kind kinds[KINDS_MAX];
    struct log_recent recent[LOG_RECENT];
    uint32_t nrecent;
    uint64_t early_lost; /* before log_open */
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

void log_set_level(int level) {
    min_level = level;
}
void log_set_format(enum log_format format) {
    line_format = (int)format;
}
bool log_wants(int level) {
    return level >= min_level;
}

/* ---- one line ---- */

static size_t format(char line[LOG_LINE_MAX], const struct log_record *r) {
    atomic_fetch_add_explicit(&lines[r->level < 0 ? 0 : r->level & 3], 1, memory_order_relaxed);
    return log_format_line(line, is_open ? LOG_LINE_MAX : EARLY_LINE_MAX, (enum log_format)line_format, r);
}

static bool put_record(const struct log_record *r) {
    char line[LOG_LINE_MAX];
    return log_out_put(line, format(line, r));
}

/* "90 more such lines were left out", through `put`. */
static bool put_count(bool (*put)(const char *line, size_t len), int level, const char *who, const char *event,
                      uint64_t n, const char *what, const char *more) {
    char text[160], number[24], line[LOG_LINE_MAX];
    snprintf(number, sizeof number, "%llu", (unsigned long long)n);
    int len = snprintf(text, sizeof text, "%s %s%s", number, what, more);
    const struct taut_kv kv = {"count", taut_str_z(number)};
    const struct log_record r = {.at_us = clock_wall_us(),
                                 .level = level,
                                 .who = who,
                                 .event = event,
                                 .text = taut_str_n(text, (size_t)len),
                                 .kvs = &kv,
                                 .nkvs = line_format == LOG_JSON ? 1 : 0};
    return put(line, format(line, &r));
}

/* ---- how many ---- */

static void tell_left_out(struct kind *k) {
    if (k->left_out)
        put_count(log_out_put, k->level, k->who, k->event, k->left_out, "more such lines were left out", "");
    k->left_out = 0;
}

/* Its entry for this second; a new one in the place of one whose second is over. NULL: there are too many kinds. */
static struct kind *kind_of(const char *who, const char *event, int64_t now) {
    struct kind *own = NULL, *over = NULL;
    for (size_t i = 0; i < KINDS_MAX; i++) {
        struct kind *k = &state.kinds[i];
        bool is_over = !k->who[0] || now - k->since >= WINDOW_US;
        if (is_over) tell_left_out(k);
        if (is_over && !over) over = k;
        if (!is_over && !strncmp(k->event, event, NAME_MAX_BYTES - 1) && !strncmp(k->who, who, NAME_MAX_BYTES - 1))
            own = k;
    }
    if (!own && over) {
        *over = (struct kind){.since = now};
        snprintf(over->who, sizeof over->who, "%s", who);
        snprintf(over->event, sizeof over->event, "%s", event);
        own = over;
    }
    return own;
}

/* Of debugging nothing is left out. */
static bool is_too_much(int level, const char *who, const char *event) {
    if (level <= TAUT_LOG_DEBUG) return false;
    struct kind *k = kind_of(who, event, clock_mono_us());
    if (!k || k->lines++ < KIND_LINES_MAX) return false;
    k->level = level;
    k->left_out++;
    atomic_fetch_add_explicit(&left_out, 1, memory_order_relaxed);
    return true;
}

/* Once a second, on the thread that writes: a burst may be over without a later line, and a disk have room again. */
static void on_idle(void) {
    static uint64_t owed; /* this thread's */
    const char *why;
    int64_t now = clock_mono_us();
    uint64_t lost = log_out_lost(&why);
    atomic_fetch_add_explicit(&dropped, lost, memory_order_relaxed);
    owed += lost;
    if (owed && put_count(log_out_now, TAUT_LOG_WARN, "log", "dropped", owed, "lines were dropped: ", why)) owed = 0;
    pthread_mutex_lock(&state.lock);
    for (size_t i = 0; i < KINDS_MAX; i++)
        if (state.kinds[i].who[0] && now - state.kinds[i].since >= WINDOW_US) tell_left_out(&state.kinds[i]);
    pthread_mutex_unlock(&state.lock);
}

/* ---- what is remembered ---- */

static void remember(const struct log_record *r) {
    struct log_recent e = {.level = r->level, .count = 1, .first_us = r->at_us, .last_us = r->at_us};
    uint32_t i = 0;
    while (i < state.nrecent && (strncmp(state.recent[i].who, r->who, sizeof e.who - 1) ||
                                 strncmp(state.recent[i].event, r->event, sizeof e.event - 1)))
        i++;
    if (i < state.nrecent) {
        e.count = state.recent[i].count + 1;
        e.first_us = state.recent[i].first_us;
    } else if (state.nrecent < LOG_RECENT) {
        i = state.nrecent++;
    } else {
        i = LOG_RECENT - 1;
    }
    memmove(&state.recent[1], &state.recent[0], i * sizeof e); /* the newest first */
    snprintf(e.who, sizeof e.who, "%s", r->who);
    snprintf(e.event, sizeof e.event, "%s", r->event);
    snprintf(e.text, sizeof e.text, "%.*s", (int)(r->text.len < sizeof e.text ? r->text.len : sizeof e.text),
             r->text.ptr);
    state.recent[0] = e;
}

uint32_t log_recent(struct log_recent to[LOG_RECENT]) {
    pthread_mutex_lock(&state.lock);
    uint32_t n = state.nrecent;
    memcpy(to, state.recent, n * sizeof *to);
    pthread_mutex_unlock(&state.lock);
    return n;
}

/* ---- lines ---- */

static void put_early(const struct log_record *r) {
    uint64_t lost = state.early_lost;
    if (!put_record(r)) {
        state.early_lost++;
        atomic_fetch_add_explicit(&dropped, 1, memory_order_relaxed);
    } else if (lost && put_count(log_out_put, TAUT_LOG_WARN, "log", "dropped", lost,
                                 "lines were dropped before this one: ", "stderr was not read")) {
        state.early_lost = 0;
    }
}

static void say(const struct log_record *r, bool always) {
    if (!log_wants(r->level)) return;
    pthread_mutex_lock(&state.lock);
    if (r->level >= TAUT_LOG_WARN) remember(r);
    if (always || !is_too_much(r->level, r->who, r->event)) {
        if (is_open) put_record(r);
        else put_early(r);
    }
    pthread_mutex_unlock(&state.lock);
}

void log_kv(int level, const char *who, const char *event, taut_str text, const struct taut_kv *kvs, uint32_t n) {
    say(&(struct log_record){clock_wall_us(), level, who, event, text, kvs, n}, false);
}

void log_always(int level, const char *who, const char *event, taut_str text) {
    say(&(struct log_record){clock_wall_us(), level, who, event, text, NULL, 0}, true);
}

void log_line(int level, const char *who, const char *event, taut_str text) {
    log_kv(level, who, event, text, NULL, 0);
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

/* ---- life ---- */

bool log_open(const struct log_options *o, char **why) {
    const char *file = o->file && *o->file ? o->file : NULL;
    log_set_level(o->level);
    log_set_format(o->format);
    is_open = log_out_start(file, on_idle);
    if (!is_open) *why = xasprintf("the log %s cannot be opened: %s", file ? file : "thread", strerror(errno));
    return is_open;
}

void log_close(void) {
    if (!is_open) return;
    pthread_mutex_lock(&state.lock);
    for (size_t i = 0; i < KINDS_MAX; i++) tell_left_out(&state.kinds[i]);
    pthread_mutex_unlock(&state.lock);
    log_out_stop();
    is_open = false;
    line_format = LOG_TEXT;
}

char *log_reopen(void) {
    int err = log_out_reopen();
    if (!err) return NULL;
    char *why = xasprintf("the log %s cannot be opened anew: %s; it goes on in the file that it had", log_out_file(),
                          strerror(err));
    char *line = xasprintf("taut: %s\n", why);
    log_line(TAUT_LOG_ERROR, "log", "reopen", taut_str_z(why));
    log_out_beside(line, strlen(line));
    free(line);
    return why;
}
void log_crash_drain(void) {
    log_out_crash_drain();
}

static double read_waiting(const void *arg) {
    (void)arg;
    return (double)log_out_waiting();
}

void log_metrics(struct metrics *m) {
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        char label[32];
        metric_label(label, sizeof label, "level", log_level_names[i]);
        metrics_add(m, &(struct metric){"taut_log_lines_total", label, "Lines of the log.", METRIC_COUNTER,
                                        metric_read_ullong, &lines[i]});
    }
    metrics_add(m,
                &(struct metric){"taut_log_left_out_total", NULL, "Lines left out: too many of one event in a second.",
                                 METRIC_COUNTER, metric_read_ullong, &left_out});
    metrics_add(m, &(struct metric){"taut_log_dropped_total", NULL, "Lines lost: they could not be written in time.",
                                    METRIC_COUNTER, metric_read_ullong, &dropped});
    metrics_add(m, &(struct metric){"taut_log_waiting_bytes", NULL, "Lines that wait for the log's disk or reader.",
                                    METRIC_GAUGE, read_waiting, NULL});
}
