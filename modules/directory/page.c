/* page.c - GET /: what a person sees who opens the server's address in a browser; and GET /avatar.png, the picture of
 * everybody. */
#include "internal.h"

/* One grey pixel. */
static const unsigned char avatar[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b, 0x55, 0x00,
    0x00, 0x00, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0xd8, 0x02, 0x00, 0x00, 0xb6, 0x00, 0xb5,
    0xb5, 0x2e, 0x5f, 0x69, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
};

int32_t on_avatar(struct taut_mod *m, struct taut_call *c) {
    (void)m;
    return taut_reply(c, 200, "image/png", taut_str_n((const char *)avatar, sizeof avatar));
}

taut_str avatar_url(struct taut_mod *m, struct taut_call *c) {
    taut_str url = taut_info(m)->public_url;
    return taut_fmt(c, "%.*s" AVATAR_PATH, (int)url.len, url.ptr);
}

/* The page, with VERSION and URL where those stand. */
static const char page[] =
    "<!doctype html>\n"
    "<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Taut</title>\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<style>body{font:16px/1.5 sans-serif;max-width:40em;margin:3em auto;padding:0 1em}"
    "code{background:#eee;padding:0 .3em}</style></head>\n"
    "<body><h1>Taut</h1>\n"
    "<p>This is a Taut server, version VERSION: team messaging that speaks Slack's dialect. It works.</p>\n"
    "<p>Point a Slack SDK, bot or tool at <code>URL/api/</code> and give it a token of this server. To try it:</p>\n"
    "<p><code>curl -H 'Authorization: Bearer TOKEN' URL/api/auth.test</code></p>\n"
    "<p>There is no web client yet. Documentation is in <code>README.md</code> and the folder <code>docs</code> of "
    "the\n"
    "source; <code>taut --help</code> lists the commands.</p>\n"
    "</body></html>\n";

int32_t on_page(struct taut_mod *m, struct taut_call *c) {
    const struct taut_server_info *info = taut_info(m);
    const struct {
        const char *mark;
        taut_str text;
    } marks[] = {{"VERSION", info->version}, {"URL", info->public_url}};
    struct taut_json *out = taut_json_scratch(c); /* a text that grows, not JSON */
    for (const char *at = page; *at;) {
        size_t skip = 0;
        for (size_t i = 0; i < sizeof marks / sizeof marks[0] && !skip; i++) {
            if (strncmp(at, marks[i].mark, strlen(marks[i].mark)) != 0) continue;
            taut_json_raw(out, marks[i].text.ptr, marks[i].text.len);
            skip = strlen(marks[i].mark);
        }
        if (!skip) taut_json_raw(out, at, 1);
        at += skip ? skip : 1;
    }
    return taut_reply(c, 200, "text/html; charset=utf-8", taut_json_out(out));
}
