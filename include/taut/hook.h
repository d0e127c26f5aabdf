/* hook.h - named points at which other modules take part in what one module does.
 *
 * A hook point belongs to the module that runs it and is named <family>.<what>. Its functions run inside the call of
 * the one who runs it, so they are restartable too: they may read, refuse (taut_fail) and add to the batch. They run in
 * module start order, then in the order of their registration.
 */
#ifndef TAUT_HOOK_H
#define TAUT_HOOK_H

#include "taut/call.h"

/* data: what the hook point documents; b: the batch to add to, or NULL. */
typedef int32_t (*taut_hook_fn)(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data);

struct taut_hook {
    const char *point;
    taut_hook_fn run;
};

#endif
