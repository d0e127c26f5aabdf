/* store_kit.c - see store_kit.h. */
#define _XOPEN_SOURCE 700 /* nftw */
#define _DEFAULT_SOURCE 1
#include "store_kit.h"

#include <dlfcn.h>
#include <ftw.h>
#include <sys/stat.h>

#include "store_options.h"

/* ---- the tables ---- */

static const struct taut_col note_cols[] = {{"ws", TAUT_TEXT, 0},  {"id", TAUT_INT, 0},   {"text", TAUT_TEXT, 0},
                                            {"num", TAUT_INT, 0},  {"tag", TAUT_TEXT, 0}, {"data", TAUT_BLOB, 0},
                                            {"later", TAUT_INT, 0}};
static const struct taut_index note_index[] = {
    {"by_num", 0, 1, {3}}, {"by_tag", TAUT_INDEX_UNIQUE | TAUT_INDEX_NOT_NULL, 2, {0, 4}}, {"by_text", 0, 1, {2}}};
static const struct taut_col word_cols[] = {{"word", TAUT_TEXT, 0}, {"n", TAUT_INT, 0}, {"m", TAUT_INT, 0}};
static const struct taut_index word_index[] = {{"by_n_m", TAUT_INDEX_UNIQUE, 2, {1, 2}}};
static const struct taut_col blob_cols[] = {{"bytes", TAUT_BLOB, 0}, {"n", TAUT_INT, 0}};

const struct taut_table notes = {
    sizeof notes, 2, "notes", {note_cols, 6, sizeof note_cols[0]}, {note_index, 2, sizeof note_index[0]}};
const struct taut_table notes_later = {
    sizeof notes, 2, "notes", {note_cols, 7, sizeof note_cols[0]}, {note_index, 3, sizeof note_index[0]}};
static const struct taut_table words = {sizeof words, 1, "words", TAUT_ARRAY(word_cols), TAUT_ARRAY(word_index)};
static const struct taut_table blobs = {sizeof blobs, 1, "blobs", TAUT_ARRAY(blob_cols), {0}};

/* ---- the store under test ---- */

struct kit t;

bool kit_load(const char *so) {
    t.dl = dlopen(so, RTLD_NOW | RTLD_LOCAL);
    t.def = t.dl ? dlsym(t.dl, "taut_module") : NULL;
    if (!t.def) fprintf(stderr, "%s\n", t.dl ? "it exports no taut_module" : dlerror());
    return t.def != NULL;
}

void kit_option(const char *name, const char *text) {
    uint32_t i = 0;
    while (i < t.noptions && strcmp(t.options[i].name, name) != 0) i++;
    if (i == KIT_OPTIONS) return;
    if (i == t.noptions) t.noptions++;
    snprintf(t.options[i].name, sizeof t.options[i].name, "%s", name);
    snprintf(t.options[i].text, sizeof t.options[i].text, "%s", text);
}

void kit_keep_options(void) {
    t.nkept = t.noptions;
    memcpy(t.kept, t.options, sizeof t.kept);
}

taut_op start_opening(const struct taut_table *notes_table) {
    static struct taut_table_ref refs[KIT_TABLES];
    refs[TABLE_NOTES] = (struct taut_table_ref){TABLE_NOTES, 0, "test_notes", notes_table};
    refs[TABLE_WORDS] = (struct taut_table_ref){TABLE_WORDS, 0, "test_words", &words};
    refs[TABLE_BLOBS] = (struct taut_table_ref){TABLE_BLOBS, 0, "test_blobs", &blobs};
    host_reset();
    options_fill(&t);
    t.mod = (struct taut_mod){.host = &host_table, .config = t.config, .name = t.def->name};
    assert_int_equal(t.def->init(&t.mod), TAUT_OK);
    taut_op op = host_op();
    host.storage->open(host.self, refs, KIT_TABLES, op);
    return op;
}

int32_t open_with(const struct taut_table *notes_table) {
    return host_status(start_opening(notes_table));
}

void close_store(void) {
    taut_op op = host_op();
    host.storage->close(host.self, op);
    assert_int_equal(host_status(op), TAUT_OK);
    t.def->fini(&t.mod);
}

void reopen(void) {
    close_store();
    assert_int_equal(open_with(&notes), TAUT_OK);
}

