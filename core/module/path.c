/* path.c - where modules are looked for: folders in their order, as one text with colons between them. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "module/internal.h"

bool path_next(const char **at, taut_str *folder) {
    while (**at == ':') ++*at;
    *folder = taut_str_n(*at, strcspn(*at, ":"));
    *at += folder->len;
    return folder->len > 0;
}

char *loader_file(const char *dir, taut_str name) {
    taut_str folder;
    char *file = NULL;
    while (path_next(&dir, &folder)) {
        free(file);
        file = xasprintf("%.*s/%.*s.so", (int)folder.len, folder.ptr, (int)name.len, name.ptr);
        if (access(file, F_OK) == 0) break;
    }
    return file ? file : xasprintf("%.*s.so", (int)name.len, name.ptr);
}

char *loader_folder_fault(const char *folder) {
    struct stat st;
    if (stat(folder, &st) != 0)
        return errno == ENOENT ? NULL : xasprintf("%s cannot be looked into: %s", folder, strerror(errno));
    if (!S_ISDIR(st.st_mode)) return xasprintf("%s is no folder; give the one that the module's file lies in", folder);
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return xasprintf("the folder %s belongs to another user, who could put code into this server; give one that "
                         "belongs to root, or to whom the server runs as",
                         folder);
    if (st.st_mode & S_IWOTH)
        return xasprintf(
            "everybody may write to the folder %s, and so put code into this server; give another one, or chmod "
            "o-w it",
            folder);
    return NULL;
}
