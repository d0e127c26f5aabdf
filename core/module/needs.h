/* needs.h - who provides a service and who needs it, as their heads say. */
#ifndef MODULE_NEEDS_H
#define MODULE_NEEDS_H

#include "module/module.h"

/* The i-th of a list of names, as in `needs`, `wants`, `provides`. */
static inline const char *name_at(const struct taut_array *names, uint32_t i) {
    typedef const char *text_ptr;
    return *TAUT_AT(*names, text_ptr, i);
}
bool names_have(const struct taut_array *names, const char *name);
static inline bool module_provides(const struct instance *in, const char *service) {
    return names_have(&in->def->provides, service);
}
/* Is it one that others which are to run cannot be without? The core cannot be without a store and who knows people. */
bool module_is_needed(const struct modules *ms, const struct instance *in);

#endif
