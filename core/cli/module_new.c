/* module_new.c - taut module new: a folder to begin a module in, copied from the template that is installed beside the
 * program (share/taut/module-template). In names and texts of its files NAME and @NAME@, @AUTHOR@, @YEAR@ are filled
 * in. Main thread. All or nothing: what a copy that fails has made is removed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/internal.h"
#include "taut/json.h"

#ifndef TAUT_DATADIR
#define TAUT_DATADIR "share"
#endif

enum { NAME_MAX_LEN = 32, AUTHOR_MAX = 100, FILE_MAX = 1 << 18, DEPTH_MAX = 4 };
enum { ARG_NAME, ARG_DIR, ARG_AUTHOR };

const struct taut_arg module_new_args[3] = {
    [ARG_NAME] = {"name", TAUT_ARG_STR, TAUT_ARG_REQUIRED | TAUT_ARG_POSITIONAL, NULL, "a-z, 0-9 and _"},
    [ARG_DIR] = {"dir", TAUT_ARG_STR, 0, NULL, "make its folder in there; without it: here"},
    [ARG_AUTHOR] = {"author", TAUT_ARG_STR, 0, NULL, "whom its files name as their author"},
};

struct copy {
    struct cli *cli;
    const char *name, *author, *year;
    const char *folder;     /* the new one */
    struct taut_json files; /* what was made, below it: an open list */
    struct made {
        const char *path;
        struct made *before;
    } * made; /* the same, folders included, last first */
};

static bool refuse(const char *fmt, ...) TAUT_PRINTF(1, 2);
static bool refuse(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fputs("taut module new: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    return false;
}

/* ---- what it may be called ---- */

static bool is_name(taut_str s) {
    if (!s.len || s.len > NAME_MAX_LEN || s.ptr[0] < 'a' || s.ptr[0] > 'z') return false;
    return strspn(s.ptr, "abcdefghijklmnopqrstuvwxyz0123456789_") == s.len;
}

/* What else goes by that name, where the module's would be in its way. NULL: nothing. */
static const char *taken_by(struct cli *cli, const char *name) {
    static const char *const targets[] = {"all", "check", "clean", "help", "install", "package", "test"};
    for (size_t i = 0; i < COUNT_OF(targets); i++)
        if (!strcmp(name, targets[i])) return "make or cmake has a target of that name";
    if (!strcmp(name, "core")) return "the server itself goes by it";
    if (!strcmp(name, "sqlite")) return "tables that begin with it are the database's own";
    size_t n = strlen(name);
    for (uint32_t i = 0; i < cli->ncommands; i++) {
        const char *command = cli->commands[i].name;
        if (!strncmp(command, name, n) && (!command[n] || command[n] == ' '))
            return arena_fmt(&cli->arena, "there is a command \"taut %s\"", command).ptr;
    }
    return NULL;
}

static bool check_name(struct cli *cli, taut_str name) {
    if (!is_name(name))
        return refuse("\"%s\" is not the name of a module; use a-z, 0-9 and _, at most %d characters, a letter first",
                      name.ptr, NAME_MAX_LEN);
    for (uint32_t i = 0; i < cli->nmodules; i++)
        if (taut_str_is(name, cli->modules[i]->def->name))
            return refuse("there is a module \"%s\" already (%s); choose another name", name.ptr,
                          cli->modules[i]->file);
    const char *by = taken_by(cli, name.ptr);
    return !by || refuse("\"%s\" cannot be the name of a module: %s; choose another", name.ptr, by);
}

/* It goes into comments of several languages. */
static bool check_author(taut_str author) {
    for (size_t i = 0; i < author.len; i++)
        if ((unsigned char)author.ptr[i] < 0x20 || author.ptr[i] == 0x7f)
            return refuse("--author must be one line, without control characters");
    if (strstr(author.ptr, "*/")) return refuse("--author must not hold \"*/\", which ends a comment");
    return author.len <= AUTHOR_MAX || refuse("--author is longer than %d bytes", AUTHOR_MAX);
}

/* ---- one file ---- */

/* The text with its marks filled in, in the arena. */
static taut_str fill_in(struct copy *c, taut_str text) {
    const struct {
        const char *mark, *value;
    } marks[] = {{"@NAME@", c->name}, {"@AUTHOR@", c->author}, {"@YEAR@", c->year}};
    struct taut_json out;
    size_t from = 0;
    arena_json(&c->cli->arena, &out);
    for (size_t i = 0; i < text.len; i++)
        for (size_t k = 0; text.ptr[i] == '@' && k < COUNT_OF(marks); k++) {
            size_t n = strlen(marks[k].mark);
            if (text.len - i < n || memcmp(text.ptr + i, marks[k].mark, n) != 0) continue;
            taut_json_raw(&out, text.ptr + from, i - from);
            taut_json_raw(&out, marks[k].value, strlen(marks[k].value));
            from = i + n;
            i = from - 1;
            break;
        }
    taut_json_raw(&out, text.ptr + from, text.len - from);
    return taut_str_n(out.ptr, out.len);
}

static bool read_file(struct copy *c, const char *path, taut_str *text) {
    char *bytes = arena_alloc(&c->cli->arena, FILE_MAX + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, bytes, FILE_MAX + 1);
    int err = errno;
    if (fd >= 0) close(fd);
    if (n < 0) return refuse("the template's %s cannot be read: %s", path, strerror(err));
    if (n > FILE_MAX) return refuse("the template's %s is larger than %d KiB", path, FILE_MAX >> 10);
    *text = taut_str_n(bytes, (size_t)n);
    return true;
}

static void note_made(struct copy *c, const char *path) {
    struct made *m = arena_alloc(&c->cli->arena, sizeof *m);
    *m = (struct made){path, c->made};
    c->made = m;
}

static bool make_folder(struct copy *c, const char *path) {
    if (mkdir(path, 0777) == 0) {
        note_made(c, path);
        return true;
    }
    if (errno == EEXIST) return refuse("%s is there already; remove it, or choose another name", path);
    return refuse("the folder %s cannot be made: %s", path, strerror(errno));
}

static bool write_file(struct copy *c, const char *path, taut_str text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) note_made(c, path);
    bool written = fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len;
    int err = written ? 0 : errno;
    if (fd >= 0 && close(fd) != 0 && !err) err = errno;
    return !err || refuse("%s cannot be written: %s", path, strerror(err));
}

