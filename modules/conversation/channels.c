/* channels.c - see channels.h. */
#include "channels.h"
#include "text.h"

enum { LOOKUP_MAX = 4 * CHANNEL_NAME_MAX }; /* bytes: nothing longer was ever stored under a unique index */

/* The one of a DM's pair who is not the viewer; the viewer when it is alone with itself. */
static taut_str peer_of(taut_str pair, taut_str viewer) {
    taut_str each, peer = viewer;
    while (list_next(&pair, &each))
        if (!taut_str_eq(each, viewer)) peer = each;
    return peer;
}

const struct channel *channel_of(struct taut_call *c, const struct taut_row *row, taut_str viewer,
                                 const struct taut_row *member) {
    struct channel *ch = taut_scratch(c, sizeof *ch);
    struct taut_channel *pub = &ch->pub;
    pub->id = taut_row_str(row, CH_ID);
    pub->name = taut_row_str(row, CH_NAME);
    pub->creator = taut_row_str(row, CH_CREATOR);
    pub->topic = taut_row_str(row, CH_TOPIC);
    pub->purpose = taut_row_str(row, CH_PURPOSE);
    pub->kind = (uint32_t)taut_row_int(row, CH_KIND);
    pub->is_archived = taut_row_int(row, CH_IS_ARCHIVED) != 0;
    pub->is_general = taut_row_int(row, CH_IS_GENERAL) != 0;
    pub->created = taut_row_int(row, CH_CREATED);
    pub->last_ts = taut_row_int(row, CH_LAST_TS);
    ch->pair = taut_row_str(row, CH_PAIR);
    ch->label = taut_row_str(row, CH_LABEL);
    ch->topic_by = taut_row_str(row, CH_TOPIC_BY);
    ch->topic_at = taut_row_int(row, CH_TOPIC_AT);
    ch->purpose_by = taut_row_str(row, CH_PURPOSE_BY);
    ch->purpose_at = taut_row_int(row, CH_PURPOSE_AT);
    ch->updated = taut_row_int(row, CH_UPDATED);
    ch->num_members = taut_row_int(row, CH_NUM_MEMBERS);
    if (pub->kind == TAUT_CH_IM) pub->peer = peer_of(ch->pair, viewer);
    if (member) {
        pub->is_member = 1;
        pub->since_seq = (uint64_t)taut_row_int(member, ME_SINCE_SEQ);
        ch->base_ts = taut_row_int(member, ME_BASE_TS);
    }
    return ch;
}

int channel_visible(const struct channel *ch) {
    return ch->pub.kind == TAUT_CH_PUBLIC || ch->pub.is_member;
}

int channel_is_dm(const struct channel *ch) {
    return ch->pub.kind == TAUT_CH_IM || ch->pub.kind == TAUT_CH_MPIM;
}

taut_str channel_type(const struct channel *ch) {
    switch (ch->pub.kind) {
    case TAUT_CH_PRIVATE: return TAUT_LIT("group");
    case TAUT_CH_IM: return TAUT_LIT("im");
    case TAUT_CH_MPIM: return TAUT_LIT("mpim");
    default: return TAUT_LIT("channel");
    }
}

int32_t channel_find(struct conv *cv, struct taut_call *c, taut_str workspace, taut_str id, taut_str viewer,
                     const struct channel **out) {
    const struct taut_row *row, *member;
    int32_t first = taut_get(cv->mod, c, &channels, CHANNEL_KEY(workspace, id), &row);
    int32_t second = taut_get(cv->mod, c, &members, MEMBER_KEY(workspace, id, viewer), &member);
    TAUT_TRY(first);
    TAUT_TRY(second);
    *out = row ? channel_of(c, row, viewer, member) : NULL;
    return TAUT_OK;
}

int32_t channel_see(struct conv *cv, struct taut_call *c, taut_str id, const struct channel **out) {
    if (!id.len) return taut_fail(c, "channel_not_found");
    TAUT_TRY(channel_find(cv, c, c->actor->workspace, id, c->actor->user, out));
    if (!*out || !channel_visible(*out)) return taut_fail(c, "channel_not_found");
    return TAUT_OK;
}

int32_t channel_lookup(struct conv *cv, struct taut_call *c, taut_str workspace, int32_t index, struct taut_val value,
                       taut_str viewer, const struct channel **out) {
    const struct taut_val prefix[] = {taut_v_str(workspace), value};
    const struct taut_scan scan = {.size = sizeof scan, .index = index, .nprefix = 2, .prefix = prefix, .limit = 1};
    const struct taut_row *member = NULL;
    const struct taut_rows *rows;
    *out = NULL;
    if (value.type == TAUT_TEXT && value.len > LOOKUP_MAX) return TAUT_OK;
    TAUT_TRY(taut_scan(cv->mod, c, &channels, &scan, &rows));
    if (!rows->n) return TAUT_OK;
    if (viewer.len)
        TAUT_TRY(taut_get(cv->mod, c, &members, MEMBER_KEY(workspace, taut_row_str(&rows->rows[0], CH_ID), viewer),
                          &member));
    *out = channel_of(c, &rows->rows[0], viewer, member);
    return TAUT_OK;
}

struct channel *channel_new(struct conv *cv, struct taut_call *c, uint32_t kind, taut_str creator) {
    struct channel *ch = taut_scratch(c, sizeof *ch);
    int64_t now = taut_now_us(cv->mod);
    char id[12];
    char letter = kind == TAUT_CH_IM ? 'D' : kind == TAUT_CH_MPIM ? 'G' : 'C';
    ch->pub.id = taut_keep(c, taut_id_new(cv->mod, letter, id));
    ch->pub.kind = kind;
    ch->pub.creator = creator;
    ch->pub.created = now / 1000000;
    ch->updated = now / 1000;
    return ch;
}

void channel_insert(struct conv *cv, struct taut_batch *b, taut_str workspace, const struct channel *ch) {
    const struct taut_channel *pub = &ch->pub;
    const struct taut_val row[CH_COLUMNS] = {
        [CH_WORKSPACE] = taut_v_str(workspace),
        [CH_ID] = taut_v_str(pub->id),
        [CH_KIND] = taut_v_int(pub->kind),
        [CH_NAME] = taut_v_opt(pub->name),
        [CH_CREATOR] = taut_v_opt(pub->creator),
        [CH_CREATED] = taut_v_int(pub->created),
        [CH_TOPIC] = taut_v_opt(pub->topic),
        [CH_TOPIC_BY] = taut_v_opt(ch->topic_by),
        [CH_TOPIC_AT] = taut_v_int(ch->topic_at),
        [CH_PURPOSE] = taut_v_opt(pub->purpose),
        [CH_PURPOSE_BY] = taut_v_opt(ch->purpose_by),
        [CH_PURPOSE_AT] = taut_v_int(ch->purpose_at),
        [CH_IS_ARCHIVED] = taut_v_int(pub->is_archived ? 1 : 0),
        [CH_IS_GENERAL] = pub->is_general ? taut_v_int(1) : taut_v_null(),
        [CH_LAST_TS] = taut_v_int(pub->last_ts),
        [CH_PAIR] = taut_v_opt(ch->pair),
        [CH_LABEL] = taut_v_opt(ch->label),
        [CH_NUM_MEMBERS] = taut_v_int(0),
        [CH_UPDATED] = taut_v_int(ch->updated),
    };
    taut_insert(cv->mod, b, &channels, row, CH_COLUMNS);
}
