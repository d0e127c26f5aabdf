/* frame.c - what a client says on its socket: one table of types, one handler each.
 *
 * A frame is parsed anew in each run of its call; the parsed object belongs to rtm_on_frame and ends with the run.
 * Errors have RTM's own form: ok false, reply_to, and an error of code and msg. Thread: hub.
 */
#include <jansson.h>

#include "rtm.h"

enum { FRAME_MAX_BYTES = 16384, FRAME_MAX_DEPTH = 32, STAMP_MAX_BYTES = 20 };
enum { ERROR_FLOOD = -1, ERROR_UNKNOWN_TYPE = 1, ERROR_NO_TEXT = 2, ERROR_FRAME = 3, ERROR_OTHER = 99 };

struct frame {
    const json_t *json;
    const json_t *id; /* an integer, or NULL: the answer has no reply_to */
};

/* What the codes of the Web API are called here. Others go out as they are, with ERROR_OTHER. */
static const struct {
    const char *error;
    int32_t code;
    const char *msg;
} refusals[] = {
    {"no_text", ERROR_NO_TEXT, "message text is missing"},
    {"msg_too_long", 4, "message text is too long"},
    {"channel_not_found", 5, "channel not found"},
    {"not_in_channel", 6, "not a member of this channel"},
    {"is_archived", 7, "this channel is archived"},
    {"thread_not_found", 8, "no such thread"},
    {"restricted_action", 9, "not permitted in this channel"},
};

/* ---- answers ---- */

static struct taut_json *answer(struct taut_call *c, const struct frame *f, int ok) {
    struct taut_json *j = taut_answer(c);
    taut_json_kbool(j, "ok", ok);
    if (f->id) taut_json_kint(j, "reply_to", json_integer_value(f->id));
    return j;
}

static void write_error(struct taut_json *j, int32_t code, taut_str msg) {
    taut_json_kopen(j, "error", '{');
    taut_json_kint(j, "code", code);
    taut_json_kstr(j, "msg", msg);
    taut_json_close(j, '}');
}

static int32_t refuse(struct taut_call *c, const struct frame *f, int32_t code, taut_str msg) {
    write_error(answer(c, f, 0), code, msg);
    return taut_done(c);
}

/* For what is no frame at all: there is no id to reply to. */
static int32_t refuse_frame(struct taut_call *c, taut_str msg) {
    struct taut_json *j = taut_answer(c);
    taut_json_kstr(j, "type", TAUT_LIT("error"));
    write_error(j, ERROR_FRAME, msg);
    return taut_done(c);
}

/* err: what a service returned. A refusal is answered in RTM's form; anything else is the core's business. */
static int32_t pass_on(struct taut_call *c, const struct frame *f, int32_t err) {
    if (err != TAUT_E_FAILED) return err;
    taut_str error = c->failed;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        if (taut_str_is(error, refusals[i].error)) return refuse(c, f, refusals[i].code, taut_str_z(refusals[i].msg));
    }
    return refuse(c, f, ERROR_OTHER, taut_keep(c, error));
}

/* A copy of the member's text that outlives the run; empty when it is missing or no string. */
static taut_str text_of(struct taut_call *c, const struct frame *f, const char *key) {
    const json_t *v = json_object_get(f->json, key);
    if (!json_is_string(v)) return taut_str_n("", 0);
    return taut_keep(c, taut_str_n(json_string_value(v), json_string_length(v)));
}

/* ---- the types ---- */

static int32_t on_message(struct taut_mod *m, struct taut_call *c, const struct frame *f) {
    const struct taut_conversation_v1 *conversation = rtm_conversation(m);
    struct taut_new_message post = {.size = sizeof post,
                                    .channel = text_of(c, f, "channel"),
                                    .text = text_of(c, f, "text"),
                                    .thread_ts = text_of(c, f, "thread_ts"),
                                    .client_msg_id = text_of(c, f, "client_msg_id"),
                                    .skip = c->conn,
                                    .reply_broadcast = json_is_true(json_object_get(f->json, "reply_broadcast"))};
    struct taut_posted posted = {.size = sizeof posted};
    if (!rtm_conn_may_send(m, c)) {
        taut_count(m, RTM_SLOWED, 1);
        return refuse(c, f, ERROR_FLOOD, TAUT_LIT("slow down, too many messages..."));
    }
    if (post.text.len == 0) return refuse(c, f, ERROR_NO_TEXT, TAUT_LIT("message text is missing"));
    struct taut_batch *b = taut_batch(c);
    int32_t err = conversation->post(rtm_of(m)->conversation->self, c, b, &post, &posted);
    if (err < 0) return pass_on(c, f, err);
    struct taut_json *j = answer(c, f, 1);
    taut_json_kstr(j, "ts", posted.ts);
    taut_json_kstr(j, "text", posted.text);
    return posted.repeated ? taut_done(c) : taut_commit(c, b);
}

