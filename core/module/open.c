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

static char *check_options(const char *base, const struct taut_module *def) {
    char *fault = options_fault(def->options, def->config_size, 0);
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
    if (def->metrics.len > METRICS_MAX)
        return xasprintf("%s: declares %u metrics, more than %d; this is a fault of the module", base, def->metrics.len,
                         METRICS_MAX);
    return check_options(base, def);
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

static void copy_def(struct opened *o, const struct taut_module *from) {
    struct taut_module *d = &o->def;
    memcpy(d, from, from->size < sizeof *d ? from->size : sizeof *d);
    d->size = sizeof *d;
    if (!d->license) d->license = "";
    if (!d->summary) d->summary = "";
    widen(&o->arena, &d->options, sizeof(struct taut_opt));
    widen(&o->arena, &d->methods, sizeof(struct taut_method));
    widen(&o->arena, &d->routes, sizeof(struct taut_route));
    widen(&o->arena, &d->sockets, sizeof(struct taut_socket_route));
    widen(&o->arena, &d->commands, sizeof(struct taut_command));
    widen(&o->arena, &d->hooks, sizeof(struct taut_hook));
    widen(&o->arena, &d->metrics, sizeof(struct taut_metric));
    for (uint32_t i = 0; i < d->methods.len; i++) {
        struct taut_method *m = (struct taut_method *)(uintptr_t)TAUT_AT(d->methods, struct taut_method, i);
        widen(&o->arena, &m->args, sizeof(struct taut_arg));
    }
    for (uint32_t i = 0; i < d->commands.len; i++) {
        struct taut_command *m = (struct taut_command *)(uintptr_t)TAUT_AT(d->commands, struct taut_command, i);
        widen(&o->arena, &m->args, sizeof(struct taut_arg));
    }
}

/* What the dynamic linker said, without the file's own name in front. */
static char *dl_problem(const char *file) {
    const char *text = dlerror();
    size_t n = strlen(file);
    if (!text) text = "unknown reason";
    if (!strncmp(text, file, n) && text[n] == ':') text += n + 2;
    return xasprintf("%s: cannot be loaded: %s", file_base(file), text);
}

struct loaded *loader_open(const char *file, char **why) {
    char *path = strchr(file, '/') ? xstrdup(file) : xasprintf("./%s", file);
    struct opened *o = NULL;
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
    *why = def ? check_head(file_base(file), def)
               : xasprintf("%s: is not a Taut module: it has no symbol \"taut_module\"", file_base(file));
    if (*why) goto out;
    o = xcalloc(1, sizeof *o);
    copy_def(o, def);
    o->pub = (struct loaded){.dl = dl, .def = &o->def, .file = xstrdup(file)};
    *why = check_def(file, &o->def);
    if (*why) {
        loader_close(&o->pub);
        o = NULL;
        dl = NULL;
    }
out:
    free(path);
    if (!o && dl) dlclose(dl);
    return o ? &o->pub : NULL;
}

void loader_close(struct loaded *l) {
    if (!l) return;
    struct opened *o = CONTAINER_OF(l, struct opened, pub);
    dlclose(l->dl);
    free(l->file);
    arena_free(&o->arena);
    free(o);
}
