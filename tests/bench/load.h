/* load.h - what the loads share: a clock, connections, HTTP answers, lists, percentiles. One thread; every failure ends
 * the program. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static inline int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static inline void die(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "unexpected");
    exit(1);
}

static inline int connect_to(int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

/* The length of the whole answer at p, or 0 when it is not all there; *body of it. */
static inline size_t whole_answer(char *p, size_t n, char **body, size_t *body_len) {
    char *end = memmem(p, n, "\r\n\r\n", 4);
    if (!end) return 0;
    *end = 0;
    char *length = strcasestr(p, "\ncontent-length:");
    if (!length) die("an answer without Content-Length");
    *end = '\r';
    *body_len = strtoul(length + sizeof "\ncontent-length:" - 1, NULL, 10);
    *body = end + 4;
    size_t head = (size_t)(*body - p);
    return head + *body_len <= n ? head + *body_len : 0;
}

/* Words to take from: one that was named, or the lines of a file. */
struct words {
    const char **list;
    size_t n;
};

static inline void words_add(struct words *w, const char *word) {
    w->list = realloc(w->list, (w->n + 1) * sizeof *w->list);
    if (!w->list) die("memory");
    w->list[w->n++] = word;
}

static inline void words_read(struct words *w, const char *file) {
    FILE *f = fopen(file, "re");
    char *line = NULL;
    size_t size = 0;
    if (!f) die(file);
    while (getline(&line, &size, f) > 0) {
        line[strcspn(line, "\r\n")] = 0;
        if (*line) words_add(w, strdup(line));
    }
    free(line);
    fclose(f);
}

static inline int by_value(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Of values that are sorted. */
static inline uint32_t percentile(const uint32_t *sorted, size_t n, unsigned p) {
    return n ? sorted[(n - 1) * p / 100] : 0;
}

#endif
