/* status.c - taut status: what the running server is doing, gathered on its hub's thread. */
#include <unistd.h>

#include "cli/internal.h"
#include "taut/json.h"

void status_write(struct engine *e, struct taut_json *j) {
    taut_json_kstr(j, "version", TAUT_LIT(TAUT_VERSION));
    taut_json_kint(j, "pid", getpid());
    taut_json_kstr(j, "data", e->info.data);
}

bool status_print(FILE *out, taut_str json) {
    return render(out, json);
}
