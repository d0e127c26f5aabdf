/* hang.c - to be preloaded into a server: its fdatasync does not return while the file $TAUT_HANG is there. */
#include <stdlib.h>
#include <unistd.h>

enum { LOOK_EVERY_US = 20000 };

__attribute__((visibility("default"))) int fdatasync(int fd);

int fdatasync(int fd) {
    const char *flag = getenv("TAUT_HANG");
    while (flag && access(flag, F_OK) == 0) usleep(LOOK_EVERY_US);
    return fsync(fd);
}
