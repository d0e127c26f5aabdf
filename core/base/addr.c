/* addr.c - IP addresses and networks: text, groups, membership. */
#include "base/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static struct addr from_v4(const void *four) {
    struct addr a;
    memcpy(a.bytes, mapped, sizeof mapped);
    memcpy(a.bytes + sizeof mapped, four, 4);
    return a;
}

/* ---- text ---- */

static bool parse_plain(taut_str s, struct addr *a) {
    char text[ADDR_TEXT];
    unsigned char four[4];
    if (!s.len || s.len >= sizeof text || memchr(s.ptr, 0, s.len)) return false;
    memcpy(text, s.ptr, s.len);
    text[s.len] = 0;
    if (inet_pton(AF_INET, text, four) == 1) {
        *a = from_v4(four);
        return true;
    }
    return inet_pton(AF_INET6, text, a->bytes) == 1;
}

static bool is_port(taut_str s) {
    if (!s.len || s.len > 5) return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
    return true;
}

bool addr_parse(taut_str s, bool with_port, struct addr *a) {
    if (s.len && s.ptr[0] == '[') {
        const char *end = memchr(s.ptr, ']', s.len);
        if (!end) return false;
        taut_str inner = taut_str_n(s.ptr + 1, (size_t)(end - s.ptr) - 1);
        taut_str rest = taut_str_n(end + 1, s.len - inner.len - 2);
        bool port = with_port && rest.len > 1 && rest.ptr[0] == ':' && is_port(taut_str_n(rest.ptr + 1, rest.len - 1));
        return (!rest.len || port) && parse_plain(inner, a) && memchr(inner.ptr, ':', inner.len);
    }
    const char *colon = s.len ? memchr(s.ptr, ':', s.len) : NULL;
    size_t host = colon ? (size_t)(colon - s.ptr) : s.len;
    bool one_colon = colon && !memchr(colon + 1, ':', s.len - host - 1);
    if (one_colon)
        return with_port && is_port(taut_str_n(colon + 1, s.len - host - 1)) && parse_plain(taut_str_n(s.ptr, host), a);
    return parse_plain(s, a);
}

struct addr addr_of(const struct sockaddr *sa) {
    struct addr a = {{0}};
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof in);
        return from_v4(&in.sin_addr);
    }
    if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, sa, sizeof in);
        memcpy(a.bytes, &in.sin6_addr, sizeof a.bytes);
    }
    return a;
}

taut_str addr_text(const struct addr *a, char out[ADDR_TEXT]) {
    static const struct addr none = {{0}};
    bool v4 = addr_is_v4(a);
    if (addr_eq(a, &none) || !inet_ntop(v4 ? AF_INET : AF_INET6, a->bytes + (v4 ? sizeof mapped : 0), out, ADDR_TEXT))
        memcpy(out, "-", 2);
    return taut_str_z(out);
}

/* ---- kinds ---- */

bool addr_eq(const struct addr *a, const struct addr *b) {
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool addr_is_v4(const struct addr *a) {
    return memcmp(a->bytes, mapped, sizeof mapped) == 0;
}

bool addr_is_loopback(const struct addr *a) {
    static const struct addr one = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
    return addr_is_v4(a) ? a->bytes[12] == 127 : addr_eq(a, &one);
}

uint64_t addr_group(const struct addr *a) {
    uint64_t group;
    if (addr_is_v4(a)) {
        unsigned char bytes[8] = {0xff, 0xff, 0xff, 0xff}; /* multicast in IPv6: nobody's own address begins so */
        memcpy(bytes + 4, a->bytes + 12, 4);
        memcpy(&group, bytes, sizeof group);
    } else {
        memcpy(&group, a->bytes, sizeof group);
    }
    return group ? group : 1;
}

/* ---- networks ---- */

bool addr_net_parse(taut_str text, struct addr_net *net) {
    const char *slash = text.len ? memchr(text.ptr, '/', text.len) : NULL;
    taut_str host = slash ? taut_str_n(text.ptr, (size_t)(slash - text.ptr)) : text;
    if (!addr_parse(host, false, &net->addr)) return false;
    net->v4 = addr_is_v4(&net->addr);
    unsigned most = net->v4 ? 32 : 128, bits = most;
    if (slash) {
        taut_str digits = taut_str_n(slash + 1, text.len - host.len - 1);
        if (!digits.len || digits.len > 3) return false;
        bits = 0;
        for (size_t i = 0; i < digits.len; i++) {
            if (digits.ptr[i] < '0' || digits.ptr[i] > '9') return false;
            bits = bits * 10 + (unsigned)(digits.ptr[i] - '0');
        }
        if (bits > most) return false;
    }
    net->bits = (uint8_t)(bits + 128 - most);
    return true;
}

bool addr_nets_parse(struct taut_array items, struct addr_nets *nets, taut_str *bad) {
    nets->n = 0;
    nets->list = xcalloc(items.len + 1, sizeof *nets->list);
    for (uint32_t i = 0; i < items.len; i++) {
        const taut_str *item = TAUT_AT(items, taut_str, i);
        if (addr_net_parse(*item, &nets->list[nets->n++])) continue;
        *bad = *item;
        addr_nets_free(nets);
        return false;
    }
    return true;
}

void addr_nets_free(struct addr_nets *nets) {
    free(nets->list);
    nets->list = NULL;
    nets->n = 0;
}

static bool net_has(const struct addr_net *net, const struct addr *a) {
    if (net->v4 != addr_is_v4(a)) return false;
    unsigned whole = net->bits / 8, rest = net->bits % 8;
    if (memcmp(net->addr.bytes, a->bytes, whole) != 0) return false;
    if (!rest) return true;
    unsigned char mask = (unsigned char)(0xff << (8 - rest));
    return ((net->addr.bytes[whole] ^ a->bytes[whole]) & mask) == 0;
}

bool addr_nets_have(const struct addr_nets *nets, const struct addr *a) {
    for (uint32_t i = 0; i < nets->n; i++)
        if (net_has(&nets->list[i], a)) return true;
    return false;
}
