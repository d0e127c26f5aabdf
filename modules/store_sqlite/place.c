/* place.c - see place.h. */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "newfile.h"

/* SQLite takes the log of a store whose file is not there, or is empty, for nobody's, and removes it: with it what was
 * acknowledged and is not yet in the file, which may only have been moved. */
static int32_t log_is_alone(struct store *s, bool there) {
    struct stat st;
    char *wal = sqlite3_mprintf("%s-wal", s->path);
    bool alone = wal && stat(wal, &st) == 0 && st.st_size > 0;
    if (alone) {
        snprintf(s->refusal, sizeof s->refusal,
                 "%s is %s, but its log %s is there, and may hold messages that were acknowledged. Put the file back "
                 "that the log belongs to; or move the log away, to begin with an empty store",
                 s->path, there ? "empty" : "not there", wal);
        taut_log(s->mod, TAUT_LOG_ERROR, "store_open", "%s", s->refusal);
    }
    sqlite3_free(wal);
    return alone ? TAUT_E_INVAL : TAUT_OK;
}

int32_t place_is_fresh(struct store *s) {
    struct stat st;
    bool there = stat(s->path, &st) == 0;
    if (there && st.st_size > 0) return TAUT_OK;
    TAUT_TRY(log_is_alone(s, there));
    if (there) return TAUT_OK;
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

bool place_is_denied(const struct store *s) {
    return faccessat(AT_FDCWD, s->path, W_OK, AT_EACCESS) != 0 && errno == EACCES;
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
