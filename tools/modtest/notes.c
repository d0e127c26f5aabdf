/* notes.c - the log (obs/log.h) of this program: every line is kept for the steps that ask for it; none is left out.
 * Any thread. */
#include <pthread.h>
#include <stdarg.h>

#include "modtest.h"
#include "obs/log.h"
#include "obs/log_format.h"

static struct {
    pthread_mutex_t lock;
    struct line *first, **tail;
    struct line *seen; /* it and all before it were asked for */
    FILE *out;         /* shown as they come, or NULL */
} notes = {.lock = PTHREAD_MUTEX_INITIALIZER};

void notes_begin(struct world *w, bool verbose) {
    for (struct line *l = notes.first, *next; l; l = next) {
        next = l->next;
        free((char *)(uintptr_t)l->who);
        free((char *)(uintptr_t)l->event);
        free((char *)(uintptr_t)l->text.ptr);
        free(l);
    }
    notes.first = NULL;
    notes.tail = &notes.first;
    notes.seen = NULL;
    notes.out = verbose ? w->report : NULL;
}

static taut_str copy(taut_str text, const struct taut_kv *kvs, uint32_t n) {
    char *all = xstrndup(text.ptr, text.len);
    for (uint32_t i = 0; i < n; i++) {
        char *longer = xasprintf("%s %s=%.*s", all, kvs[i].key, (int)kvs[i].value.len, kvs[i].value.ptr);
        free(all);
        all = longer;
    }
    return taut_str_z(all);
}

void log_kv(int level, const char *who, const char *event, taut_str text, const struct taut_kv *kvs, uint32_t n) {
    struct line *l = xcalloc(1, sizeof *l);
    *l = (struct line){.level = level, .who = xstrdup(who), .event = xstrdup(event), .text = copy(text, kvs, n)};
    pthread_mutex_lock(&notes.lock);
    if (notes.out)
        fprintf(notes.out, "# log: %s %s %s: %.*s\n", log_level_names[level & 3], who, event, (int)l->text.len,
                l->text.ptr);
    if (!notes.tail) notes.tail = &notes.first;
    *notes.tail = l;
    notes.tail = &l->next;
    pthread_mutex_unlock(&notes.lock);
}

void log_line(int level, const char *who, const char *event, taut_str text) {
    log_kv(level, who, event, text, NULL, 0);
}

void log_fmt(int level, const char *who, const char *event, const char *fmt, ...) {
    va_list ap;
    char text[1024];
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    log_line(level, who, event, taut_str_z(text));
}

void log_close(void) {}

const struct line *notes_next(const struct line *after) {
    pthread_mutex_lock(&notes.lock);
    if (!after) after = notes.seen;
    const struct line *next = after ? after->next : notes.first;
    pthread_mutex_unlock(&notes.lock);
    return next;
}

void notes_seen(const struct line *l) {
    notes.seen = (struct line *)(uintptr_t)l; /* one of ours */
    notes.seen->is_named = true;
}

/* What the core says of a mistake that the module's author made, whoever called it. */
static bool is_fault(const char *event) {
    static const char *const faults[] = {"undeclared_service", "bad_service",     "bad_event", "bad_batch",
                                         "bad_read",           "bad_call",        "bad_table", "bad_subscription",
                                         "late_read",          "completed_twice", "ended_call"};
    for (size_t i = 0; i < COUNT_OF(faults); i++)
        if (!strcmp(event, faults[i])) return true;
    return false;
}

const struct line *notes_fault(const char *who) {
    for (const struct line *l = notes.first; l; l = l->next)
        if (!l->is_named && !strcmp(l->who, who) && is_fault(l->event)) return l;
    return NULL;
}

const struct line *notes_first(void) {
    return notes.first;
}