int setup(void **state) {
    const char *tmp = getenv("TMPDIR");
    (void)state;
    snprintf(t.dir, sizeof t.dir, "%.40s/taut-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(t.dir)) return -1;
    t.noptions = t.nkept;
    memcpy(t.options, t.kept, sizeof t.options);
    host.clock_shift_us = host.mono_shift_us = 0;
    host.breach[0] = 0;
    host_forget(true);
    return open_with(&notes) == TAUT_OK ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at) {
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

int teardown(void **state) {
    (void)state;
    close_store();
    nftw(t.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}

/* ---- batches ---- */

const struct taut_event_rec an_event = {.topics = {"C1", 2}, .body = {"{}", 2}};

taut_op submit(const struct taut_batch_view *b) {
    taut_op op = host_commit_op();
    host.storage->commit(host.self, b, op);
    return op;
}

int32_t commit(const struct taut_batch_view *b, struct taut_commit_result *out) {
    struct host_slot s = host_wait(submit(b));
    if (out) memset(out, 0, sizeof *out);
    if (out && s.result) *out = *(struct taut_commit_result *)s.result;
    if (out) out->claim_value = out->why = taut_str_z("");
    host_release(&s);
    return s.status;
}

enum { HELD = 3000 };

taut_op hold_writer(void) {
    static struct taut_write writes[HELD];
    static struct taut_val vals[HELD][3];
    static struct taut_batch_view b;
    if (b.size) return submit(&b); /* others may be at it */
    for (int i = 0; i < HELD; i++) {
        vals[i][0] = S("hold");
        vals[i][1] = I(i);
        vals[i][2] = S("x");
        writes[i] = (struct taut_write){.kind = TAUT_W_UPSERT, .vals = vals[i], .nvals = 3};
    }
    b = (struct taut_batch_view){.size = sizeof b, .writes = {writes, HELD, sizeof writes[0]}};
    return submit(&b);
}

void fill(void) {
    OK(WRITES(INSERT(S("T1"), I(1), S("a"), I(30), S("x")), INSERT(S("T1"), I(2), S("b"), I(20)),
              INSERT(S("T1"), I(3), S("c"), I(10), S("y")), INSERT(S("T1"), I(4), S("d"), I(20)),
              INSERT(S("T2"), I(5), S("e"), NIL, S("x"))),
       EVENTS(EVENT("{}")));
}

/* ---- reads ---- */

struct host_slot get_many(const struct taut_get_req *reqs, uint32_t n) {
    taut_op op = host_op();
    host.storage->get(host.self, reqs, n, op);
    return host_wait(op);
}

static struct host_slot get_note(int64_t id) {
    struct host_slot s = get_many(&(struct taut_get_req){TABLE_NOTES, 2, KEY(id)}, 1);
    assert_int_equal(s.status, TAUT_OK);
    return s;
}

const char *note_text(int64_t id, uint32_t col) {
    static char text[256];
    struct host_slot s = get_note(id);
    taut_str v = taut_row_str(((const struct taut_get_result *)s.result)->rows, col);
    snprintf(text, sizeof text, "%.*s", (int)v.len, v.ptr);
    host_release(&s);
    return text;
}

int64_t note_int(int64_t id, uint32_t col) {
    struct host_slot s = get_note(id);
    const struct taut_row *row = ((const struct taut_get_result *)s.result)->rows;
    int64_t v = taut_row_null(row, col) ? -1 : taut_row_int(row, col);
    host_release(&s);
    return v;
}

bool note_is_there(int64_t id) {
    struct host_slot s = get_note(id);
    bool there = ((const struct taut_get_result *)s.result)->rows[0].ncols > 0;
    host_release(&s);
    return there;
}

struct host_slot scan_of(uint32_t table, const struct taut_scan *s) {
    taut_op op = host_op();
    host.storage->scan(host.self, table, s, op);
    return host_wait(op);
}

int32_t scan_status(uint32_t table, const struct taut_scan *s) {
    struct host_slot slot = scan_of(table, s);
    host_release(&slot);
    return slot.status;
}

const char *scan_ids(const struct taut_scan *q) {
    static char text[256];
    struct host_slot s = scan(q);
    assert_int_equal(s.status, TAUT_OK);
    const struct taut_rows *r = s.result;
    size_t at = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < r->n && at < sizeof text - 24; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%d", i ? " " : "", (int)taut_row_int(&r->rows[i], ID));
    if (r->more) snprintf(text + at, sizeof text - at, "+");
    host_release(&s);
    return text;
}

struct host_slot events_within(const char *ws, uint64_t after, uint32_t limit, uint32_t max_bytes) {
    taut_op op = host_op();
    host.storage->events(host.self, taut_str_z(ws), after, limit, max_bytes, op);
    return host_wait(op);
}
struct host_slot events(const char *ws, uint64_t after, uint32_t limit) {
    return events_within(ws, after, limit, 0);
}

/* With a GAP too. */
uint64_t last_seq(const char *ws) {
    struct host_slot s = events(ws, 0, 1);
    uint64_t last = ((const struct taut_event_rows *)s.result)->last;
    host_release(&s);
    return last;
}

const char *cursors_of(const char *ws) {
    static char text[256];
    taut_op op = host_op();
    host.storage->cursors(host.self, taut_str_z(ws), op);
    struct host_slot s = host_wait(op);
    assert_int_equal(s.status, TAUT_OK);
    const struct taut_cursors *r = s.result;
    size_t at = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < r->n && at < sizeof text - 64; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%.*s=%lld", i ? " " : "", (int)r->cursors[i].name.len,
                               r->cursors[i].name.ptr, (long long)r->cursors[i].seq);
    host_release(&s);
    return text;
}

const char *log_ends(void) {
    static char text[256];
    taut_op op = host_op();
    host.storage->logs(host.self, op);
    struct host_slot s = host_wait(op);
    assert_int_equal(s.status, TAUT_OK);
    const struct taut_log_heads *r = s.result;
    size_t at = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < r->n && at < sizeof text - 64; i++)
        at +=
            (size_t)snprintf(text + at, sizeof text - at, "%s%.*s:%d-%d", i ? " " : "", (int)r->heads[i].workspace.len,
                             r->heads[i].workspace.ptr, (int)r->heads[i].first, (int)r->heads[i].last);
    host_release(&s);
    return text;
}
