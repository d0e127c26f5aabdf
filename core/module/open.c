/* open.c - one file at a time: dlopen, the header check, and a copy of its declaration in this server's own shape.
 *
 * A module built with older, shorter tables is copied over zeros, arrays element by element, so that the rest of the
 * core reads only structs that it knows. The code stays mapped for the life of the process.
 */
#include <dlfcn.h>

#include "module/internal.h"

/* A module's declaration as far as it can be trusted to reach: everything up to `options`. */
enum { MODULE_SIZE_MIN = offsetof(struct taut_module, options), MODULE_SIZE_MAX = 1 << 20 };

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#if TAUT_ABI_MINOR
#define ABI_OFFERED TEXT(TAUT_ABI_MAJOR) ".0-" TEXT(TAUT_ABI_MAJOR) "." TEXT(TAUT_ABI_MINOR)
#else
#define ABI_OFFERED TEXT(TAUT_ABI_MAJOR) ".0"
#endif

_Static_assert(offsetof(struct taut_module, size) == 0 && offsetof(struct taut_module, abi_major) == 4 &&
                   offsetof(struct taut_module, abi_minor) == 6,
               "the first 8 bytes of a module are frozen");

struct opened {
    struct loaded pub; /* first */
    struct taut_module def;
    struct arena arena;
};

const char *file_base(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The size, then the major, then the minor: each is only meaningful when the one before was right. */
static char *check_head(const char *base, const struct taut_module *def) {
    if (def->size < MODULE_SIZE_MIN || def->size > MODULE_SIZE_MAX)
        return xasprintf("%s: its module table has an impossible size (%u bytes); declare the module with TAUT_MODULE "
                         "and rebuild it",
                         base, def->size);
    if (def->abi_major != TAUT_ABI_MAJOR || def->abi_minor > TAUT_ABI_MINOR)
        return xasprintf("%s: needs module ABI %u.%u, this server offers " ABI_OFFERED
                         "; rebuild the module or upgrade the server",
                         base, def->abi_major, def->abi_minor);
    return NULL;
}

static char *fault_of(const char *base, char *fault) {
    char *text = fault ? xasprintf("%s: %s; this is a fault of the module", base, fault) : NULL;
    free(fault);
    return text;
}

static char *check_def(const char *file, const struct taut_module *def) {
    const char *base = file_base(file), *dot = strrchr(base, '.');
    size_t stem = dot ? (size_t)(dot - base) : strlen(base);
    if (!def->name || !def->version)
        return xasprintf("%s: has no name or no version; this is a fault of the module", base);
    if (strlen(def->name) != stem || strncmp(def->name, base, stem) != 0)
        return xasprintf("%s: calls itself \"%s\"; a module's file is named after it", base, def->name);
    return fault_of(base, declaration_fault(def));
}

/* The array with elements of this server's size. */
static void widen(struct arena *a, struct taut_array *array, size_t size) {
    if (!array->len) return;
    size_t n = array->elem_size < size ? array->elem_size : size;
    char *to = arena_zalloc(a, array->len * size);
    for (uint32_t i = 0; i < array->len; i++)
        memcpy(to + i * size, (const char *)array->ptr + (size_t)i * array->elem_size, n);
    array->ptr = to;
    array->elem_size = (uint32_t)size;
}

/* The arguments of methods or commands, whose elements were made larger already. */
static char *widen_args(struct opened *o, const char *base, struct taut_array *args) {
    char *why = fault_of(base, arguments_fault(args));
    if (!why) widen(&o->arena, args, sizeof(struct taut_arg));
    return why;
}

/* A copy in this server's shape; what is wrong with its arrays, or NULL. */
static char *copy_def(struct opened *o, const char *base, const struct taut_module *from) {
    struct taut_module *d = &o->def;
    memcpy(d, from, from->size < sizeof *d ? from->size : sizeof *d);
    d->size = sizeof *d;
    char *why = fault_of(base, arrays_fault(d));
    if (why) return why;
    if (!d->license) d->license = "";
    if (!d->summary) d->summary = "";
    widen(&o->arena, &d->provides, sizeof(char *));
    widen(&o->arena, &d->needs, sizeof(char *));
    widen(&o->arena, &d->wants, sizeof(char *));
    widen(&o->arena, &d->tables, sizeof(struct taut_table *));
    widen(&o->arena, &d->options, sizeof(struct taut_opt));
    widen(&o->arena, &d->methods, sizeof(struct taut_method));
    widen(&o->arena, &d->routes, sizeof(struct taut_route));
    widen(&o->arena, &d->sockets, sizeof(struct taut_socket_route));
    widen(&o->arena, &d->commands, sizeof(struct taut_command));
    widen(&o->arena, &d->hooks, sizeof(struct taut_hook));
    widen(&o->arena, &d->metrics, sizeof(struct taut_metric));
    for (uint32_t i = 0; i < d->methods.len && !why; i++)
        why = widen_args(o, base, &((struct taut_method *)(uintptr_t)TAUT_AT(d->methods, struct taut_method, i))->args);
    for (uint32_t i = 0; i < d->commands.len && !why; i++)
        why = widen_args(o, base,
                         &((struct taut_command *)(uintptr_t)TAUT_AT(d->commands, struct taut_command, i))->args);
    return why;
}

/* What the dynamic linker said, without the file's own name in front. */
static char *dl_problem(const char *file) {
    const char *text = dlerror();
    size_t n = strlen(file);
    if (!text) text = "unknown reason";
    if (!strncmp(text, file, n) && text[n] == ':') text += n + 2;
    return xasprintf("%s: cannot be loaded: %s", file_base(file), text);
}

struct loaded *loader_adopt(const char *file, void *dl, const struct taut_module *def, char **why) {
    *why = check_head(file_base(file), def);
    if (*why) return NULL;
    struct opened *o = xcalloc(1, sizeof *o);
    *why = copy_def(o, file_base(file), def);
    if (!*why) *why = check_def(file, &o->def);
    o->pub = (struct loaded){.dl = dl, .def = &o->def, .file = xstrdup(file)};
    if (!*why) return &o->pub;
    o->pub.dl = NULL; /* the caller's still */
    loader_close(&o->pub);
    return NULL;
}

struct loaded *loader_open(const char *file, char **why) {
    char *path = strchr(file, '/') ? xstrdup(file) : xasprintf("./%s", file);
    struct loaded *l = NULL;
    size_t size;
    void *dl = NULL;
    if (elf_is_cut_off(path, &size)) {
        *why = xasprintf("%s: is cut off (%zu bytes); install it again", file_base(file), size);
        goto out;
    }
    dl = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!dl) {
        *why = dl_problem(path);
        goto out;
    }
    const struct taut_module *def = dlsym(dl, "taut_module");
    if (def) l = loader_adopt(file, dl, def, why);
    else *why = xasprintf("%s: is not a Taut module: it has no symbol \"taut_module\"", file_base(file));
out:
    free(path);
    if (!l && dl) dlclose(dl);
    return l;
}

void loader_close(struct loaded *l) {
    if (!l) return;
    struct opened *o = CONTAINER_OF(l, struct opened, pub);
    if (l->dl) dlclose(l->dl);
    free(l->file);
    arena_free(&o->arena);
    free(o);
}
