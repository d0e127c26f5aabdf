/* fuzz_module.c - libFuzzer target: any declaration of a module, as far as its author could have compiled it: names
 * that are missing or none, arrays of every length and stride, options in options, functions that are not there. What
 * the loader takes must be whole: it is ordered, registered, given its defaults, measured and looked up. */
#include "config/config.h"
#include "module/internal.h"

/* ---- what is made of the input; freed at its end ---- */

static const uint8_t *in;
static size_t left;
static struct block { struct block *next; } * blocks;

static uint32_t byte(void) {
    if (!left) return 0;
    left--;
    return *in++;
}

/* Exactly n bytes, so that a look beyond them is seen. */
static void *made(size_t n) {
    struct block *b = malloc(sizeof *b + n);
    if (!b) abort();
    b->next = blocks;
    blocks = b;
    memset(b + 1, 0, n);
    return b + 1;
}
static void free_all(void) {
    while (blocks) {
        struct block *b = blocks;
        blocks = b->next;
        free(b);
    }
}

/* A name: none, one that is right somewhere, or bytes of the input. */
static const char *text(void) {
    static const char *const known[] = {"a",   "b_2",    "fuzzed",       "a/1",      "b/2",  "/x",
                                        "/x/", "GET",    "kitchen sink", "x=ok|bad", "1MiB", "a|b|c|d",
                                        "",    "memory", "a.b",          "7",        "as",   "10ms"};
    uint32_t kind = byte();
    if (kind == 0) return NULL;
    if (kind <= COUNT_OF(known)) return known[kind - 1];
    size_t n = kind % 40;
    if (n > left) n = left;
    char *s = made(n + 1);
    if (n) memcpy(s, in, n);
    in += n;
    left -= n;
    return s;
}

static uint32_t number(void) {
    static const uint32_t known[] = {0, 1, 2, 3, 7, 8, 16, 60, 61, 64, 100, 1024, 1025, 1 << 20, INT32_MAX, UINT32_MAX};
    uint32_t b = byte();
    return b < 200 ? b % 20 : known[b % COUNT_OF(known)];
}

/* An array of up to 5 elements that `make` writes, each in a place of its own size or of another. */
static struct taut_array array(size_t size, void (*make)(void *element)) {
    static const int more[] = {0, 0, 0, 0, 8, 16, -8, -4, 4, 1};
    uint32_t shape = byte(), len = shape % 6;
    struct taut_array a = {NULL, len, 0};
    long elem = (long)size + more[shape / 6 % COUNT_OF(more)];
    a.elem_size = elem < 0 ? 0 : (uint32_t)elem;
    if (shape > 250) { /* nobody is there, or too many */
        a.len = number();
        return a.len > 1024 ? (struct taut_array){made(8), a.len, a.elem_size}
                            : (struct taut_array){NULL, a.len, a.elem_size};
    }
    if (!len) return a;
    char *to = made((size_t)len * a.elem_size), *whole = made(size);
    for (uint32_t i = 0; i < len; i++) {
        memset(whole, 0, size);
        make(whole);
        memcpy(to + (size_t)i * a.elem_size, whole, a.elem_size < size ? a.elem_size : size);
    }
    a.ptr = to;
    return a;
}

/* ---- elements ---- */

static int32_t run(struct taut_mod *m, struct taut_call *c) {
    (void)m, (void)c;
    return TAUT_OK;
}
static void closed(struct taut_mod *m, taut_conn conn, void *state) {
    (void)m, (void)conn, (void)state;
}
static int32_t filter(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data) {
    (void)m, (void)c, (void)b, (void)data;
    return TAUT_OK;
}

static void make_text(void *p) {
    *(const char **)p = text();
}
static void make_arg(void *p) {
    *(struct taut_arg *)p = (struct taut_arg){text(), number(), number(), text(), text()};
}
static void make_method(void *p) {
    *(struct taut_method *)p = (struct taut_method){.name = text(),
                                                    .args = array(sizeof(struct taut_arg), make_arg),
                                                    .scopes = text(),
                                                    .rate = number(),
                                                    .run = byte() % 8 ? run : NULL};
}
static void make_command(void *p) {
    *(struct taut_command *)p = (struct taut_command){.name = text(),
                                                      .help = text(),
                                                      .args = array(sizeof(struct taut_arg), make_arg),
                                                      .run = byte() % 8 ? run : NULL};
}
static void make_route(void *p) {
    *(struct taut_route *)p =
        (struct taut_route){.method = text(), .path = text(), .flags = number(), .run = byte() % 8 ? run : NULL};
}
static void make_socket(void *p) {
    *(struct taut_socket_route *)p = (struct taut_socket_route){text(), text(), byte() % 8 ? run : NULL,
                                                                byte() % 8 ? run : NULL, byte() % 8 ? closed : NULL};
}
static void make_hook(void *p) {
    *(struct taut_hook *)p = (struct taut_hook){.point = text(),
                                                .name = text(),
                                                .kind = byte() % 4 ? TAUT_HOOK_FILTER : number(),
                                                .stage = (int32_t)number(),
                                                .priority = (int32_t)number(),
                                                .before = text(),
                                                .after = text(),
                                                .filter = byte() % 8 ? filter : NULL};
}
static void make_metric(void *p) {
    *(struct taut_metric *)p = (struct taut_metric){text(), number() % 5, 0, text(), text(), text()};
}
static void make_col(void *p) {
    *(struct taut_col *)p = (struct taut_col){text(), number() % 5, 0};
}
static void make_index(void *p) {
    *(struct taut_index *)p = (struct taut_index){text(), number(), number(), {number(), number()}};
}
static void make_table(void *p) {
    struct taut_table *t = made(sizeof *t);
    *t = (struct taut_table){.size = byte() % 8 ? (uint32_t)sizeof *t : 8,
                             .key_cols = number(),
                             .name = text(),
                             .cols = array(sizeof(struct taut_col), make_col),
                             .index = array(sizeof(struct taut_index), make_index)};
    *(const struct taut_table **)p = byte() % 16 ? t : NULL;
}
static int depth;
static void make_option(void *p) {
    struct taut_opt *o = p;
    *o = (struct taut_opt){.name = text(),
                           .type = number(),
                           .offset = number() * 8,
                           .dflt = text(),
                           .min = number(),
                           .max = number(),
                           .choices = text(),
                           .flags = number(),
                           .item = number(),
                           .help = text(),
                           .unit = text(),
                           .item_size = number() * 8,
                           .max_items = number()};
    if (++depth < 8 && byte() % 2) o->options = array(sizeof(struct taut_opt), make_option);
    depth--;
}

