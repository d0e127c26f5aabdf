/* views.c - see views.h. */
#include "views.h"
#include "history.h"
#include "reads.h"

enum { UNREAD_COUNTED = 1000 };

/* Others' messages after the mark, and the newest of all. */
static int32_t dm_view(struct conv *cv, struct taut_call *c, const struct channel *ch, struct channel_view *view) {
    const struct window unread = {.lo = view->last_read, .lo_open = 1, .limit = UNREAD_COUNTED};
    const struct window newest = {.lo = 0, .limit = 1};
    struct message_page page, last;
    struct taut_json *j;
    uint32_t i;
    int32_t first = history_page(cv, c, ch, &unread, &page);
    int32_t second = history_page(cv, c, ch, &newest, &last);
    TAUT_TRY(first);
    TAUT_TRY(second);
    TAUT_TRY(message_bots(cv, c, last.list, last.n));
    TAUT_TRY(thread_people(cv, c, ch, last.list, last.n));
    TAUT_TRY(thread_authors(cv, c, ch, last.list, last.n));
    view->unread_count = 0;
    for (i = 0; i < page.n; i++) view->unread_count += !taut_str_eq(page.list[i].user, c->actor->user);
    if (!last.n) return TAUT_OK;
    j = taut_json_scratch(c);
    shape_message(j, c->actor->workspace, &last.list[0], NULL);
    view->latest = taut_json_out(j);
    return TAUT_OK;
}

int32_t view_load(struct conv *cv, struct taut_call *c, const struct channel *ch, struct channel_view *view) {
    if (ch->pub.is_member) TAUT_TRY(read_mark(cv, c, ch, &view->last_read));
    return channel_is_dm(ch) ? dm_view(cv, c, ch, view) : TAUT_OK;
}
