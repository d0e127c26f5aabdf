/* store.c - the module: storage/1 on SQLite. What runs on the hub: options, life, and putting jobs into queues.
 *
 * Opening starts the writer thread, which starts the readers, ends them, and says when all has ended. The hub never
 * waits for a disk: it joins the writer only after that.
 */
#include "fault.h"
#include "restore.h"
#include "writer.h"

enum { FINI_WAIT_MS = 2000 };

static void give_up(struct store *s, taut_op op, int32_t err) {
    taut_op_complete(s->mod, op, err, NULL, NULL);
}

static void tables_free(struct store *s) {
    for (uint32_t i = 0; i < s->ntables; i++) free(s->tables[i].name);
    free(s->tables);
    s->tables = NULL;
    s->ntables = 0;
}

static bool tables_copy(struct store *s, const struct taut_table_ref *refs, uint32_t n) {
    s->tables = calloc(n ? n : 1, sizeof *s->tables);
    if (!s->tables) return false;
    for (s->ntables = 0; s->ntables < n; s->ntables++) {
        const struct taut_table *def = refs[s->ntables].table;
        struct table *t = &s->tables[s->ntables];
        *t = (struct table){strdup(refs[s->ntables].sql_name), def, def->cols.len, def->key_cols, def->index.len};
        if (!t->name) return false;
    }
    return true;
}

/* Not before writes.open is false: then it is about to return. */
static void join_writer(struct store *s) {
    if (s->has_thread) pthread_join(s->writer_thread, NULL);
    s->has_thread = false;
}

static void set_gate(struct store *s, bool open, bool takes_jobs) {
    pthread_mutex_lock(&s->writes.lock);
    s->writes.open = open;
    s->writes.closing = !takes_jobs;
    pthread_mutex_unlock(&s->writes.lock);
}

bool store_run(struct store *s, void *(*thread)(void *store), bool takes_jobs) {
    join_writer(s);
    set_gate(s, true, takes_jobs);
    s->has_thread = pthread_create(&s->writer_thread, NULL, thread, s) == 0;
    if (!s->has_thread) set_gate(s, false, true);
    return s->has_thread;
}

struct ring store_shut(struct store *s) {
    pthread_mutex_lock(&s->writes.lock);
    struct ring closers = s->closers;
    s->closers = (struct ring){.elem = sizeof(taut_op)};
    s->writes.open = false;
    pthread_cond_broadcast(&s->writes.ready);
    pthread_mutex_unlock(&s->writes.lock);
    return closers;
}

void store_tell_closers(struct taut_mod *mod, struct ring *closers) {
    taut_op op;
    while (ring_pop(closers, &op)) taut_op_complete(mod, op, TAUT_OK, NULL, NULL);
    free(closers->items);
}

static bool is_open(struct store *s) {
    pthread_mutex_lock(&s->writes.lock);
    bool open = s->writes.open;
    pthread_mutex_unlock(&s->writes.lock);
    return open;
}

static void on_open(void *self, const struct taut_table_ref *tables, uint32_t n, taut_op op) {
    struct store *s = self;
    if (is_open(s)) {
        give_up(s, op, TAUT_E_EXISTS);
        return;
    }
    join_writer(s);
    tables_free(s);
    s->open_op = op;
    if (!tables_copy(s, tables, n) || !store_run(s, writer_main, true)) give_up(s, op, TAUT_E_NOMEM);
}

static void log_full(struct store *s) {
    static const char text[] = "too much waits for the disk; further work is refused: it hangs, or is too slow";
    uint32_t held;
    if (!is_open(s)) return;
    condition_overloaded(s);
    if (!trouble_say(&s->trouble, text, 0, taut_mono_us(s->mod), &held)) return;
    taut_log(s->mod, TAUT_LOG_ERROR, "store_full", "%s: %s", s->path, text);
}

