/* needs.c - see needs.h. */
#include "module/needs.h"

static const char *const needs_of_core[] = {"storage/1", "auth/1"};

bool names_have(const struct taut_array *names, const char *name) {
    for (uint32_t i = 0; i < names->len; i++)
        if (!strcmp(name_at(names, i), name)) return true;
    return false;
}

bool module_is_needed(const struct modules *ms, const struct instance *in) {
    for (size_t i = 0; i < COUNT_OF(needs_of_core); i++)
        if (module_provides(in, needs_of_core[i])) return true;
    for (uint32_t i = 0; i < ms->n; i++) {
        const struct instance *other = ms->list[i];
        for (uint32_t k = 0; !other->off && k < other->def->needs.len; k++)
            if (module_provides(in, name_at(&other->def->needs, k))) return true;
    }
    return false;
}
