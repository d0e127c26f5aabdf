/* trouble.h - what goes wrong with the database, as the log hears of it: each kind of failure at once, then once a
 * minute with a count, for a full disk fails many times a second. Any thread. */
#ifndef STORE_TROUBLE_H
#define STORE_TROUBLE_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum { TROUBLE_KINDS = 16, TROUBLE_QUIET_US = 60 * 1000000 };

struct trouble {
    pthread_mutex_t lock;
    struct trouble_kind {
        const char *what; /* the caller's own literal; NULL: free */
        int rc;
        uint32_t held; /* since it was last said */
        int64_t quiet_until_us;
    } kinds[TROUBLE_KINDS];
    bool damage_told, open; /* open: a failure was said, and its end was not */
};

void trouble_init(struct trouble *t);
void trouble_fini(struct trouble *t);
/* It works again. Is that to be said? Exactly when a failure was, so that the log's last word is true; and a store that
 * works and fails by turns says one pair a minute. */
bool trouble_end(struct trouble *t);

/* Is that to be said now? Then *held is how many like it were not. */
bool trouble_say(struct trouble *t, const char *what, int rc, int64_t now_us, uint32_t *held);
bool trouble_say_damage(struct trouble *t); /* true once */

/* A few words for people, without a path, that outlive everything: "disk full". */
const char *trouble_cause(sqlite3 *db);
/* Of its last failure. SQLite keeps none of a COMMIT that fails; then it is that of this thread, which the caller has
 * set to 0 before. */
int trouble_errno(sqlite3 *db);
const char *trouble_cause_of_errno(int number); /* the same; NULL: none of those that are known */
bool trouble_is_damage(sqlite3 *db);

#endif
