/* restore.c - a backup put in the place of a store: instead of opening it, once the modules are initialized. Nothing is
 * started; whatever comes of it, all that has begun ends again. */
#include "hub/internal.h"

enum { LOOK_EVERY_MS = 1000 };

struct restoring {
    uv_timer_t look; /* first */
    struct hub *hub;
    taut_str file;
    void (*progress)(void *arg, uint64_t done, uint64_t total);
    void *arg;
};

static void on_look(uv_timer_t *timer) {
    struct restoring *r = (struct restoring *)(void *)timer;
    const struct taut_storage_v1 *storage = storage_of(r->hub);
    uint64_t done = 0, total = 0;
    if (TAUT_HAS(storage, copied)) storage->copied(r->hub->storage->self, &done, &total);
    if (total && r->progress) r->progress(r->arg, done, total);
}

static void on_look_closed(uv_handle_t *timer) {
    free(timer);
}

static void on_restored(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct restoring *r = arg;
    struct hub *h = r->hub;
    const taut_str *said = result;
    (void)m;
    uv_close((uv_handle_t *)&r->look, on_look_closed);
    h->restoring = NULL;
    lifecycle_end(h, status, said ? *said : taut_str_z(error_text(status)));
}

void restore_instead_of_open(struct hub *h) {
    struct restoring *r = h->restoring;
    if (!h->storage->up || !TAUT_HAS(storage_of(h), restore)) {
        h->restoring = NULL;
        free(r);
        lifecycle_end(h, TAUT_E_UNAVAILABLE, taut_str_z("no module that could restore a store is configured"));
        return;
    }
    uv_timer_init(h->loop, &r->look);
    uv_timer_start(&r->look, on_look, LOOK_EVERY_MS, LOOK_EVERY_MS);
    ASK_STORE(h, restore, r->file, op_new(core_mod(h), 0, on_restored, r));
}

void hub_restore(struct hub *h, taut_str file, void (*progress)(void *arg, uint64_t done, uint64_t total),
                 void (*done)(void *arg, int32_t err, const char *text), void *arg) {
    struct restoring *r = h->restoring = xcalloc(1, sizeof *r);
    *r = (struct restoring){.hub = h, .file = file, .progress = progress, .arg = arg};
    hub_start_modules(h, done, arg);
}
