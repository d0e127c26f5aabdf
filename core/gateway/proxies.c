/* proxies.c - X-Forwarded-For, -Proto and -Host in the head of a request. */
#include "gateway/proxies.h"

#include <strings.h>

static taut_str trim(taut_str s) {
    while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) s.ptr++, s.len--;
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t' || s.ptr[s.len - 1] == '\r')) s.len--;
    return s;
}

/* Cuts the last line off. */
static bool last_line(taut_str *head, taut_str *line) {
    if (!head->len) return false;
    if (head->ptr[head->len - 1] == '\n') head->len--;
    size_t from = head->len;
    while (from && head->ptr[from - 1] != '\n') from--;
    *line = taut_str_n(head->ptr + from, head->len - from);
    head->len = from;
    return true;
}

/* The values of a header from the last to the first: a comma and another line of the same name mean the same. */
struct values {
    taut_str head; /* lines not yet looked at */
    taut_str line; /* what is left of the value at hand */
    taut_str name;
};

static bool next_value(struct values *v, taut_str *value) {
    taut_str line;
    while (!v->line.len) {
        if (!last_line(&v->head, &line)) return false;
        if (line.len <= v->name.len || line.ptr[v->name.len] != ':') continue;
        if (strncasecmp(line.ptr, v->name.ptr, v->name.len) != 0) continue;
        v->line = trim(taut_str_n(line.ptr + v->name.len + 1, line.len - v->name.len - 1));
    }
    size_t from = v->line.len;
    while (from && v->line.ptr[from - 1] != ',') from--;
    *value = trim(taut_str_n(v->line.ptr + from, v->line.len - from));
    v->line.len = from ? from - 1 : 0;
    return true;
}

static bool last_value(taut_str head, taut_str name, taut_str *value) {
    struct values v = {.head = head, .name = name};
    return next_value(&v, value) && value->len;
}

struct asker proxies_asker(const struct addr_nets *trusted, const struct remote *peer, taut_str head, taut_str host) {
    struct asker who = {.addr = peer->addr, .secure = peer->secure, .host = host};
    if (!peer->is_proxy) return who;
    struct values v = {.head = head, .name = TAUT_LIT("x-forwarded-for")};
    struct addr before;
    taut_str value;
    while (addr_nets_have(trusted, &who.addr) && next_value(&v, &value) && addr_parse(value, true, &before)) {
        who.addr = before;
        who.forwarded = true;
    }
    if (last_value(head, TAUT_LIT("x-forwarded-proto"), &value))
        who.secure = value.len == 5 && strncasecmp(value.ptr, "https", 5) == 0;
    if (last_value(head, TAUT_LIT("x-forwarded-host"), &value)) who.host = value;
    return who;
}
