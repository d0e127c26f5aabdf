/* module.c - conversation: channels, members, messages, threads, reactions, read marks. Thread: hub.
 *
 * Provides conversation/1 to the other modules and the chat methods to everybody. State: struct conv.
 */
#include "methods.h"
#include "service.h"
#include "tables.h"

static int32_t init(struct taut_mod *m) {
    struct conv *cv = taut_alloc(m, sizeof *cv);
    int32_t err;
    if (!cv) return TAUT_E_NOMEM;
    *cv = (struct conv){.mod = m, .directory = taut_svc_get(m, "directory", 1, &taut_directory_down)};
    m->state = cv;
    err = taut_svc_provide(m, "conversation", 1, &conversation_service, cv);
    if (err < 0) taut_free(m, cv);
    return err;
}

static void fini(struct taut_mod *m) {
    taut_free(m, m->state);
}

static const struct taut_table *const tables[] = {&channels, &members, &reads, &messages, &replies, &reactions};
static const struct taut_hook hooks[] = {
    TAUT_FILTER(TAUT_HOOK_WORKSPACE_CREATE, "conversation/general", on_workspace_create, .on_error = TAUT_FAIL_CLOSED,
                .budget_ms = 10000),
    TAUT_FILTER(TAUT_HOOK_USER_CREATE, "conversation/join_general", on_user_create, .on_error = TAUT_FAIL_CLOSED,
                .budget_ms = 10000),
};

TAUT_MODULE(.name = "conversation", .version = "0.1.0", .license = "Apache-2.0",
            .summary = "channels, members, messages, threads, reactions and read marks", .flags = TAUT_MODULE_STANDARD,
            .provides = TAUT_LIST("conversation/1"), .needs = TAUT_LIST("directory/1", "storage/1"),
            .tables = TAUT_ARRAY(tables), .methods = TAUT_ARRAY(conversation_methods), .hooks = TAUT_ARRAY(hooks),
            .init = init, .fini = fini);
