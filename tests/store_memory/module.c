/* module.c - the module: jobs in, answers out. The hub puts jobs into a queue; one thread takes what is there, a group,
 * runs it in order, reports its commits, then answers. */
#include "memory.h"

enum { QUEUE_MAX = 65536, GROUP_MAX = 64, BACKGROUND_EVERY = 8 };

/* ---- the queue ---- */

static void jobs_push(struct jobs *q, struct job *j) {
    j->next = NULL;
    *q->tail = j;
    q->tail = &j->next;
    q->n++;
}

static struct job *jobs_pop(struct jobs *q) {
    struct job *j = q->head;
    if (!j) return NULL;
    q->head = j->next;
    if (!q->head) q->tail = &q->head;
    q->n--;
    return j;
}

static void give_up(struct store *s, const struct job *j, int32_t status) {
    struct taut_commit_result *r = NULL;
    if (j->kind == JOB_COMMIT) {
        r = need(calloc(1, sizeof *r));
        r->claim_value = taut_str_z("");
        r->why = taut_str_z("the store is closed, or has too much to do");
    }
    taut_op_complete(s->mod, j->op, status, r, free);
}

static void submit(struct store *s, struct job job, bool background) {
    struct job *j = need(malloc(sizeof *j));
    *j = job;
    pthread_mutex_lock(&s->lock);
    bool taken = s->open && !s->closing && s->jobs.n + s->background.n < QUEUE_MAX;
    if (taken) jobs_push(background ? &s->background : &s->jobs, j);
    pthread_cond_signal(&s->ready);
    pthread_mutex_unlock(&s->lock);
    if (taken) return;
    give_up(s, j, TAUT_E_UNAVAILABLE);
    free(j);
}

/* Waits; 0: closed and empty. */
static uint32_t take(struct store *s, struct job **group, uint32_t *turn) {
    uint32_t n = 0;
    struct job *j;
    pthread_mutex_lock(&s->lock);
    while (!s->jobs.n && !s->background.n && !s->closing) pthread_cond_wait(&s->ready, &s->lock);
    while (n < GROUP_MAX - 1 && (j = jobs_pop(&s->jobs))) group[n++] = j;
    bool due = !s->jobs.n || ++*turn % BACKGROUND_EVERY == 0;
    if (MUTANT(s, background_starves)) due = n == 0;
    if (due && (j = jobs_pop(&s->background))) group[n++] = j;
    pthread_mutex_unlock(&s->lock);
    return n;
}

/* ---- the thread ---- */

struct group {
    struct job *jobs[GROUP_MAX];
    struct taut_completion answers[GROUP_MAX];
    struct taut_durable durable[GROUP_MAX];
    uint32_t n, ndurable;
};

static void run_job(struct store *s, struct group *g, uint32_t i) {
    const struct job *j = g->jobs[i];
    struct taut_commit_result *r = NULL;
    void *result = NULL;
    int32_t status;
    if (j->kind == JOB_COMMIT) {
        status = commit_run(s, j->what, &r);
        result = r;
        if (status == TAUT_OK) g->durable[g->ndurable++] = (struct taut_durable){j->what, r->lsn, r->first_seq};
    } else {
        status = read_run(s, j, &result);
    }
    g->answers[i] = (struct taut_completion){j->op, status, 0, result, free};
}

static bool has_wrong_batch(const struct group *g) {
    for (uint32_t i = 0; i < g->n; i++)
        if (g->jobs[i]->kind == JOB_COMMIT && g->answers[i].status == TAUT_E_INVAL) return true;
    return false;
}

