/* methods_history.c - conversations.history, .replies and .mark. */
#include "history.h"
#include "may.h"
#include "methods.h"
#include "reads.h"
#include "taut/page.h"
#include "text.h"

/* oldest, latest, inclusive and limit. "now" is no bound. Given only an oldest, a page begins there: who asks for what
 * is new since then must not miss what does not fit. */
static int32_t window_args(struct taut_call *c, uint32_t dflt, struct window *w) {
    taut_str oldest = taut_arg_str(c, HISTORY_OLDEST), latest = taut_arg_str(c, HISTORY_LATEST);
    int open = !taut_arg_int(c, HISTORY_INCLUSIVE, 0);
    *w = (struct window){.lo_open = open, .hi_open = open};
    TAUT_TRY(taut_limit_arg(c, HISTORY_LIMIT, dflt, &w->limit));
    if (oldest.len && (w->lo = stamp_read_bound(oldest)) < 0) return taut_fail(c, "invalid_ts_oldest");
    w->from_oldest = w->lo > 0 && !latest.len;
    if (!latest.len || taut_str_is(latest, "now")) return TAUT_OK;
    if ((w->hi = stamp_read_bound(latest)) < 0) return taut_fail(c, "invalid_ts_latest");
    return TAUT_OK;
}

/* The cursor holds the time of the last message that was looked at. 0: none. */
static int32_t position_arg(struct taut_call *c, int64_t *ts) {
    taut_str value;
    TAUT_TRY(taut_cursor_arg(c, HISTORY_CURSOR, "next_ts", &value));
    *ts = value.len ? stamp_read(value) : 0;
    return *ts < 0 ? taut_fail(c, "invalid_cursor") : TAUT_OK;
}

static int32_t answer_page(struct conv *cv, struct taut_call *c, const struct channel *ch, struct message_page *page) {
    char out[STAMP_SIZE];
    struct taut_json *j;
    taut_str list;
    uint32_t i;
    if (!taut_arg_int(c, HISTORY_METADATA, 0))
        for (i = 0; i < page->n; i++) page->list[i].metadata = taut_str_n("", 0);
    TAUT_TRY(page_load(cv, c, ch, page, &list));
    j = taut_answer(c);
    taut_json_ktext(j, "messages", list);
    taut_json_kbool(j, "has_more", page->more);
    if (page->more) taut_cursor_answer(c, "next_ts", stamp_write(out, page->last));
    return taut_done(c);
}

static int32_t readable(struct conv *cv, struct taut_call *c, const struct channel **ch) {
    TAUT_TRY(channel_see(cv, c, taut_arg_str(c, HISTORY_CHANNEL), ch));
    return may(cv, c, TAUT_ACT_READ, *ch, taut_str_n("", 0), NULL);
}

int32_t on_history(struct taut_mod *m, struct taut_call *c) {
    struct conv *cv = conv_of(m);
    struct message_page page;
    const struct channel *ch;
    struct window w;
    int64_t position;
    TAUT_TRY(window_args(c, TAUT_PAGE_DEFAULT, &w));
    TAUT_TRY(position_arg(c, &position));
    TAUT_TRY(readable(cv, c, &ch));
    if (position > w.lo && w.from_oldest) {
        w.lo = position;
        w.lo_open = 1;
    } else if (position && !w.from_oldest && (!w.hi || position <= w.hi)) {
        w.hi = position;
        w.hi_open = 1;
    }
    TAUT_TRY(history_page(cv, c, ch, &w, &page));
    return answer_page(cv, c, ch, &page);
}

int32_t on_replies(struct taut_mod *m, struct taut_call *c) {
    struct conv *cv = conv_of(m);
    int64_t ts = stamp_read(taut_arg_str(c, HISTORY_TS)), position;
    const struct taut_row *parent = NULL;
    struct message_page page;
    const struct channel *ch;
    struct window w;
    TAUT_TRY(window_args(c, TAUT_PAGE_MAX, &w));
    TAUT_TRY(position_arg(c, &position));
    TAUT_TRY(readable(cv, c, &ch));
    if (ts > 0) TAUT_TRY(thread_parent(cv, c, ch, ts, &parent));
    if (!parent) return taut_fail(c, "thread_not_found");
    if (position > w.lo) {
        w.lo = position;
        w.lo_open = 1;
    }
    TAUT_TRY(thread_page(cv, c, ch, parent, &w, &page));
    return answer_page(cv, c, ch, &page);
}

int32_t on_mark(struct taut_mod *m, struct taut_call *c) {
    struct conv *cv = conv_of(m);
    int64_t ts = stamp_read(taut_arg_str(c, MARK_TS)), now;
    const struct channel *ch;
    TAUT_TRY(channel_see(cv, c, taut_arg_str(c, MARK_CHANNEL), &ch));
    TAUT_TRY(may(cv, c, TAUT_ACT_MARK, ch, taut_str_n("", 0), NULL));
    if (ts < 0 || ts > ch->pub.last_ts) return taut_fail(c, "invalid_timestamp");
    TAUT_TRY(read_mark(cv, c, ch, &now));
    if (ts == now) return taut_done(c);
    return read_mark_set(cv, c, ch, ts);
}
