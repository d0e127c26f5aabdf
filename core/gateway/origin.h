/* origin.h - which web pages may use this server from a browser, and under which names it may be asked. Pure.
 *
 * A browser lets any page open a WebSocket to any server and says only where the page comes from: so the server looks.
 * Programs that are no browsers say nothing, or say Slack's own address (some SDKs), or ours; all of that may pass.
 */
#ifndef GATEWAY_ORIGIN_H
#define GATEWAY_ORIGIN_H

#include "base/base.h"

enum { ORIGIN_MAX = 300 /* bytes */, CORS_MAX = 512 };

/* An origin that is allowed, and what an answer to a page from there has in its head. */
struct origin {
    char text[ORIGIN_MAX]; /* "https://chat.example.org", lower case, without a port that goes without saying; "*" */
    char cors[CORS_MAX];
};
struct origins {
    struct origin *list;
    uint32_t n;
};

bool origin_is_one(taut_str item); /* or "*" */

/* The server's own, and items (of taut_str). False: *bad is what is no origin. */
bool origins_new(struct origins *o, taut_str public_url, struct taut_array items, taut_str *bad);
void origins_free(struct origins *o);

/* For answers of /api: NULL, or the lines that let the page read it. */
const char *origins_cors(const struct origins *o, taut_str origin);
/* May a page (or program) that says this open a WebSocket? */
bool origins_may_open(const struct origins *o, taut_str origin);

/* Is a Host header one that nobody else's DNS can be behind: an IP address, localhost, or the host of `listen`? */
bool host_is_own(taut_str host, taut_str listen);

/* The path of a URL without a slash at its end: "/chat" of https://example.org/chat/. */
taut_str url_path(taut_str url);

#endif