static void run_group(struct store *s, struct group *g) {
    const struct taut_host *host = s->mod->host;
    g->ndurable = 0;
    for (uint32_t i = 0; i < g->n; i++) run_job(s, g, i);
    for (uint32_t i = 0; i < s->nclaims; i++) s->claims[i].is_new = false;
    if (MUTANT(s, durable_in_any_order) && g->ndurable > 1) {
        struct taut_durable first = g->durable[0];
        g->durable[0] = g->durable[1];
        g->durable[1] = first;
    }
    if (MUTANT(s, wrong_batches_take_their_group_along) && has_wrong_batch(g))
        for (uint32_t i = 0; i < g->n; i++)
            if (g->answers[i].status == TAUT_OK) g->answers[i].status = TAUT_E_IO;
    if (MUTANT(s, answers_before_durable)) host->ops_complete(s->mod, g->answers, g->n);
    if (g->ndurable) host->durable(s->mod, g->durable, g->ndurable);
    if (!MUTANT(s, answers_before_durable)) host->ops_complete(s->mod, g->answers, g->n);
    for (uint32_t i = 0; i < g->n; i++) free(g->jobs[i]);
}

/* Lets the hub join this thread, and tells who waited for the end. */
static void end(struct store *s) {
    pthread_mutex_lock(&s->lock);
    taut_op *closers = s->closers;
    uint32_t n = s->nclosers;
    s->closers = NULL;
    s->nclosers = 0;
    s->open = false;
    pthread_mutex_unlock(&s->lock);
    for (uint32_t i = 0; i < n; i++) taut_op_complete(s->mod, closers[i], TAUT_OK, NULL, NULL);
    free(closers);
}

static bool is_closing(struct store *s) {
    pthread_mutex_lock(&s->lock);
    bool closing = s->closing;
    pthread_mutex_unlock(&s->lock);
    return closing;
}

static void *run(void *arg) {
    struct store *s = arg;
    struct group *g = need(malloc(sizeof *g));
    uint32_t turn = 0;
    while ((g->n = take(s, g->jobs, &turn))) {
        bool drop = MUTANT(s, close_drops_what_waits) && is_closing(s);
        if (!drop) run_group(s, g);
        for (uint32_t i = 0; drop && i < g->n; i++) give_up(s, g->jobs[i], TAUT_E_UNAVAILABLE);
    }
    free(g);
    tables_free(s);
    logs_free(s);
    end(s);
    return NULL;
}

/* ---- storage/1 ---- */

static void join(struct store *s) {
    if (s->has_thread) pthread_join(s->thread, NULL);
    s->has_thread = false;
}

static bool is_open(struct store *s) {
    pthread_mutex_lock(&s->lock);
    bool open = s->open;
    pthread_mutex_unlock(&s->lock);
    return open;
}

static void on_open(void *self, const struct taut_table_ref *tables, uint32_t n, taut_op op) {
    struct store *s = self;
    if (is_open(s)) {
        taut_op_complete(s->mod, op, TAUT_E_EXISTS, NULL, NULL);
        return;
    }
    join(s);
    s->tables = need(calloc(n + 1, sizeof *s->tables));
    s->ntables = n;
    for (uint32_t i = 0; i < n; i++)
        s->tables[i] = (struct table){.def = tables[i].table,
                                      .ncols = tables[i].table->cols.len,
                                      .key_cols = tables[i].table->key_cols,
                                      .nindex = tables[i].table->index.len};
    s->lsn = 0;
    s->open = true;
    s->closing = false;
    s->has_thread = pthread_create(&s->thread, NULL, run, s) == 0;
    if (!s->has_thread) abort();
    struct taut_open_result *opened = need(calloc(1, sizeof *opened));
    opened->size = sizeof *opened;
    taut_op_complete(s->mod, op, TAUT_OK, opened, free);
}

static void on_commit(void *self, const struct taut_batch_view *b, taut_op op) {
    submit(self, (struct job){.kind = JOB_COMMIT, .op = op, .what = b}, b->cls == TAUT_CLASS_BACKGROUND);
}

static void on_get(void *self, const struct taut_get_req *reqs, uint32_t n, taut_op op) {
    submit(self, (struct job){.kind = JOB_GET, .op = op, .what = reqs, .n = n}, false);
}

