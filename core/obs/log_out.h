/* log_out.h - where the lines of the log go: stderr or a file, written by a thread of its own once it runs. */
#ifndef OBS_LOG_OUT_H
#define OBS_LOG_OUT_H

#include "base/base.h"

/* False when the line could not be written, or handed to the thread: it is lost. Any thread; never waits. */
bool log_out_put(const char *line, size_t len);

/* Starts the thread. file: NULL for stderr. idle is called on it about once a second. False with errno. */
bool log_out_start(const char *file, void (*idle)(void));
void log_out_stop(void); /* after what waits is written, or a second */
/* The file under its name, new when that was moved away, from now on. 0, or an errno: the old one goes on. The thread
 * that started and stops it. */
int log_out_reopen(void);
const char *log_out_file(void);                    /* NULL: stderr */
bool log_out_beside(const char *line, size_t len); /* to stderr, whatever the log is; never waits */

/* Lines that were lost since the last call, and why the last of them (static). */
uint64_t log_out_lost(const char **why);
uint64_t log_out_waiting(void); /* bytes that the thread has not written yet; any thread */
/* On the thread, in `idle`: writes a line at once. False: not written, and not counted as lost. */
bool log_out_now(const char *line, size_t len);
void log_out_crash_drain(void);

#endif
