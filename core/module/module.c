/* module.c - look-ups in what was registered. They only read: gateways use them from their own threads. */
#include "module/module.h"

#include "module/internal.h"
#include "obs/metrics.h"

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

void modules_metrics(struct modules *ms, struct metrics *metrics) {
    for (uint32_t i = 0; i < ms->n; i++) {
        struct instance *in = ms->list[i];
        for (uint32_t k = 0; k < in->def->metrics.len; k++) {
            const struct taut_metric *def = TAUT_AT(in->def->metrics, struct taut_metric, k);
            char *name = xasprintf("taut_mod_%s_%s", in->name, def->name);
            metrics_add(metrics, &(struct metric){.name = name,
                                                  .help = def->help ? def->help : "",
                                                  .kind = def->kind == TAUT_GAUGE ? METRIC_GAUGE : METRIC_COUNTER,
                                                  .read = metric_read_llong,
                                                  .arg = &in->metrics[k]});
            free(name);
        }
    }
}
