/* bench_fanout - one message to many: N RTM sockets and one publisher, in one thread.
 *
 * W messages are in flight: posted, and not yet with every socket. Each text begins with a number of ours; the first
 * socket to see a message gives it its place, and all others must see the same numbers in the same places: what they
 * skip is lost, what comes at a place that is behind them was repeated or late. Prints one JSON object: messages,
 * deliveries, lost, repeated_or_late, seconds, deliveries_per_s, cpu_s_per_million (of process PID), p50_us and p99_us
 * from the post until the last socket has it. A run is shorter than the server's patience with sockets that do not
 * answer pings. */
#define _GNU_SOURCE
#include "load.h"

#include <stdbool.h>
#include <sys/epoll.h>

enum { IN_MAX = 64 * 1024, REQUEST_MAX = 1024, MESSAGES_MAX = 1 << 20, SETTLE_US = 2000000 };

struct options {
    int port, sockets, flight, pid;
    double seconds;
    struct words tokens, channels;
};

struct socket {
    int fd;
    uint32_t place; /* that it expects next */
    size_t in_len;
    char *in; /* IN_MAX */
};

static struct options opt = {.sockets = 1000, .flight = 1, .seconds = 3};
static int epoll_fd;
static struct socket publisher;
static char out[REQUEST_MAX * 64];
static size_t out_len;
static uint32_t posted, answered, placed, finished; /* messages */
static uint64_t deliveries, lost, backwards;
static uint32_t number_at[MESSAGES_MAX], place_of[MESSAGES_MAX], seen_by[MESSAGES_MAX]; /* by place, number, number */
static int64_t posted_us[MESSAGES_MAX], progress_us;
static uint32_t took_us[MESSAGES_MAX];

static void watch(struct socket *s) {
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = s};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, s->fd, &ev) != 0) die("epoll_ctl");
}

static void send_all(int fd, const char *p, size_t n) {
    while (n) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0) die("send");
        p += sent, n -= (size_t)sent;
    }
}

static void receive(struct socket *s, int flags) {
    ssize_t n = recv(s->fd, s->in + s->in_len, IN_MAX - 1 - s->in_len, flags);
    if (n < 0 && errno == EAGAIN) return;
    if (n == 0) errno = ECONNRESET;
    if (n <= 0) die("recv");
    s->in_len += (size_t)n;
    s->in[s->in_len] = 0;
}

static void consume(struct socket *s, size_t n) {
    memmove(s->in, s->in + n, s->in_len - n + 1);
    s->in_len -= n;
}

/* ---- opening ---- */

/* The path of a ticket of that person. */
static void take_ticket(struct socket *s, const char *token, char *path, size_t size) {
    char request[REQUEST_MAX], *body;
    size_t body_len, len;
    int n = snprintf(request, sizeof request,
                     "POST /api/rtm.connect HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
                     "Content-Length: 0\r\n\r\n",
                     token);
    send_all(s->fd, request, (size_t)n);
    while (!(len = whole_answer(s->in, s->in_len, &body, &body_len))) receive(s, 0);
    char *found = strstr(body, "/rtm/");
    if (!found) die("rtm.connect gave no URL");
    snprintf(path, size, "%.*s", (int)strcspn(found, "\"?"), found);
    consume(s, len);
}

