/* check_state.c - what modules remember, before and after a handler is run for show: a handler that leaves something
 * there by then has an effect, though none of the host. With TAUT_CHECKS: memory of taut_alloc, writable data of the
 * shared object, options, and the state pointer. Not looked at: a module that holds more than STATE_MAX, one whose work
 * is under way (other threads may write there, rightly), and the store's, which has threads of its own.
 *
 * The list of blocks is any thread's, under its lock; the rest is the hub's. */
#ifdef TAUT_CHECKS
#define _GNU_SOURCE /* dl_iterate_phdr */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <unistd.h>
#endif

#include "hub/internal.h"

#ifdef TAUT_CHECKS

enum { STATE_MAX = 1 << 20, RANGES_MAX = 8, RESTLESS_MAX = 32, RESTLESS_LOOKS = 200 };

struct states {
    uint32_t n;
    uint64_t sums[]; /* by place in modules.list; 0: not looked at */
};

/* ---- blocks of memory ---- */

struct block {
    const void *at; /* NULL: an empty place */
    size_t bytes;
    const struct instance *owner;
};
/* Open addressing, at most half full. */
static struct {
    pthread_mutex_t lock;
    struct block *slots;
    size_t cap, n;
} blocks = {.lock = PTHREAD_MUTEX_INITIALIZER};

static size_t home(const void *at) {
    return (size_t)(((uintptr_t)at >> 4) * 0x9e3779b97f4a7c15u >> 20) & (blocks.cap - 1);
}

static struct block *place(const void *at) {
    size_t i = home(at);
    while (blocks.slots[i].at && blocks.slots[i].at != at) i = (i + 1) & (blocks.cap - 1);
    return &blocks.slots[i];
}

static void grow(void) {
    struct block *old = blocks.slots;
    size_t n = blocks.cap;
    blocks.cap = n ? n * 2 : 256;
    blocks.slots = xcalloc(blocks.cap, sizeof *blocks.slots);
    for (size_t i = 0; i < n; i++)
        if (old[i].at) *place(old[i].at) = old[i];
    free(old);
}

void state_took(struct taut_mod *m, const void *at, size_t bytes) {
    pthread_mutex_lock(&blocks.lock);
    if (blocks.n * 2 >= blocks.cap) grow();
    struct block *b = place(at);
    blocks.n += !b->at;
    *b = (struct block){at, bytes, (const struct instance *)(const void *)m};
    pthread_mutex_unlock(&blocks.lock);
}

void state_gave(const void *at) {
    pthread_mutex_lock(&blocks.lock);
    struct block *b = blocks.cap ? place(at) : NULL;
    if (b && b->at) {
        size_t hole = (size_t)(b - blocks.slots), mask = blocks.cap - 1;
        blocks.n--;
        b->at = NULL;
        for (size_t i = (hole + 1) & mask; blocks.slots[i].at; i = (i + 1) & mask) { /* what was pushed on moves back */
            if (((i - home(blocks.slots[i].at)) & mask) < ((i - hole) & mask)) continue;
            blocks.slots[hole] = blocks.slots[i];
            blocks.slots[i].at = NULL;
            hole = i;
        }
    }
    pthread_mutex_unlock(&blocks.lock);
}

/* ---- data of shared objects ---- */

struct range {
    const char *at;
    size_t bytes;
};
struct data {
    struct data *next;
    const struct taut_module *of; /* the loader's copy */
    const void *inside;           /* the object's own: an address of it */
    bool counts; /* it is built to be measured (coverage, profiles): it counts in its data, whatever it does */
    uint32_t n;
    struct range ranges[RANGES_MAX];
};
static struct data *known; /* shared objects stay loaded */

static void add_range(struct data *d, uintptr_t from, uintptr_t to) {
    if (from < to && d->n < RANGES_MAX) d->ranges[d->n++] = (struct range){(const char *)from, to - from};
}

/* Over the redzones between constants, too. */
__attribute__((no_sanitize("address"))) static bool has_text(const char *at, size_t n, const char *z, size_t len) {
    for (size_t i = 0; i + len <= n; i++) {
        size_t same = 0;
        while (same < len && at[i + same] == z[same]) same++;
        if (same == len) return true;
    }
    return false;
}

static bool has_counters(const char *at, size_t n) {
    static const char gcov[] = ".gcda", llvm[] = "__llvm_profile";
    return has_text(at, n, gcov, sizeof gcov) || has_text(at, n, llvm, sizeof llvm - 1);
}

/* What is read-only once it has been relocated lies in a writable segment, at its beginning. */
static int look_at_object(struct dl_phdr_info *info, size_t size, void *arg) {
    struct data *d = arg;
    bool is_its = false;
    uintptr_t fixed_end = 0, at = (uintptr_t)d->inside;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t from = info->dlpi_addr + p->p_vaddr;
        if (p->p_type == PT_LOAD && at >= from && at < from + p->p_memsz) is_its = true;
        if (p->p_type == PT_GNU_RELRO) fixed_end = from + p->p_memsz;
    }
    for (int i = 0; i < info->dlpi_phnum && is_its; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t from = info->dlpi_addr + p->p_vaddr, to = from + p->p_memsz;
        if (p->p_type != PT_LOAD) continue;
        if (!(p->p_flags & PF_W)) d->counts |= has_counters((const char *)from, p->p_memsz);
        else add_range(d, fixed_end > from && fixed_end <= to ? fixed_end : from, to);
    }
    return is_its;
}

