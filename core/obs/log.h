/* log.h - what happens, one line each: time, level, who, event, text, fields. Any thread.
 *
 * Never a token, a password or the text of a message; control characters are escaped; a line has 8 KiB at most. Of one
 * who and event 10 lines a second are written, debugging excepted; how many are missing is said when the second is
 * over. Nobody waits for whoever reads the log or for its disk: what cannot be written in time is dropped, and counted.
 */
#ifndef OBS_LOG_H
#define OBS_LOG_H

#include "base/base.h"
#include "taut/host.h"

struct metrics;

enum log_format { LOG_TEXT, LOG_JSON };

struct log_options {
    int level; /* TAUT_LOG_*: lines below it are left out */
    enum log_format format;
    const char *file; /* NULL or empty: stderr */
};

/* Before log_open lines go to stderr, in text. log_open starts the thread that writes; false and *why (malloc'ed) when
 * the file cannot be opened. log_close writes what is there, or gives up after a second; then it is as before. */
bool log_open(const struct log_options *o, char **why);
void log_close(void);
/* The file was moved away: begin a new one. NULL, or what is wrong, which is in the old one and on stderr: malloc'ed.
 */
char *log_reopen(void);

/* While it runs. The default level is INFO. */
void log_set_level(int level);
void log_set_format(enum log_format format);
bool log_wants(int level);

/* However many there are: what a person has asked for. Its caller bounds them. */
void log_always(int level, const char *who, const char *event, taut_str text);
void log_line(int level, const char *who, const char *event, taut_str text);
void log_kv(int level, const char *who, const char *event, taut_str text, const struct taut_kv *kvs, uint32_t n);
void log_fmt(int level, const char *who, const char *event, const char *fmt, ...) TAUT_PRINTF(4, 5);
void log_kv(int level, const char *who, const char *event, taut_str text, const struct taut_kv *kvs, uint32_t n);

/* The newest warnings and errors, each who and event once, the newest first. */
enum { LOG_RECENT = 20 };
struct log_recent {
    char who[48], event[48], text[200];
    int level;
    uint64_t count;
    int64_t first_us, last_us; /* wall clock */
};
uint32_t log_recent(struct log_recent out[LOG_RECENT]);

void log_metrics(struct metrics *m);

/* In a signal handler, when all is lost: writes what waits. */
void log_crash_drain(void);

#endif
