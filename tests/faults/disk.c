/* disk.c - see disk.h. */
#define _GNU_SOURCE /* RENAME_NOREPLACE, syscall */
#include "disk.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "power.h"

enum { PATH_LEN = 512 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t released;
    sqlite3_vfs vfs, *real;
    bool installed, hangs;
    struct disk_fault fault;
    uint64_t failed;
    int64_t room; /* -1: any */
    int last_errno;
    void (*before)(const struct disk_at *at);
    char tracked[PATH_LEN];
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER, .released = PTHREAD_COND_INITIALIZER, .room = -1};

struct file {
    sqlite3_file base; /* first */
    char path[PATH_LEN];
    bool syncs_dir; /* its first sync does, as that of the usual VFS */
    sqlite3_file *real;
};
static struct file *file_of(sqlite3_file *f) {
    return (struct file *)(void *)f;
}

static void lock(void) {
    pthread_mutex_lock(&disk.lock);
}
static void unlock(void) {
    pthread_mutex_unlock(&disk.lock);
}

static bool ends_with(const char *path, const char *end) {
    size_t n = strlen(path), m = end ? strlen(end) : 0;
    return n >= m && strcmp(path + n - m, end ? end : "") == 0;
}

/* 0, or the errno with which this call is to fail. Under the lock. */
static int verdict(enum disk_call call, const char *path, int64_t offset) {
    if (disk.before) disk.before(&(struct disk_at){call, path, offset});
    struct disk_fault *f = &disk.fault;
    if (!f->n || !(f->calls & (uint32_t)call) || !ends_with(path, f->end)) return 0;
    if (f->n > 1) {
        f->n--;
        return 0;
    }
    if (--f->times == 0) f->n = 0;
    disk.failed++;
    return errno = disk.last_errno = f->number;
}

static int fails(int number, int rc) {
    return number == ENOSPC ? SQLITE_FULL : rc;
}

/* ---- files ---- */

static int do_close(sqlite3_file *f) {
    return file_of(f)->real->pMethods ? file_of(f)->real->pMethods->xClose(file_of(f)->real) : SQLITE_OK;
}

static int do_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at) {
    lock();
    int number = verdict(DISK_READ, file_of(f)->path, at);
    unlock();
    return number ? SQLITE_IOERR_READ : file_of(f)->real->pMethods->xRead(file_of(f)->real, to, n, at);
}

static bool takes_room(sqlite3_file *real, int n, sqlite3_int64 at) {
    sqlite3_int64 size = 0;
    if (disk.room < 0 || real->pMethods->xFileSize(real, &size) != SQLITE_OK || at + n <= size) return true;
    if (at + n - size > disk.room) return false;
    disk.room -= at + n - size;
    return true;
}

static int do_write(sqlite3_file *f, const void *data, int n, sqlite3_int64 at) {
    struct file *p = file_of(f);
    lock();
    bool torn = disk.fault.torn;
    int number = verdict(DISK_WRITE, p->path, at), rc = SQLITE_OK;
    if (!number && !takes_room(p->real, n, at)) number = errno = disk.last_errno = ENOSPC;
    if (number) n = torn ? n / 2 : 0;
    if (n) rc = p->real->pMethods->xWrite(p->real, data, n, at);
    if (n && rc == SQLITE_OK) power_write(p->path, at, data, (size_t)n);
    unlock();
    return number ? fails(number, SQLITE_IOERR_WRITE) : rc;
}

static int do_truncate(sqlite3_file *f, sqlite3_int64 size) {
    struct file *p = file_of(f);
    lock();
    int number = verdict(DISK_TRUNCATE, p->path, size), rc = SQLITE_OK;
    if (!number) rc = p->real->pMethods->xTruncate(p->real, size);
    if (!number && rc == SQLITE_OK) power_truncate(p->path, size);
    unlock();
    return number ? SQLITE_IOERR_TRUNCATE : rc;
}

static void wait_while_it_hangs(void) {
    lock();
    while (disk.hangs) pthread_cond_wait(&disk.released, &disk.lock);
    unlock();
}

