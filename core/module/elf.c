/* elf.c - is a module's file all there? An upgrade that ran out of disk leaves one that begins well and ends early. */
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include "module/internal.h"

enum { SEGMENTS_MAX = 256 };

/* The end of what the program headers say is in the file; 0 when this is not for us to judge: dlopen says why. */
static uint64_t expected_size(int fd) {
    ElfW(Ehdr) head;
    ElfW(Phdr) segments[SEGMENTS_MAX];
    if (pread(fd, &head, sizeof head, 0) != (ssize_t)sizeof head) return sizeof head;
    if (memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_phentsize != sizeof segments[0] ||
        head.e_phnum > SEGMENTS_MAX)
        return 0;
    size_t bytes = head.e_phnum * sizeof segments[0];
    if (pread(fd, segments, bytes, (off_t)head.e_phoff) != (ssize_t)bytes) return head.e_phoff + bytes;
    uint64_t end = 0;
    for (size_t i = 0; i < head.e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && segments[i].p_offset + segments[i].p_filesz > end)
            end = segments[i].p_offset + segments[i].p_filesz;
    return end;
}

bool elf_is_cut_off(const char *file, size_t *size) {
    struct stat st;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool is_file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    *size = is_file ? (size_t)st.st_size : 0;
    bool cut = is_file && expected_size(fd) > (uint64_t)st.st_size;
    close(fd);
    return cut;
}
