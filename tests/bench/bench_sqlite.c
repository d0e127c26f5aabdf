/* bench_sqlite - what bare SQLite reaches with the rows that the server writes for a post.
 *
 * The schema and one row of each kind are read from a store in which the server has stored posts (TEMPLATE.db), so that
 * the rows are the server's own: a message, its event, the channel's last_ts by max(); no index on idempotency keys.
 * WAL, synchronous=FULL, checkpoints as SQLite does them.
 *   posts TEMPLATE.db OUT.db SECONDS CHANNELS BATCH   {"posts","seconds","posts_per_s"}
 *   single TEMPLATE.db OUT.db COUNT          {"p50_us"}: a post a transaction
 *   fsync OUT.file COUNT                     {"p50_us"}: 4 KiB written behind the last and fdatasync */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { COUNT_MAX = 100000, PAGE = 4096, CHANNELS_MAX = 1000 };

/* A table that a post writes to: which row to take as the model, and which columns a new row changes. */
static const struct kind {
    const char *table, *model, *number, *key, *channel; /* channel: the column that names it */
} kinds[] = {
    {"conversation_messages",
     "SELECT * FROM conversation_messages WHERE client_msg_id IS NOT NULL ORDER BY ts DESC LIMIT 1", "ts",
     "client_msg_id", "channel"},
    {"taut_events", "SELECT * FROM taut_events WHERE claim IS NOT NULL ORDER BY seq DESC LIMIT 1", "seq", "claim",
     "topics"},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

struct inserter {
    sqlite3_stmt *stmt;
    int number_at, key_at, channel_at; /* parameters, from 1 */
    int64_t number;
    char *key;
    int key_len;
    int key_is_blob;
};

static sqlite3 *db, *from;
static struct inserter inserters[KINDS];
static sqlite3_stmt *begin, *commit, *touch;
static char channels[CHANNELS_MAX][32];
static int nchannels = 1;
static uint64_t rng = 88172645463325252u;

static void die(const char *what) {
    fprintf(stderr, "bench_sqlite: %s: %s\n", what, db ? sqlite3_errmsg(db) : "failed");
    exit(1);
}

static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static sqlite3_stmt *prepare(sqlite3 *in, const char *sql) {
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(in, sql, -1, &st, NULL) != SQLITE_OK) {
        fprintf(stderr, "bench_sqlite: %s: %s\n", sql, sqlite3_errmsg(in));
        exit(1);
    }
    return st;
}

static void run(sqlite3_stmt *st) {
    int rc = sqlite3_step(st);
    if (rc != SQLITE_DONE && rc != SQLITE_ROW) die("a statement failed");
    sqlite3_reset(st);
}

/* The tables a post writes to, with their indexes, as the store has them. */
static void copy_schema(void) {
    sqlite3_stmt *st =
        prepare(from, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND tbl_name IN "
                      "('conversation_messages', 'taut_events', 'conversation_channels') ORDER BY type DESC");
    while (sqlite3_step(st) == SQLITE_ROW)
        if (sqlite3_exec(db, (const char *)sqlite3_column_text(st, 0), NULL, NULL, NULL) != SQLITE_OK)
            die("the schema");
    sqlite3_finalize(st);
}

/* A statement with every value of the model row bound. */
static sqlite3_stmt *insert_like(const char *table, sqlite3_stmt *model) {
    int n = sqlite3_column_count(model);
    char sql[1024];
    int len = snprintf(sql, sizeof sql, "INSERT INTO %s VALUES(?1", table);
    for (int i = 2; i <= n; i++) len += snprintf(sql + len, sizeof sql - (size_t)len, ",?%d", i);
    snprintf(sql + len, sizeof sql - (size_t)len, ")");
    sqlite3_stmt *st = prepare(db, sql);
    for (int i = 0; i < n; i++) {
        sqlite3_value *v = sqlite3_column_value(model, i);
        if (sqlite3_bind_value(st, i + 1, v) != SQLITE_OK) die("bind");
    }
    return st;
}

static void load_inserter(struct inserter *in, const struct kind *k) {
    sqlite3_stmt *model = prepare(from, k->model);
    if (sqlite3_step(model) != SQLITE_ROW) die("the template has no post with a client_msg_id");
    in->stmt = insert_like(k->table, model);
    for (int i = 0; i < sqlite3_column_count(model); i++) {
        const char *name = sqlite3_column_name(model, i);
        if (!strcmp(name, k->number)) in->number_at = i + 1, in->number = sqlite3_column_int64(model, i);
        if (!strcmp(name, k->channel)) in->channel_at = i + 1;
        if (strcmp(name, k->key) != 0) continue;
        in->key_at = i + 1;
        in->key_is_blob = sqlite3_column_type(model, i) == SQLITE_BLOB;
        in->key_len = sqlite3_column_bytes(model, i);
        in->key = malloc((size_t)in->key_len);
        if (!in->key || in->key_len < 16) die("a key of the template");
        memcpy(in->key, sqlite3_column_blob(model, i), (size_t)in->key_len);
    }
    sqlite3_finalize(model);
    if (!in->number_at || !in->key_at || !in->channel_at) die("a column of the template");
}

