/* newfile.h - a file that appears under its name whole and synced, or not at all, and never in the place of another. It
 * is written as NAME.tmp-XXXXXX, mode 0600, which a crash may leave. One thread at a time. */
#ifndef STORE_NEWFILE_H
#define STORE_NEWFILE_H

#include <stdbool.h>

struct newfile {
    char *path, *tmp; /* tmp NULL: nothing of it is there, or it has its name */
    int fd;           /* of tmp. Closing it drops the locks that SQLite holds on the file: closed last */
};

/* 0, or an errno. EEXIST: there is such a file. */
int newfile_begin(struct newfile *f, const char *path);
/* Syncs it, gives it its name, syncs the directory. 0, or an errno: then it is not there. */
int newfile_publish(struct newfile *f);
/* What a process that was killed left of a new file of that name, without its folder: malloc'ed, or NULL. */
char *newfile_left(const char *path);
void newfile_remove_left(const char *path); /* all of that; only where nobody else can be making one */
void newfile_end(struct newfile *f);        /* removes what did not get its name */

#endif
