/* rtm.c - Slack's Real Time Messaging protocol: the method that hands out a ticket, and what the module declares. */
#include "rtm.h"

#include <sodium.h>

enum { ARG_BATCH_PRESENCE_AWARE, ARG_PRESENCE_SUB };
static const struct taut_arg connect_args[] = {
    [ARG_BATCH_PRESENCE_AWARE] = {"batch_presence_aware", TAUT_ARG_BOOL, 0, NULL, NULL},
    [ARG_PRESENCE_SUB] = {"presence_sub", TAUT_ARG_BOOL, 0, NULL, NULL},
};

struct new_ticket {
    const struct taut_actor *actor;
    char text[TICKET_TEXT];
};

static void issue(struct taut_mod *m, void *arg) {
    const struct new_ticket *t = arg;
    if (ticket_issue(m, &rtm_of(m)->tickets, t->actor, rtm_options(m)->ticket_lifetime * 1000, t->text) < 0)
        taut_log(m, TAUT_LOG_ERROR, "no_ticket", "out of memory: a client must ask for its ticket again");
    else taut_count(m, RTM_TICKETS, 1);
}

static int32_t on_connect(struct taut_mod *m, struct taut_call *c) {
    const struct taut_directory_v1 *directory = rtm_directory(m);
    void *self = rtm_of(m)->directory->self;
    const struct taut_actor *actor = c->actor;
    const struct taut_workspace *team;
    const struct taut_user *user;
    struct new_ticket *t = taut_scratch(c, sizeof *t);
    TAUT_TRY(directory->workspace(self, c, actor->workspace, &team));
    TAUT_TRY(directory->user(self, c, actor->workspace, actor->user, &user));
    if (!team || !user) return taut_fail(c, "invalid_auth");

    t->actor = actor;
    ticket_text(m, t->text);
    taut_at_end(m, c, issue, t);
    taut_str socket_url = taut_info(m)->socket_url;
    struct taut_json *j = taut_answer(c);
    taut_json_kstr(j, "url", taut_fmt(c, "%.*s/rtm/%.*s", (int)socket_url.len, socket_url.ptr, TICKET_TEXT, t->text));
    taut_json_kopen(j, "self", '{');
    taut_json_kstr(j, "id", user->id);
    taut_json_kstr(j, "name", user->name);
    taut_json_close(j, '}');
    taut_json_kopen(j, "team", '{');
    taut_json_kstr(j, "id", team->id);
    taut_json_kstr(j, "name", team->name);
    taut_json_kstr(j, "domain", team->domain);
    taut_json_close(j, '}');
    return taut_done(c);
}

static int32_t on_init(struct taut_mod *m) {
    if (sodium_init() < 0) return TAUT_E_UNAVAILABLE;
    struct rtm *r = taut_alloc(m, sizeof *r);
    if (!r) return TAUT_E_NOMEM;
    r->conversation = taut_svc_get(m, "conversation", 1, &taut_conversation_down);
    r->directory = taut_svc_get(m, "directory", 1, &taut_directory_down);
    int32_t err = tickets_init(m, &r->tickets);
    if (err < 0) {
        taut_free(m, r);
        return err;
    }
    m->state = r;
    return TAUT_OK;
}

static void on_fini(struct taut_mod *m) {
    tickets_fini(m, &rtm_of(m)->tickets);
    taut_free(m, m->state);
    m->state = NULL;
}

static const struct taut_opt options[] = {
    TAUT_OPT(struct rtm_options, ticket_lifetime, TAUT_OPT_DURATION, .flags = TAUT_OPT_LIVE, .dflt = "30s", .min = 100,
             .max = 600000, .help = "How long the URL of rtm.connect can be used."),
    TAUT_OPT(struct rtm_options, messages_per_second, TAUT_OPT_INT, .flags = TAUT_OPT_LIVE, .dflt = "100", .min = 0,
             .max = 1000000,
             .help = "Messages that one connection may send a second, on average over ten seconds. 0: any number."),
};

static const struct taut_method methods[] = {
    {"rtm.connect", TAUT_ARRAY(connect_args), NULL, TAUT_RATE_TIER1, 0, on_connect},
};

static const struct taut_socket_route sockets[] = {
    {"/rtm/", "rtm", rtm_on_open, rtm_on_frame, rtm_on_close},
};

static const struct taut_metric metrics[] = {
    [RTM_TICKETS] = {.name = "tickets_total", .kind = TAUT_COUNTER, .help = "Tickets handed out by rtm.connect."},
    [RTM_OPENED] = {.name = "opened_total", .kind = TAUT_COUNTER, .help = "Sockets let in."},
    [RTM_REFUSED] = {.name = "refused_total",
                     .kind = TAUT_COUNTER,
                     .help = "Sockets turned away: no such ticket, or no longer good."},
    [RTM_SLOWED] = {.name = "slowed_total",
                    .kind = TAUT_COUNTER,
                    .help = "Messages refused because a connection sent too many."},
};

TAUT_MODULE(.name = "rtm", .version = "0.1.0", .license = "Apache-2.0",
            .summary = "Slack's Real Time Messaging protocol: rtm.connect and its sockets",
            .needs = TAUT_LIST("conversation/1", "directory/1"), .options = TAUT_ARRAY(options),
            .config_size = sizeof(struct rtm_options), .flags = TAUT_MODULE_STANDARD, .methods = TAUT_ARRAY(methods),
            .sockets = TAUT_ARRAY(sockets), .metrics = TAUT_ARRAY(metrics), .init = on_init, .fini = on_fini);
