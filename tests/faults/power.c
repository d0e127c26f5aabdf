/* power.c - see power.h. Small: a directory has a handful of files. */
#include "power.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 64, NAME_LEN = 160, SECTOR = 512 };

static void must(bool holds) {
    if (holds) return;
    perror("power.c");
    abort();
}

/* Of a file that is not synced. */
struct change {
    struct change *next;
    bool truncates;
    int64_t at; /* truncates: the new size */
    size_t n;
    unsigned char data[];
};
struct content {
    unsigned char *bytes; /* on disk */
    int64_t size, cap;
    struct change *first, **end;
};
/* Of the directory. from and to: places in `files`; -1: none. */
struct entry_change {
    enum { CREATED, REMOVED, RENAMED } what;
    char name[NAME_LEN], to[NAME_LEN];
    struct content *content;
};
struct entry {
    char name[NAME_LEN]; /* empty: free */
    struct content *content;
};
static struct {
    char dir[NAME_LEN];
    struct entry now[FILES_MAX], durable[FILES_MAX];
    struct entry_change pending[FILES_MAX];
    int npending;
    struct content *all[4096];
    int nall;
} power;

static const char *name_of(const char *path) {
    size_t n = strlen(power.dir);
    if (!n || strncmp(path, power.dir, n) != 0 || path[n] != '/' || strchr(path + n + 1, '/')) return NULL;
    return path + n + 1;
}

static struct entry *find(struct entry *list, const char *name) {
    for (int i = 0; i < FILES_MAX; i++)
        if (list[i].name[0] && strcmp(list[i].name, name) == 0) return &list[i];
    return NULL;
}

static void put(struct entry *list, const char *name, struct content *c) {
    struct entry *e = find(list, name);
    for (int i = 0; !e && i < FILES_MAX; i++)
        if (!list[i].name[0]) e = &list[i];
    must(e);
    snprintf(e->name, sizeof e->name, "%s", name);
    e->content = c;
}

static void drop(struct entry *list, const char *name) {
    struct entry *e = find(list, name);
    if (e) e->name[0] = 0;
}

static struct content *content_new(void) {
    struct content *c = calloc(1, sizeof *c);
    must(c && power.nall < (int)(sizeof power.all / sizeof *power.all));
    c->end = &c->first;
    return power.all[power.nall++] = c;
}

static void forget_changes(struct content *c) {
    while (c->first) {
        struct change *next = c->first->next;
        free(c->first);
        c->first = next;
    }
    c->end = &c->first;
}

/* ---- bytes ---- */

static void reserve(struct content *c, int64_t size) {
    if (size <= c->cap) return;
    c->cap = size + size / 2;
    c->bytes = realloc(c->bytes, (size_t)c->cap);
    must(c->bytes);
}

static void set_size(struct content *c, int64_t size) {
    reserve(c, size);
    if (size > c->size) memset(c->bytes + c->size, 0, (size_t)(size - c->size));
    c->size = size;
}

static void put_bytes(struct content *c, int64_t at, const unsigned char *data, size_t n) {
    if (at + (int64_t)n > c->size) set_size(c, at + (int64_t)n);
    memcpy(c->bytes + at, data, n);
}

static void add_change(struct content *c, bool truncates, int64_t at, const void *data, size_t n) {
    struct change *ch = malloc(sizeof *ch + n);
    must(ch);
    *ch = (struct change){.truncates = truncates, .at = at, .n = n};
    if (n) memcpy(ch->data, data, n);
    *c->end = ch;
    c->end = &ch->next;
}

static void load(const char *name) {
    char path[512];
    struct content *c = content_new();
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", power.dir, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    must(fd >= 0 && fstat(fd, &st) == 0);
    set_size(c, st.st_size);
    must(read(fd, c->bytes, (size_t)c->size) == c->size || !c->size);
    close(fd);
    put(power.now, name, c);
    put(power.durable, name, c);
}

static bool is_rebuilt(const char *name) { /* the log's index: never read after a crash */
    size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, "-shm") == 0;
}

void power_track(const char *dir) {
    for (int i = 0; i < power.nall; i++) {
        forget_changes(power.all[i]);
        free(power.all[i]->bytes);
        free(power.all[i]);
    }
    memset(&power, 0, sizeof power);
    if (!dir) return;
    snprintf(power.dir, sizeof power.dir, "%s", dir);
    DIR *d = opendir(dir);
    must(d);
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.' && !is_rebuilt(e->d_name)) load(e->d_name);
    closedir(d);
}

/* ---- what happens ---- */

static struct content *content_of(const char *path) {
    const char *name = name_of(path);
    struct entry *e = name ? find(power.now, name) : NULL;
    return e ? e->content : NULL;
}

