/* identity.h - are the files that the writer has open those that a restart would find? SQLite goes on writing, and
 * syncing, to a file that was moved or deleted; what is acknowledged so is lost. Writer thread. */
#ifndef STORE_IDENTITY_H
#define STORE_IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

struct file_id {
    dev_t dev;
    ino_t ino;
};
struct identity {
    struct file_id db, wal;
    bool has_db, has_wal;
};

struct writer;
void identity_take(struct writer *w);   /* the store is open, with its log */
void identity_closed(struct writer *w); /* the last one to close the database deletes the log */
/* False: said, and w->conn.cause set. */
bool identity_holds(struct writer *w);

#endif
