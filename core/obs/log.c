/* log.c - see log.h. One write() a line, so that lines of threads do not mix. */
#include "obs/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "taut/host.h"

static _Atomic int min_level = TAUT_LOG_INFO;

void log_set_level(int level) {
    min_level = level;
}
bool log_wants(int level) {
    return level >= min_level;
}

void log_line(int level, const char *who, const char *event, taut_str text) {
    static const char *const names[] = {"debug", "info", "warn", "error"};
    if (!log_wants(level)) return;
    char line[2048];
    int64_t now = clock_wall_us();
    time_t sec = (time_t)(now / 1000000);
    struct tm tm;
    gmtime_r(&sec, &tm);
    int n = snprintf(line, sizeof line, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %-5s %s %s: ", tm.tm_year + 1900,
                     tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(now / 1000 % 1000),
                     names[level < 0   ? 0
                           : level > 3 ? 3
                                       : level],
                     who, event);
    size_t len = n < 0 ? 0 : (size_t)n < 512 ? (size_t)n : 512;
    for (size_t i = 0; i < text.len && len < sizeof line - 8; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c >= 0x20 && c != 0x7f) line[len++] = (char)c;
        else len += (size_t)snprintf(line + len, 5, "\\x%02x", c);
    }
    line[len++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line, len);
    (void)ignored;
}

void log_fmt(int level, const char *who, const char *event, const char *fmt, ...) {
    if (!log_wants(level)) return;
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    log_line(level, who, event, taut_str_n(text, n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1));
}
