/* history.c - see history.h. */
#include "history.h"
#include "reactions.h"

enum {
    SCANS_MAX = 8, /* for one page: so many rows at most lie between two messages of the channel itself */
    SCAN_MIN = 50,
    SCAN_MAX = 1000
};

int32_t history_page(struct conv *cv, struct taut_call *c, const struct channel *ch, const struct window *w,
                     struct message_page *out) {
    const struct taut_val prefix[] = {taut_v_str(c->actor->workspace), taut_v_str(ch->pub.id)};
    struct taut_scan scan = {.index = TAUT_SCAN_PRIMARY, .nprefix = 2, .prefix = prefix, .descending = 1};
    uint32_t scans, i;
    scan.lo = taut_v_int(w->lo);
    scan.lo_open = w->lo_open != 0;
    scan.hi = w->hi ? taut_v_int(w->hi) : taut_v_null();
    scan.hi_open = w->hi_open != 0;
    *out = (struct message_page){.list = taut_scratch(c, w->limit * sizeof *out->list), .more = 1};
    for (scans = 0; scans < SCANS_MAX && out->more && out->n < w->limit; scans++) {
        const struct taut_rows *rows;
        scan.limit = scans ? SCAN_MAX : w->limit < SCAN_MIN ? SCAN_MIN : w->limit;
        TAUT_TRY(taut_scan(cv->mod, c, &messages, &scan, &rows));
        for (i = 0; i < rows->n && out->n < w->limit; i++) {
            struct message ms = message_of(&rows->rows[i]);
            out->last = ms.ts;
            if (message_in_channel(&ms)) out->list[out->n++] = ms;
        }
        out->more = i < rows->n || rows->more;
        scan.hi = taut_v_int(out->last);
        scan.hi_open = 1;
    }
    return TAUT_OK;
}

int32_t thread_page(struct conv *cv, struct taut_call *c, const struct channel *ch, const struct taut_row *parent,
                    const struct window *w, struct message_page *out) {
    taut_str ws = c->actor->workspace;
    int64_t thread_ts = taut_row_int(parent, MS_TS);
    const struct taut_val prefix[] = {taut_v_str(ws), taut_v_str(ch->pub.id), taut_v_int(thread_ts)};
    const struct taut_scan scan = {
        .index = TAUT_SCAN_PRIMARY,
        .nprefix = 3,
        .prefix = prefix,
        .lo = taut_v_int(w->lo),
        .hi = w->hi ? taut_v_int(w->hi) : taut_v_null(),
        .lo_open = w->lo_open != 0,
        .hi_open = w->hi_open != 0,
        .limit = w->limit,
    };
    const struct taut_rows *rows;
    int32_t err = TAUT_OK;
    uint32_t i;
    TAUT_TRY(taut_scan(cv->mod, c, &replies, &scan, &rows));
    *out = (struct message_page){.list = taut_scratch(c, (rows->n + 1) * sizeof *out->list), .more = rows->more != 0};
    out->list[out->n++] = message_of(parent);
    for (i = 0; i < rows->n; i++) {
        const struct taut_row *row = NULL;
        out->last = taut_row_int(&rows->rows[i], RE_TS);
        int32_t got = taut_get(cv->mod, c, &messages, MESSAGE_KEY(ws, ch->pub.id, out->last), &row);
        if (got < 0) err = got;
        else if (row) {
            out->list[out->n] = message_of(row);
            out->list[out->n++].parent_user = taut_row_str(parent, MS_USER);
        }
    }
    return err;
}

int32_t page_load(struct conv *cv, struct taut_call *c, const struct channel *ch, struct message_page *page,
                  taut_str *json) {
    int64_t from = INT64_MAX, to = 0;
    struct reacted all = {.n = 0};
    struct taut_json *j;
    uint32_t i;
    int32_t err = message_bots(cv, c, page->list, page->n), people = thread_people(cv, c, ch, page->list, page->n);
    for (i = 0; i < page->n; i++) {
        if (page->list[i].ts < from) from = page->list[i].ts;
        if (page->list[i].ts > to) to = page->list[i].ts;
    }
    if (page->n) TAUT_TRY(reacted_load(cv, c, ch, from, to, &all));
    TAUT_TRY(err);
    TAUT_TRY(people);
    j = taut_json_scratch(c);
    taut_json_open(j, '[');
    for (i = 0; i < page->n; i++) {
        struct reaction_list list = reacted_of(c, &all, page->list[i].ts);
        shape_message(j, c->actor->workspace, &page->list[i], &list);
    }
    taut_json_close(j, ']');
    *json = taut_json_out(j);
    return TAUT_OK;
}
