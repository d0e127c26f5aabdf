/* origin.c - origins: normal form, the list, CORS. */
#include "gateway/origin.h"

#include <stdio.h>
#include <strings.h>

#include "base/addr.h"
#include "base/text.h"

/* Origins that SDKs for programs send on opening a WebSocket, wherever it goes. No page of a stranger comes from there.
 */
static const char *const slack_origins[] = {"https://api.slack.com", "https://slack.com"};

/* Where the authority ends. */
static size_t authority_end(taut_str url, size_t from) {
    size_t end = from;
    while (end < url.len && url.ptr[end] != '/' && url.ptr[end] != '?' && url.ptr[end] != '#') end++;
    return end;
}

static size_t scheme_len(taut_str url) {
    return starts_with_nocase(url, "https://") ? 8 : starts_with_nocase(url, "http://") ? 7 : 0;
}

/* Other schemes (app://, chrome-extension://ID) are origins too, without default ports. */
static size_t any_scheme_len(taut_str url) {
    for (size_t i = 0; i + 3 < url.len; i++) {
        char c = (char)(url.ptr[i] | 0x20);
        if (i && memcmp(url.ptr + i, "://", 3) == 0) return i + 3;
        if (!((c >= 'a' && c <= 'z') || (i && ((c >= '0' && c <= '9') || url.ptr[i] == '-' || url.ptr[i] == '+'))))
            return 0;
    }
    return 0;
}

static void drop_default_port(char *out, size_t *n, bool https) {
    const char *port = https ? ":443" : ":80";
    size_t len = strlen(port);
    if (*n > len && memcmp(out + *n - len, port, len) == 0) *n -= len;
}

/* The normal form of an origin, or of a URL's. whole: nothing may stand behind it but a slash. */
static bool normal(taut_str s, bool whole, char out[ORIGIN_MAX]) {
    size_t scheme = scheme_len(s), any = scheme ? scheme : any_scheme_len(s), end = authority_end(s, any), n = 0;
    if (!any || end == any || end + 8 >= ORIGIN_MAX) return false;
    if (whole && end < s.len && !(end + 1 == s.len && s.ptr[end] == '/')) return false;
    for (; n < end; n++) {
        char c = s.ptr[n];
        if ((unsigned char)c <= ' ' || (unsigned char)c >= 0x7f || strchr("\"\\@*,<>", c)) return false;
        out[n] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    if (scheme) drop_default_port(out, &n, scheme == 8);
    out[n] = 0;
    return true;
}

static struct origin *add(struct origins *o) {
    return &o->list[o->n++];
}

static void write_cors(struct origin *o) {
    bool any = strcmp(o->text, "*") == 0;
    snprintf(o->cors, sizeof o->cors,
             "Access-Control-Allow-Origin: %s\r\n%sAccess-Control-Expose-Headers: Retry-After\r\n", o->text,
             any ? "" : "Vary: Origin\r\n");
}

/* The server's own pages. One that is reached over the loopback has several names, all of them its own. */
static void add_own(struct origins *o, taut_str public_url) {
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
    char own[ORIGIN_MAX];
    if (!normal(public_url, false, own)) return;
    size_t scheme = scheme_len(taut_str_z(own)), host = strcspn(own + scheme, own[scheme] == '[' ? "]" : ":");
    if (own[scheme] == '[') host++;
    bool is_loopback = false;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        is_loopback = is_loopback || taut_str_is(taut_str_n(own + scheme, host), names[i]);
    if (!is_loopback) memcpy(add(o)->text, own, sizeof own);
    for (size_t i = 0; i < COUNT_OF(names) && is_loopback; i++)
        snprintf(add(o)->text, ORIGIN_MAX, "%.*s%s%s", (int)scheme, own, names[i], own + scheme + host);
}

bool origin_is_one(taut_str item) {
    char text[ORIGIN_MAX];
    return taut_str_is(item, "*") || normal(item, true, text);
}

bool origins_new(struct origins *o, taut_str public_url, struct taut_array items, taut_str *bad) {
    *o = (struct origins){.list = xcalloc(items.len + 3, sizeof *o->list)};
    add_own(o, public_url);
    for (uint32_t i = 0; i < items.len; i++) {
        const taut_str *item = TAUT_AT(items, taut_str, i);
        struct origin *to = add(o);
        if (taut_str_is(*item, "*")) memcpy(to->text, "*", 2);
        else if (!normal(*item, true, to->text)) {
            *bad = *item;
            origins_free(o);
            return false;
        }
    }
    for (uint32_t i = 0; i < o->n; i++) write_cors(&o->list[i]);
    return true;
}

void origins_free(struct origins *o) {
    free(o->list);
    o->list = NULL;
    o->n = 0;
}

static const struct origin *find(const struct origins *o, taut_str origin) {
    char text[ORIGIN_MAX];
    bool is_one = normal(origin, true, text);
    for (uint32_t i = 0; i < o->n; i++)
        if (strcmp(o->list[i].text, "*") == 0 || (is_one && strcmp(o->list[i].text, text) == 0)) return &o->list[i];
    return NULL;
}

const char *origins_cors(const struct origins *o, taut_str origin) {
    const struct origin *found = find(o, origin);
    return found ? found->cors : NULL;
}

bool origins_may_open(const struct origins *o, taut_str origin) {
    for (size_t i = 0; i < COUNT_OF(slack_origins); i++)
        if (taut_str_is(origin, slack_origins[i])) return true;
    return find(o, origin) != NULL;
}

/* ---- names of the server itself ---- */

/* Without the port. */
static taut_str host_part(taut_str s) {
    const char *bracket = s.len && s.ptr[0] == '[' ? memchr(s.ptr, ']', s.len) : NULL;
    if (bracket) return taut_str_n(s.ptr, (size_t)(bracket - s.ptr) + 1);
    const char *colon = s.len ? memchr(s.ptr, ':', s.len) : NULL;
    return colon ? taut_str_n(s.ptr, (size_t)(colon - s.ptr)) : s;
}

bool host_is_own(taut_str host, taut_str listen) {
    taut_str name = host_part(host), own = host_part(listen);
    struct addr a;
    if (addr_parse(host, true, &a)) return true;
    if (name.len == 9 && strncasecmp(name.ptr, "localhost", 9) == 0) return true;
    return name.len && name.len == own.len && strncasecmp(name.ptr, own.ptr, own.len) == 0;
}

taut_str url_path(taut_str url) {
    size_t from = authority_end(url, scheme_len(url)), end = from;
    while (end < url.len && url.ptr[end] != '?' && url.ptr[end] != '#') end++;
    while (end > from && url.ptr[end - 1] == '/') end--;
    return taut_str_n(url.ptr + from, end - from);
}
