/* file.c - small files, read and written whole. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int32_t file_read(struct taut_call *c, const char *path, size_t max, taut_str *out) {
    *out = taut_str_n("", 0);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? TAUT_OK : TAUT_E_IO;
    char *text = taut_scratch(c, max);
    size_t len = 0;
    ssize_t n;
    do {
        n = read(fd, text + len, max - len);
        if (n > 0) len += (size_t)n;
    } while (n > 0 || (n < 0 && errno == EINTR));
    close(fd);
    *out = taut_str_n(text, len);
    return n < 0 ? TAUT_E_IO : TAUT_OK;
}

static int write_all(int fd, taut_str text) {
    for (size_t at = 0; at < text.len;) {
        ssize_t n = write(fd, text.ptr + at, text.len - at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        at += (size_t)n;
    }
    return 0;
}

/* The rename is on disk when the directory is. */
static int sync_directory_of(struct taut_call *c, const char *path) {
    const char *slash = strrchr(path, '/');
    taut_str folder = slash ? taut_keep(c, taut_str_n(path, (size_t)(slash - path) + 1)) : taut_str_z(".");
    int fd = open(folder.ptr, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -1;
    int err = fsync(fd);
    close(fd);
    return err;
}

int32_t file_write(struct taut_call *c, const char *path, taut_str text) {
    taut_str temp = taut_fmt(c, "%s.new", path);
    int fd = open(temp.ptr, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return TAUT_E_IO;
    int bad = fchmod(fd, 0600) != 0 || write_all(fd, text) != 0 || fsync(fd) != 0;
    bad |= close(fd) != 0;
    if (bad || rename(temp.ptr, path) != 0) {
        unlink(temp.ptr);
        return TAUT_E_IO;
    }
    return sync_directory_of(c, path) == 0 ? TAUT_OK : TAUT_E_IO;
}
