/* log.h - one line a happening, to stderr: time, level, who, event, text. Any thread. Never a token, a password or the
 * text of a message; control characters are escaped. Never waits: what stderr has no room for is dropped, and of one
 * who and event 10 lines a second are written, debugging excepted; later lines say how many are missing. */
#ifndef OBS_LOG_H
#define OBS_LOG_H

#include "base/base.h"
#include "taut/host.h"

/* Levels are TAUT_LOG_* of taut/host.h. Lines below the level are dropped (default INFO). */
void log_set_level(int level);
bool log_wants(int level);
void log_line(int level, const char *who, const char *event, taut_str text);
void log_kv(int level, const char *who, const char *event, taut_str text, const struct taut_kv *kvs, uint32_t n);
void log_fmt(int level, const char *who, const char *event, const char *fmt, ...) TAUT_PRINTF(4, 5);

#endif
