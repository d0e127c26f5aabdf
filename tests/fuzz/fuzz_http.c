/* fuzz_http.c - libFuzzer target: bytes of a connection through the request parser, whole and cut in two, and what it
 * finds through the argument parser.
 *
 * clang -g -O1 -fsanitize=fuzzer,address,undefined -Icore -Iinclude tests/fuzz/fuzz_http.c core/gateway/http_parse.c
 *       core/gateway/api*.c core/hub/call.c core/base/base.c core/base/arena.c core/base/map.c core/module/module.c and
 * core/obs -lhttp_parser -ljansson -o fuzz_http
 * ./fuzz_http -max_len=4096 tests/fuzz/corpus_http
 */
#include "gateway/api.h"
#include "gateway/http_request.h"

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

static void arguments(const struct http_request *r, const char *data) {
    taut_str target = taut_str_n(data + r->target.at, r->target.len);
    const char *mark = memchr(target.ptr, '?', target.len);
    struct api_request api = {
        .method = TAUT_LIT("m"),
        .query = mark ? taut_str_n(mark + 1, target.len - (size_t)(mark - target.ptr) - 1) : TAUT_LIT(""),
        .content_type = header(r, data, H_CONTENT_TYPE),
        .authorization = header(r, data, H_AUTHORIZATION),
        .body = taut_str_n(data + r->head_len, (size_t)r->body_len),
    };
    struct call *c = call_get(&pool, TAUT_CALL_METHOD, NULL);
    api_arguments(&modules, c, &api);
    for (uint32_t i = 0; i < c->nargs; i++)
        if (c->args[i].present && !text_is_clean(c->args[i].s)) abort();
    if (c->args[4].present && !json_is_valid(c->args[4].s)) abort();
    call_put(&pool, c);
}

/* All requests of the stream, of which `first` bytes come first. Returns a digest of what was seen. */
static uint64_t stream(const uint8_t *bytes, size_t len, size_t first) {
    static const struct http_limits limits = {2048, 2048};
    char *data = malloc(first + !first), *all;
    uint64_t digest = 0;
    size_t have = first, at = 0;
    if (first) memcpy(data, bytes, first);
    struct http_request r;
    memset(&r, 0, sizeof r);
    for (;;) {
        if (at == have && have == len) break;
        enum http_progress p = at < have ? http_parse(&r, data + at, have - at, &limits) : HTTP_MORE;
        if (p == HTTP_REFUSED) {
            digest = digest * 31 + r.status;
            break;
        }
        if (p == HTTP_DONE) {
            if (r.end > have - at || r.body_len > limits.body) abort();
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
