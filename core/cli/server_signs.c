/* server_signs.c - the signs of life that a server gives: to its service manager, in a crash report; and what it finds
 * of earlier ones when it starts. Main thread. */
#include <limits.h>
#include <unistd.h>

#include "cli/sd_notify.h"
#include "cli/server.h"
#include "hub/observe.h"
#include "obs/crash.h"
#include "obs/log.h"

static void name_modules(struct server *s) {
    struct arena a = {0};
    const struct modules *ms = s->engine.modules;
    taut_str all = TAUT_LIT("");
    for (uint32_t i = 0; i < ms->n; i++) {
        const struct instance *in = ms->list[i];
        const char *version = in->def->version ? in->def->version : "";
        all = arena_fmt(&a, "%s  %s %s (%s %s)\n", all.ptr, in->pub.name, version, in->def->name,
                        in->where ? in->where : "");
    }
    crash_begin(&(struct crash_info){.dir_fd = s->engine.dir.dir_fd, .version = TAUT_VERSION, .modules = all.ptr});
    arena_free(&a);
}

static void mention_crash(const struct server *s) {
    uint32_t n;
    char *newest = crash_newest(s->engine.dir.dir_fd, &n);
    if (!newest) return;
    log_fmt(TAUT_LOG_WARN, "server", "crash_report",
            "an earlier run crashed: %s/%s says where (reports: %u); remove it when it has been looked at",
            s->engine.dir.path, newest, n);
    free(newest);
}

/* Before the first relative `data` was below the configuration's folder it was below the current one. */
static void mention_other_data(const struct server *s) {
    char here[PATH_MAX], used[PATH_MAX];
    if (access("var/lock", F_OK) != 0 || !realpath("var", here) || !realpath(s->engine.dir.path, used)) return;
    if (!strcmp(here, used)) return;
    log_fmt(TAUT_LOG_WARN, "server", "other_data",
            "there is a data directory in %s, but the one that is used is %s (a relative server.data is below the "
            "configuration's folder)",
            here, used);
}

void signs_begin(struct server *s) {
    sd_notify_begin();
    name_modules(s);
    mention_crash(s);
    mention_other_data(s);
}

void signs_ready(struct server *s) {
    char text[512];
    s->ready_us = clock_mono_us();
    atomic_store(&s->watch.phase, WATCH_RUNNING);
    snprintf(text, sizeof text, "READY=1\nMAINPID=%ld\nSTATUS=%s, %u modules", (long)getpid(),
             s->engine.info.public_url.ptr, s->engine.modules->n);
    sd_notify(text);
}

void signs_reloading(void) {
    sd_notify_reloading();
}

void signs_reloaded(void) {
    sd_notify("READY=1");
}

void signs_stopping(struct server *s) {
    atomic_store(&s->watch.phase, WATCH_STOPPING);
    sd_notify("STOPPING=1\nSTATUS=stopping");
}

/* A start may take long (a store that is brought up to date): the service manager waits as long as there are beats. */
void signs_beat(void *server) {
    struct server *s = server;
    hub_sample(s->engine.hub);
    if (atomic_load(&s->watch.phase) == WATCH_STARTING) sd_notify("EXTEND_TIMEOUT_USEC=30000000");
    if (watch_others_turn(&s->watch, &s->beat)) sd_notify_alive();
}

void signs_end(void) {
    crash_end();
}
