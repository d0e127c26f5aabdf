/* sd_notify.c - see sd_notify.h. Main thread. */
#include "cli/sd_notify.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct {
    struct sockaddr_un to;
    socklen_t to_len; /* 0: nobody */
    int64_t watchdog_us;
} manager;

static int64_t number_of(const char *name) {
    const char *z = getenv(name);
    return z ? strtoll(z, NULL, 10) : 0;
}

void sd_notify_begin(void) {
    const char *path = getenv("NOTIFY_SOCKET");
    size_t n = path ? strlen(path) : 0;
    int64_t pid = number_of("WATCHDOG_PID");
    manager.to_len = 0;
    manager.watchdog_us = !pid || pid == getpid() ? number_of("WATCHDOG_USEC") : 0;
    if (n > 1 && n < sizeof manager.to.sun_path && (*path == '/' || *path == '@')) {
        manager.to.sun_family = AF_UNIX;
        memcpy(manager.to.sun_path, path, n + 1);
        if (*path == '@') manager.to.sun_path[0] = 0; /* an abstract name */
        manager.to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    }
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void sd_notify(const char *state) {
    if (!manager.to_len) return;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return;
    sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&manager.to, manager.to_len);
    close(fd);
}

void sd_notify_reloading(void) {
    char text[96];
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_mono_us());
    sd_notify(text);
}

int64_t sd_watchdog_us(void) {
    return manager.to_len ? manager.watchdog_us : 0;
}

void sd_notify_alive(void) {
    if (sd_watchdog_us()) sd_notify("WATCHDOG=1");
}
