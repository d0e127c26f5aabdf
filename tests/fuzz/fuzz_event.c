/* fuzz_event.c - libFuzzer target: records of the log and positions, as a damaged store or a hostile client may give
 * them. */
#include "log/event.h"

static taut_str part(const uint8_t **data, size_t *size) {
    size_t n = *size ? **data % 64 : 0;
    if (*size) ++*data, --*size;
    if (n > *size) n = *size;
    taut_str s = taut_str_n((const char *)*data, n);
    *data += n;
    *size -= n;
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint64_t seq;
    char text[CURSOR_MAX];
    taut_str whole = taut_str_n((const char *)data, size);
    if (cursor_read(whole, &seq)) {
        uint64_t back;
        if (!cursor_read(taut_str_n(text, cursor_write(text, seq)), &back) || back != seq) abort();
    }
    taut_str workspace = part(&data, &size), topics = part(&data, &size), deltas = part(&data, &size);
    struct event *e = event_from_record(workspace, 1, 0, topics, deltas, part(&data, &size));
    size_t bytes = 0;
    for (uint32_t i = 0; i < e->ntopics; i++) bytes += e->topics[i].len;
    for (uint32_t i = 0; i < e->ndeltas; i++) bytes += e->deltas[i].who.len + e->deltas[i].topic.len;
    if (bytes > e->bytes) abort();
    event_unref(e);
    return 0;
}
