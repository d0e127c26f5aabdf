/* main.c - the command line of taut-modtest. */
#include <getopt.h>
#include <unistd.h>

#include "modtest.h"
#include "module/internal.h"

static const char usage[] =
    "usage: taut-modtest [OPTION...] MODULE.so [SCRIPT.yaml...]\n"
    "\n"
    "Runs a module against a server without sockets and without files, whose clock only moves when a script says so:\n"
    "its life, its answers, what it leaves over, and all of that again with each allocation failing in turn.\n"
    "\n"
    "  --with MODULE.so    also load this module; one without a slash is an installed one\n"
    "  --only TEXT         only the tests whose names contain TEXT\n"
    "  --no-faults         leave out the runs with failing allocations\n"
    "  --patience TIME     how long a run may do nothing before it hangs; 10s\n"
    "  --verbose           show the log\n"
    "  --help              print this\n"
    "  --version\n"
    "\n"
    "Exit: 0 all passed, 1 a test failed, 2 usage or the script is wrong. See docs/modules.md.\n";

enum { WITH_MAX = 32 };
enum { FLAG_WITH = 1, FLAG_ONLY, FLAG_NO_FAULTS, FLAG_PATIENCE, FLAG_VERBOSE, FLAG_HELP, FLAG_VERSION };
static const struct option flags[] = {
    {"with", required_argument, NULL, FLAG_WITH},     {"only", required_argument, NULL, FLAG_ONLY},
    {"no-faults", no_argument, NULL, FLAG_NO_FAULTS}, {"patience", required_argument, NULL, FLAG_PATIENCE},
    {"verbose", no_argument, NULL, FLAG_VERBOSE},     {"help", no_argument, NULL, FLAG_HELP},
    {"version", no_argument, NULL, FLAG_VERSION},     {NULL, 0, NULL, 0},
};

struct command_line {
    struct settings settings;
    const char *with[WITH_MAX];
    const char *only;
    bool faults;
    const char *dirs;
    struct arena arena; /* of all of this */
};

_Noreturn static void wrong(const char *what, const char *word) {
    fprintf(stderr, "taut-modtest: %s%s; see taut-modtest --help\n", what, word);
    exit(EXIT_WRONG);
}

/* "one:two", either of which may be empty. */
static const char *joined(struct command_line *l, const char *one, const char *two) {
    return arena_fmt(&l->arena, "%s%s%s", one, *one && *two ? ":" : "", two).ptr;
}

static const char *folder_of(struct command_line *l, const char *file) {
    const char *slash = strrchr(file, '/');
    return slash ? arena_str(&l->arena, taut_str_n(file, (size_t)(slash - file))).ptr : ".";
}

/* "hello" of ./build/hello.so */
static const char *name_of(struct command_line *l, const char *file) {
    const char *base = file_base(file);
    size_t n = strlen(base);
    if (n > 3 && !strcmp(base + n - 3, ".so")) n -= 3;
    return arena_str(&l->arena, taut_str_n(base, n)).ptr;
}

static void add_module(struct command_line *l, const char *file) {
    if (l->settings.nwith == WITH_MAX) wrong("too many modules: ", file);
    if (strchr(file, '/')) {
        if (access(file, R_OK) != 0) wrong("there is no file ", file);
        l->dirs = joined(l, l->dirs, folder_of(l, file));
    }
    l->with[l->settings.nwith++] = name_of(l, file);
}

static int64_t seconds_of(const char *text) {
    char *end;
    long n = strtol(text, &end, 10);
    if (n < 1 || n > 3600 || end == text || (*end && strcmp(end, "s") != 0))
        wrong("--patience takes a time from 1s to 3600s, not ", text);
    return (int64_t)n * 1000;
}

static void take_flag(struct command_line *l, int flag) {
    switch (flag) {
    case FLAG_WITH: add_module(l, optarg); break;
    case FLAG_ONLY: l->only = optarg; break;
    case FLAG_NO_FAULTS: l->faults = false; break;
    case FLAG_PATIENCE: l->settings.patience_ms = seconds_of(optarg); break;
    case FLAG_VERBOSE: l->settings.verbose = true; break;
    case FLAG_HELP: fputs(usage, stdout); exit(EXIT_SUCCESS);
    case FLAG_VERSION: puts("taut-modtest " TAUT_VERSION); exit(EXIT_SUCCESS);
    default: exit(EXIT_WRONG); /* getopt said why */
    }
}

static void take_module(struct command_line *l, const char *file) {
    char *installed = loader_module_dir();
    bool is_here = access(file, R_OK) == 0;
    if (!is_here && strchr(file, '/')) wrong("there is no file ", file);
    l->dirs = joined(l, is_here ? folder_of(l, file) : installed, l->dirs);
    if (is_here) l->dirs = joined(l, l->dirs, installed);
    l->settings.dirs = l->dirs;
    l->settings.name = name_of(l, file);
    char *found = loader_file(l->dirs, taut_str_z(l->settings.name));
    l->settings.module = arena_str(&l->arena, taut_str_z(found)).ptr;
    free(found);
    free(installed);
}

static uint32_t read_scripts(char **files, uint32_t n, struct script **scripts) {
    uint32_t errors = 0;
    for (uint32_t i = 0; i < n; i++) {
        scripts[i] = script_read(files[i]);
        const struct config_errors *e = &scripts[i]->config->errors;
        for (uint32_t k = 0; k < e->n; k++) fprintf(stderr, "%s\n", e->list[k].ptr);
        errors += e->n;
    }
    return errors;
}

int main(int argc, char **argv) {
    struct command_line l = {.faults = true, .dirs = "", .settings = {.patience_ms = 10000}};
    int flag;
    while ((flag = getopt_long(argc, argv, "", flags, NULL)) >= 0) take_flag(&l, flag);
    if (optind == argc) wrong("which module? usage: taut-modtest MODULE.so [SCRIPT.yaml...]", "");
    take_module(&l, argv[optind++]);
    l.settings.with = l.with;
    uint32_t n = (uint32_t)(argc - optind);
    struct script **scripts = xcalloc(n + 1, sizeof *scripts);
    int rc = read_scripts(argv + optind, n, scripts) ? EXIT_WRONG : run_all(&l.settings, scripts, n, l.only, l.faults);
    for (uint32_t i = 0; i < n; i++) config_free(scripts[i]->config);
    free(scripts);
    arena_free(&l.arena);
    return rc;
}
