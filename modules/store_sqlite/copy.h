/* copy.h - what backup and restore have in common: a copy of a store in a new file, its check, and what is said of it.
 * One thread at a time; the progress may be looked at by any. */
#ifndef STORE_COPY_H
#define STORE_COPY_H

#include <sqlite3.h>
#include <stdarg.h>

#include "newfile.h"
#include "taut/taut.h"

enum { COPY_WHY_MAX = 400 };

struct copy {
    struct newfile file;
    sqlite3 *db;            /* on file.tmp, or NULL */
    int (*stop)(void *arg); /* asked now and then while the copy is checked: is it to end? */
    void *stop_arg;
    char why[COPY_WHY_MAX]; /* what went wrong, for people */
};

/* These give TAUT_OK, or an error that c->why speaks of. */
int32_t copy_begin(struct copy *c, const char *path); /* a new file with an empty database in it, open as db */
/* When all pages are there: out of WAL mode, so that it is one file; sql is run in it; then it is read as a whole. */
int32_t copy_settle(struct copy *c, const char *sql);
int32_t copy_publish(struct copy *c); /* synced, under its name */
void copy_end(struct copy *c);

TAUT_PRINTF(3, 4) int32_t copy_fail(struct copy *c, int32_t err, const char *fmt, ...);
/* "WHAT: cause"; the cause is of the connection's last failure. */
int32_t copy_fail_of(struct copy *c, sqlite3 *db, const char *what);

/* The same of the copying itself, of `bytes` in all (0: not known): a full disk is said with its room. */
int32_t copy_fail_pages(struct copy *c, sqlite3 *db, const char *what, uint64_t bytes);

/* Completes the op with the text as a taut_str. */
void copy_answer(struct taut_mod *mod, taut_op op, int32_t status, const char *text);

#endif