static int do_sync(sqlite3_file *f, int flags) {
    struct file *p = file_of(f);
    (void)flags;
    wait_while_it_hangs();
    lock();
    int number = verdict(DISK_SYNC, p->path, 0);
    if (number) power_sync_failed(p->path);
    else power_sync(p->path);
    if (!number && p->syncs_dir) {
        p->syncs_dir = false;
        number = verdict(DISK_SYNC_DIR, p->path, 0);
        if (!number) power_sync_dir();
    }
    unlock();
    return number ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int do_size(sqlite3_file *f, sqlite3_int64 *size) {
    lock();
    int number = verdict(DISK_SIZE, file_of(f)->path, 0);
    unlock();
    return number ? SQLITE_IOERR_FSTAT : file_of(f)->real->pMethods->xFileSize(file_of(f)->real, size);
}

static int do_lock(sqlite3_file *f, int how) {
    lock();
    int number = verdict(DISK_SHARE, file_of(f)->path, 0);
    unlock();
    return number ? SQLITE_IOERR_LOCK : file_of(f)->real->pMethods->xLock(file_of(f)->real, how);
}
static int do_unlock(sqlite3_file *f, int how) {
    return file_of(f)->real->pMethods->xUnlock(file_of(f)->real, how);
}
static int do_check_lock(sqlite3_file *f, int *out) {
    return file_of(f)->real->pMethods->xCheckReservedLock(file_of(f)->real, out);
}

/* Hints about sizes would grow files past us. */
static int do_control(sqlite3_file *f, int op, void *arg) {
    if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE) return SQLITE_NOTFOUND;
    return file_of(f)->real->pMethods->xFileControl(file_of(f)->real, op, arg);
}
static int do_sector_size(sqlite3_file *f) {
    return file_of(f)->real->pMethods->xSectorSize(file_of(f)->real);
}
static int do_characteristics(sqlite3_file *f) {
    return file_of(f)->real->pMethods->xDeviceCharacteristics(file_of(f)->real);
}
static int do_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out) {
    lock();
    int number = verdict(DISK_SHARE, file_of(f)->path, 0);
    unlock();
    return number ? SQLITE_IOERR_SHMMAP
                  : file_of(f)->real->pMethods->xShmMap(file_of(f)->real, page, size, extend, out);
}
static int do_shm_lock(sqlite3_file *f, int at, int n, int flags) {
    lock();
    int number = flags & SQLITE_SHM_UNLOCK ? 0 : verdict(DISK_SHARE, file_of(f)->path, 0);
    unlock();
    return number ? SQLITE_IOERR_SHMLOCK : file_of(f)->real->pMethods->xShmLock(file_of(f)->real, at, n, flags);
}
static void do_shm_barrier(sqlite3_file *f) {
    file_of(f)->real->pMethods->xShmBarrier(file_of(f)->real);
}
static int do_shm_unmap(sqlite3_file *f, int remove) {
    return file_of(f)->real->pMethods->xShmUnmap(file_of(f)->real, remove);
}

static const sqlite3_io_methods methods = {.iVersion = 2,
                                           .xClose = do_close,
                                           .xRead = do_read,
                                           .xWrite = do_write,
                                           .xTruncate = do_truncate,
                                           .xSync = do_sync,
                                           .xFileSize = do_size,
                                           .xLock = do_lock,
                                           .xUnlock = do_unlock,
                                           .xCheckReservedLock = do_check_lock,
                                           .xFileControl = do_control,
                                           .xSectorSize = do_sector_size,
                                           .xDeviceCharacteristics = do_characteristics,
                                           .xShmMap = do_shm_map,
                                           .xShmLock = do_shm_lock,
                                           .xShmBarrier = do_shm_barrier,
                                           .xShmUnmap = do_shm_unmap};

/* ---- names ---- */

static int vfs_open(sqlite3_vfs *v, const char *path, sqlite3_file *f, int flags, int *out) {
    struct file *p = file_of(f);
    (void)v;
    memset(p, 0, sizeof *p);
    p->real = (sqlite3_file *)(void *)(p + 1);
    snprintf(p->path, sizeof p->path, "%s", path ? path : "");
    lock();
    int number = verdict(DISK_OPEN, p->path, 0);
    int rc = number ? SQLITE_CANTOPEN : disk.real->xOpen(disk.real, path, p->real, flags, out);
    if (rc == SQLITE_OK) power_create(p->path);
    unlock();
    if (rc != SQLITE_OK) return rc;
    p->base.pMethods = &methods;
    p->syncs_dir = flags & SQLITE_OPEN_CREATE && flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL);
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *v, const char *path, int sync_dir) {
    (void)v;
    lock();
    int number = verdict(DISK_DELETE, path, 0), rc = SQLITE_OK;
    if (!number) rc = disk.real->xDelete(disk.real, path, 0);
    if (!number && rc == SQLITE_OK) power_unlink(path);
    if (!number && rc == SQLITE_OK && sync_dir) power_sync_dir();
    unlock();
    return number ? SQLITE_IOERR_DELETE : rc;
}