static void on_commit(void *self, const struct taut_batch_view *b, taut_op op) {
    struct store *s = self;
    int32_t err = write_queue_push(&s->writes, b, op);
    if (err == TAUT_OK) return;
    if (err == TAUT_E_UNAVAILABLE) log_full(s);
    commit_refuse(s->mod, op, err, is_open(s) ? "too much waits for the disk" : "the store is closed");
}

static void push_read(struct store *s, const struct read_job *j) {
    int32_t err = read_queue_push(&s->reads, j);
    if (err == TAUT_OK) return;
    if (err == TAUT_E_UNAVAILABLE) log_full(s);
    give_up(s, j->op, err);
}

static void on_get(void *self, const struct taut_get_req *reqs, uint32_t n, taut_op op) {
    push_read(self, &(struct read_job){.kind = READ_GET, .n = n, .what = reqs, .op = op});
}

static void on_scan(void *self, uint32_t table, const struct taut_scan *scan, taut_op op) {
    push_read(self, &(struct read_job){.kind = READ_SCAN, .n = table, .what = scan, .op = op});
}

static void on_events(void *self, taut_str workspace, uint64_t after, uint32_t limit, uint32_t max_bytes, taut_op op) {
    push_read(
        self,
        &(struct read_job){
            .kind = READ_EVENTS, .n = limit, .max_bytes = max_bytes, .workspace = workspace, .after = after, .op = op});
}

static void on_logs(void *self, taut_op op) {
    push_read(self, &(struct read_job){.kind = READ_LOGS, .op = op});
}

static void on_cursors(void *self, taut_str workspace, taut_op op) {
    push_read(self, &(struct read_job){.kind = READ_CURSORS, .workspace = workspace, .op = op});
}

/* Asks for the end, of which op, when there is one, hears. TAUT_OK: it has ended, nobody will hear; TAUT_E_AGAIN. */
static int32_t ask_to_close(struct store *s, taut_op op) {
    int32_t err = TAUT_OK;
    pthread_mutex_lock(&s->writes.lock);
    if (s->writes.open) {
        err = op && !ring_push(&s->closers, &op) ? TAUT_E_NOMEM : TAUT_E_AGAIN;
        s->writes.closing = s->restore.ended = true;
        pthread_cond_signal(&s->writes.ready);
    }
    pthread_mutex_unlock(&s->writes.lock);
    return err;
}

static void on_close(void *self, taut_op op) {
    struct store *s = self;
    int32_t err = ask_to_close(s, op);
    if (err != TAUT_E_AGAIN) give_up(s, op, err);
}

static void on_backup(void *self, taut_str file, taut_op op) {
    backup_begin(self, file, op);
}

static void on_restore(void *self, taut_str file, taut_op op) {
    if (is_open(self)) copy_answer(((struct store *)self)->mod, op, TAUT_E_EXISTS, "the store is open");
    else restore_begin(self, file, op);
}

static void on_copied(void *self, uint64_t *done, uint64_t *total) {
    struct store *s = self;
    backup_look(&s->backup, done, total);
    if (!*total) restore_look(s, done, total);
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
                                               .backup = on_backup,
                                               .restore = on_restore,
                                               .copied = on_copied};

static void destroy(struct store *s) {
    join_writer(s);
    tables_free(s);
    trouble_fini(&s->trouble);
    free(s->closers.items);
    write_queue_fini(&s->writes);
    read_queue_fini(&s->reads);
    backup_fini(&s->backup);
    free(s->restore.file);
    free(s->path);
    free(s);
}

static int32_t on_init(struct taut_mod *m) {
    struct store *s = calloc(1, sizeof *s);
    if (!s) return TAUT_E_NOMEM;
    s->mod = m;
    s->opt = m->config;
    write_queue_init(&s->writes);
    read_queue_init(&s->reads);
    trouble_init(&s->trouble);
    backup_init(&s->backup);
    s->closers.elem = sizeof(taut_op);
    faults_read(&s->faults);
    /* SQLite's count of its own memory costs a lock at each allocation. Too late when somebody else in the process has
     * used SQLite before: then it stays as it is. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    s->path = strndup(s->opt->path.ptr, s->opt->path.len);
    /* To close takes no memory. */
    bool ready = s->path && ring_reserve(&s->closers);
    int32_t err = ready ? taut_svc_provide(m, "storage", 1, &storage, s) : TAUT_E_NOMEM;
    if (err < 0) destroy(s);
    else m->state = s;
    return err;
}

