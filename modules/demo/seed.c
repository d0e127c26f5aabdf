/* seed.c - `taut seed`: fills an empty store with a workspace, offline. Stages follow each other; within a stage a few
 * batches are under way at once, so that the store always has one to write while the next are being filled.
 *
 * A seed that is interrupted is not continued: half a workspace is of no use, and the plan was in memory only. The
 * first stage marks the store as half full (mark.h), the last one takes the mark away.
 */
#include "seed.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mark.h"

enum { IN_FLIGHT = 3 };
enum { STAGE_WORKSPACE, STAGE_CHANNELS, STAGE_USERS, STAGE_MESSAGES, STAGE_END, STAGES };

/* A batch has about 2,000 rows. rows: how many a unit is worth in the progress that is shown. */
static const struct {
    const char *name;
    taut_task_fn run;
    uint32_t batch, rows;
} stages[STAGES] = {
    [STAGE_WORKSPACE] = {"workspace", seed_workspace, 1, 1},
    [STAGE_CHANNELS] = {"channels", seed_channels, 1000, 1},
    [STAGE_USERS] = {"users", seed_users, 300, 7},
    [STAGE_MESSAGES] = {"messages", seed_messages, 2000, 1},
    [STAGE_END] = {"end", seed_end, 1, 1},
};

struct seed {
    struct taut_call *command;
    struct plan plan;
    struct seed_job jobs[IN_FLIGHT];
    uint64_t units[STAGES]; /* how many each stage has */
    uint64_t next;          /* unit of the stage that is written next */
    uint64_t rows_done, rows_all;
    uint32_t stage, in_flight, pumping;
    int64_t start_us, shown_us;
    taut_str error; /* why it ends early, or empty */
    int tokens_fd, channels_fd;
};

const struct taut_arg seed_args[SEED_ARGS] = {
    [SEED_USERS] = {.name = "users", .type = TAUT_ARG_INT, .help = "how many people, 1 to 1000000; 1000 if left out"},
    [SEED_CHANNELS] = {.name = "channels", .type = TAUT_ARG_INT, .help = "1 to 100000; 50 if left out"},
    [SEED_MESSAGES] = {.name = "messages", .type = TAUT_ARG_INT, .help = "0 to 100000000; 10000 if left out"},
    [SEED_TOKENS] = {.name = "tokens",
                     .type = TAUT_ARG_STR,
                     .flags = TAUT_ARG_REQUIRED,
                     .help = "file for the people's tokens, one a line (mode 0600)"},
    [SEED_CHANNELS_OUT] = {.name = "channels-out",
                           .type = TAUT_ARG_STR,
                           .flags = TAUT_ARG_REQUIRED,
                           .help = "file for the channels' ids, one a line; the first is #general"},
};

/* ---- the end ---- */

/* One line for each of n strings that lie `stride` bytes apart. */
static int write_lines(int fd, const char *first, size_t stride, uint32_t n) {
    int copy = dup(fd);
    FILE *f = copy < 0 ? NULL : fdopen(copy, "w");
    if (!f) {
        if (copy >= 0) close(copy);
        return -1;
    }
    for (uint32_t i = 0; i < n; i++) fprintf(f, "%s\n", first + i * stride);
    int bad = ferror(f);
    bad |= fflush(f) != 0 || fsync(fd) != 0;
    bad |= fclose(f) != 0;
    return bad ? -1 : 0;
}

static void answer(struct taut_mod *m, struct seed *s) {
    struct taut_json *j = taut_answer(s->command);
    int64_t ms = (taut_mono_us(m) - s->start_us) / 1000;
    taut_json_kstr(j, "workspace", taut_str_z(s->plan.workspace));
    taut_json_kint(j, "users", s->plan.users);
    taut_json_kint(j, "channels", s->plan.channels);
    taut_json_kint(j, "messages", (int64_t)s->plan.messages);
    taut_json_ktext(j, "seconds", taut_fmt(s->command, "%d.%d", (int)(ms / 1000), (int)(ms % 1000 / 100)));
    taut_done(s->command);
}

static void finish(struct taut_mod *m, struct seed *s) {
    const struct plan *p = &s->plan;
    if (!s->error.len && (write_lines(s->tokens_fd, p->token[0], sizeof p->token[0], p->users) != 0 ||
                          write_lines(s->channels_fd, p->channel_id[0], sizeof p->channel_id[0], p->channels) != 0))
        s->error = taut_fmt(s->command, "the files could not be written: %s", strerror(errno));
    close(s->tokens_fd);
    close(s->channels_fd);
    if (s->error.len)
        taut_fail_text(s->command, "seed_failed",
                       taut_fmt(s->command, "%.*s; remove the data directory before the next try", (int)s->error.len,
                                s->error.ptr));
    else answer(m, s);
}

/* ---- the work ---- */

static void show_progress(struct taut_mod *m, struct seed *s) {
    int64_t now = taut_mono_us(m);
    if (now - s->shown_us < 1000000) return;
    s->shown_us = now;
    taut_progress(s->command,
                  taut_fmt(s->command, "seed: %d %%, %s, %d s", (int)(s->rows_done * 100 / s->rows_all),
                           s->stage < STAGES ? stages[s->stage].name : "done", (int)((now - s->start_us) / 1000000)));
}

static void pump(struct taut_mod *m, struct seed *s);