static void on_scan(void *self, uint32_t table, const struct taut_scan *scan, taut_op op) {
    submit(self, (struct job){.kind = JOB_SCAN, .op = op, .what = scan, .n = table}, false);
}

static void on_events(void *self, taut_str workspace, uint64_t after, uint32_t limit, uint32_t max_bytes, taut_op op) {
    const struct job j = {
        .kind = JOB_EVENTS, .op = op, .n = limit, .max_bytes = max_bytes, .workspace = workspace, .after = after};
    submit(self, j, false);
}

static void on_logs(void *self, taut_op op) {
    submit(self, (struct job){.kind = JOB_LOGS, .op = op}, false);
}

static void on_cursors(void *self, taut_str workspace, taut_op op) {
    submit(self, (struct job){.kind = JOB_CURSORS, .op = op, .workspace = workspace}, false);
}

/* False: it has ended already. */
static bool ask_to_close(struct store *s, taut_op op) {
    pthread_mutex_lock(&s->lock);
    bool open = s->open;
    if (open && op) {
        s->closers = need(realloc(s->closers, (s->nclosers + 1) * sizeof op));
        s->closers[s->nclosers++] = op;
    }
    s->closing = true;
    pthread_cond_signal(&s->ready);
    pthread_mutex_unlock(&s->lock);
    return open;
}

static void on_close(void *self, taut_op op) {
    struct store *s = self;
    if (!ask_to_close(s, op)) taut_op_complete(s->mod, op, TAUT_OK, NULL, NULL);
}

/* There is nothing that a backup could be put in the place of. */
static void on_file(void *self, taut_str file, taut_op op) {
    struct store *s = self;
    (void)file;
    taut_op_complete(s->mod, op, TAUT_E_UNAVAILABLE, NULL, NULL);
}

static void on_copied(void *self, uint64_t *done, uint64_t *total) {
    (void)self;
    *done = *total = 0;
}

static const struct taut_storage_v1 storage = {.size = (uint32_t)sizeof storage,
                                               .open = on_open,
                                               .commit = on_commit,
                                               .get = on_get,
                                               .scan = on_scan,
                                               .events = on_events,
                                               .close = on_close,
                                               .logs = on_logs,
                                               .cursors = on_cursors,
                                               .backup = on_file,
                                               .restore = on_file,
                                               .copied = on_copied};

/* ---- life ---- */

static enum mutant mutant_of_environment(void) {
#ifdef STORE_MUTANTS
    static const char *const names[] = {"",
#define MUTANT_NAME(name) #name,
                                        MUTANTS(MUTANT_NAME)};
    const char *wanted = getenv("STORE_MEMORY_MUTANT");
    for (int i = 1; wanted && i < M_count; i++)
        if (strcmp(wanted, names[i]) == 0) return (enum mutant)i;
#endif
    return M_none;
}

static int32_t on_init(struct taut_mod *m) {
    struct store *s = need(calloc(1, sizeof *s));
    s->mod = m;
    s->mutant = mutant_of_environment();
    s->jobs.tail = &s->jobs.head;
    s->background.tail = &s->background.head;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->ready, NULL);
    m->state = s;
    return taut_svc_provide(m, "storage", 1, &storage, s);
}

static void on_start(struct taut_mod *m, taut_op op) {
    taut_op_complete(m, op, TAUT_OK, NULL, NULL);
}

static void on_stop(struct taut_mod *m, taut_op op) {
    on_close(m->state, op);
}

static void on_fini(struct taut_mod *m) {
    struct store *s = m->state;
    ask_to_close(s, 0);
    join(s);
    pthread_cond_destroy(&s->ready);
    pthread_mutex_destroy(&s->lock);
    free(s);
    m->state = NULL;
}

TAUT_MODULE(.name = "store_memory", .version = "0.1.0", .license = "Apache-2.0",
            .summary = "Keeps everything in memory, for tests", .provides = TAUT_LIST("storage/1"),
            .flags = TAUT_MODULE_STANDARD, .init = on_init, .start = on_start, .stop = on_stop, .fini = on_fini);
