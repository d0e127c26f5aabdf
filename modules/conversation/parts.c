/* parts.c - see parts.h. The gateway has checked that they are JSON, of a bounded depth; here is what must be in them.
 */
#include "parts.h"
#include "text.h"

#include <jansson.h>

enum {
    BLOCKS_MAX = 50,
    BLOCKS_TEXT_MAX = 13200, /* characters */
    ATTACHMENTS_MAX = 100,
    ATTACHMENTS_BYTES_MAX = 256 << 10,
    METADATA_BYTES_MAX = 16 << 10
};

/* Of a list: is each of its members an object, with a text `member` (unless that is NULL)? */
static int are_objects(const json_t *list, const char *member) {
    size_t i;
    const json_t *each;
    json_array_foreach(list, i, each) {
        if (!json_is_object(each)) return 0;
        if (member && !json_is_string(json_object_get(each, member))) return 0;
    }
    return 1;
}

static const char *blocks_error(const json_t *blocks, taut_str text) {
    if (!json_is_array(blocks)) return "invalid_blocks_format";
    if (json_array_size(blocks) > BLOCKS_MAX || !are_objects(blocks, "type")) return "invalid_blocks";
    return text.len > BLOCKS_TEXT_MAX && text_length(text) > BLOCKS_TEXT_MAX ? "msg_blocks_too_long" : NULL;
}

static const char *attachments_error(const json_t *attachments, taut_str text) {
    if (!json_is_array(attachments) || !are_objects(attachments, NULL)) return "invalid_attachments";
    if (json_array_size(attachments) > ATTACHMENTS_MAX) return "too_many_attachments";
    return text.len > ATTACHMENTS_BYTES_MAX ? "attachment_payload_limit_exceeded" : NULL;
}

static const char *metadata_error(const json_t *metadata, taut_str text) {
    if (!json_is_object(metadata)) return "invalid_metadata_format";
    if (text.len > METADATA_BYTES_MAX) return "metadata_too_large";
    if (!json_object_size(metadata)) return NULL; /* an edit takes it away so */
    if (!json_is_string(json_object_get(metadata, "event_type"))) return "invalid_metadata_schema";
    return json_is_object(json_object_get(metadata, "event_payload")) ? NULL : "invalid_metadata_schema";
}

static const char *part_error(taut_str text, const char *(*check)(const json_t *json, taut_str text)) {
    json_t *json;
    const char *error;
    if (!text.len) return NULL;
    json = json_loadb(text.ptr, text.len, 0, NULL);
    error = check(json, text);
    json_decref(json);
    return error;
}

const char *parts_error(const struct parts *p) {
    const char *error = part_error(p->blocks, blocks_error);
    if (!error) error = part_error(p->attachments, attachments_error);
    return error ? error : part_error(p->metadata, metadata_error);
}

taut_str part_kept(taut_str json) {
    return taut_str_is(json, "[]") || taut_str_is(json, "{}") ? taut_str_n("", 0) : json;
}

int parts_shown(const struct parts *p) {
    return part_kept(p->blocks).len || part_kept(p->attachments).len;
}
