/* scan.c - the module directory: where it is, what lies in it, and the standard configuration made of it. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "module/internal.h"

#ifndef TAUT_LIBDIR
#define TAUT_LIBDIR "lib"
#endif

static bool is_directory(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *loader_module_dir(void) {
    static const char *const beside[] = {"lib/taut", TAUT_LIBDIR "/taut"};
    const char *env = getenv("TAUT_MODULE_DIR");
    char self[PATH_MAX];
    if (env && *env) return xstrdup(env);
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = 0;
    for (int up = 0; up < 2; up++) { /* the program's directory, then the prefix */
        char *slash = strrchr(self, '/');
        if (slash) *slash = 0;
    }
    char *dir = NULL;
    for (size_t i = 0; i < COUNT_OF(beside); i++) {
        free(dir);
        dir = xasprintf("%s/%s", self, beside[i]);
        if (is_directory(dir)) break;
    }
    return dir;
}

static int is_module_file(const struct dirent *e) {
    size_t n = strlen(e->d_name);
    return n > 3 && e->d_name[0] != '.' && !strcmp(e->d_name + n - 3, ".so");
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Behind the n names that are there; how many there are then. */
static uint32_t add_names(struct arena *a, const char ***names, uint32_t n, taut_str folder) {
    struct dirent **entries = NULL;
    int found = scandir(arena_str(a, folder).ptr, &entries, is_module_file, NULL);
    if (found <= 0) return n;
    const char **all = arena_alloc(a, (n + (uint32_t)found) * sizeof *all);
    if (n) memcpy(all, *names, n * sizeof *all);
    for (int i = 0; i < found; i++) {
        all[n + (uint32_t)i] = arena_str(a, taut_str_n(entries[i]->d_name, strlen(entries[i]->d_name) - 3)).ptr;
        free(entries[i]);
    }
    free(entries);
    *names = all;
    return n + (uint32_t)found;
}

const char **module_names(struct arena *a, const char *dirs, uint32_t *n) {
    const char **names = arena_alloc(a, sizeof *names);
    uint32_t found = 0;
    taut_str folder;
    *n = 0;
    while (path_next(&dirs, &folder)) found = add_names(a, &names, found, folder);
    qsort(names, found, sizeof *names, by_text);
    for (uint32_t i = 0; i < found; i++)
        if (!i || strcmp(names[i], names[*n - 1]) != 0) names[(*n)++] = names[i];
    return names;
}

uint32_t loader_scan(const char *dir, struct loaded ***list, char **why) {
    struct arena a = {0};
    uint32_t n, kept = 0;
    const char **names = module_names(&a, dir, &n);
    *list = xcalloc(n + 1, sizeof **list);
    *why = NULL;
    for (uint32_t i = 0; i < n; i++) {
        char *file = loader_file(dir, taut_str_z(names[i])), *problem = NULL;
        struct loaded *l = loader_open(file, &problem);
        free(file);
        if (l) {
            (*list)[kept++] = l;
            continue;
        }
        char *lines = xasprintf("%s%s%s", *why ? *why : "", *why ? "\n" : "", problem);
        free(*why);
        free(problem);
        *why = lines;
    }
    arena_free(&a);
    return kept;
}

char *loader_standard_config(const char *dir) {
    struct loaded **list;
    char *why, *text = NULL;
    size_t len;
    uint32_t n = loader_scan(dir, &list, &why), listed = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out) panic("out of memory");
    fputs("modules:\n", out);
    for (uint32_t i = 0; i < n; i++) {
        if (list[i]->def->flags & TAUT_MODULE_STANDARD) {
            fprintf(out, "  - %s\n", list[i]->def->name);
            listed++;
        }
        loader_close(list[i]);
    }
    if (!listed) fputs("  []\n", out);
    fclose(out);
    free(list);
    free(why);
    return text;
}