static void load_channel(void) {
    sqlite3_stmt *model =
        prepare(from, "SELECT c.* FROM conversation_channels c JOIN conversation_messages m ON "
                      "m.workspace=c.workspace AND m.channel=c.id WHERE m.client_msg_id IS NOT NULL LIMIT 1");
    if (sqlite3_step(model) != SQLITE_ROW) die("the template has no channel with a post");
    sqlite3_stmt *st = insert_like("conversation_channels", model);
    for (int i = 0; i < nchannels; i++) { /* names and pairs are unique: they stay those of the first, or none */
        snprintf(channels[i], sizeof channels[i], "C%03d%.20s", i, (const char *)sqlite3_column_text(model, 1) + 4);
        for (int c = 0; i && c < sqlite3_column_count(model); c++)
            if (!strcmp(sqlite3_column_name(model, c), "name") || !strcmp(sqlite3_column_name(model, c), "is_general"))
                sqlite3_bind_null(st, c + 1);
        sqlite3_bind_text(st, 2, channels[i], -1, SQLITE_STATIC);
        run(st);
    }
    sqlite3_finalize(st);
    touch =
        prepare(db, "UPDATE conversation_channels SET last_ts=max(ifnull(last_ts,?3),?3) WHERE workspace=?1 AND id=?2");
    sqlite3_bind_value(touch, 1, sqlite3_column_value(model, 0));
    sqlite3_finalize(model);
}

static void open_all(const char *template_file, const char *out) {
    if (sqlite3_open_v2(template_file, &from, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) die(template_file);
    if (sqlite3_open(out, &db) != SQLITE_OK) die(out);
    if (sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", NULL, NULL, NULL) != SQLITE_OK)
        die("pragma");
    copy_schema();
    load_channel();
    for (int i = 0; i < KINDS; i++) load_inserter(&inserters[i], &kinds[i]);
    begin = prepare(db, "BEGIN IMMEDIATE");
    commit = prepare(db, "COMMIT");
    sqlite3_close(from);
}

/* A new row: the next number, a fresh key. */
static void insert(struct inserter *in, const char *channel) {
    sqlite3_bind_text(in->stmt, in->channel_at, channel, -1, SQLITE_STATIC);
    sqlite3_bind_int64(in->stmt, in->number_at, ++in->number);
    for (int i = 0; i < 16; i += 8) {
        rng ^= rng << 13, rng ^= rng >> 7, rng ^= rng << 17;
        for (int j = 0; j < 8; j++) in->key[i + j] = (char)('a' + (rng >> (8 * j)) % 26);
    }
    if (in->key_is_blob) sqlite3_bind_blob(in->stmt, in->key_at, in->key, in->key_len, SQLITE_STATIC);
    else sqlite3_bind_text(in->stmt, in->key_at, in->key, in->key_len, SQLITE_STATIC);
    run(in->stmt);
}

static void post(void) {
    const char *channel = channels[rng % (uint64_t)nchannels];
    for (int i = 0; i < KINDS; i++) insert(&inserters[i], channel);
    sqlite3_bind_text(touch, 2, channel, -1, SQLITE_STATIC);
    sqlite3_bind_int64(touch, 3, inserters[0].number);
    run(touch);
}

static void posts(double seconds, int batch) {
    int64_t start = now_us(), now = start, end = start + (int64_t)(seconds * 1e6);
    long n = 0;
    for (; now < end; now = now_us()) {
        run(begin);
        for (int i = 0; i < batch; i++) post();
        run(commit);
        n += batch;
    }
    double took = (double)(now - start) / 1e6;
    printf("{\"posts\":%ld,\"seconds\":%.3f,\"posts_per_s\":%.0f}\n", n, took, (double)n / took);
}

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void print_median(int64_t *took, int n) {
    qsort(took, (size_t)n, sizeof *took, by_value);
    printf("{\"p50_us\":%lld}\n", (long long)took[n / 2]);
}

static void single(int64_t *took, int n) {
    for (int i = 0; i < n; i++) {
        int64_t start = now_us();
        run(begin);
        post();
        run(commit);
        took[i] = now_us() - start;
    }
    print_median(took, n);
}

static void sync_file(const char *file, int64_t *took, int n) {
    static char page[PAGE];
    int fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) die(file);
    for (int i = 0; i < n; i++) {
        int64_t start = now_us();
        if (write(fd, page, sizeof page) != sizeof page || fdatasync(fd) != 0) die("fdatasync");
        took[i] = now_us() - start;
    }
    close(fd);
    print_median(took, n);
}

int main(int argc, char **argv) {
    static int64_t took[COUNT_MAX];
    const char *what = argc > 1 ? argv[1] : "";
    int count = argc > 3 ? atoi(argv[argc - 1]) : 0;
    if (count < 1 || count > COUNT_MAX) what = "";
    if (!strcmp(what, "posts") && argc == 7) {
        nchannels = atoi(argv[5]);
        if (nchannels < 1 || nchannels > CHANNELS_MAX) die("the number of channels");
        open_all(argv[2], argv[3]);
        posts(atof(argv[4]), count);
    } else if (!strcmp(what, "single") && argc == 5) {
        open_all(argv[2], argv[3]);
        single(took, count);
    } else if (!strcmp(what, "fsync") && argc == 4) {
        sync_file(argv[2], took, count);
    } else {
        fprintf(
            stderr,
            "usage: bench_sqlite posts TEMPLATE.db OUT.db SECONDS CHANNELS BATCH | single TEMPLATE.db OUT.db COUNT | "
            "fsync FILE COUNT\n");
        return 2;
    }
    return 0;
}