static void add_entry_change(const struct entry_change *ch) {
    must(power.npending < FILES_MAX);
    power.pending[power.npending++] = *ch;
}

bool power_knows(const char *path) {
    const char *name = name_of(path);
    return name && !is_rebuilt(name);
}

void power_create(const char *path) {
    const char *name = name_of(path);
    if (!name || is_rebuilt(name) || find(power.now, name)) return;
    struct entry_change ch = {.what = CREATED, .content = content_new()};
    snprintf(ch.name, sizeof ch.name, "%s", name);
    put(power.now, name, ch.content);
    add_entry_change(&ch);
}

void power_write(const char *path, int64_t at, const void *data, size_t n) {
    struct content *c = content_of(path);
    if (c) add_change(c, false, at, data, n);
}

void power_truncate(const char *path, int64_t size) {
    struct content *c = content_of(path);
    if (c) add_change(c, true, size, NULL, 0);
}

void power_sync(const char *path) {
    struct content *c = content_of(path);
    if (!c) return;
    for (struct change *ch = c->first; ch; ch = ch->next) {
        if (ch->truncates) set_size(c, ch->at);
        else put_bytes(c, ch->at, ch->data, ch->n);
    }
    forget_changes(c);
}

void power_sync_failed(const char *path) {
    struct content *c = content_of(path);
    if (c) forget_changes(c);
}

void power_unlink(const char *path) {
    const char *name = name_of(path);
    if (!name || !find(power.now, name)) return;
    struct entry_change ch = {.what = REMOVED};
    snprintf(ch.name, sizeof ch.name, "%s", name);
    drop(power.now, name);
    add_entry_change(&ch);
}

void power_rename(const char *from, const char *to) {
    const char *a = name_of(from), *b = name_of(to);
    struct entry *e = a && b ? find(power.now, a) : NULL;
    if (!e) return;
    struct entry_change ch = {.what = RENAMED};
    snprintf(ch.name, sizeof ch.name, "%s", a);
    snprintf(ch.to, sizeof ch.to, "%s", b);
    ch.content = e->content;
    drop(power.now, a);
    put(power.now, b, ch.content);
    add_entry_change(&ch);
}

static void apply_entry_change(struct entry *list, const struct entry_change *ch) {
    switch (ch->what) {
    case CREATED: put(list, ch->name, ch->content); break;
    case REMOVED: drop(list, ch->name); break;
    case RENAMED:
        drop(list, ch->name);
        put(list, ch->to, ch->content);
        break;
    }
}

void power_sync_dir(void) {
    for (int i = 0; i < power.npending; i++) apply_entry_change(power.durable, &power.pending[i]);
    power.npending = 0;
}

/* ---- the cut ---- */

static uint32_t state;
static uint32_t dice(uint32_t n) {
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % n;
}

/* Of what is pending, each sector with a probability of `percent`. */
static void write_part(const struct content *c, const char *path, uint32_t percent) {
    struct content left = {0};
    set_size(&left, c->size);
    if (c->size) memcpy(left.bytes, c->bytes, (size_t)c->size);
    for (const struct change *ch = c->first; ch; ch = ch->next) {
        if (ch->truncates) {
            if (dice(100) < percent) set_size(&left, ch->at);
            continue;
        }
        for (size_t i = 0; i < ch->n;) {
            size_t n = SECTOR - (size_t)((ch->at + (int64_t)i) % SECTOR);
            if (n > ch->n - i) n = ch->n - i;
            if (dice(100) < percent) put_bytes(&left, ch->at + (int64_t)i, ch->data + i, n);
            i += n;
        }
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0);
    must(!left.size || write(fd, left.bytes, (size_t)left.size) == left.size);
    close(fd);
    free(left.bytes);
}

static void empty_directory(const char *dir) {
    char path[512];
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
            unlink(path);
        }
    if (d) closedir(d);
}

void power_image(const char *to, uint32_t seed) {
    static const uint32_t percents[] = {0, 100, 50, 90, 10, 99};
    struct entry left[FILES_MAX];
    char path[512];
    state = seed * 2654435761u + 1;
    memcpy(left, power.durable, sizeof left);
    for (int i = 0; i < power.npending; i++)
        if (dice(2)) apply_entry_change(left, &power.pending[i]);
    mkdir(to, 0700);
    empty_directory(to);
    for (int i = 0; i < FILES_MAX; i++) {
        if (!left[i].name[0]) continue;
        snprintf(path, sizeof path, "%s/%.*s", to, NAME_LEN - 1, left[i].name);
        write_part(left[i].content, path, percents[dice(sizeof percents / sizeof *percents)]);
    }
}
