/* points.c - hook points of the standard families: a function at one that is none of them is never asked, which is
 * most often a slip of the pen. A warning only: another module may have made that point. */
#include "module/internal.h"
#include "taut/msg.h"
#include "taut/svc/directory.h"

static const char *const points[] = {
    TAUT_HOOK_BEFORE_SEND, TAUT_HOOK_BEFORE_EDIT,      TAUT_HOOK_SENT, TAUT_HOOK_EDITED, TAUT_HOOK_DELETED,
    TAUT_HOOK_USER_CREATE, TAUT_HOOK_WORKSPACE_CREATE,
};

/* Up to its dot. */
static bool is_of_family(const char *point, const char *of) {
    size_t n = strcspn(of, ".");
    return !strncmp(point, of, n) && point[n] == '.';
}

static bool is_odd(const char *point, const char *near) {
    bool is_standard = false;
    for (size_t i = 0; i < COUNT_OF(points); i++) {
        if (!strcmp(point, points[i])) return false;
        is_standard |= is_of_family(point, points[i]);
    }
    return is_standard || near;
}

void point_check(struct config *cfg, const struct instance *in, const struct taut_hook *def) {
    const char *near = nearest(taut_str_z(def->point), points, COUNT_OF(points));
    if (!is_odd(def->point, near)) return;
    for (uint32_t i = 0; i < cfg->nmodules; i++)
        if (taut_str_is(cfg->modules[i].name, in->name))
            config_warn(cfg, cfg->modules[i].where, arena_fmt(&cfg->arena, "modules.%s", in->name).ptr,
                        "hook \"%s\" is at a point that the server does not have: \"%s\"%s%s%s", def->name, def->point,
                        near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}