/* The upgrade goes over the connection on which the ticket came. */
static void open_socket(struct socket *s, const char *token) {
    char request[REQUEST_MAX], path[256], *end;
    s->in = malloc(IN_MAX);
    if (!s->in) die("memory");
    s->in[0] = 0;
    s->fd = connect_to(opt.port);
    take_ticket(s, token, path, sizeof path);
    int n = snprintf(request, sizeof request,
                     "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                     path);
    send_all(s->fd, request, (size_t)n);
    while (!(end = strstr(s->in, "\r\n\r\n"))) receive(s, 0);
    if (strncmp(s->in, "HTTP/1.1 101", 12) != 0) die("the upgrade was refused");
    consume(s, (size_t)(end + 4 - s->in));
    while (!memmem(s->in, s->in_len, "\"hello\"", 7)) receive(s, 0);
    watch(s);
}

/* ---- the publisher ---- */

static void post(void) {
    char body[256];
    int n = snprintf(
        body, sizeof body,
        "{\"channel\":\"%s\",\"text\":\"%u one message to many, about as long as people write them, that is all\"}",
        opt.channels.list[0], posted);
    int len = snprintf(out + out_len, REQUEST_MAX,
                       "POST /api/chat.postMessage HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
                       "Content-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s",
                       opt.tokens.list[0], n, body);
    posted_us[posted++] = now_us();
    out_len += (size_t)len;
}

/* Up to the wanted number in flight, in one send. */
static void fill(bool more) {
    while (more && posted - finished < (uint32_t)opt.flight && posted < MESSAGES_MAX) {
        if (out_len + REQUEST_MAX > sizeof out) break;
        post();
    }
    send_all(publisher.fd, out, out_len);
    out_len = 0;
}

static void read_answers(void) {
    static const char good[] = "{\"ok\":true";
    char *body;
    size_t body_len, len, at = 0;
    receive(&publisher, MSG_DONTWAIT);
    while ((len = whole_answer(publisher.in + at, publisher.in_len - at, &body, &body_len)) > 0) {
        if (body_len < sizeof good || memcmp(body, good, sizeof good - 1) != 0) die(body);
        answered++;
        progress_us = now_us();
        at += len;
    }
    consume(&publisher, at);
}

/* ---- the subscribers ---- */

static void deliver(struct socket *s, uint32_t number) {
    progress_us = now_us();
    if (number >= posted) die("a message that was not posted");
    if (s->place == placed) {
        if (seen_by[number]) {
            backwards++;
            return;
        }
        place_of[number] = placed;
        number_at[placed++] = number;
    }
    if (place_of[number] < s->place || number_at[place_of[number]] != number) {
        backwards++;
        return;
    }
    lost += place_of[number] - s->place;
    s->place = place_of[number] + 1;
    deliveries++;
    if (++seen_by[number] < (uint32_t)opt.sockets) return;
    took_us[finished++] = (uint32_t)(progress_us - posted_us[number]);
}

/* The length of the whole frame at p, or 0; *head of it before the payload. Servers do not mask. */
static size_t whole_frame(const unsigned char *p, size_t n, size_t *head) {
    if (n < 2) return 0;
    size_t len = p[1];
    *head = len == 126 ? 4 : 2;
    if (len > 126 || n < *head) {
        if (len > 126) die("a frame is too long");
        return 0;
    }
    if (len == 126) len = (size_t)p[2] << 8 | p[3];
    return n < *head + len ? 0 : *head + len;
}

static void read_frames(struct socket *s) {
    static const char type[] = "{\"type\":\"message\"", text[] = "\"text\":\"";
    size_t at = 0, head, len;
    receive(s, MSG_DONTWAIT);
    while ((len = whole_frame((unsigned char *)s->in + at, s->in_len - at, &head)) > 0) {
        char *p = s->in + at + head, *found;
        if (len - head > sizeof type && memcmp(p, type, sizeof type - 1) == 0 &&
            (found = memmem(p, len - head, text, sizeof text - 1)))
            deliver(s, (uint32_t)strtoul(found + sizeof text - 1, NULL, 10));
        at += len;
    }
    consume(s, at);
}

/* ---- the run ---- */

static double cpu_seconds(void) {
    char name[64], line[1024];
    unsigned long user = 0, system = 0;
    snprintf(name, sizeof name, "/proc/%d/stat", opt.pid);
    FILE *f = fopen(name, "re");
    if (!f || !fgets(line, sizeof line, f)) die(name);
    fclose(f);
    char *after = strrchr(line, ')');
    if (!after || sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        die(name);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static void run(int64_t until_us) {
    struct epoll_event events[256];
    bool more = true;
    progress_us = now_us();
    fill(more);
    while (more || finished < posted || answered < posted) {
        int n = epoll_wait(epoll_fd, events, 256, 100);
        if (n < 0) die("epoll_wait");
        if (now_us() > progress_us + SETTLE_US) break; /* what has not come by now does not come */
        for (int i = 0; i < n; i++) {
            struct socket *s = events[i].data.ptr;
            if (s == &publisher) read_answers();
            else read_frames(s);
        }
        more = more && now_us() < until_us;
        fill(more);
    }
}

static void read_options(int argc, char **argv) {
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *k = argv[i], *v = argv[i + 1];
        if (!strcmp(k, "--port")) opt.port = atoi(v);
        else if (!strcmp(k, "--pid")) opt.pid = atoi(v);
        else if (!strcmp(k, "--sockets")) opt.sockets = atoi(v);
        else if (!strcmp(k, "--flight")) opt.flight = atoi(v);
        else if (!strcmp(k, "--seconds")) opt.seconds = atof(v);
        else if (!strcmp(k, "--tokens")) words_read(&opt.tokens, v);
        else if (!strcmp(k, "--channel")) words_add(&opt.channels, v);
        else opt.port = 0;
    }
    if (opt.port > 0 && opt.pid > 0 && opt.sockets > 0 && opt.flight > 0 && opt.tokens.n && opt.channels.n) return;
    fprintf(stderr, "usage: bench_fanout --port N --pid N --tokens FILE --channel C [--sockets N] [--flight W] "
                    "[--seconds S]\n");
    exit(2);
}

int main(int argc, char **argv) {
    read_options(argc, argv);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct socket *sockets = calloc((size_t)opt.sockets, sizeof *sockets);
    publisher.in = calloc(1, IN_MAX);
    if (epoll_fd < 0 || !sockets || !publisher.in) die("start");
    for (int i = 0; i < opt.sockets; i++) open_socket(&sockets[i], opt.tokens.list[(size_t)i % opt.tokens.n]);
    publisher.fd = connect_to(opt.port);
    watch(&publisher);
    double cpu = cpu_seconds();
    int64_t begin = now_us();
    run(begin + (int64_t)(opt.seconds * 1e6));
    double took = (double)(now_us() - begin) / 1e6;
    cpu = cpu_seconds() - cpu;
    for (int i = 0; i < opt.sockets; i++) lost += posted - sockets[i].place;
    qsort(took_us, finished, sizeof *took_us, by_value);
    printf("{\"messages\":%u,\"deliveries\":%llu,\"lost\":%llu,\"repeated_or_late\":%llu,\"seconds\":%.3f,"
           "\"deliveries_per_s\":%.0f,\"cpu_s_per_million\":%.3f,\"p50_us\":%u,\"p99_us\":%u}\n",
           posted, (unsigned long long)deliveries, (unsigned long long)lost, (unsigned long long)backwards, took,
           (double)deliveries / took, deliveries ? cpu * 1e6 / (double)deliveries : 0,
           percentile(took_us, finished, 50), percentile(took_us, finished, 99));
    return lost || backwards ? 1 : 0;
}
