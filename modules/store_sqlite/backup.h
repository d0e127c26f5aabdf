/* backup.h - a copy of the running store, made without holding it up.
 *
 * The writer copies some pages between two groups, by SQLite's backup on its own connection: what its groups change
 * meanwhile goes into the copy too. So the copy never begins anew because of writes, holds no snapshot that would keep
 * the log from being checkpointed, and is at its end the store as of the last commit. A thread of the backup's own does
 * what waits for the copy's disk: it makes the file, syncs it every SYNC_BYTES, checks it and gives it its name. The
 * copy's connection belongs to whose turn it is.
 */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include <pthread.h>
#include <stdbool.h>

#include "copy.h"

enum { BACKUP_CANCEL_MAX = 160 };
enum backup_turn {
    TURN_NONE,   /* no backup */
    TURN_WRITER, /* copies */
    TURN_SYNC,   /* the thread syncs what was copied; the writer does not go on */
    TURN_THREAD  /* the thread has it for itself: before the copying, and behind it */
};

/* The store's; one backup at a time. Everything is under the lock but `copy`, which belongs to whose
 * turn it is. */
struct backup {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open; /* the store is: backups may begin */
    enum backup_turn turn;
    bool has_thread;                    /* to be joined */
    bool cancelled;                     /* it is to end; copy.why says why, unless: */
    char cancel_why[BACKUP_CANCEL_MAX]; /* the store closes, or its writer had to give up; else "" */
    pthread_t thread;
    taut_op op;
    char *path; /* of the backup that is under way, or was the last */
    struct copy copy;
    uint64_t done, total; /* bytes */

    sqlite3_backup *pages; /* the writer's, from here on */
    uint64_t unsynced, lsn;
    uint32_t restarts;
    int done_pages;
};

struct store;
struct writer;
void backup_init(struct backup *b);
void backup_fini(struct backup *b);
void backup_begin(struct store *s, taut_str file, taut_op op); /* hub */
void backup_look(struct backup *b, uint64_t *done, uint64_t *total);

/* The writer's. */
void backup_allow(struct store *s);    /* the store is open */
void backup_step(struct writer *w);    /* between two groups */
void backup_give_up(struct writer *w); /* its connection is about to be closed */
void backup_refuse(struct writer *w);  /* it cannot copy, and does not know for how long */
void backup_stop(struct writer *w);    /* the same for good; waits for the backup's thread */

#endif
