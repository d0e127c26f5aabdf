/* auth.c - auth/1 of a world in which no other module provides it: a token stands for an actor that the script named.
 */
#include "modtest.h"

enum { ACTORS_MAX = 256 };
static struct {
    struct taut_actor list[ACTORS_MAX];
    uint32_t n;
} actors;

taut_str auth_token(struct world *w, const struct taut_actor *a) {
    if (actors.n == ACTORS_MAX) panic("a test has more than %d calls that name who asks", ACTORS_MAX);
    actors.list[actors.n] = *a;
    return arena_fmt(&w->arena, "modtest-%u", actors.n++);
}

static int32_t resolve(void *self, struct taut_call *c, taut_str token, struct taut_actor *actor) {
    static const char prefix[] = "modtest-";
    (void)self;
    if (!token.len) return taut_fail(c, "not_authed");
    bool is_ours = token.len > sizeof prefix - 1 && !memcmp(token.ptr, prefix, sizeof prefix - 1);
    unsigned long i = is_ours ? strtoul(token.ptr + sizeof prefix - 1, NULL, 10) : ACTORS_MAX;
    if (i >= actors.n) return taut_fail(c, "invalid_auth");
    taut_copy_sized(actor, actor->size, &actors.list[i]);
    return TAUT_OK;
}

static const struct taut_auth_v1 auth = {.size = (uint32_t)sizeof auth, .resolve = resolve};

static int32_t on_init(struct taut_mod *m) {
    return taut_svc_provide(m, "auth", 1, &auth, NULL);
}

const struct taut_module modtest_auth = {.size = (uint32_t)sizeof(struct taut_module),
                                         .abi_major = TAUT_ABI_MAJOR,
                                         .abi_minor = TAUT_ABI_MINOR,
                                         .name = "modtest_auth",
                                         .version = "1",
                                         .provides = TAUT_LIST("auth/1"),
                                         .init = on_init};
