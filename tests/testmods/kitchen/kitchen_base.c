/* kitchen_base.c - what a module has of the server at any time: memory, clocks, chance, logs, metrics, health. */
#include "kitchen.h"

static int memory_works(struct taut_mod *m) {
    char *p = taut_alloc(m, 16);
    if (!p) return 0;
    memcpy(p, "0123456789abcdef", 16);
    char *larger = taut_realloc(m, p, 4096);
    int ok = larger && memcmp(larger, "0123456789abcdef", 16) == 0;
    taut_free(m, larger ? larger : p);
    taut_free(m, NULL);
    return ok;
}

static int chance_works(struct taut_mod *m) {
    unsigned char a[16], b[16];
    char id[12];
    taut_str made = taut_id_new(m, 'K', id);
    taut_random(m, a, sizeof a);
    taut_random(m, b, sizeof b);
    return memcmp(a, b, sizeof a) != 0 && made.len == 11 && made.ptr[0] == 'K';
}

static int strings_work(void) {
    taut_str a = taut_str_z("salt"), b = taut_str_n("salty", 4), none = TAUT_NONE;
    return taut_str_eq(a, b) && taut_str_is(a, "salt") && !taut_str_eq(a, TAUT_LIT("pepper")) && none.len == 0 &&
           taut_str_z(NULL).len == 0;
}

int32_t kitchen_base(struct taut_mod *m, struct taut_call *c) {
    const struct taut_server_info *info = taut_info(m);
    const struct taut_kv fields[] = {{"spice", TAUT_LIT("salt")}, {"grams", TAUT_LIT("5")}};
    int64_t now = taut_now_us(m), mono = taut_mono_us(m);
    struct taut_json *j = taut_answer(c);
    kitchen_check(j, "memory", memory_works(m));
    kitchen_check(j, "chance", chance_works(m));
    kitchen_check(j, "strings", strings_work());
    kitchen_check(j, "clocks", now > 1700000000000000 && mono > 0 && taut_now_us(m) == now && taut_mono_us(m) == mono);
    kitchen_check(j, "stamps", taut_stamp_us(c, now) > now);
    kitchen_check(j, "reach", TAUT_HAS(m->host, route) && m->size >= sizeof *m && TAUT_HAS(info, data));
    taut_json_kbool(j, "built_with_1", TAUT_ABI_MAJOR == 1 && TAUT_ABI_MINOR >= TAUT_MODULE_MIN_MINOR);
    taut_json_kstr(j, "url", info->public_url);
    taut_log(m, TAUT_LOG_WARN, "base", "%d pots", 3);
    taut_log_kv(m, TAUT_LOG_WARN, "spiced", TAUT_LIT("with fields"), fields, 2);
    taut_count(m, DISHES, 2);
    taut_measure(m, DISHES, 1, 5);
    taut_measure(m, TEMPERATURE, 0, 180);
    taut_measure(m, COOKING, 0, 1500000);
    return taut_done(c);
}

int32_t kitchen_health(struct taut_mod *m, struct taut_call *c) {
    int64_t level = taut_arg_int(c, 1, TAUT_HEALTH_OK);
    taut_health(m, (uint32_t)level, "oven", taut_arg_str(c, 0));
    taut_answer(c);
    return taut_done(c);
}
