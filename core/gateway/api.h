/* api.h - arguments of /api/METHOD: how they get out of query, form and JSON into a call. Pure: no sockets, no loop. */
#ifndef GATEWAY_API_H
#define GATEWAY_API_H

#include "hub/call.h"

/* A request as the wire gave it. Borrowed for the time of api_arguments only, except parts: they live as long as the
 * call. */
struct api_request {
    taut_str method;        /* behind /api/ */
    taut_str query;         /* undecoded, without '?' */
    taut_str content_type;  /* ptr NULL: the header is absent */
    taut_str authorization; /* the header's value, or empty */
    taut_str body;
    /* Of a multipart body, in place of body. */
    const struct taut_part *parts;
    uint32_t nparts;
    bool is_multipart;
    const char *form_error; /* why it is none, or NULL */
};

/* Fills method, token, args and the arg_… members of a new METHOD call. Never fails: what is wrong goes to arg_error.
 */
void api_arguments(const struct modules *ms, struct call *c, const struct api_request *r);
/* Is it multipart/form-data? Then *boundary is that (ptr NULL: it has none). */
bool api_is_multipart(taut_str content_type, taut_str *boundary);
/* The token of "Bearer TOKEN", or empty. */
taut_str api_bearer(taut_str authorization);

/* ---- between api.c, api_form.c, api_json.c ---- */

enum { JSON_DEPTH_MAX = 32 };
/* As found; later sources overwrite. JSON: the value's own text. */
enum api_kind { API_NONE = 0, API_TEXT, API_JSON };
struct api_value {
    uint32_t kind;
    taut_str s;
};
struct api_args {
    struct call *call;
    struct api_value *values; /* one a declared argument */
    taut_str token;           /* the form's or the query's */
};

/* All of these return NULL, or the error code. */
const char *api_form(struct api_args *a, taut_str text);
const char *api_parts(struct api_args *a, const struct api_request *r);
const char *api_json(struct api_args *a, taut_str body);

void api_set(struct api_args *a, taut_str name, uint32_t kind, taut_str value);
bool json_is_valid(taut_str s);                     /* UTF-8, no duplicate keys, not too deep, no NUL */
bool json_is_plain(taut_str s);                     /* certainly valid, and flat; of others it knows nothing */
taut_str json_compact(struct arena *a, taut_str s); /* s is valid: without its blanks */
taut_str json_unquote(struct arena *a, taut_str s); /* s is a valid JSON string: its text */
/* s is a valid JSON array: its items in turn. Starts with *at == 0; false at the end. */
bool json_next_item(taut_str s, size_t *at, taut_str *item);
static inline bool is_json_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

#endif
