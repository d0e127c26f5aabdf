/* fuzz_front.c - libFuzzer target: what a request says of where it comes from and where it goes: addresses and
 * networks, X-Forwarded-*, Origin, Host, the target.
 *
 * The first byte says which; a proxy's says also whether the peer is a proxy at all.
 */
#define _GNU_SOURCE /* strcasestr */
#include <string.h>
#include <strings.h>

#include "base/addr.h"
#include "base/arena.h"
#include "gateway/http_request.h"
#include "gateway/origin.h"
#include "gateway/proxies.h"

static taut_str trusted_items[] = {{"10.0.0.0/8", 10}, {"fd00::/8", 8}, {"192.0.2.1", 9}};
static const struct taut_array trusted_list = {trusted_items, COUNT_OF(trusted_items), sizeof(taut_str)};

/* ---- addresses ---- */

static void address(taut_str text) {
    struct addr a, again;
    char out[ADDR_TEXT];
    bool plain = addr_parse(text, false, &a);
    if (!plain && !addr_parse(text, true, &a)) return;
    for (size_t i = 0; i < text.len; i++)
        if (!text.ptr[i] || !strchr("0123456789abcdefABCDEF:.[]", text.ptr[i])) panic("an address with other letters");
    taut_str shown = addr_text(&a, out);
    static const struct addr none;
    if (addr_eq(&a, &none)) return; /* "::" is shown as none */
    if (!addr_parse(shown, false, &again) || !addr_eq(&a, &again)) panic("%s is another address", out);
    if (!addr_group(&a) || addr_group(&a) != addr_group(&again)) panic("%s has two groups", out);
}

static void network(taut_str text) {
    struct addr_net net;
    if (!addr_net_parse(text, &net)) return;
    struct addr_nets nets = {&net, 1};
    if (net.bits > 128 || (net.v4 && net.bits < 96)) panic("a mask of %u bits", net.bits);
    if (!addr_nets_have(&nets, &net.addr)) panic("a network without its own address");
    struct addr other = net.addr;
    if (!net.bits) return;
    other.bytes[(net.bits - 1) / 8] ^= (unsigned char)(0x80 >> ((net.bits - 1) % 8));
    if (addr_nets_have(&nets, &other)) panic("a network with an address outside its mask");
}

/* ---- proxies ---- */

