/* log_format.h - a line of the log from its parts. Pure functions. */
#ifndef OBS_LOG_FORMAT_H
#define OBS_LOG_FORMAT_H

#include "obs/log.h"

enum { LOG_LINE_MAX = 8192, LOG_LINE_LEAST = 512 };

struct log_record {
    int64_t at_us; /* wall clock */
    int level;
    const char *who, *event;
    taut_str text;
    const struct taut_kv *kvs;
    uint32_t nkvs;
};

/* Writes the line, its newline included; cut where cap (at least LOG_LINE_LEAST) ends, but always whole as text or
 * JSON. Returns its length. */
size_t log_format_line(char *out, size_t cap, enum log_format format, const struct log_record *r);
extern const char *const log_level_names[4];

/* "2026-01-31T12:00:00.000Z" */
enum { LOG_TIME_MAX = 64 };
void log_format_time(char out[LOG_TIME_MAX], int64_t at_us);

#endif