static int32_t on_ping(struct taut_mod *m, struct taut_call *c, const struct frame *f) {
    static const char *const ours[] = {"type", "id", "reply_to", "ok", "cursor"};
    struct taut_json *j = taut_answer(c);
    const char *key;
    json_t *value;
    (void)m;
    taut_json_kstr(j, "type", TAUT_LIT("pong"));
    if (f->id) taut_json_kint(j, "reply_to", json_integer_value(f->id));
    json_object_foreach((json_t *)f->json, key, value) {
        size_t i = 0, n = sizeof ours / sizeof ours[0];
        while (i < n && strcmp(key, ours[i]) != 0) i++;
        if (i < n) continue;
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        if (text) taut_json_ktext(j, key, taut_str_z(text));
        free(text);
    }
    return taut_done(c);
}

/* digits.digits: whatever else a client sends is not passed on to others. */
static int is_stamp(taut_str s) {
    size_t dots = 0;
    if (s.len < 3 || s.len > STAMP_MAX_BYTES || s.ptr[0] == '.' || s.ptr[s.len - 1] == '.') return 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '.') dots++;
        else if (s.ptr[i] < '0' || s.ptr[i] > '9') return 0;
    }
    return dots == 1;
}

static int32_t on_typing(struct taut_mod *m, struct taut_call *c, const struct frame *f) {
    const struct taut_conversation_v1 *conversation = rtm_conversation(m);
    void *self = rtm_of(m)->conversation->self;
    const struct taut_channel *ch;
    int32_t err = conversation->channel(self, c, text_of(c, f, "channel"), &ch);
    if (err == TAUT_OK) err = conversation->may(self, c, TAUT_ACT_TYPE, ch, taut_str_n("", 0), NULL);
    if (err < 0) return pass_on(c, f, err);
    if (!rtm_conn_may_type(m, c, ch->id)) return taut_done(c);

    taut_str thread_ts = text_of(c, f, "thread_ts");
    struct taut_json *j = taut_json_scratch(c);
    taut_json_open(j, '{');
    taut_json_kstr(j, "type", TAUT_LIT("user_typing"));
    taut_json_kstr(j, "channel", ch->id);
    taut_json_kstr(j, "user", c->actor->user);
    if (is_stamp(thread_ts)) taut_json_kstr(j, "thread_ts", thread_ts);
    taut_json_close(j, '}');
    struct taut_event event = {
        .size = sizeof event, .ntopics = 1, .topics = &ch->id, .skip = c->conn, .body = taut_json_out(j)};
    taut_publish(m, c->actor->workspace, &event);
    return taut_done(c);
}

/* Asks about presence, which is another module's; without it there is nothing to say. */
static int32_t on_presence(struct taut_mod *m, struct taut_call *c, const struct frame *f) {
    (void)m, (void)f;
    return taut_done(c);
}

static const struct {
    const char *type;
    int32_t (*run)(struct taut_mod *m, struct taut_call *c, const struct frame *f);
} types[] = {
    {"message", on_message},         {"ping", on_ping}, {"typing", on_typing}, {"presence_sub", on_presence},
    {"presence_query", on_presence},
};

/* ---- parsing ---- */

/* Stops the parser from recursing into what is deep; says nothing about whether it is JSON. */
static int is_too_deep(taut_str text) {
    int depth = 0, in_string = 0;
    for (size_t i = 0; i < text.len; i++) {
        char ch = text.ptr[i];
        if (in_string) {
            if (ch == '\\') i++;
            else if (ch == '"') in_string = 0;
        } else if (ch == '"') {
            in_string = 1;
        } else if (ch == '{' || ch == '[') {
            if (++depth > FRAME_MAX_DEPTH) return 1;
        } else if (ch == '}' || ch == ']') {
            depth--;
        }
    }
    return 0;
}

static int32_t dispatch(struct taut_mod *m, struct taut_call *c, const json_t *json) {
    const json_t *id = json_object_get(json, "id");
    struct frame f = {json, json_is_integer(id) ? id : NULL};
    taut_str type = text_of(c, &f, "type");
    if (c->refused.len) return refuse(c, &f, ERROR_OTHER, c->refused);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (taut_str_is(type, types[i].type)) return types[i].run(m, c, &f);
    }
    if (type.len == 0) return refuse(c, &f, ERROR_UNKNOWN_TYPE, TAUT_LIT("type is missing"));
    return refuse(c, &f, ERROR_UNKNOWN_TYPE, taut_fmt(c, "unknown type: %.*s", (int)type.len, type.ptr));
}

int32_t rtm_on_frame(struct taut_mod *m, struct taut_call *c) {
    json_error_t why;
    if (c->text.len > FRAME_MAX_BYTES) return refuse_frame(c, TAUT_LIT("frame is longer than 16384 bytes"));
    if (is_too_deep(c->text)) return refuse_frame(c, TAUT_LIT("frame is nested deeper than 32"));
    json_t *json = json_loadb(c->text.ptr, c->text.len, JSON_REJECT_DUPLICATES, &why);
    if (!json) return refuse_frame(c, taut_fmt(c, "frame is not valid JSON (byte %d)", why.position));
    int32_t result =
        json_is_object(json) ? dispatch(m, c, json) : refuse_frame(c, TAUT_LIT("frame is not a JSON object"));
    json_decref(json);
    return result;
}
