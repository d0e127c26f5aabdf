/* bench_post - posts chat.postMessage over HTTP/1.1 keep-alive, from one thread, and measures.
 *
 * C connections, each with P requests in flight; each answer is looked at (it must begin with {"ok":true) and replaced
 * by a new request. With lists of tokens and channels every post is by another person to another channel. Prints one
 * JSON object: posts, bad, seconds, posts_per_s, p50_us, p90_us, p99_us. What is in flight when the time is up is read
 * to its end, but not counted. */
#define _GNU_SOURCE
#include "load.h"

#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/random.h>

enum { IN_MAX = 64 * 1024, REQUEST_MAX = 1024, TEXT_LEN = 160, FLIGHT_MAX = 64, SAMPLES_MAX = 4 << 20 };

struct options {
    int port, connections, pipeline;
    double seconds;
    long posts; /* 0: by time */
    struct words tokens, channels;
};

struct client {
    int fd;
    int flying;
    uint32_t first; /* of sent_us: the oldest in flight */
    int64_t sent_us[FLIGHT_MAX];
    size_t in_len, out_len, out_at;
    bool wants_out;
    char in[IN_MAX];
    char out[REQUEST_MAX * FLIGHT_MAX];
};

static struct options opt = {.port = 0, .connections = 256, .pipeline = 1, .seconds = 3};
static int epoll_fd;
static uint64_t run_id, next_key;
static bool sending = true;
static int64_t deadline_us;
static long started, counted, bad;
static uint32_t *samples;
static size_t nsamples;

/* Any of them: the key's bits, mixed (the finalizer of splitmix64). */
static const char *one_of(const struct words *w, uint64_t key) {
    key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9u;
    key = (key ^ key >> 27) * 0x94d049bb133111ebu;
    return w->list[(key ^ key >> 31) % w->n];
}

/* A POST with a fresh client_msg_id, of about the size that a person's message has. */
static size_t write_request(char *to) {
    static const char words[] =
        "the quick brown fox jumps over the lazy dog while the kettle sings and the rain goes on "
        "falling over roofs, gardens, stations and the slow grey river";
    char body[512];
    uint64_t key = next_key++;
    int n = snprintf(
        body, sizeof body,
        "{\"channel\":\"%s\",\"text\":\"%07llu %.*s\",\"client_msg_id\":\"%08llx-0000-4000-8000-%012llx\"}",
        one_of(&opt.channels, key), (unsigned long long)key, TEXT_LEN - 8, words, (unsigned long long)(run_id >> 32),
        (unsigned long long)((run_id & 0xffffffu) << 24 | (key & 0xffffffu)));
    int len = snprintf(to, REQUEST_MAX,
                       "POST /api/chat.postMessage HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
                       "Content-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s",
                       one_of(&opt.tokens, ~key), n, body);
    if (len >= REQUEST_MAX) die("the token is too long");
    return (size_t)len;
}

static void watch(struct client *c, bool out) {
    struct epoll_event ev = {.events = EPOLLIN | (out ? EPOLLOUT : 0u), .data.ptr = c};
    if (c->wants_out == out) return;
    c->wants_out = out;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &ev) != 0) die("epoll_ctl");
}

static void flush(struct client *c) {
    while (c->out_at < c->out_len) {
        ssize_t n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) die("send");
        c->out_at += (size_t)n;
    }
    if (c->out_at == c->out_len) c->out_at = c->out_len = 0;
    watch(c, c->out_len > 0);
}

/* Requests up to the wanted number in flight, in one send. */
static void fill(struct client *c) {
    if (c->out_at) {
        memmove(c->out, c->out + c->out_at, c->out_len - c->out_at);
        c->out_len -= c->out_at;
        c->out_at = 0;
    }
    while (sending && c->flying < opt.pipeline && c->out_len + REQUEST_MAX <= sizeof c->out) {
        if (opt.posts && started >= opt.posts) break;
        c->out_len += write_request(c->out + c->out_len);
        c->sent_us[(c->first + (uint32_t)c->flying) % FLIGHT_MAX] = now_us();
        c->flying++;
        started++;
    }
    flush(c);
}

static void on_answer(struct client *c, const char *body, size_t len) {
    static const char good[] = "{\"ok\":true";
    int64_t now = now_us(), took = now - c->sent_us[c->first];
    c->first = (c->first + 1) % FLIGHT_MAX;
    c->flying--;
    if (len < sizeof good - 1 || memcmp(body, good, sizeof good - 1) != 0) {
        if (!bad++) fprintf(stderr, "bench_post: %.*s\n", (int)(len < 300 ? len : 300), body);
        return;
    }
    if (!opt.posts && now > deadline_us) return;
    counted++;
    if (nsamples < SAMPLES_MAX) samples[nsamples++] = (uint32_t)took;
}

