/* trouble.c - see trouble.h. */
#include "trouble.h"

#include <errno.h>
#include <string.h>

static const struct {
    int number;
    const char *text;
} errnos[] = {{ENOSPC, "disk full"},
              {EDQUOT, "disk quota exceeded"},
              {EFBIG, "the file would be larger than is allowed"},
              {EIO, "disk error"},
              {EROFS, "the file system is read-only"},
              {EACCES, "permission denied"},
              {EPERM, "permission denied"},
              {ENOENT, "no such file or directory"},
              {EISDIR, "a directory is in its place"},
              {EMFILE, "too many open files"},
              {ENFILE, "too many open files"}};

const char *trouble_cause_of_errno(int number) {
    for (size_t i = 0; i < sizeof errnos / sizeof *errnos; i++)
        if (errnos[i].number == number) return errnos[i].text;
    return NULL;
}

int trouble_errno(sqlite3 *db) {
    int kept = sqlite3_system_errno(db);
    return kept || (sqlite3_errcode(db) & 0xff) != SQLITE_IOERR ? kept : errno;
}

const char *trouble_cause(sqlite3 *db) {
    const char *text = NULL;
    int rc = db ? sqlite3_errcode(db) & 0xff : SQLITE_NOMEM;
    switch (rc) {
    case SQLITE_OK: /* it was we who had no memory */
    case SQLITE_ROW:
    case SQLITE_DONE: return "out of memory";
    case SQLITE_FULL: return "disk full";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return "the database file is damaged";
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return "another program has locked the database";
    case SQLITE_IOERR: text = trouble_cause_of_errno(trouble_errno(db)); return text ? text : "disk error";
    case SQLITE_CANTOPEN: text = trouble_cause_of_errno(trouble_errno(db)); break;
    }
    return text ? text : sqlite3_errstr(rc);
}

bool trouble_is_damage(sqlite3 *db) {
    int rc = sqlite3_errcode(db) & 0xff;
    return rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB;
}

void trouble_init(struct trouble *t) {
    memset(t, 0, sizeof *t);
    pthread_mutex_init(&t->lock, NULL);
}

void trouble_fini(struct trouble *t) {
    pthread_mutex_destroy(&t->lock);
}

bool trouble_end(struct trouble *t) {
    pthread_mutex_lock(&t->lock);
    bool was_open = t->open;
    t->open = false;
    pthread_mutex_unlock(&t->lock);
    return was_open;
}

/* Its kind, or the one to be forgotten for it: a free one, or the one that was said longest ago. */
static struct trouble_kind *find(struct trouble *t, const char *what, int rc) {
    struct trouble_kind *oldest = &t->kinds[0];
    for (int i = 0; i < TROUBLE_KINDS; i++) {
        struct trouble_kind *k = &t->kinds[i];
        if (k->what == what && k->rc == rc) return k;
        if (k->quiet_until_us < oldest->quiet_until_us) oldest = k;
    }
    return oldest;
}

bool trouble_say(struct trouble *t, const char *what, int rc, int64_t now_us, uint32_t *held) {
    pthread_mutex_lock(&t->lock);
    struct trouble_kind *k = find(t, what, rc);
    bool known = k->what == what && k->rc == rc, say = !known || now_us >= k->quiet_until_us;
    *held = known ? k->held : 0;
    if (say) *k = (struct trouble_kind){what, rc, 0, now_us + TROUBLE_QUIET_US};
    else k->held++;
    t->open |= say;
    pthread_mutex_unlock(&t->lock);
    return say;
}

bool trouble_say_damage(struct trouble *t) {
    pthread_mutex_lock(&t->lock);
    bool told = t->damage_told;
    t->damage_told = true;
    pthread_mutex_unlock(&t->lock);
    return !told;
}
