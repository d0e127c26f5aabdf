/* fold.h - what a group need not ask or write twice. Writer thread; lives for one group.
 *
 * ADD and MAX commute: those of one row are gathered and written once, before the commit, or before anything of the
 * group looks at such a column or otherwise writes to that table. And a condition that held still holds while nothing
 * was written to its table: many messages of a group go to the same channel.
 */
#ifndef STORE_FOLD_H
#define STORE_FOLD_H

#include "db.h"

enum { FOLD_ROWS = 256, FOLD_SETS = 4, FOLD_SLOTS = 512, HELD_SLOTS = 256 };

struct folded {
    uint32_t table, nkey, nsets;
    const struct taut_val *key; /* the batch's: alive until its answer */
    struct taut_set sets[FOLD_SETS];
    bool done;
};
struct held {
    const struct taut_cond *cond; /* NULL: free */
    uint64_t version;             /* of its table */
};
struct fold {
    uint32_t n;
    struct folded rows[FOLD_ROWS];
    uint16_t slots[FOLD_SLOTS]; /* index + 1 into rows, by the hash of table and key */
    struct held held[HELD_SLOTS];
    uint32_t ntables;
    struct fold_table {
        uint64_t columns; /* that have folded changes */
        uint64_t version; /* rises with every write */
    } * tables;
};

bool fold_init(struct fold *f, uint32_t ntables);
void fold_fini(struct fold *f);
void fold_reset(struct fold *f); /* at the start of a group */

/* True: taken, to be written later. False: write it now. seq0 as in bind_val. */
bool fold_update(struct fold *f, const struct store *s, const struct taut_write *w, uint64_t seq0);
/* Is anything folded that this column of the table depends on? */
bool fold_covers(const struct fold *f, uint32_t table, uint32_t col);
/* Writes what is folded of that table, or of all (table FOLD_ALL). A sqlite3 result code. */
#define FOLD_ALL UINT32_MAX
int fold_flush(struct fold *f, struct conn *c, uint32_t table);
/* A write to that table, other than a folded one, follows. */
void fold_touch(struct fold *f, uint32_t table);

/* Has this condition held in this group, with nothing written to its table since? */
bool fold_holds(const struct fold *f, const struct taut_cond *c);
void fold_held(struct fold *f, const struct taut_cond *c);

#endif