/* ---- the folder ---- */

static int is_entry(const struct dirent *e) {
    return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

/* "NAME.c" -> "hello.c" */
static const char *new_name(struct copy *c, const char *name) {
    return strncmp(name, "NAME", 4) != 0 ? name : arena_fmt(&c->cli->arena, "%s%s", c->name, name + 4).ptr;
}

static bool copy_folder(struct copy *c, const char *from, const char *below, int depth);

static bool copy_entry(struct copy *c, const char *from, const char *below, const char *name, int depth) {
    struct arena *a = &c->cli->arena;
    const char *source = arena_fmt(a, "%s/%s", from, name).ptr;
    const char *to = arena_fmt(a, "%s%s", below, new_name(c, name)).ptr;
    const char *path = arena_fmt(a, "%s/%s", c->folder, to).ptr;
    struct stat st;
    taut_str text = TAUT_NONE;
    if (stat(source, &st) != 0) return refuse("the template's %s cannot be read: %s", source, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return make_folder(c, path) && copy_folder(c, source, arena_fmt(a, "%s/", to).ptr, depth + 1);
    if (!read_file(c, source, &text) || !write_file(c, path, fill_in(c, text))) return false;
    taut_json_str(&c->files, taut_str_z(to));
    return true;
}

static bool copy_folder(struct copy *c, const char *from, const char *below, int depth) {
    struct dirent **entries = NULL;
    int n = depth < DEPTH_MAX ? scandir(from, &entries, is_entry, alphasort) : 0;
    bool ok = n >= 0 || refuse("there is no template in %s; install taut as a whole", from);
    for (int i = 0; i < n; i++) {
        ok = ok && copy_entry(c, from, below, entries[i]->d_name, depth);
        free(entries[i]);
    }
    free(entries);
    return ok;
}

/* ../share/taut/module-template beside the running program. In the arena. */
static const char *template_folder(struct arena *a) {
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = 0;
    for (int up = 0; up < 2; up++) { /* the program's directory, then the prefix */
        char *slash = strrchr(self, '/');
        if (slash) *slash = 0;
    }
    return arena_fmt(a, "%s/" TAUT_DATADIR "/taut/module-template", self).ptr;
}

static int report(struct copy *c) {
    taut_json_close(&c->files, ']');
    if (c->cli->given.json) {
        taut_json_kstr(&c->files, "folder", taut_str_z(c->folder));
        taut_json_close(&c->files, '}');
        return print_json(&c->files);
    }
    printf("made %s/; its README.md says what is in it\n\n"
           "  cd %s\n"
           "  make && make test           or: cmake -B build && cmake --build build && ctest --test-dir build\n"
           "  taut serve -c taut.yaml     a server that runs it\n",
           c->folder, c->folder);
    return CLI_OK;
}

int module_new(struct cli *cli) {
    struct arena *a = &cli->arena;
    taut_str name = cli->args[ARG_NAME].s, author = cli->args[ARG_AUTHOR].s, dir = cli->args[ARG_DIR].s;
    char year[8];
    const time_t now = time(NULL);
    struct tm tm;
    struct stat st;
    if (!author.len) author = arena_fmt(a, "the authors of %s", name.ptr);
    if (!check_name(cli, name) || !check_author(author)) return CLI_FAILED;
    if (!gmtime_r(&now, &tm) || !strftime(year, sizeof year, "%Y", &tm)) year[0] = 0;
    struct copy c = {.cli = cli, .name = name.ptr, .author = author.ptr, .year = year};
    c.folder = dir.len ? arena_fmt(a, "%s/%s", dir.ptr, name.ptr).ptr : name.ptr;
    arena_json(a, &c.files);
    taut_json_open(&c.files, '{');
    taut_json_kstr(&c.files, "module", name);
    taut_json_kopen(&c.files, "files", '[');
    if (dir.len && stat(dir.ptr, &st) != 0) {
        refuse("there is no folder %s; make it first", dir.ptr);
        return CLI_FAILED;
    }
    if (make_folder(&c, c.folder) && copy_folder(&c, template_folder(a), "", 0)) return report(&c);
    for (const struct made *m = c.made; m; m = m->before) remove(m->path);
    return CLI_FAILED;
}