/* Opening is the service's. */
static void on_start(struct taut_mod *m, taut_op op) {
    taut_op_complete(m, op, TAUT_OK, NULL, NULL);
}

static void on_stop(struct taut_mod *m, taut_op op) {
    on_close(m->state, op);
}

/* A thread that hangs in the disk still uses all of it, and perhaps for ever. */
static void on_fini(struct taut_mod *m) {
    struct store *s = m->state;
    m->state = NULL;
    ask_to_close(s, 0);
    if (write_queue_await_end(&s->writes, FINI_WAIT_MS)) destroy(s);
    else
        taut_log(m, TAUT_LOG_ERROR, "store_hangs",
                 "%s: the disk does not answer; its threads are left as they are. What was acknowledged is on disk",
                 s->path);
}

static const struct taut_opt options[] = {
    TAUT_OPT(struct options, sync, TAUT_OPT_ENUM, .choices = "off|normal|full", .dflt = "full",
             .help = "full: an ok survives a power cut. normal, off: it survives only the end of the process"),
    TAUT_OPT(struct options, path, TAUT_OPT_PATH, .dflt = "taut.db", .help = "the database file"),
    TAUT_OPT(struct options, page_cache, TAUT_OPT_BYTES, .dflt = "8MiB", .min = 256 << 10, .max = 64ll << 30,
             .help = "memory for the writer's pages; each reader has a quarter of it"),
    TAUT_OPT(struct options, wal_limit, TAUT_OPT_BYTES, .dflt = "64MiB", .min = 1 << 20, .max = 64ll << 30,
             .help = "size of the write-ahead log at which writing waits for a checkpoint"),
    TAUT_OPT(struct options, claims, TAUT_OPT_INT, .dflt = "4000000", .min = 1, .max = 100000000,
             .help = "how many client_msg_ids of the last 24 hours are remembered; about 40 bytes of memory each"),
    TAUT_OPT(struct options, readers, TAUT_OPT_INT, .dflt = "2", .min = 1, .max = 8, .help = "threads that read"),
};

static const struct taut_metric metrics[] = {
    [METRIC_COMMITS] = {.name = "commits_total", .kind = TAUT_COUNTER, .help = "Batches on disk."},
    [METRIC_GROUPS] = {.name = "groups_total",
                       .kind = TAUT_COUNTER,
                       .help = "Transactions, each of one or more batches."},
    [METRIC_ROWS] = {.name = "rows_total", .kind = TAUT_COUNTER, .help = "Rows and events written."},
    [METRIC_COMMIT] = {.name = "commit",
                       .kind = TAUT_HISTOGRAM,
                       .unit = "seconds",
                       .help = "Time of a transaction's COMMIT, most of it the disk's sync."},
    [METRIC_WAL_BYTES] = {.name = "wal", .kind = TAUT_GAUGE, .unit = "bytes", .help = "Size of the write-ahead log."},
    [METRIC_CLAIMS] = {.name = "claims", .kind = TAUT_GAUGE, .help = "Claims remembered."},
    [METRIC_CLAIMS_DROPPED] = {.name = "claims_dropped_total",
                               .kind = TAUT_COUNTER,
                               .help = "Claims forgotten before their 24 hours were over: must stay 0."},
};

TAUT_MODULE(.name = "store_sqlite", .version = "0.1.0", .license = "Apache-2.0",
            .summary = "Keeps everything in one SQLite file", .provides = TAUT_LIST("storage/1"),
            .options = TAUT_ARRAY(options), .config_size = (uint32_t)sizeof(struct options),
            .flags = TAUT_MODULE_STANDARD, .metrics = TAUT_ARRAY(metrics), .init = on_init, .start = on_start,
            .stop = on_stop, .fini = on_fini);
