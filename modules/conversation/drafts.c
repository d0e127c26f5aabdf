/* drafts.c - see drafts.h. */
#include "drafts.h"
#include "parts.h"
#include "text.h"

enum { DRAFT_BYTES_MAX = 256 << 10 };

struct draft {
    struct taut_draft pub; /* first */
    struct taut_call *call;
};

static int32_t set_json(struct draft *d, taut_str *field, const struct parts *as, taut_str value) {
    if (parts_error(as)) return TAUT_E_INVAL;
    *field = taut_keep(d->call, value);
    return TAUT_OK;
}

static int32_t set(struct taut_draft *pub, struct taut_mod *m, uint32_t field, taut_str value) {
    struct draft *d = (struct draft *)(void *)pub;
    int32_t err = TAUT_OK;
    if (value.len > DRAFT_BYTES_MAX) return TAUT_E_LIMIT;
    switch (field) {
    case TAUT_DRAFT_TEXT:
        if (!text_is_utf8(value)) return TAUT_E_INVAL;
        if (text_length(value) > MESSAGE_TEXT_MAX) return TAUT_E_LIMIT;
        pub->text = taut_keep(d->call, value);
        break;
    case TAUT_DRAFT_BLOCKS: err = set_json(d, &pub->blocks, &(struct parts){.blocks = value}, value); break;
    case TAUT_DRAFT_ATTACHMENTS:
        err = set_json(d, &pub->attachments, &(struct parts){.attachments = value}, value);
        break;
    case TAUT_DRAFT_METADATA: err = set_json(d, &pub->metadata, &(struct parts){.metadata = value}, value); break;
    default: return TAUT_E_INVAL;
    }
    if (err < 0) return err;
    pub->edits++;
    taut_log(m, TAUT_LOG_DEBUG, "draft_changed", "field %u of a message in %.*s", field, (int)pub->channel->id.len,
             pub->channel->id.ptr);
    return TAUT_OK;
}

int32_t draft_filter(struct conv *cv, struct taut_call *c, struct taut_batch *b, const char *point,
                     const struct channel *ch, taut_str ts, struct message *ms) {
    if (!taut_hooked(cv->mod, point)) return TAUT_OK;
    struct draft d = {
        .pub = {.size = sizeof d.pub,
                .channel = &ch->pub,
                .user = ms->user,
                .bot = ms->bot_id,
                .ts = ts,
                .text = ms->text,
                .blocks = ms->blocks,
                .attachments = ms->attachments,
                .metadata = ms->metadata,
                .set = set},
        .call = c,
    };
    if (ms->thread_ts) d.pub.thread_ts = taut_keep(c, stamp_write((char *)taut_scratch(c, STAMP_SIZE), ms->thread_ts));
    d.pub.owner = &d;
    taut_str key =
        taut_fmt(c, "%.*s %.*s", (int)c->actor->user.len, c->actor->user.ptr, (int)ch->pub.id.len, ch->pub.id.ptr);
    TAUT_TRY(taut_filter(cv->mod, c, point, key, b, &d.pub));
    ms->text = d.pub.text;
    ms->blocks = part_kept(d.pub.blocks);
    ms->attachments = part_kept(d.pub.attachments);
    ms->metadata = part_kept(d.pub.metadata);
    return TAUT_OK;
}

void draft_observe(const struct sink *to, const char *point, const struct channel *ch, int64_t ts, taut_str user) {
    if (!taut_hooked(to->cv->mod, point)) return;
    struct taut_json *j = taut_json_scratch(to->c);
    taut_json_open(j, '{');
    taut_json_kstr(j, "channel", ch->pub.id);
    shape_ts(j, "ts", ts);
    taut_json_kstr(j, "user", user);
    taut_json_close(j, '}');
    taut_observe(to->cv->mod, to->b, point, to->workspace, taut_json_out(j));
}
