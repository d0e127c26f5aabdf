/* spool.h - where bodies go that are too large for memory: unlinked files below <server.data>/tmp, with a bound on the
 * bytes and the number of all of them; one address has at most half of either. One for all gateways; any thread, except
 * spool_open and spool_close. */
#ifndef GATEWAY_SPOOL_H
#define GATEWAY_SPOOL_H

#include <stdatomic.h>

#include "base/base.h"

struct spool;

/* Makes DIR/tmp (0700), or empties it: what lies there was left by a server that was killed. NULL and *why (malloc'ed).
 */
struct spool *spool_open(const char *dir, int64_t max_bytes, int64_t max_files, char **why);
void spool_close(struct spool *s);

/* What it holds now, and how often there was no room. */
struct spool_stats {
    atomic_llong bytes, files;
    atomic_ullong refused;
};
const struct spool_stats *spool_stats(const struct spool *s);
/* The largest body. whose: whom the bound of one address takes for one (addr_group); 0: somebody that limits of
 * addresses do not hold for. */
uint64_t spool_most(const struct spool *s, uint64_t whose);
/* FULL, SHARE_FULL: not now, by the bound of all or of one address. NEVER: it is more than spool_most. */
enum spool_room { SPOOL_ROOM, SPOOL_FULL, SPOOL_SHARE_FULL, SPOOL_NEVER };
/* May a body of so many bytes be begun? It takes nothing: that is for what really comes. */
enum spool_room spool_look(struct spool *s, uint64_t whose, uint64_t bytes);
/* Takes so many bytes, or files, for a body; a file before its bytes. */
enum spool_room spool_take(struct spool *s, uint64_t whose, uint64_t bytes, uint32_t files);
void spool_give_back(struct spool *s, uint64_t whose, uint64_t bytes, uint32_t files);
/* A new file without a name; -1 and errno. May take long. */
int spool_file(struct spool *s);

#endif
