/* history.c - see history.h. */
#include "history.h"
#include "reactions.h"

enum {
    SCANS_MAX = 8, /* for one page: so many rows at most lie between two messages of the channel itself */
    SCAN_MIN = 50,
    SCAN_FIRST = 25, /* until it is known how large the messages are */
    SCAN_MAX = 1000
};

static size_t weight(const struct message *ms) {
    return ms->text.len + ms->blocks.len + ms->attachments.len + ms->metadata.len;
}

/* How many rows to ask for, after `seen` of them gave the page what it has. */
static uint32_t rows_wanted(const struct message_page *page, uint32_t limit, uint32_t seen, size_t bytes) {
    uint32_t missing = limit - page->n, most = seen ? SCAN_MAX : SCAN_FIRST;
    size_t wanted = page->n ? (size_t)missing * seen / page->n : seen ? SCAN_MAX : missing;
    size_t fit = page->n ? (PAGE_BYTES - bytes) / (bytes / page->n + 1) : wanted;
    if (wanted > fit) wanted = fit;
    return wanted < SCAN_MIN ? SCAN_MIN : wanted < most ? (uint32_t)wanted : most;
}

static void reverse(struct message *list, uint32_t n) {
    uint32_t i;
    for (i = 0; i < n / 2; i++) {
        struct message swap = list[i];
        list[i] = list[n - 1 - i];
        list[n - 1 - i] = swap;
    }
}

static struct taut_scan window_scan(const struct window *w, const struct taut_val *prefix, uint32_t nprefix) {
    return (struct taut_scan){
        .size = sizeof(struct taut_scan),
        .index = TAUT_SCAN_PRIMARY,
        .nprefix = nprefix,
        .prefix = prefix,
        .lo = taut_v_int(w->lo),
        .hi = w->hi ? taut_v_int(w->hi) : taut_v_null(),
        .lo_open = w->lo_open != 0,
        .hi_open = w->hi_open != 0,
    };
}

/* A list with room for so many, with what it has. */
static struct message *list_with_room(struct taut_call *c, const struct message_page *page, uint32_t n) {
    struct message *list = taut_scratch(c, (n + 1) * sizeof *list);
    if (page->n) memcpy(list, page->list, page->n * sizeof *list);
    return list;
}

int32_t history_page(struct conv *cv, struct taut_call *c, const struct channel *ch, const struct window *w,
                     struct message_page *out) {
    const struct taut_val prefix[] = {taut_v_str(c->actor->workspace), taut_v_str(ch->pub.id)};
    struct taut_scan scan = window_scan(w, prefix, 2);
    uint32_t scans, seen = 0, room = 0, i;
    size_t bytes = 0;
    scan.descending = !w->from_oldest;
    *out = (struct message_page){.more = 1};
    for (scans = 0; scans < SCANS_MAX && out->more && out->n < w->limit && bytes < PAGE_BYTES; scans++) {
        const struct taut_rows *rows;
        scan.limit = rows_wanted(out, w->limit, seen, bytes);
        TAUT_TRY(taut_scan(cv->mod, c, &messages, &scan, &rows));
        if (rows->n > room - out->n) out->list = list_with_room(c, out, room = out->n + rows->n);
        for (i = 0; i < rows->n && out->n < w->limit && bytes < PAGE_BYTES; i++, seen++) {
            struct message ms = message_of(&rows->rows[i]);
            out->last = ms.ts;
            if (!message_in_channel(&ms) || message_is_gone(&rows->rows[i])) continue;
            bytes += weight(&ms);
            out->list[out->n++] = ms;
        }
        out->more = i < rows->n || rows->more;
        *(w->from_oldest ? &scan.lo : &scan.hi) = taut_v_int(out->last);
        *(w->from_oldest ? &scan.lo_open : &scan.hi_open) = 1;
    }
    if (w->from_oldest) reverse(out->list, out->n);
    return TAUT_OK;
}

/* The messages of replies, so many at a time, until the page is full. */
static int32_t replies_load(struct conv *cv, struct taut_call *c, const struct channel *ch,
                            const struct taut_rows *rows, struct message_page *out) {
    size_t bytes = weight(&out->list[0]);
    uint32_t i = 0;
    while (i < rows->n && bytes < PAGE_BYTES) {
        uint32_t to = rows->n - i < SCAN_FIRST ? rows->n : i + SCAN_FIRST, from = i;
        int32_t err = TAUT_OK;
        for (; i < to; i++) { /* ask for all of them before giving up, so that they are loaded together */
            const struct taut_row *row;
            int32_t got = message_find(cv, c, ch, taut_row_int(&rows->rows[i], RE_TS), &row);
            if (got < 0) err = got;
        }
        TAUT_TRY(err);
        for (i = from; i < to && bytes < PAGE_BYTES; i++) {
            const struct taut_row *row;
            out->last = taut_row_int(&rows->rows[i], RE_TS);
            TAUT_TRY(message_find(cv, c, ch, out->last, &row));
            if (!row) continue;
            out->list[out->n] = message_of(row);
            bytes += weight(&out->list[out->n++]);
        }
    }
    out->more = i < rows->n || rows->more;
    return TAUT_OK;
}

int32_t thread_page(struct conv *cv, struct taut_call *c, const struct channel *ch, const struct taut_row *parent,
                    const struct window *w, struct message_page *out) {
    const struct taut_val prefix[] = {taut_v_str(c->actor->workspace), taut_v_str(ch->pub.id),
                                      taut_v_int(taut_row_int(parent, MS_TS))};
    struct taut_scan scan = window_scan(w, prefix, 3);
    const struct taut_rows *rows;
    scan.limit = w->limit;
    TAUT_TRY(taut_scan(cv->mod, c, &replies, &scan, &rows));
    *out = (struct message_page){.list = taut_scratch(c, (rows->n + 1) * sizeof *out->list)};
    out->list[out->n++] = message_of(parent);
    return replies_load(cv, c, ch, rows, out);
}

int32_t page_load(struct conv *cv, struct taut_call *c, const struct channel *ch, struct message_page *page,
                  taut_str *json) {
    int64_t from = INT64_MAX, to = 0;
    struct reacted all = {.n = 0};
    struct taut_json *j;
    uint32_t i;
    int32_t bots = message_bots(cv, c, page->list, page->n);
    int32_t people = thread_people(cv, c, ch, page->list, page->n);
    int32_t authors = thread_authors(cv, c, ch, page->list, page->n);
    for (i = 0; i < page->n; i++) {
        if (page->list[i].ts < from) from = page->list[i].ts;
        if (page->list[i].ts > to) to = page->list[i].ts;
    }
    if (page->n) TAUT_TRY(reacted_load(cv, c, ch, from, to, &all));
    TAUT_TRY(bots);
    TAUT_TRY(people);
    TAUT_TRY(authors);
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
