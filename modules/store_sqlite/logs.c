/* logs.c - reads of the logs: a range of one, and where each begins and ends. */
#include "reader.h"

/* ---- events ---- */

enum { EVENT_SEQ, EVENT_AT, EVENT_SKIP, EVENT_TOPICS, EVENT_DELTAS, EVENT_BODY, EVENT_COLS };

/* The rows as events, in the same block. */
static struct taut_event_rows *seal_events(struct build *b, uint64_t last) {
    struct taut_row *rows;
    uint32_t n = (uint32_t)b->nrows;
    size_t head = sizeof(struct taut_event_rows) + n * sizeof(struct taut_event_rec);
    struct taut_event_rows *res = build_seal(b, head, 0, &rows);
    if (!res) return NULL;
    struct taut_event_rec *events = (struct taut_event_rec *)(void *)(res + 1);
    for (uint32_t i = 0; i < n; i++)
        events[i] = (struct taut_event_rec){.seq = (uint64_t)taut_row_int(&rows[i], EVENT_SEQ),
                                            .at_us = taut_row_int(&rows[i], EVENT_AT),
                                            .skip = (taut_conn)taut_row_int(&rows[i], EVENT_SKIP),
                                            .topics = taut_row_str(&rows[i], EVENT_TOPICS),
                                            .deltas = taut_row_str(&rows[i], EVENT_DELTAS),
                                            .body = taut_row_str(&rows[i], EVENT_BODY)};
    *res = (struct taut_event_rows){.size = sizeof *res, .n = n, .last = last, .events = events};
    return res;
}

/* The rows behind `after`. None when the log was trimmed past it: what is left there waits to be deleted. */
static int32_t collect(struct reader *r, const struct read_job *j, const struct log_span *log) {
    if (j->after >= log->last || j->after + 1 < log->first) return TAUT_OK;
    sqlite3_stmt *st = reader_stmt(r, &r->events,
                                   "SELECT seq, at, skip, topics, deltas, body FROM taut_events "
                                   "WHERE workspace=?1 AND seq>?2 ORDER BY seq LIMIT ?3");
    if (st) {
        bind_str(st, 1, j->workspace);
        sqlite3_bind_int64(st, 2, (int64_t)j->after);
        sqlite3_bind_int64(st, 3, j->n);
    }
    return reader_collect(r, st, EVENT_COLS, j->max_bytes, "cannot read the log");
}

/* A log that lacks rows, which only a hand beside the server can bring about, answers as if it had been trimmed. */
int32_t events_read(struct reader *r, const struct read_job *j, void **result) {
    struct log_span log;
    if (j->n < 1 || j->n > SCAN_LIMIT_MAX) return TAUT_E_INVAL;
    if (db_log(&r->conn, j->workspace, &log) != SQLITE_OK)
        return reader_failed(r, SQLITE_ERROR, "cannot read the end of a log");
    TAUT_TRY(collect(r, j, &log));
    uint64_t first = log.first;
    if (j->after < log.last && j->after + 1 >= first)
        first = r->build.nrows ? (uint64_t)r->build.vals[EVENT_SEQ].u.i : log.last + 1;
    bool gap = j->after < log.last && j->after + 1 < first;
    if (gap) build_reset(&r->build);
    struct taut_event_rows *res = seal_events(&r->build, log.last);
    if (!res) return TAUT_E_NOMEM;
    if (gap) res->first = first;
    *result = res;
    return gap ? TAUT_E_GAP : TAUT_OK;
}

/* ---- where they begin and end ---- */

enum { LOG_WORKSPACE, LOG_FIRST, LOG_LAST, LOG_COLS };

int32_t logs_read(struct reader *r, void **result) {
    sqlite3_stmt *st = reader_stmt(r, &r->logs, "SELECT workspace, first, seq FROM taut_heads ORDER BY workspace");
    TAUT_TRY(reader_collect(r, st, LOG_COLS, 0, "cannot read the ends of the logs"));
    struct taut_row *rows;
    struct taut_log_heads *res;
    uint32_t n = (uint32_t)r->build.nrows;
    res = build_seal(&r->build, sizeof *res + n * sizeof(struct taut_log_head), 0, &rows);
    if (!res) return TAUT_E_NOMEM;
    struct taut_log_head *list = (struct taut_log_head *)(void *)(res + 1);
    for (uint32_t i = 0; i < n; i++)
        list[i] =
            (struct taut_log_head){taut_row_str(&rows[i], LOG_WORKSPACE), (uint64_t)taut_row_int(&rows[i], LOG_FIRST),
                                   (uint64_t)taut_row_int(&rows[i], LOG_LAST)};
    *res = (struct taut_log_heads){sizeof *res, n, list};
    *result = res;
    return TAUT_OK;
}
