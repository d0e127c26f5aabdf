/* module.c - look-ups in what was registered. They only read: gateways use them from their own threads. */
#include "module/module.h"

#include "module/internal.h"

/* A map that has an entry is salted, and an empty one is not hashed into: map_get writes to neither. */
static void *look_up(const struct map *m, taut_str key) {
    return map_get((struct map *)(uintptr_t)m, key);
}

struct method_entry *modules_method(const struct modules *ms, taut_str name) {
    return look_up(&ms->methods, name);
}

int method_arg_index(const struct method_entry *me, taut_str name) {
    return (int)(intptr_t)look_up(&me->arg_index, name) - 1;
}
