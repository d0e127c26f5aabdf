/* leftovers.c - what a module has not given back when it has ended, named one by one: what it holds of the host, after
 * its fini; descriptors and threads, when the loop is gone too. */
#include <dirent.h>
#include <dlfcn.h>
#include <unistd.h>

#include "hub/subscribe.h"
#include "watch.h"

enum { SHOWN_MAX = 10, THREAD_PATIENCE_MS = 500 };

/* "hello.so+0x1234": what addr2line takes. */
static const char *place_of(struct arena *a, const struct held *h) {
    Dl_info info;
    if (!dladdr(h->caller, &info) || !info.dli_fname) return "an unknown place";
    const char *slash = strrchr(info.dli_fname, '/');
    size_t offset = (size_t)((const char *)h->caller - (const char *)info.dli_fbase);
    return arena_fmt(a, "%s+0x%zx", slash ? slash + 1 : info.dli_fname, offset).ptr;
}

static taut_str describe(struct arena *a, const struct held *h) {
    switch (h->kind) {
    case HELD_MEMORY: return arena_fmt(a, "%zu bytes of memory", h->bytes);
    case HELD_TIMER: return arena_fmt(a, "a timer of every %llu ms", (unsigned long long)h->repeat_ms);
    case HELD_POLL: return arena_fmt(a, "descriptor %d watched", h->fd);
    case HELD_SUBSCRIPTION: return arena_fmt(a, "the subscription \"%s\"", h->what);
    case HELD_OP: return TAUT_LIT("an operation that nobody completed or cancelled");
    case HELD_POST: return TAUT_LIT("a taut_post that could not run any more");
    case HELD_WORK: return TAUT_LIT("work on the pool whose end could not be told any more");
    default: return TAUT_LIT("something");
    }
}

/* A timer that fires once ends by itself, and with the module: that is as it should be. */
static bool is_harmless(const struct held *h) {
    return h->kind == HELD_TIMER && !h->repeat_ms;
}

/* Its subscriptions have ended with it; what they had handed over must be done with by then. */
static void report_hand_overs(struct world *w) {
    for (const struct sub *s = w->hub->ended_subs; s; s = s->next)
        for (const struct feed *f = s->mod == &w->module->pub ? s->feeds : NULL; f; f = f->next)
            if (f->over)
                fail_at(w, NULL,
                        "left over: a hand-over of the subscription \"%.*s\", events from %llu on of %.*s, whose op "
                        "nobody completed",
                        (int)s->name.len, s->name.ptr, (unsigned long long)f->position + 1, (int)f->log->name.len,
                        f->log->name.ptr);
}

void leftovers_report(struct world *w) {
    report_hand_overs(w);
    for (size_t kind = 0; kind < HELD_KINDS; kind++) {
        uint32_t n = 0, more = 0;
        for (const struct held *h = watch_list((enum held_kind)kind); h; h = h->next) {
            if (is_harmless(h)) continue;
            if (n++ >= SHOWN_MAX) {
                more++;
                continue;
            }
            fail_at(w, NULL, "left over: %s, since %s (%s)", describe(&w->arena, h).ptr, h->when,
                    place_of(&w->arena, h));
        }
        if (more) fail_at(w, NULL, "left over: %u more of this kind", more);
    }
}

/* ---- descriptors and threads ---- */

void descriptors_look(struct descriptors *d) {
    DIR *dir = opendir("/proc/self/fd");
    *d = (struct descriptors){{0}};
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        unsigned long fd = strtoul(e->d_name, NULL, 10);
        if (e->d_name[0] == '.' || (int)fd == dirfd(dir) || fd >= COUNT_OF(d->open) * 64) continue;
        d->open[fd / 64] |= 1ull << (fd % 64);
    }
    if (dir) closedir(dir);
}

static void name_descriptor(struct world *w, unsigned fd) {
    char link[32], target[256];
    snprintf(link, sizeof link, "/proc/self/fd/%u", fd);
    ssize_t n = readlink(link, target, sizeof target - 1);
    target[n > 0 ? n : 0] = 0;
    fail_at(w, NULL, "left over: descriptor %u open (%s)", fd, target);
}

uint32_t thread_count(void) {
    DIR *dir = opendir("/proc/self/task");
    uint32_t n = 0;
    for (const struct dirent *e; dir && (e = readdir(dir));) n += e->d_name[0] != '.';
    if (dir) closedir(dir);
    return n;
}

/* One that was joined is seen for a moment longer. */
static bool has_more_threads(uint32_t than) {
    for (int64_t until = clock_real_ms() + THREAD_PATIENCE_MS; thread_count() > than; usleep(1000))
        if (clock_real_ms() > until) return true;
    return false;
}

void leftovers_after_loop(struct world *w, const struct descriptors *before, uint32_t threads) {
    struct descriptors now;
    descriptors_look(&now);
    for (unsigned fd = 0; fd < COUNT_OF(now.open) * 64; fd++) {
        uint64_t bit = 1ull << (fd % 64);
        if ((now.open[fd / 64] & bit) && !(before->open[fd / 64] & bit)) name_descriptor(w, fd);
    }
    if (has_more_threads(threads))
        fail_at(w, NULL, "left over: %u thread%s still running", thread_count() - threads,
                thread_count() - threads == 1 ? "" : "s");
}