static struct taut_module *declaration(void) {
    struct taut_module *d = made(sizeof *d);
    *d = (struct taut_module){.size = (uint32_t)sizeof *d,
                              .abi_major = byte() % 32 ? TAUT_ABI_MAJOR : (uint16_t)byte(),
                              .abi_minor = byte() % 32 ? 0 : (uint16_t)byte(),
                              .name = byte() % 16 ? "fuzzed" : text(),
                              .version = text(),
                              .config_size = number() * 8};
    uint32_t parts = byte() | byte() << 8; /* one table at a time is how one gets past the checks */
    if (parts & 1) d->provides = array(sizeof(char *), make_text);
    if (parts & 2) d->needs = array(sizeof(char *), make_text);
    if (parts & 4) d->wants = array(sizeof(char *), make_text);
    if (parts & 8) d->options = array(sizeof(struct taut_opt), make_option);
    if (parts & 16) d->tables = array(sizeof(struct taut_table *), make_table);
    if (parts & 32) d->methods = array(sizeof(struct taut_method), make_method);
    if (parts & 64) d->routes = array(sizeof(struct taut_route), make_route);
    if (parts & 128) d->sockets = array(sizeof(struct taut_socket_route), make_socket);
    if (parts & 256) d->commands = array(sizeof(struct taut_command), make_command);
    if (parts & 512) d->hooks = array(sizeof(struct taut_hook), make_hook);
    if (parts & 1024) d->metrics = array(sizeof(struct taut_metric), make_metric);
    if (parts & 2048) { /* an older, shorter declaration */
        uint32_t size = byte() % 32 ? byte() * 2 : number();
        d->size = size;
        if (size < 8 || size > sizeof *d) return d; /* a size that is refused for what it is */
        struct taut_module *older = made(size);
        memcpy(older, d, size);
        return older;
    }
    return d;
}

/* ---- what was taken is used as the server uses it ---- */

static void start(struct loaded *l) {
    struct config *cfg = config_read_text("taut.yaml", TAUT_LIT("modules: []\n"), NULL);
    struct module_set *s = xcalloc(1, sizeof *s);
    struct instance two[2];
    static char first[] = "first", second[] = "second", where[] = "taut.yaml:1:1";
    s->dir = "/nowhere";
    s->pub.list = arena_zalloc(&s->arena, 3 * sizeof(struct instance *));
    s->opened = arena_zalloc(&s->arena, sizeof *s->opened);
    for (int i = 0; i < 2; i++) {
        two[i] = (struct instance){.def = l->def, .name = i ? second : first, .where = where};
        two[i].config = arena_zalloc(&s->arena, l->def->config_size);
        config_apply(cfg, l->def->options, NULL, NULL, "modules.fuzzed", TAUT_LIT("/data"), two[i].config);
        s->pub.list[s->pub.n++] = &two[i];
    }
    if (order_modules(s, cfg)) register_modules(s, cfg);
    for (uint32_t i = 0; i < l->def->methods.len; i++)
        modules_method(&s->pub, taut_str_z(TAUT_AT(l->def->methods, struct taut_method, i)->name));
    struct seen *seen = seen_new(first, l->def->metrics);
    for (uint32_t i = 0; i < l->def->metrics.len; i++) seen_measure(seen, i, 1, 1);
    seen_free(seen);
    modules_free(&s->pub);
    config_free(cfg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *why = NULL;
    in = data;
    left = size;
    struct loaded *l = loader_adopt("/modules/fuzzed.so", NULL, declaration(), &why);
    if (!l && (strncmp(why, "fuzzed.so: ", 11) != 0 || strlen(why) < 20)) abort();
    if (l) start(l);
    loader_close(l);
    free(why);
    free_all();
    return 0;
}