static void on_job(struct taut_mod *m, void *arg, const struct taut_outcome *o) {
    struct seed_job *job = arg;
    struct seed *s = job->seed;
    job->busy = 0;
    s->in_flight--;
    s->rows_done += (job->to - job->from) * stages[job->stage].rows;
    if (o->status != TAUT_OK && !s->error.len)
        s->error = taut_fmt(s->command, "the %s could not be written: %.*s %.*s", stages[job->stage].name,
                            (int)o->error.len, o->error.ptr, (int)o->body.len, o->body.ptr);
    show_progress(m, s);
    pump(m, s);
}

static struct seed_job *free_job(struct seed *s) {
    for (int i = 0; i < IN_FLIGHT; i++)
        if (!s->jobs[i].busy) return &s->jobs[i];
    return NULL;
}

/* The next part of the stage that is being written, in a job of its own. */
static void start_job(struct taut_mod *m, struct seed *s, struct seed_job *job) {
    uint64_t left = s->units[s->stage] - s->next, n = stages[s->stage].batch < left ? stages[s->stage].batch : left;
    *job = (struct seed_job){
        .seed = s, .plan = &s->plan, .from = s->next, .to = s->next + n, .stage = s->stage, .busy = 1};
    s->next += n;
    s->in_flight++;
    taut_task(m, NULL, stages[s->stage].run, job, on_job);
}

/* Keeps jobs under way; the next stage begins when all of the one before are on disk. A job may end within its start:
 * then the loop that started it goes on. */
static void pump(struct taut_mod *m, struct seed *s) {
    struct seed_job *job;
    if (s->pumping) return;
    s->pumping = 1;
    while (s->stage < STAGES) {
        int more = s->next < s->units[s->stage] && !s->error.len;
        if (more && (job = free_job(s))) start_job(m, s, job);
        else if (s->in_flight) break;
        else if (s->error.len) s->stage = STAGES;
        else s->stage++, s->next = 0;
    }
    s->pumping = 0;
    if (s->stage == STAGES && !s->in_flight) finish(m, s);
}

/* ---- the command ---- */

static int32_t count_arg(struct taut_call *c, uint32_t arg, int64_t dflt, int64_t min, int64_t max, int64_t *out) {
    *out = taut_arg_int(c, arg, dflt);
    if (*out >= min && *out <= max) return TAUT_OK;
    return taut_fail_text(
        c, "invalid_arguments",
        taut_fmt(c, "--%s is a number from %lld to %lld", seed_args[arg].name, (long long)min, (long long)max));
}

static int32_t open_out(struct taut_call *c, uint32_t arg, mode_t mode, int *fd) {
    const char *path = taut_keep(c, taut_arg_str(c, arg)).ptr;
    *fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (*fd >= 0 && fchmod(*fd, mode) == 0) return TAUT_OK;
    int err = errno;
    if (*fd >= 0) close(*fd);
    return taut_fail_text(c, "invalid_arguments",
                          taut_fmt(c, "--%s: %s cannot be written: %s", seed_args[arg].name, path, strerror(err)));
}

static int32_t refuse_full_store(struct taut_mod *m, struct taut_call *c) {
    struct taut_array all;
    TAUT_TRY(dir(m)->workspaces(dir_self(m), c, &all));
    taut_str data = taut_info(m)->data;
    TAUT_TRY(mark_refuse(m, c));
    if (!all.len) return TAUT_OK;
    taut_str domain = TAUT_AT(all, struct taut_workspace, 0)->domain;
    return taut_fail_text(c, "not_empty",
                          taut_fmt(c, "%.*s holds a workspace already (%.*s); seed fills an empty store only",
                                   (int)data.len, data.ptr, (int)domain.len, domain.ptr));
}

int32_t on_seed(struct taut_mod *m, struct taut_call *c) {
    int64_t users, channels, messages;
    TAUT_TRY(count_arg(c, SEED_USERS, 1000, 1, 1000000, &users));
    TAUT_TRY(count_arg(c, SEED_CHANNELS, 50, 1, 100000, &channels));
    TAUT_TRY(count_arg(c, SEED_MESSAGES, 10000, 0, 100000000, &messages));
    TAUT_TRY(refuse_full_store(m, c));

    struct seed *s = taut_scratch(c, sizeof *s);
    TAUT_TRY(open_out(c, SEED_TOKENS, 0600, &s->tokens_fd));
    int32_t err = open_out(c, SEED_CHANNELS_OUT, 0644, &s->channels_fd);
    if (err < 0) {
        close(s->tokens_fd);
        return err;
    }
    s->command = c;
    s->plan.users = (uint32_t)users;
    s->plan.channels = (uint32_t)channels;
    s->plan.messages = (uint64_t)messages;
    s->start_us = s->shown_us = taut_mono_us(m);
    plan_make(&s->plan, m, c);
    s->units[STAGE_WORKSPACE] = s->units[STAGE_END] = 1;
    s->units[STAGE_CHANNELS] = s->plan.channels;
    s->units[STAGE_USERS] = s->plan.users;
    s->units[STAGE_MESSAGES] = s->plan.messages;
    for (int i = 0; i < STAGES; i++) s->rows_all += s->units[i] * stages[i].rows;
    pump(m, s);
    return TAUT_E_PENDING;
}
