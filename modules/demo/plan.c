/* plan.c - what a seed will write.
 *
 * Replies: of each 20 messages of a channel in a row, three (15 %) answer one of the first five.
 */
#include "plan.h"

#include <stdlib.h>

enum { BLOCK = 20, PARENTS = 5 };
#define SPAN_US (365LL * 24 * 3600 * 1000000) /* messages lie within a year */

/* What the numbers of mix() are for. */
enum { FOR_PICK = 1 << 20, FOR_AUTHOR = 2 << 20, FOR_TIME = 3 << 20, FOR_THREAD = 4 << 20 };

static int has_pick(const uint32_t *picks, uint32_t n, uint32_t channel) {
    for (uint32_t i = 0; i < n; i++)
        if (picks[i] == channel) return 1;
    return 0;
}

/* Large channels are picked often. One that is #general, or the user's own, or picked already, is no pick. */
static void pick_channels(struct plan *p, const double *cum) {
    for (uint32_t u = 0; u < p->users; u++) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < PLAN_PICKS; i++) {
            uint32_t ch = zipf_pick(cum, p->channels, mix(u, FOR_PICK + i));
            if (ch != 0 && plan_creator(p, ch) != u && !has_pick(p->picks[u], n, ch)) p->picks[u][n++] = ch;
        }
        while (n < PLAN_PICKS) p->picks[u][n++] = PLAN_NONE;
    }
}

/* From the channels of each user to the users of each channel: counted, then filled in. */
static void gather_members(struct plan *p, struct taut_call *c) {
    uint32_t *at = taut_scratch(c, (p->channels + 1) * sizeof *at);
    for (uint32_t ch = 1; ch < p->channels; ch++) p->member_at[ch + 1] = 1;
    for (uint32_t u = 0; u < p->users; u++)
        for (uint32_t i = 0; i < PLAN_PICKS && p->picks[u][i] != PLAN_NONE; i++) p->member_at[p->picks[u][i] + 1]++;
    for (uint32_t ch = 0; ch < p->channels; ch++) p->member_at[ch + 1] += p->member_at[ch];
    p->member = taut_scratch(c, (p->member_at[p->channels] + 1) * sizeof *p->member);
    for (uint32_t ch = 1; ch < p->channels; ch++) {
        p->member[p->member_at[ch]] = plan_creator(p, ch);
        at[ch] = p->member_at[ch] + 1;
    }
    for (uint32_t u = 0; u < p->users; u++)
        for (uint32_t i = 0; i < PLAN_PICKS && p->picks[u][i] != PLAN_NONE; i++) p->member[at[p->picks[u][i]]++] = u;
}

/* Large channels have many messages; what rounding leaves goes to #general. */
static void share_messages(struct plan *p, const double *cum) {
    uint64_t given = 0;
    for (uint32_t ch = p->channels; ch-- > 1;) {
        uint64_t n = (uint64_t)((double)p->messages / (ch + 1.0) / cum[p->channels - 1]);
        given += n;
        p->message_at[ch + 1] = n;
    }
    p->message_at[1] = p->messages - given;
    for (uint32_t ch = 0; ch < p->channels; ch++) p->message_at[ch + 1] += p->message_at[ch];
}

static int by_id(const void *a, const void *b) {
    return strcmp(a, b);
}

/* In order, so that the rows of one user after another go to neighbouring places of the store's trees. */
static void make_user_ids(struct plan *p, struct taut_mod *m) {
    for (uint32_t u = 0; u < p->users; u++) taut_id_new(m, 'U', p->user_id[u]);
    qsort(p->user_id, p->users, sizeof *p->user_id, by_id);
}

void plan_make(struct plan *p, struct taut_mod *m, struct taut_call *c) {
    double *cum = taut_scratch(c, p->channels * sizeof *cum);
    zipf_init(cum, p->channels);
    p->words = taut_scratch(c, VOCABULARY * sizeof *p->words);
    zipf_init(p->words, VOCABULARY);
    p->end_us = taut_now_us(m) - 1000000;
    p->begin_us = p->end_us - SPAN_US;
    p->user_id = taut_scratch(c, p->users * sizeof *p->user_id);
    p->token = taut_scratch(c, p->users * sizeof *p->token);
    p->channel_id = taut_scratch(c, p->channels * sizeof *p->channel_id);
    p->picks = taut_scratch(c, p->users * sizeof *p->picks);
    p->member_at = taut_scratch(c, (p->channels + 1) * sizeof *p->member_at);
    p->message_at = taut_scratch(c, (p->channels + 1) * sizeof *p->message_at);
    make_user_ids(p, m);
    pick_channels(p, cum);
    gather_members(p, c);
    share_messages(p, cum);
}

/* ---- messages ---- */

/* The channel that message `number` lies in. */
static uint32_t channel_of(const struct plan *p, uint64_t number) {
    uint32_t lo = 0, hi = p->channels - 1;
    while (lo < hi) {
        uint32_t middle = lo + (hi - lo) / 2;
        if (p->message_at[middle + 1] > number) hi = middle;
        else lo = middle + 1;
    }
    return lo;
}

/* A channel's messages are spread evenly, each at some moment of its slot: ascending, never the same. */
static int64_t ts_of(const struct plan *p, uint32_t channel, uint64_t number) {
    uint64_t n = p->message_at[channel + 1] - p->message_at[channel], at = number - p->message_at[channel];
    int64_t slot = (int64_t)((uint64_t)SPAN_US / n);
    int64_t within = (int64_t)(mix(number, FOR_TIME) % (uint64_t)slot);
    return p->begin_us + (int64_t)at * slot + within;
}

static int64_t thread_of(const struct plan *p, uint32_t channel, uint64_t number) {
    uint64_t at = number - p->message_at[channel], place = at % BLOCK, first = number - place;
    uint64_t h = mix(first, FOR_THREAD);
    int is_reply = place == 6 + (h >> 8) % 4 || place == 10 + (h >> 16) % 4 || place == 14 + (h >> 24) % 4;
    return is_reply ? ts_of(p, channel, first + h % PARENTS) : 0;
}

static uint32_t author_of(const struct plan *p, uint32_t channel, uint64_t number) {
    uint64_t h = mix(number, FOR_AUTHOR);
    if (channel == 0) return (uint32_t)(h % p->users);
    uint32_t first = p->member_at[channel], n = p->member_at[channel + 1] - first;
    return p->member[first + h % n];
}

struct plan_message plan_message(const struct plan *p, uint64_t number) {
    uint32_t channel = channel_of(p, number);
    return (struct plan_message){.channel = channel,
                                 .author = author_of(p, channel, number),
                                 .ts = ts_of(p, channel, number),
                                 .thread_ts = thread_of(p, channel, number)};
}
