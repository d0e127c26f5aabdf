/* demo.c - `taut demo`: a workspace to try things in, the same at each start. Ids and tokens are kept in
 * DATA/demo.json, since the store has only hashes of tokens.
 *
 * The command stays open while three tasks follow each other: is what was saved still true; the workspace; the people.
 * A crash between two of them leaves a workspace that the next start completes.
 */
#include "file.h"
#include "mark.h"
#include "provision.h"

enum { SAVED_MAX = 64 * 1024 };

/* members: a JSON object whose members follow the addresses. */
static void answer(struct taut_mod *m, struct provision *p, taut_str members) {
    const struct taut_server_info *info = taut_info(m);
    struct taut_json *j = taut_answer(p->command);
    taut_json_kstr(j, "url", info->public_url);
    taut_json_kstr(j, "admin_url", info->admin_url);
    taut_json_sep(j);
    taut_json_raw(j, members.ptr + 1, members.len - 2);
    taut_done(p->command);
}

static int failed(struct provision *p, const struct taut_outcome *o, const char *what) {
    if (o->status == TAUT_OK) return 0;
    taut_fail_text(p->command, "demo_failed", taut_fmt(p->command, "%s: %.*s", what, (int)o->error.len, o->error.ptr));
    return 1;
}

static void on_people(struct taut_mod *m, void *arg, const struct taut_outcome *o) {
    struct provision *p = arg;
    if (failed(p, o, "the people and channels of the demo could not be made")) return;
    taut_str text = taut_fmt(p->command, "%.*s\n", (int)o->body.len, o->body.ptr);
    if (file_write(p->command, p->path, text) != TAUT_OK) {
        taut_fail_text(
            p->command, "demo_failed",
            taut_fmt(p->command, "%s cannot be written; it keeps the demo's tokens for the next start", p->path));
        return;
    }
    if (p->tokens_replaced)
        taut_log(m, TAUT_LOG_WARN, "tokens_replaced",
                 "demo.json was missing or not true: everybody got a new token, and the old ones stay valid until they "
                 "are revoked; see: taut token list, taut token revoke");
    answer(m, p, o->body);
}

static void on_workspace(struct taut_mod *m, void *arg, const struct taut_outcome *o) {
    struct provision *p = arg;
    if (failed(p, o, "the demo's workspace could not be made")) return;
    taut_task(m, NULL, provision_people, p, on_people);
}

static void on_checked(struct taut_mod *m, void *arg, const struct taut_outcome *o) {
    struct provision *p = arg;
    if (failed(p, o, "the demo's tokens could not be looked up")) return;
    if (p->members.len) answer(m, p, p->members);
    else taut_task(m, NULL, provision_workspace, p, on_workspace);
}

int32_t on_demo(struct taut_mod *m, struct taut_call *c) {
    taut_str data = taut_info(m)->data;
    TAUT_TRY(mark_refuse(m, c));
    struct provision *p = taut_scratch(c, sizeof *p);
    p->command = c;
    p->path = taut_fmt(c, "%.*s/demo.json", (int)data.len, data.ptr).ptr;
    if (file_read(c, p->path, SAVED_MAX, &p->saved) != TAUT_OK)
        return taut_fail_text(c, "demo_failed",
                              taut_fmt(c, "%s cannot be read; look at its owner and mode, or remove it", p->path));
    taut_task(m, NULL, provision_check, p, on_checked);
    return TAUT_E_PENDING;
}
