/* identity.c - see identity.h. */
#include "identity.h"

#include <sys/stat.h>

#include "writer.h"

static bool id_of(const char *path, const char *end, struct file_id *id) {
    struct stat st;
    char *file = sqlite3_mprintf("%s%s", path, end);
    bool found = file && stat(file, &st) == 0;
    if (found) *id = (struct file_id){st.st_dev, st.st_ino};
    sqlite3_free(file);
    return found;
}

void identity_take(struct writer *w) {
    w->identity.has_db = id_of(w->store->path, "", &w->identity.db);
    w->identity.has_wal = id_of(w->store->path, "-wal", &w->identity.wal);
}

void identity_closed(struct writer *w) {
    w->identity.has_wal = false;
}

static bool is_in_place(const char *path, const char *end, const struct file_id *known) {
    struct file_id now;
    return id_of(path, end, &now) && now.dev == known->dev && now.ino == known->ino;
}

bool identity_holds(struct writer *w) {
    static const char text[] =
        "it or its -wal was moved, removed or replaced while the server runs; nothing is acknowledged until the same "
        "files are back in their place (by mv, not by cp); or stop the server and restore a backup";
    struct store *s = w->store;
    const struct identity *id = &w->identity;
    uint32_t held;
    if ((!id->has_db || is_in_place(s->path, "", &id->db)) && (!id->has_wal || is_in_place(s->path, "-wal", &id->wal)))
        return true;
    w->conn.cause = "the database file is not in its place";
    if (trouble_say(&s->trouble, text, 0, taut_mono_us(s->mod), &held))
        taut_log(s->mod, TAUT_LOG_ERROR, "store_moved", "%s: %s", s->path, text);
    return false;
}
