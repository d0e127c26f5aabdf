/* store.c - see store.h. What is asked is done at once; its op completes on a later turn, as all ops do. Hub. */
#include "store.h"

#include "../../tests/store_memory/memory.h"

static struct {
    const struct taut_batch_view *rows, *spared;
    int32_t refuse_commit, refuse_read;
    bool keeps;
    struct store *kept; /* of the life before, closed */
} asked;

void store_begin_with(const struct taut_batch_view *rows) {
    asked.rows = rows;
    asked.refuse_commit = asked.refuse_read = TAUT_OK;
}

void store_refuse(bool commits, int32_t status) {
    *(commits ? &asked.refuse_commit : &asked.refuse_read) = status;
}

void store_spare(const struct taut_batch_view *commit) {
    asked.spared = commit;
}

void store_keep(bool keeps) {
    asked.keeps = keeps;
}

static void complete(struct store *s, taut_op op, int32_t status, void *result) {
    taut_op_complete(s->mod, op, status, result, free);
}

static void tables_make(struct store *s, const struct taut_table_ref *tables, uint32_t n) {
    s->tables = need(calloc(n + 1, sizeof *s->tables));
    s->ntables = n;
    for (uint32_t i = 0; i < n; i++)
        s->tables[i] = (struct table){.ncols = tables[i].table->cols.len,
                                      .key_cols = tables[i].table->key_cols,
                                      .nindex = tables[i].table->index.len};
}

static void on_open(void *self, const struct taut_table_ref *tables, uint32_t n, taut_op op) {
    struct store *s = self;
    if (s->open) {
        complete(s, op, TAUT_E_EXISTS, NULL);
        return;
    }
    struct taut_open_result *opened = need(calloc(1, sizeof *opened));
    if (!s->tables) tables_make(s, tables, n);
    for (uint32_t i = 0; i < n; i++) s->tables[i].def = tables[i].table; /* of this life */
    s->open = true;
    if (asked.rows) {
        struct taut_commit_result *r;
        if (commit_run(s, asked.rows, &r) != TAUT_OK) taut_log_kv(s->mod, TAUT_LOG_ERROR, "rows", r->why, NULL, 0);
        free(r);
    }
    opened->size = sizeof *opened;
    opened->lsn = s->lsn;
    complete(s, op, TAUT_OK, opened);
}

/* Is this one to be refused? Once, and always while it is not open. */
static bool is_refused(const struct store *s, int32_t *what, int32_t *status) {
    *status = s->open ? *what : TAUT_E_UNAVAILABLE;
    *what = TAUT_OK;
    return *status != TAUT_OK;
}

static void on_commit(void *self, const struct taut_batch_view *b, taut_op op) {
    struct store *s = self;
    struct taut_commit_result *r = NULL;
    int32_t status;
    if (b != asked.spared && is_refused(s, &asked.refuse_commit, &status)) {
        complete(s, op, status, NULL);
        return;
    }
    status = commit_run(s, b, &r);
    for (uint32_t i = 0; i < s->nclaims; i++) s->claims[i].is_new = false;
    const struct taut_durable durable = {b, r->lsn, r->first_seq};
    if (status == TAUT_OK) s->mod->host->durable(s->mod, &durable, 1);
    complete(s, op, status, r);
}

static void read_now(struct store *s, const struct job *j) {
    void *result = NULL;
    int32_t status;
    if (is_refused(s, &asked.refuse_read, &status)) {
        complete(s, j->op, status, NULL);
        return;
    }
    status = read_run(s, j, &result);
    complete(s, j->op, status, result);
}

static void on_get(void *self, const struct taut_get_req *reqs, uint32_t n, taut_op op) {
    read_now(self, &(struct job){.kind = JOB_GET, .op = op, .what = reqs, .n = n});
}

static void on_scan(void *self, uint32_t table, const struct taut_scan *scan, taut_op op) {
    read_now(self, &(struct job){.kind = JOB_SCAN, .op = op, .what = scan, .n = table});
}

static void on_events(void *self, taut_str workspace, uint64_t after, uint32_t limit, uint32_t max_bytes, taut_op op) {
    read_now(
        self,
        &(struct job){
            .kind = JOB_EVENTS, .op = op, .n = limit, .max_bytes = max_bytes, .workspace = workspace, .after = after});
}

static void on_logs(void *self, taut_op op) {
    read_now(self, &(struct job){.kind = JOB_LOGS, .op = op});
}

static void on_cursors(void *self, taut_str workspace, taut_op op) {
    read_now(self, &(struct job){.kind = JOB_CURSORS, .op = op, .workspace = workspace});
}

static void on_close(void *self, taut_op op) {
    struct store *s = self;
    if (s->open && !asked.keeps) {
        tables_free(s);
        logs_free(s);
    }
    s->open = false;
    complete(s, op, TAUT_OK, NULL);
}

static void on_file(void *self, taut_str file, taut_op op) {
    (void)file;
    complete(self, op, TAUT_E_UNAVAILABLE, NULL);
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

static int32_t on_init(struct taut_mod *m) {
    struct store *s = m->state = asked.kept ? asked.kept : need(calloc(1, sizeof *s));
    asked.kept = NULL;
    s->mod = m;
    return taut_svc_provide(m, "storage", 1, &storage, s);
}

static void on_stop(struct taut_mod *m, taut_op op) {
    on_close(m->state, op);
}

static void on_fini(struct taut_mod *m) {
    if (asked.keeps) asked.kept = m->state;
    else free(m->state);
}

const struct taut_module modtest_store = {.size = (uint32_t)sizeof(struct taut_module),
                                          .abi_major = TAUT_ABI_MAJOR,
                                          .abi_minor = TAUT_ABI_MINOR,
                                          .name = "modtest_store",
                                          .version = "1",
                                          .provides = TAUT_LIST("storage/1"),
                                          .init = on_init,
                                          .stop = on_stop,
                                          .fini = on_fini};
