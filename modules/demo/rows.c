/* rows.c - the batches of a seed. Each task fills one background batch with the units of its job and commits it. A task
 * that runs again makes its ids and tokens anew, in the same places of the plan. */
#include "mark.h"
#include "seed.h"

enum { OWNER = 0 }; /* the user who makes the workspace */

static taut_str ws_of(const struct plan *p) {
    return taut_str_z(p->workspace);
}

static void keep(char *into, size_t cap, taut_str s) {
    size_t n = s.len < cap ? s.len : cap - 1;
    memcpy(into, s.ptr, n);
    into[n] = 0;
}

static struct taut_batch *begin(struct taut_mod *m, struct taut_call *c, const struct plan *p) {
    struct taut_batch *b = taut_batch(c);
    if (p->workspace[0]) taut_batch_workspace(c->mod, b, ws_of(p));
    taut_background(m, b);
    return b;
}

static struct taut_user user_of(struct taut_call *c, const struct plan *p, uint32_t u) {
    return (struct taut_user){.size = sizeof(struct taut_user),
                              .id = taut_str_z(p->user_id[u]),
                              .name = taut_fmt(c, "user%06u", u + 1),
                              .real_name = taut_fmt(c, "User %06u", u + 1)};
}

int32_t seed_workspace(struct taut_mod *m, struct taut_call *c) {
    struct seed_job *job = c->arg;
    struct plan *p = job->plan;
    const struct taut_workspace spec = {.size = sizeof spec, .name = TAUT_LIT("Seeded"), .domain = TAUT_LIT("seeded")};
    const struct taut_user owner = user_of(c, p, OWNER);
    taut_str id, owner_id;
    struct taut_batch *b = taut_batch(c);
    TAUT_TRY(dir(m)->workspace_create(dir_self(m), c, b, &spec, &owner, &id, &owner_id));
    keep(p->workspace, sizeof p->workspace, id);
    mark_set(m, b);
    taut_answer(c);
    return taut_commit(c, b);
}

/* #general may have come with the workspace. */
int32_t seed_channels(struct taut_mod *m, struct taut_call *c) {
    struct seed_job *job = c->arg;
    struct plan *p = job->plan;
    const struct taut_channel *general = NULL;
    if (job->from == 0) {
        TAUT_TRY(conv(m)->channel_by_name(conv_self(m), c, ws_of(p), TAUT_LIT("general"), &general));
        p->general_came = general != NULL;
    }
    struct taut_batch *b = begin(m, c, p);
    for (uint64_t i = job->from; i < job->to; i++) {
        uint32_t ch = (uint32_t)i;
        char name[WORD_MAX];
        size_t len = word(ch % VOCABULARY, name);
        taut_str id, label = ch ? taut_fmt(c, "%.*s-%u", (int)len, name, ch) : TAUT_LIT("general");
        struct taut_channel spec = {.size = sizeof spec,
                                    .name = label,
                                    .kind = TAUT_CH_PUBLIC,
                                    .is_general = ch == 0,
                                    .creator = taut_str_z(p->user_id[plan_creator(p, ch)]),
                                    .created = p->begin_us / 1000000};
        if (ch == 0 && general) id = general->id;
        else TAUT_TRY(conv(m)->channel_import(conv_self(m), c, b, ws_of(p), &spec, &id));
        keep(p->channel_id[ch], sizeof p->channel_id[ch], id);
    }
    taut_answer(c);
    return taut_commit(c, b);
}

static int32_t add_member(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, const struct plan *p,
                          uint32_t channel, uint32_t user) {
    return conv(m)->member_import(conv_self(m), c, b, ws_of(p), taut_str_z(p->channel_id[channel]),
                                  taut_str_z(p->user_id[user]), p->end_us);
}

static int32_t add_user(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, const struct plan *p,
                        uint32_t u) {
    const struct taut_user spec = user_of(c, p, u);
    taut_str id = spec.id, token, token_id;
    if (u != OWNER) TAUT_TRY(dir(m)->user_create(dir_self(m), c, b, ws_of(p), &spec, 1, &id));
    TAUT_TRY(dir(m)->token_create(dir_self(m), c, b, ws_of(p), id, no_str(), &token, &token_id));
    keep(p->token[u], sizeof p->token[u], token);
    if (u != OWNER || !p->general_came) TAUT_TRY(add_member(m, c, b, p, 0, u));
    for (uint32_t ch = u ? u : p->users; ch < p->channels; ch += p->users) TAUT_TRY(add_member(m, c, b, p, ch, u));
    for (uint32_t i = 0; i < PLAN_PICKS && p->picks[u][i] != PLAN_NONE; i++)
        TAUT_TRY(add_member(m, c, b, p, p->picks[u][i], u));
    return TAUT_OK;
}

int32_t seed_users(struct taut_mod *m, struct taut_call *c) {
    struct seed_job *job = c->arg;
    struct taut_batch *b = begin(m, c, job->plan);
    for (uint64_t u = job->from; u < job->to; u++) TAUT_TRY(add_user(m, c, b, job->plan, (uint32_t)u));
    taut_answer(c);
    return taut_commit(c, b);
}

static int32_t touch(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, const struct plan *p,
                     const struct plan_message *last) {
    return conv(m)->channel_touch(conv_self(m), c, b, ws_of(p), taut_str_z(p->channel_id[last->channel]), last->ts);
}

int32_t seed_messages(struct taut_mod *m, struct taut_call *c) {
    struct seed_job *job = c->arg;
    const struct plan *p = job->plan;
    struct taut_batch *b = begin(m, c, p);
    struct plan_message last = {0};
    char line[TEXT_MAX];
    for (uint64_t i = job->from; i < job->to; i++) {
        struct plan_message now = plan_message(p, i);
        if (i > job->from && now.channel != last.channel) TAUT_TRY(touch(m, c, b, p, &last));
        size_t len = text(p->words, i, line);
        TAUT_TRY(conv(m)->message_import(conv_self(m), c, b, ws_of(p), taut_str_z(p->channel_id[now.channel]),
                                         taut_str_z(p->user_id[now.author]), now.ts, now.thread_ts,
                                         taut_str_n(line, len)));
        last = now;
    }
    TAUT_TRY(touch(m, c, b, p, &last));
    taut_answer(c);
    return taut_commit(c, b);
}

int32_t seed_end(struct taut_mod *m, struct taut_call *c) {
    struct seed_job *job = c->arg;
    struct taut_batch *b = begin(m, c, job->plan);
    mark_remove(m, b);
    taut_answer(c);
    return taut_commit(c, b);
}
