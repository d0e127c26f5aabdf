/* wal_check.c - a look at the write-ahead log that a crash left, before SQLite reads it. SQLite ends at the first frame
 * that is not sound and says nothing. A commit that stood behind such a frame is lost, though it was acknowledged; only
 * the last one may be torn, by a power cut, before it was. The format is that of sqlite.org/fileformat2.html,
 * section 4.
 */
#include <fcntl.h>
#include <unistd.h>

#include "writer.h"

enum { WAL_HEADER = 32, FRAME_HEADER = 24, SUMMED = 8 /* bytes of a frame's header */, PAGE_MAX = 65536 };
#define WAL_MAGIC 0x377f0682u /* the last bit: its sums are of big endian words */

struct wal {
    int fd;
    bool big_endian;
    uint32_t page, sum[2];
    unsigned char salt[8];
    unsigned char frame[FRAME_HEADER + PAGE_MAX];
};

static uint32_t word(const unsigned char *p, bool big_endian) {
    return big_endian ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]
                      : (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static void add_to_sum(struct wal *w, const unsigned char *p, size_t n) {
    for (size_t i = 0; i < n; i += 8) {
        w->sum[0] += word(p + i, w->big_endian) + w->sum[1];
        w->sum[1] += word(p + i + 4, w->big_endian) + w->sum[0];
    }
}

static bool sum_is(const struct wal *w, const unsigned char *p) {
    return w->sum[0] == word(p, true) && w->sum[1] == word(p + 4, true);
}

static bool read_header(struct wal *w) {
    unsigned char h[WAL_HEADER];
    if (pread(w->fd, h, sizeof h, 0) != (ssize_t)sizeof h) return false;
    uint32_t magic = word(h, true);
    w->big_endian = magic & 1;
    w->page = word(h + 8, true);
    memcpy(w->salt, h + 16, sizeof w->salt);
    if ((magic & ~1u) != WAL_MAGIC || w->page < 512 || w->page > PAGE_MAX || w->page % 512) return false;
    add_to_sum(w, h, 24);
    return sum_is(w, h + 24);
}

/* False at the end of the file. */
static bool read_frame(struct wal *w, uint32_t i) {
    size_t n = FRAME_HEADER + w->page;
    return pread(w->fd, w->frame, n, WAL_HEADER + (off_t)i * (off_t)n) == (ssize_t)n;
}

static bool is_of_this_log(const struct wal *w) {
    return memcmp(w->frame + 8, w->salt, sizeof w->salt) == 0;
}

static bool is_sound(struct wal *w) {
    if (!is_of_this_log(w)) return false;
    add_to_sum(w, w->frame, SUMMED);
    add_to_sum(w, w->frame + FRAME_HEADER, w->page);
    return sum_is(w, w->frame + 16);
}

/* How many commits end in frame i or behind it: frames that a commit did not end may be left from a rollback. */
static uint32_t commits_from(struct wal *w, uint32_t i) {
    uint32_t n = 0;
    for (; read_frame(w, i); i++) n += is_of_this_log(w) && word(w->frame + 4, true) != 0;
    return n;
}

static void report(struct store *s, uint32_t frame, uint32_t commits) {
    if (commits == 1)
        taut_log(
            s->mod, TAUT_LOG_WARN, "store_log_torn",
            "%s-wal: the last commit in it is not whole and is dropped. A power cut or the sudden end of the process "
            "leaves it so before it is acknowledged; after a clean stop the disk would have lost data",
            s->path);
    if (commits > 1)
        taut_log(s->mod, TAUT_LOG_ERROR, "store_log_damaged",
                 "%s-wal: frame %u is damaged; %u commits end in it or behind it and are lost, though all but the last "
                 "of them were acknowledged: check the disk, and restore a backup if they matter",
                 s->path, frame + 1, commits);
}

void wal_check(struct store *s) {
    struct wal *w = calloc(1, sizeof *w);
    char *path = sqlite3_mprintf("%s-wal", s->path);
    uint32_t i = 0;
    if (w && path && (w->fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0) {
        if (read_header(w)) {
            while (read_frame(w, i) && is_sound(w)) i++;
            report(s, i, commits_from(w, i));
        }
        close(w->fd);
    }
    sqlite3_free(path);
    free(w);
}
