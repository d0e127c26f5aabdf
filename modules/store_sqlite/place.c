/* place.c - see place.h. */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "newfile.h"

/* SQLite takes the log of a store whose file is not there, or is empty, for nobody's, and removes it: with it what was
 * acknowledged and is not yet in the file, which may only have been moved. A first start that was cut short leaves no
 * such log: to switch the log on, SQLite writes the file's first page, and syncs it (use_wal comes before any other
 * sync mode is set), before there is a byte of log. */
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

/* What is in the way: the file, or the folder, in which its log has its place. NULL: neither. */
static char *denied(const struct store *s) {
    const char *slash = strrchr(s->path, '/');
    if (faccessat(AT_FDCWD, s->path, W_OK, AT_EACCESS) != 0) return strdup(s->path);
    char *folder = slash > s->path ? strndup(s->path, (size_t)(slash - s->path)) : strdup(slash ? "/" : ".");
    if (folder && faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) != 0) return folder;
    free(folder);
    return NULL;
}

bool place_is_denied(const struct store *s) {
    char *at = denied(s);
    bool is_denied = at && errno == EACCES;
    free(at);
    return is_denied;
}

const char *place_not_writable(struct store *s) {
    struct stat st = {0};
    uint32_t held;
    char *found = denied(s);
    const char *at = found ? found : s->path, *cause = found ? trouble_cause_of_errno(errno) : NULL;
    if (!cause) cause = "permission denied";
    stat(at, &st);
    snprintf(s->refusal, sizeof s->refusal,
             "%s cannot be written: %s; it belongs to user %u and has mode %04o, and the server runs as user %u", at,
             cause, (unsigned)st.st_uid, (unsigned)st.st_mode & 07777, (unsigned)geteuid());
    free(found);
    if (trouble_say(&s->trouble, "the database cannot be written", SQLITE_READONLY, taut_mono_us(s->mod), &held))
        taut_log(s->mod, TAUT_LOG_ERROR, "store_open", "%s", s->refusal);
    return cause;
}
