/* spool.h - where bodies go that are too large for memory: unlinked files below <server.data>/tmp, with a bound on the
 * bytes and the number of all of them. One for all gateways; any thread, except spool_open and spool_close. */
#ifndef GATEWAY_SPOOL_H
#define GATEWAY_SPOOL_H

#include <stdatomic.h>

#include "base/base.h"

struct spool;

/* Makes DIR/tmp (0700), or empties it: what lies there was left by a server that was killed. NULL and *why (malloc'ed).
 */
struct spool *spool_open(const char *dir, int64_t max_bytes, int64_t max_files, char **why);
void spool_close(struct spool *s);

int64_t spool_max_bytes(const struct spool *s);
/* What it holds now, and how often there was no room. */
struct spool_stats {
    atomic_llong bytes, files;
    atomic_ullong refused;
};
const struct spool_stats *spool_stats(const struct spool *s);
/* Takes so many bytes, or files, of the bound; false: they are not to be had now. */
bool spool_take(struct spool *s, uint64_t bytes, uint32_t files);
void spool_give_back(struct spool *s, uint64_t bytes, uint32_t files);
/* A new file without a name; -1 and errno. May take long. */
int spool_file(struct spool *s);

#endif
