/* tables.c - the declarations that the store makes SQL tables of. See tables.h for what the columns mean. */
#include "tables.h"

#define COL(n, t) \
    { .name = (n), .type = (t), .flags = 0 }

static const struct taut_col channel_cols[] = {
    COL("workspace", TAUT_TEXT),  COL("id", TAUT_TEXT),         COL("kind", TAUT_INT),
    COL("name", TAUT_TEXT),       COL("creator", TAUT_TEXT),    COL("created", TAUT_INT),
    COL("topic", TAUT_TEXT),      COL("topic_by", TAUT_TEXT),   COL("topic_at", TAUT_INT),
    COL("purpose", TAUT_TEXT),    COL("purpose_by", TAUT_TEXT), COL("purpose_at", TAUT_INT),
    COL("is_archived", TAUT_INT), COL("is_general", TAUT_INT),  COL("last_ts", TAUT_INT),
    COL("pair", TAUT_TEXT),       COL("label", TAUT_TEXT),      COL("num_members", TAUT_INT),
    COL("updated", TAUT_INT),
};
static const struct taut_index channel_indexes[] = {
    [CHANNELS_BY_NAME] = {"by_name", TAUT_INDEX_UNIQUE | TAUT_INDEX_NOT_NULL, 2, {CH_WORKSPACE, CH_NAME}},
    [CHANNELS_BY_PAIR] = {"by_pair", TAUT_INDEX_UNIQUE | TAUT_INDEX_NOT_NULL, 2, {CH_WORKSPACE, CH_PAIR}},
    [CHANNELS_GENERAL] = {"general", TAUT_INDEX_UNIQUE | TAUT_INDEX_NOT_NULL, 2, {CH_WORKSPACE, CH_IS_GENERAL}},
    [CHANNELS_BY_KIND] = {"by_kind", 0, 3, {CH_WORKSPACE, CH_KIND, CH_ID}},
};
const struct taut_table channels = {
    .size = (uint32_t)sizeof(struct taut_table),
    .key_cols = 2,
    .name = "channels",
    .cols = TAUT_ARRAY(channel_cols),
    .index = TAUT_ARRAY(channel_indexes),
};

static const struct taut_col member_cols[] = {
    COL("workspace", TAUT_TEXT), COL("channel", TAUT_TEXT), COL("user", TAUT_TEXT),   COL("since_seq", TAUT_INT),
    COL("joined", TAUT_INT),     COL("inviter", TAUT_TEXT), COL("base_ts", TAUT_INT),
};
static const struct taut_index member_indexes[] = {
    [MEMBERS_BY_USER] = {"by_user", 0, 3, {ME_WORKSPACE, ME_USER, ME_CHANNEL}},
};
const struct taut_table members = {
    .size = (uint32_t)sizeof(struct taut_table),
    .key_cols = 3,
    .name = "members",
    .cols = TAUT_ARRAY(member_cols),
    .index = TAUT_ARRAY(member_indexes),
};

static const struct taut_col read_cols[] = {
    COL("workspace", TAUT_TEXT),
    COL("user", TAUT_TEXT),
    COL("channel", TAUT_TEXT),
    COL("last_read", TAUT_INT),
};
const struct taut_table reads = {
    .size = (uint32_t)sizeof(struct taut_table),
    .key_cols = 3,
    .name = "reads",
    .cols = TAUT_ARRAY(read_cols),
};

static const struct taut_col message_cols[] = {
    COL("workspace", TAUT_TEXT),   COL("channel", TAUT_TEXT),     COL("ts", TAUT_INT),
    COL("user", TAUT_TEXT),        COL("bot", TAUT_TEXT),         COL("text", TAUT_TEXT),
    COL("reply_count", TAUT_INT),  COL("latest_reply", TAUT_INT), COL("client_msg_id", TAUT_TEXT),
    COL("thread_ts", TAUT_INT),    COL("subtype", TAUT_TEXT),     COL("blocks", TAUT_TEXT),
    COL("attachments", TAUT_TEXT), COL("metadata", TAUT_TEXT),    COL("edited_ts", TAUT_INT),
    COL("edited_by", TAUT_TEXT),
};
const struct taut_table messages = {
    .size = (uint32_t)sizeof(struct taut_table),
    .key_cols = 3,
    .name = "messages",
    .cols = TAUT_ARRAY(message_cols),
};

static const struct taut_col reply_cols[] = {
    COL("workspace", TAUT_TEXT), COL("channel", TAUT_TEXT), COL("thread_ts", TAUT_INT),
    COL("ts", TAUT_INT),         COL("user", TAUT_TEXT),
};
const struct taut_table replies = {
    .size = (uint32_t)sizeof(struct taut_table),
    .key_cols = 4,
    .name = "replies",
    .cols = TAUT_ARRAY(reply_cols),
};

static const struct taut_col reaction_cols[] = {
    COL("workspace", TAUT_TEXT), COL("channel", TAUT_TEXT), COL("ts", TAUT_INT),
    COL("user", TAUT_TEXT),      COL("name", TAUT_TEXT),    COL("at", TAUT_INT),
};
const struct taut_table reactions = {
    .size = (uint32_t)sizeof(struct taut_table),
    .key_cols = 5,
    .name = "reactions",
    .cols = TAUT_ARRAY(reaction_cols),
};

_Static_assert(sizeof channel_cols / sizeof channel_cols[0] == CH_COLUMNS, "channels");
_Static_assert(sizeof member_cols / sizeof member_cols[0] == ME_COLUMNS, "members");
_Static_assert(sizeof read_cols / sizeof read_cols[0] == RD_COLUMNS, "reads");
_Static_assert(sizeof message_cols / sizeof message_cols[0] == MS_COLUMNS, "messages");
_Static_assert(sizeof reply_cols / sizeof reply_cols[0] == RE_COLUMNS, "replies");
_Static_assert(sizeof reaction_cols / sizeof reaction_cols[0] == RX_COLUMNS, "reactions");
