/* disk.h - the disk under the store, as far as a test wants another one: an SQLite VFS around the usual one, and the
 * few calls by which the module itself makes files whole (fsync, fdatasync, renameat2), which a program linked with
 * disk.c overrides for the libraries that it loads. Nothing is really synced, so that tests are fast; power.c knows
 * what would be.
 *
 * Calls are counted; the n-th one that is of the kinds asked for can be made to fail, once or for as long as it is
 * wanted, and at any call the power can be cut: an image is taken of what would be left.
 */
#ifndef TESTS_DISK_H
#define TESTS_DISK_H

#include <stdbool.h>
#include <stdint.h>

enum disk_call {
    DISK_OPEN = 1,
    DISK_READ = 2,
    DISK_WRITE = 4,
    DISK_TRUNCATE = 8,
    DISK_SYNC = 16,
    DISK_DELETE = 32,
    DISK_RENAME = 64,
    DISK_SYNC_DIR = 128,
    DISK_SIZE = 256,  /* asks for a file's size, or whether it is there */
    DISK_SHARE = 512, /* locks, and the shared memory of the log's index */
    DISK_ALL = 1023
};

/* What a call is about. */
struct disk_at {
    enum disk_call call;
    const char *path;
    int64_t offset; /* writes */
};

void disk_install(void); /* as SQLite's default, for good */

/* The n-th call of these kinds from now fails with that errno, and `times` - 1 more after it; n 0: none. A write that
 * fails with `torn` has written its first half. */
struct disk_fault {
    uint32_t calls;
    uint64_t n;
    uint64_t times;
    int number; /* errno */
    bool torn;
    const char *end; /* only of files whose name ends so; NULL: all */
};
void disk_fail(const struct disk_fault *f);
uint64_t disk_failed(void); /* how many calls have failed since then */
void disk_heal(void);

/* What was written may take no more than that much; -1: any. ENOSPC then. */
void disk_room(int64_t bytes);

/* Called before each call, under the disk's lock: no I/O in it but power_image. NULL: none. */
void disk_watch(void (*before)(const struct disk_at *at));
/* What would survive a power cut is followed in this directory; NULL: no longer. */
void disk_track(const char *dir);

/* Calls that sync wait while it hangs. */
void disk_hang(bool hangs);

#endif
