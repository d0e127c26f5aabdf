/* steps.c - what a script can say: one entry a step. */
#include "modtest.h"

enum { TEXT = STEP_TEXT, MAP = STEP_MAP, LIST = STEP_LIST, ANY = STEP_TEXT | STEP_MAP };

/* Name, what may stand beside it, what its value is, the keys of that when it is a map, what it does; whether it asks
 * the module something. */
static const struct step_kind kinds[] = {
    {"call", "as token args answer pending within keep", TEXT, NULL, step_call, true},
    {"answered", "keep", MAP, NULL, step_answered, false},
    {"request", "as token headers body status answer text type within keep", TEXT, NULL, step_request, true},
    {"command", "output answer error within keep", TEXT | LIST, NULL, step_command, true},
    {"connect", "as token headers conn hello refused within keep", TEXT, NULL, step_connect, true},
    {"frame", "conn answer within keep", ANY, NULL, step_frame, true},
    {"sent", "conn keep", ANY, NULL, step_sent, false},
    {"closed", "conn", MAP, "code reason", step_closed, false},
    {"disconnect", "", TEXT, NULL, step_disconnect, false},
    {"event", "", MAP, "workspace topic topics body", step_event, false},
    {"events", "", TEXT | LIST, NULL, step_events, false},
    {"hook", "as draft workspace body answer within", TEXT, NULL, step_hook, false},
    {"advance", "", TEXT, NULL, step_advance, false},
    {"log", "", ANY, "event level text module", step_log, false},
    {"health", "", ANY, "level code text", step_health, false},
    {"metric", "", MAP, "name label value", step_metric, false},
    {"storage", "", MAP, "next status", step_storage, false},
    {"reload", "refused restart", MAP, NULL, step_reload, false},
    {"restart", "", TEXT, NULL, step_restart, false},
};

const struct step_kind *step_kind_named(taut_str name) {
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (taut_str_is(name, kinds[i].name)) return &kinds[i];
    return NULL;
}

uint32_t step_kind_names(const char *names[]) {
    _Static_assert(COUNT_OF(kinds) <= STEP_KINDS_MAX, "more room for names");
    for (size_t i = 0; i < COUNT_OF(kinds); i++) names[i] = kinds[i].name;
    return COUNT_OF(kinds);
}
