/* config_command.c - taut check, taut config print: is a configuration right, what would it run, what may stand in one.
 *
 * taut check: exit code 0 when all is right, warnings or not; 1 when anything is wrong; 2 for wrong usage.
 */
#include "cli/internal.h"
#include "taut/json.h"

int print_json(const struct taut_json *j) {
    printf("%.*s\n", (int)j->len, j->ptr);
    return CLI_OK;
}

/* ---- check ---- */

static int print_schema(struct cli *cli) {
    struct taut_json j;
    struct schema_module *list = arena_alloc(&cli->arena, (cli->nmodules + 1) * sizeof *list);
    for (uint32_t i = 0; i < cli->nmodules; i++) {
        const struct taut_module *d = cli->modules[i]->def;
        list[i] = (struct schema_module){d->name, d->summary, d->options};
    }
    arena_json(&cli->arena, &j);
    config_schema(&cli->arena, &j, list, cli->nmodules);
    return print_json(&j);
}

static void write_problems(struct taut_json *j, const char *key, const struct config_errors *e) {
    taut_json_kopen(j, key, '[');
    for (uint32_t i = 0; i < e->n; i++) {
        const struct config_problem *p = &e->problems[i];
        taut_json_open(j, '{');
        taut_json_kstr(j, "file", taut_str_z(p->source));
        if (p->line && p->line != UINT32_MAX) {
            taut_json_kint(j, "line", p->line);
            taut_json_kint(j, "column", p->col);
        }
        if (p->option) taut_json_kstr(j, "option", taut_str_z(p->option));
        taut_json_kstr(j, "message", taut_str_z(p->text));
        taut_json_close(j, '}');
    }
    taut_json_close(j, ']');
}

static int check_for_programs(struct cli *cli) {
    struct modules *ms;
    struct config *c = settings_load(cli, &ms);
    struct taut_json j;
    int rc = c->errors.n ? CLI_FAILED : CLI_OK;
    arena_json(&cli->arena, &j);
    taut_json_open(&j, '{');
    taut_json_kbool(&j, "ok", rc == CLI_OK);
    taut_json_kstr(&j, "file", taut_str_z(c->file));
    taut_json_kint(&j, "modules", ms->n);
    write_problems(&j, "errors", &c->errors);
    write_problems(&j, "warnings", &c->warnings);
    taut_json_close(&j, '}');
    print_json(&j);
    modules_free(ms);
    config_free(c);
    return rc;
}

int check_command(struct cli *cli) {
    struct modules *ms;
    if (cli->args[0].present && cli->args[0].i) return print_schema(cli);
    if (cli->given.json) return settings_are_told(cli) ? check_for_programs(cli) : CLI_FAILED;
    struct config *c = settings_read(cli, &ms);
    if (!c) return CLI_FAILED;
    printf("%s: ok: %u module%s\n", c->file, ms->n, ms->n == 1 ? "" : "s");
    modules_free(ms);
    config_free(c);
    return CLI_OK;
}

int config_show(struct cli *cli) {
    struct modules *ms;
    struct config *c = settings_read(cli, &ms);
    if (!c) return CLI_FAILED;
    char *yaml = config_print(c);
    fputs(yaml, stdout);
    free(yaml);
    modules_free(ms);
    config_free(c);
    return CLI_OK;
}
