/* imports.c - a module that wants a symbol of the server, which gives none away. */
#include "taut/module.h"

int hub_of_the_server(void);

static int32_t init(struct taut_mod *m) {
    (void)m;
    return hub_of_the_server();
}
TAUT_MODULE(.name = "imports", .version = "1", .license = "Apache-2.0", .summary = "wants what it is not given",
            .init = init);
