/* fuzz_http.c - libFuzzer target: bytes of a connection through the request parser, whole and cut in two: heads, bodies
 * in place and piece by piece, what they hold as arguments, multipart bodies, ranges and conditions of their heads.
 * Where it is cut makes no difference. tests/fuzz/run.sh builds it.
 */
#include "gateway/http_range.h"
#include "gateway/http_request.h"
#include "parts.h"

static const struct taut_arg defs[] = {
    {"s", TAUT_ARG_STR, TAUT_ARG_REQUIRED, NULL, NULL},
    {"i", TAUT_ARG_INT, 0, NULL, NULL},
    {"b", TAUT_ARG_BOOL, 0, NULL, NULL},
    {"l", TAUT_ARG_LIST, 0, NULL, NULL},
    {"j", TAUT_ARG_JSON, 0, NULL, NULL},
};
static const struct taut_method def = {.name = "m", .args = TAUT_ARRAY(defs)};
static struct method_entry method = {.def = &def, .nargs = COUNT_OF(defs)};
static struct modules modules;
static struct call_pool pool;

static void prepare(void) {
    if (modules.methods.len) return;
    for (uint32_t i = 0; i < COUNT_OF(defs); i++)
        map_put(&method.arg_index, taut_str_z(defs[i].name), (void *)(uintptr_t)(i + 1));
    map_put(&modules.methods, TAUT_LIT("m"), &method);
}

static taut_str header(const struct http_request *r, const char *data, enum http_header h) {
    if (!(r->seen >> h & 1)) return taut_str_n(NULL, 0);
    return taut_str_n(data + r->header[h].at, r->header[h].len);
}

/* As many parts and the same error, however the body comes. */
static const char *multipart(taut_str body, taut_str boundary, struct parts *parts) {
    static struct parts other;
    const char *wrong = parts_read(body, body.len, boundary, parts);
    const char *cut = parts_read(body, body.len / 2, boundary, &other);
    if (wrong != cut || parts->n != other.n || parts->len != other.len) abort();
    if (memcmp(parts->text, other.text, parts->len) != 0) abort();
    return wrong;
}

/* ---- what a request holds ---- */

static void arguments(const struct http_request *r, const char *data) {
    static struct parts parts;
    taut_str boundary;
    struct api_request api = {
        .method = TAUT_LIT("m"),
        .query = taut_str_n(data + r->query.at, r->query.len),
        .content_type = header(r, data, H_CONTENT_TYPE),
        .authorization = header(r, data, H_AUTHORIZATION),
        .body = taut_str_n(data + r->head_len, (size_t)r->body_len),
    };
    api.is_multipart = api.body.len && api_is_multipart(api.content_type, &boundary);
    if (api.is_multipart) {
        api.form_error = multipart(api.body, boundary, &parts);
        api.parts = parts.list;
        api.nparts = parts.n;
    }
    struct call *c = call_get(&pool, TAUT_CALL_METHOD, NULL);
    api_arguments(&modules, c, &api);
    for (uint32_t i = 0; i < c->nargs; i++)
        if (c->args[i].present && !text_is_clean(c->args[i].s)) abort();
    if (c->args[4].present && !json_is_valid(c->args[4].s)) abort();
    call_put(&pool, c);
}

/* A range lies within what there is. */
static void ranges(const struct http_request *r, const char *data) {
    static const uint64_t totals[] = {0, 1, 10, 1ULL << 62};
    const char *lines = (const char *)memchr(data, '\n', r->head_len) + 1;
    struct call_http h = {.verb = http_verb_names[r->verb],
                          .head = taut_str_n(lines, (size_t)(data + r->head_len - lines))};
    for (size_t i = 0; i < COUNT_OF(totals); i++) {
        struct http_selection s = http_select(
            &h, TAUT_LIT("ETag: \"v1\"\r\nLast-Modified: Tue, 24 Nov 2026 08:00:00 GMT\r\n"), false, totals[i]);
        if (s.status == 200 && (s.from || s.length != totals[i])) abort();
        if (s.status == 206 && (!s.length || s.from >= totals[i] || s.length > totals[i] - s.from)) abort();
    }
}

/* The body piece by piece, of which `first` bytes come first: its digest, or the status. */
static uint64_t pieces(struct http_request r, const char *body, size_t len, size_t first, bool *done) {
    uint64_t digest = 0;
    size_t at = 0, used, end = first < len ? first : len;
    enum http_progress p = HTTP_MORE;
    while (p == HTTP_MORE && at < len) {
        taut_str piece;
        p = http_body_next(&r, body + at, end - at, &used, &piece);
        for (size_t i = 0; i < piece.len; i++) digest = digest * 31 + (unsigned char)piece.ptr[i];
        at += used;
        if (at == end) end = len;
    }
    *done = p == HTTP_DONE;
    return p == HTTP_REFUSED ? r.status : digest;
}

static void by_pieces(const struct http_request *r, const char *data, size_t len) {
    bool whole_done, cut_done;
    size_t n = len - r->head_len;
    uint64_t whole = pieces(*r, data + r->head_len, n, n, &whole_done);
    uint64_t cut = pieces(*r, data + r->head_len, n, n / 3, &cut_done);
    if (whole != cut || whole_done != cut_done) abort();
}

/* ---- a connection ---- */

enum { LIMIT = 2048 };

static enum http_progress parse(struct http_request *r, char *data, size_t len) {
    if (r->phase == PHASE_HEAD) {
        enum http_progress p = http_parse_head(r, data, len, LIMIT);
        if (p != HTTP_DONE) return p;
        r->max_body = LIMIT;
        if (r->content_length > LIMIT) {
            r->status = 413;
            return HTTP_REFUSED;
        }
        ranges(r, data);
        by_pieces(r, data, len);
    }
    return http_parse_body(r, data, len);
}

/* All requests of the stream, of which `first` bytes come first. Returns a digest of what was seen. */
static uint64_t stream(const uint8_t *bytes, size_t len, size_t first) {
    char *data = malloc(first + !first), *all;
    uint64_t digest = 0;
    size_t have = first, at = 0;
    if (first) memcpy(data, bytes, first);
    struct http_request r;
    memset(&r, 0, sizeof r);
    for (;;) {
        if (at == have && have == len) break;
        enum http_progress p = at < have ? parse(&r, data + at, have - at) : HTTP_MORE;
        if (p == HTTP_REFUSED) {
            digest = digest * 31 + r.status;
            break;
        }
        if (p == HTTP_DONE) {
            if (r.end > have - at || r.body_len > LIMIT) abort();
            arguments(&r, data + at);
            digest = digest * 31 + hash_bytes(r.body_len, data + at + r.head_len, (size_t)r.body_len);
            at += r.end;
            memset(&r, 0, sizeof r);
            continue;
        }
        if (have == len) break;
        all = malloc(len);
        if (have) memcpy(all, data, have);
        memcpy(all + have, bytes + have, len - have);
        free(data);
        data = all;
        have = len;
    }
    free(data);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    if (!len) return 0;
    prepare();
    uint64_t whole = stream(bytes, len, len);
    if (stream(bytes, len, bytes[0] % len) != whole) abort(); /* where it is cut makes no difference */
    return 0;
}