static int vfs_access(sqlite3_vfs *v, const char *path, int flags, int *out) {
    (void)v;
    lock();
    int number = verdict(DISK_SIZE, path, 0);
    unlock();
    return number ? SQLITE_IOERR_ACCESS : disk.real->xAccess(disk.real, path, flags, out);
}

static int vfs_last_error(sqlite3_vfs *v, int n, char *text) {
    (void)v;
    lock();
    int number = disk.last_errno;
    unlock();
    return number ? number : disk.real->xGetLastError(disk.real, n, text);
}

void disk_install(void) {
    disk.real = sqlite3_vfs_find(NULL);
    disk.vfs = *disk.real; /* the rest goes to the usual one, which takes nothing of its own from its pointer */
    disk.vfs.zName = "taut-faults";
    disk.vfs.pNext = NULL;
    disk.vfs.szOsFile = (int)sizeof(struct file) + disk.real->szOsFile;
    disk.vfs.xOpen = vfs_open;
    disk.vfs.xDelete = vfs_delete;
    disk.vfs.xAccess = vfs_access;
    disk.vfs.xGetLastError = vfs_last_error;
    disk.installed = sqlite3_vfs_register(&disk.vfs, 1) == SQLITE_OK;
}

/* ---- what the test asks for ---- */

void disk_fail(const struct disk_fault *f) {
    lock();
    disk.fault = *f;
    if (!disk.fault.times) disk.fault.times = 1;
    disk.failed = 0;
    unlock();
}
uint64_t disk_failed(void) {
    lock();
    uint64_t n = disk.failed;
    unlock();
    return n;
}
void disk_heal(void) {
    lock();
    disk.fault = (struct disk_fault){0};
    disk.room = -1;
    disk.last_errno = 0;
    unlock();
}
void disk_room(int64_t bytes) {
    lock();
    disk.room = bytes;
    unlock();
}
void disk_watch(void (*before)(const struct disk_at *at)) {
    lock();
    disk.before = before;
    unlock();
}
void disk_track(const char *dir) {
    lock();
    snprintf(disk.tracked, sizeof disk.tracked, "%s", dir ? dir : "");
    power_track(dir);
    unlock();
}
void disk_hang(bool hangs) {
    lock();
    disk.hangs = hangs;
    pthread_cond_broadcast(&disk.released);
    unlock();
}

/* ---- the module's own calls: these stand before those of the C library ---- */

static bool path_of(int fd, char path[PATH_LEN]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, PATH_LEN - 1);
    path[n > 0 ? n : 0] = 0;
    return n > 0;
}

static int sync_fd(int fd) {
    char path[PATH_LEN];
    struct stat st;
    if (!disk.installed || !path_of(fd, path) || fstat(fd, &st) != 0) return 0;
    wait_while_it_hangs();
    lock();
    int number = verdict(S_ISDIR(st.st_mode) ? DISK_SYNC_DIR : DISK_SYNC, path, 0);
    if (number && !S_ISDIR(st.st_mode)) power_sync_failed(path);
    else if (!number && S_ISDIR(st.st_mode)) power_sync_dir();
    else if (!number) power_sync(path);
    unlock();
    errno = number;
    return number ? -1 : 0;
}

#define EXPORT __attribute__((visibility("default")))
EXPORT int fsync(int fd);
EXPORT int fdatasync(int fd);
EXPORT int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);

int fsync(int fd) {
    return sync_fd(fd);
}

int fdatasync(int fd) {
    return sync_fd(fd);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
    lock();
    int number = disk.installed ? verdict(DISK_RENAME, from, 0) : 0;
    int rc = number ? -1 : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
    if (rc == 0) power_rename(from, to);
    else if (!number) number = errno;
    unlock();
    if (rc != 0) errno = number;
    return rc;
}