static bool lies_in(taut_str part, taut_str whole) {
    return !part.len || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static bool has(taut_str head, const char *name) {
    size_t n = strlen(name);
    for (size_t i = 0; i + n < head.len; i++)
        if (!strncasecmp(head.ptr + i, name, n)) return true;
    return false;
}

static void proxy(taut_str head, uint8_t how) {
    static struct addr_nets trusted;
    taut_str bad, host = TAUT_LIT("own.example"), peer_text = how & 1 ? TAUT_LIT("10.1.2.3") : TAUT_LIT("203.0.113.9");
    if (!trusted.list && !addr_nets_parse(trusted_list, &trusted, &bad)) panic("%s", bad.ptr);
    struct remote peer = {.is_proxy = how & 1, .secure = how & 2};
    if (!addr_parse(peer_text, false, &peer.addr)) panic("no peer");
    struct asker who = proxies_asker(&trusted, &peer, head, host);
    if (!lies_in(who.host, head) && !taut_str_eq(who.host, host)) panic("a host from nowhere");
    if (!peer.is_proxy &&
        (!addr_eq(&who.addr, &peer.addr) || who.forwarded || who.secure != peer.secure || !taut_str_eq(who.host, host)))
        panic("a stranger was believed");
    if (!has(head, "x-forwarded-for:") && (who.forwarded || !addr_eq(&who.addr, &peer.addr)))
        panic("somebody asks whom nobody named");
    if (!who.forwarded && !addr_eq(&who.addr, &peer.addr)) panic("forwarded, and not said to be");
}

/* What a client writes of itself stays left of what the proxy adds, and is never who asks. */
static void proxy_adds(taut_str client, uint8_t how) {
    struct arena a = {0};
    for (size_t i = 0; i < client.len; i++)
        if (client.ptr[i] == '\n' || client.ptr[i] == '\r') return;
    taut_str head = arena_fmt(&a,
                              how & 4 ? "X-Forwarded-For: %.*s\r\nx-forwarded-for: 198.51.100.7\r\n"
                                      : "X-Forwarded-For: %.*s, 198.51.100.7\r\n",
                              (int)client.len, client.len ? client.ptr : "");
    static struct addr_nets trusted;
    taut_str bad;
    struct remote peer = {.is_proxy = true};
    struct addr real;
    if (!trusted.list && !addr_nets_parse(trusted_list, &trusted, &bad)) panic("%s", bad.ptr);
    if (!addr_parse(TAUT_LIT("10.0.0.1"), false, &peer.addr) || !addr_parse(TAUT_LIT("198.51.100.7"), false, &real))
        panic("no address");
    if (memchr(head.ptr, 0, head.len)) head.len = 0; /* the parser of requests lets no NUL through, nor "%s" here */
    struct asker who = proxies_asker(&trusted, &peer, head, TAUT_NONE);
    if (head.len && !addr_eq(&who.addr, &real)) panic("a client said who it is");
    arena_free(&a);
}

/* ---- origins and hosts ---- */

static void origin(taut_str text) {
    static struct origins own;
    struct origins one;
    taut_str bad, items[] = {text};
    if (!own.list &&
        !origins_new(&own, TAUT_LIT("https://chat.example.org/taut"), (struct taut_array){NULL, 0, sizeof text}, &bad))
        panic("no origins");
    const char *cors = origins_cors(&own, text);
    if (cors && !strstr(cors, "Access-Control-Allow-Origin: https://chat.example.org\r\n")) panic("%s", cors);
    if (cors && (text.len < 24 || strncasecmp(text.ptr, "https://chat.example.org", 24) != 0))
        panic("a stranger's page");
    if (cors && !origins_may_open(&own, text)) panic("may read and not open");
    if (!origins_new(&one, TAUT_LIT("https://chat.example.org"), (struct taut_array){items, 1, sizeof text}, &bad))
        return;
    cors = origins_cors(&one, text);
    if (!taut_str_is(text, "*") && !cors) panic("what is listed is not allowed");
    size_t lines = 0; /* of the head: a value may not add to them */
    for (const char *at = cors; at && *at; at++) lines += *at == '\n';
    if (lines > 3) panic("more lines: %s", cors);
    for (uint32_t i = 0; i < one.n; i++)
        if (strpbrk(one.list[i].text, "\r\n \"")) panic("an origin with a blank: %s", one.list[i].text);
    origins_free(&one);
}

static void host(taut_str text) {
    char *copy = malloc(text.len + !text.len);
    if (text.len) memcpy(copy, text.ptr, text.len);
    bool own = host_is_own(taut_str_n(copy, text.len), TAUT_LIT("chat.example.org:8065"));
    if (own && text.len && http_is_host(copy, text.len) && strncasecmp(copy, "chat.", 5) != 0 &&
        strncasecmp(copy, "localhost", 9) != 0 && !strchr("[0123456789:abcdefABCDEF", copy[0]))
        panic("somebody else's name");
    taut_str path = url_path(taut_str_n(copy, text.len));
    if (path.len && (path.ptr[path.len - 1] == '/' || !lies_in(path, taut_str_n(copy, text.len))))
        panic("a path with a slash");
    free(copy);
}

/* ---- targets ---- */

static void target(taut_str text) {
    struct http_span path, query;
    char *copy = malloc(text.len + !text.len);
    if (text.len) memcpy(copy, text.ptr, text.len);
    const char *wrong = http_target(copy, (struct http_span){0, (uint32_t)text.len}, &path, &query);
    if (!wrong) {
        taut_str p = taut_str_n(copy + path.at, path.len);
        if (path.at + path.len > text.len || query.at + query.len > text.len) panic("outside of the target");
        if (p.len && p.ptr[0] != '/') panic("no path");
        char *z = xstrndup(p.ptr, p.len);
        if (strstr(z, "/../") || strstr(z, "/./") || strcasestr(z, "/%2e%2e/") || strchr(z, '\\') || strchr(z, '#') ||
            (p.len >= 3 && !strcmp(z + p.len - 3, "/..")))
            panic("a path that climbs: %s", z);
        free(z);
        struct http_span path2, query2; /* what is a path is one when it is looked at alone */
        if (p.len &&
            (http_target(p.ptr, (struct http_span){0, (uint32_t)p.len}, &path2, &query2) || path2.len != p.len))
            panic("the path is none");
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size) return 0;
    taut_str text = taut_str_n((const char *)data + 1, size - 1);
    switch (data[0] & 7) {
    case 0: address(text); break;
    case 1: network(text); break;
    case 2: proxy(text, data[0] >> 3); break;
    case 3: proxy_adds(text, data[0] >> 3); break;
    case 4: origin(text); break;
    case 5: host(text); break;
    default: target(text); break;
    }
    return 0;
}
