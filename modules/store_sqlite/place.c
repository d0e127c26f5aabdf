/* place.c - see place.h. */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "newfile.h"

int32_t place_is_fresh(struct store *s) {
    struct stat st;
    if (stat(s->path, &st) == 0) return TAUT_OK;
    char *left = newfile_left(s->path);
    if (!left) return TAUT_OK;
    snprintf(s->refusal, sizeof s->refusal,
             "%s is not there, but %s is beside it: a restore was ended before it was done. Run `taut restore` again; "
             "or remove that file, to begin with an empty store",
             s->path, left);
    taut_log(s->mod, TAUT_LOG_ERROR, "store_open", "%s", s->refusal);
    free(left);
    return TAUT_E_INVAL;
}

const char *place_not_writable(struct store *s) {
    struct stat st = {0};
    const char *cause = NULL;
    uint32_t held;
    if (faccessat(AT_FDCWD, s->path, W_OK, AT_EACCESS) != 0) cause = trouble_cause_of_errno(errno);
    if (!cause) cause = "permission denied";
    stat(s->path, &st);
    snprintf(s->refusal, sizeof s->refusal,
             "%s cannot be written: %s; it belongs to user %u and has mode %04o, and the server runs as user %u",
             s->path, cause, (unsigned)st.st_uid, (unsigned)st.st_mode & 07777, (unsigned)geteuid());
    if (trouble_say(&s->trouble, "the database cannot be written", SQLITE_READONLY, taut_mono_us(s->mod), &held))
        taut_log(s->mod, TAUT_LOG_ERROR, "store_open", "%s", s->refusal);
    return cause;
}