static void on_readable(struct client *c) {
    ssize_t n = recv(c->fd, c->in + c->in_len, sizeof c->in - c->in_len, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return;
    if (n == 0) errno = ECONNRESET;
    if (n <= 0) die("recv");
    c->in_len += (size_t)n;
    size_t at = 0, len, body_len;
    char *body;
    while ((len = whole_answer(c->in + at, c->in_len - at, &body, &body_len)) > 0) {
        on_answer(c, body, body_len);
        at += len;
    }
    if (c->in_len == sizeof c->in && !at) die("an answer is too long");
    memmove(c->in, c->in + at, c->in_len - at);
    c->in_len -= at;
    fill(c);
}

static void open_client(struct client *c) {
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
    c->fd = connect_to(opt.port);
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &ev) != 0) die("epoll_ctl");
}

static bool flying(const struct client *clients) {
    for (int i = 0; i < opt.connections; i++)
        if (clients[i].flying) return true;
    return false;
}

static void run(struct client *clients) {
    struct epoll_event events[256];
    for (int i = 0; i < opt.connections; i++) fill(&clients[i]);
    while (flying(clients)) {
        int n = epoll_wait(epoll_fd, events, 256, 30000);
        if (n == 0) errno = ETIMEDOUT;
        if (n <= 0) die("epoll_wait");
        if (!opt.posts && now_us() > deadline_us) sending = false;
        for (int i = 0; i < n; i++) {
            struct client *c = events[i].data.ptr;
            if (events[i].events & EPOLLOUT) flush(c);
            if (events[i].events & ~(uint32_t)EPOLLOUT) on_readable(c);
        }
    }
}

static void read_options(int argc, char **argv) {
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *k = argv[i], *v = argv[i + 1];
        if (!strcmp(k, "--port")) opt.port = atoi(v);
        else if (!strcmp(k, "--connections")) opt.connections = atoi(v);
        else if (!strcmp(k, "--pipeline")) opt.pipeline = atoi(v);
        else if (!strcmp(k, "--seconds")) opt.seconds = atof(v);
        else if (!strcmp(k, "--posts")) opt.posts = atol(v);
        else if (!strcmp(k, "--token")) words_add(&opt.tokens, v);
        else if (!strcmp(k, "--tokens")) words_read(&opt.tokens, v);
        else if (!strcmp(k, "--channel")) words_add(&opt.channels, v);
        else if (!strcmp(k, "--channels")) words_read(&opt.channels, v);
        else opt.port = 0;
    }
    bool sound = opt.port > 0 && opt.connections > 0 && opt.pipeline > 0 && opt.pipeline <= FLIGHT_MAX;
    if (sound && opt.tokens.n && opt.channels.n) return;
    fprintf(stderr,
            "usage: bench_post --port N (--token T | --tokens FILE) (--channel C | --channels FILE) [--connections N] "
            "[--pipeline N, at most %d] [--seconds S | --posts N]\n",
            FLIGHT_MAX);
    exit(2);
}

int main(int argc, char **argv) {
    read_options(argc, argv);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct client *clients = calloc((size_t)opt.connections, sizeof *clients);
    samples = malloc(SAMPLES_MAX * sizeof *samples);
    if (epoll_fd < 0 || !clients || !samples) die("start");
    if (getrandom(&run_id, sizeof run_id, 0) != sizeof run_id) die("getrandom");
    for (int i = 0; i < opt.connections; i++) open_client(&clients[i]);
    int64_t begin = now_us();
    deadline_us = begin + (int64_t)(opt.seconds * 1e6);
    run(clients);
    double took = (double)(opt.posts ? now_us() - begin : deadline_us - begin) / 1e6;
    qsort(samples, nsamples, sizeof *samples, by_value);
    printf(
        "{\"posts\":%ld,\"bad\":%ld,\"seconds\":%.3f,\"posts_per_s\":%.0f,\"p50_us\":%u,\"p90_us\":%u,\"p99_us\":%u}\n",
        counted, bad, took, (double)counted / took, percentile(samples, nsamples, 50),
        percentile(samples, nsamples, 90), percentile(samples, nsamples, 99));
    return bad ? 1 : 0;
}