static const struct data *data_of(const struct instance *in) {
    struct data *d = known;
    while (d && d->of != in->def) d = d->next;
    if (d) return d;
    d = xcalloc(1, sizeof *d);
    d->of = in->def;
    d->inside = in->dl ? dlsym(in->dl, "taut_module") : NULL;
    if (d->inside) dl_iterate_phdr(look_at_object, d);
    if (d->counts) d->n = 0;
    d->next = known;
    return known = d;
}

/* ---- sums ---- */

typedef uint64_t __attribute__((may_alias, aligned(1))) word;

/* Redzones between globals are read too, and threads of the module may write meanwhile: both are meant. */
__attribute__((no_sanitize("address"), no_sanitize("thread"), no_sanitize("undefined"))) static uint64_t
sum(const void *p, size_t n) {
    const uint64_t odd = 0x9e3779b97f4a7c15u;
    const char *at = p;
    uint64_t a = 1, b = 2, c = 3, d = 4;
    for (; n >= 32; n -= 32, at += 32) {
        const word *w = (const word *)(const void *)at;
        a = (a ^ w[0]) * odd, b = (b ^ w[1]) * odd, c = (c ^ w[2]) * odd, d = (d ^ w[3]) * odd;
        a ^= a >> 29, b ^= b >> 31, c ^= c >> 30, d ^= d >> 28;
    }
    for (; n; n--, at++) a = (a ^ (unsigned char)*at) * odd;
    return ((a ^ (b >> 7)) * odd ^ (c >> 9)) * odd + d;
}

static uint64_t mixed(uint64_t a, uint64_t b) {
    return (a ^ b) * 0xff51afd7ed558ccdu ^ b >> 32;
}

/* Those whose state other threads change while no handler runs. */
static const struct instance *restless[RESTLESS_MAX];
static uint32_t nrestless;

static bool is_looked_at(const struct hub *h, const struct instance *in) {
    for (uint32_t i = 0; i < nrestless; i++)
        if (restless[i] == in) return false;
    return in != store_module((struct hub *)(uintptr_t)h) && !atomic_load(&in->in_flight) && in->seen &&
           atomic_load(&in->seen->memory_bytes) <= STATE_MAX;
}

static uint64_t own_sum(const struct instance *in) {
    const struct data *d = data_of(in);
    uint64_t all = (uintptr_t)in->pub.state;
    for (uint32_t i = 0; i < d->n; i++) all = mixed(all, sum(d->ranges[i].at, d->ranges[i].bytes));
    if (in->pub.config && in->def->config_size) all = mixed(all, sum(in->pub.config, in->def->config_size));
    return all;
}

static void look(const struct hub *h, struct states *s) {
    const struct modules *ms = h->modules;
    s->n = ms->n;
    for (uint32_t i = 0; i < s->n; i++) s->sums[i] = is_looked_at(h, ms->list[i]) ? own_sum(ms->list[i]) | 1 : 0;
    pthread_mutex_lock(&blocks.lock);
    for (size_t b = 0; b < blocks.cap; b++) {
        const struct block *at = &blocks.slots[b];
        for (uint32_t i = 0; at->at && i < s->n; i++) {
            if (ms->list[i] != at->owner) continue;
            if (s->sums[i]) s->sums[i] += mixed((uintptr_t)at->at, sum(at->at, at->bytes)) << 1; /* in any order */
            break;
        }
    }
    pthread_mutex_unlock(&blocks.lock);
}

static struct states *states_of(struct run *r) {
    struct states *s = arena_zalloc(&r->call->arena, sizeof *s + r->hub->modules->n * sizeof s->sums[0]);
    look(r->hub, s);
    return s;
}

void states_note(struct run *r) {
    if (!r->states) r->states = states_of(r);
    else look(r->hub, r->states);
}

/* Does it change while nothing runs here? */
static bool is_restless(struct run *r, const struct instance *in, uint32_t i, uint64_t before) {
    /* The process is about to be stopped: that may take its time. */
    for (int looks = 0; looks < RESTLESS_LOOKS; looks++) {
        usleep(5000);
        if (states_of(r)->sums[i] == before) continue;
        if (nrestless < RESTLESS_MAX) restless[nrestless++] = in;
        return true;
    }
    return false;
}

static _Noreturn void stop(const struct run *r, const struct instance *in) {
    const struct taut_mod *runs = r->call->pub.mod;
    if (runs == &in->pub)
        panic("module %s: the handler of %s changes its module's state while it runs; use taut_at_end", in->name,
              handler_name(r));
    panic("module %s: a service or hook of it changes its state while the handler of %s (module %s) runs; use "
          "taut_at_end",
          in->name, handler_name(r), runs->name);
}

void states_forgive(struct run *r, const struct taut_mod *m) {
    for (uint32_t i = 0; r->states && i < r->states->n; i++)
        if (&r->hub->modules->list[i]->pub == m) r->states->sums[i] = 0;
}

void states_compare(struct run *r) {
    if (!r->states) return;
    const struct states *before = r->states, *after = states_of(r);
    for (uint32_t i = 0; i < before->n && i < after->n; i++) {
        const struct instance *in = r->hub->modules->list[i];
        if (!before->sums[i] || !after->sums[i] || before->sums[i] == after->sums[i]) continue;
        if (!is_restless(r, in, i, after->sums[i])) stop(r, in);
    }
}

#else

void state_took(struct taut_mod *m, const void *at, size_t bytes) {
    (void)m, (void)at, (void)bytes;
}
void state_gave(const void *at) {
    (void)at;
}
void states_note(struct run *r) {
    (void)r;
}
void states_compare(struct run *r) {
    (void)r;
}
void states_forgive(struct run *r, const struct taut_mod *m) {
    (void)r, (void)m;
}

#endif
