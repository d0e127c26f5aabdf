/* provision.c - what the demo workspace has: three people, a bot, two public channels with everyone in them, a private
 * channel and a DM. Whatever is there already stays as it is: only newcomers are put into channels. */
#include "provision.h"

#include <jansson.h>

struct person {
    const char *name, *real_name, *email;
    uint32_t flags;
};
static const struct person people[] = {
    {"ada", "Ada Example", "ada@example.org", TAUT_USER_ADMIN | TAUT_USER_OWNER},
    {"ben", "Ben Example", "ben@example.org", 0},
    {"cy", "Cy Example", "cy@example.org", 0},
};
enum { ADA, BEN, CY, PEOPLE, HELPER = PEOPLE, MEMBERS };

struct room {
    const char *name, *purpose;
    uint32_t kind, is_general;
    uint32_t members; /* bit per member */
};
static const struct room rooms[] = {
    {"general", "Everyone is here", TAUT_CH_PUBLIC, 1, (1u << MEMBERS) - 1},
    {"random", "What fits nowhere else", TAUT_CH_PUBLIC, 0, (1u << MEMBERS) - 1},
    {"secret-plans", "Only for Ada and Ben", TAUT_CH_PRIVATE, 0, 1u << ADA | 1u << BEN},
};
enum { ROOMS = sizeof rooms / sizeof rooms[0] };

static const struct taut_workspace demo_workspace = {
    .size = sizeof demo_workspace, .name = TAUT_LIT_INIT("Taut Demo"), .domain = TAUT_LIT_INIT("demo")};

static struct taut_user user_of(const struct person *p) {
    return (struct taut_user){.size = sizeof(struct taut_user),
                              .name = taut_str_z(p->name),
                              .real_name = taut_str_z(p->real_name),
                              .email = taut_str_z(p->email),
                              .flags = p->flags};
}

/* ---- check ---- */

/* Of a saved person or bot: is its token good? One of somebody who was deactivated is left as it is. */
static int32_t token_good(struct taut_mod *m, struct taut_call *c, taut_str ws, const json_t *saved,
                          const char *user_key, int *good) {
    const char *token = json_string_value(json_object_get(saved, "token"));
    const char *user_id = json_string_value(json_object_get(saved, user_key));
    const struct taut_user *user;
    taut_str id;
    *good = 0;
    if (!token || !user_id) return TAUT_OK;
    TAUT_TRY(dir(m)->user(dir_self(m), c, ws, taut_str_z(user_id), &user));
    TAUT_TRY(dir(m)->token_check(dir_self(m), c, taut_str_z(token), &id));
    *good = user && (id.len > 0 || (user->flags & TAUT_USER_DELETED));
    return TAUT_OK;
}

static int32_t check_saved(struct taut_mod *m, struct taut_call *c, const json_t *root, int *good) {
    const char *id = json_string_value(json_object_get(json_object_get(root, "team"), "id"));
    const struct taut_workspace *ws;
    const json_t *users = json_object_get(root, "users");
    *good = 0;
    if (!id || !json_array_size(users)) return TAUT_OK;
    TAUT_TRY(dir(m)->workspace(dir_self(m), c, taut_str_z(id), &ws));
    if (!ws) return TAUT_OK;
    TAUT_TRY(token_good(m, c, ws->id, json_object_get(root, "bot"), "user_id", good));
    for (size_t i = 0; i < json_array_size(users) && *good; i++)
        TAUT_TRY(token_good(m, c, ws->id, json_array_get(users, i), "id", good));
    return TAUT_OK;
}

int32_t provision_check(struct taut_mod *m, struct taut_call *c) {
    struct provision *p = c->arg;
    json_t *root = json_loadb(p->saved.ptr, p->saved.len, JSON_REJECT_DUPLICATES, NULL);
    int good = 0;
    int32_t err = json_is_object(root) ? check_saved(m, c, root, &good) : TAUT_OK;
    if (err == TAUT_OK && good) {
        char *text = json_dumps(root, JSON_COMPACT);
        if (text) p->members = taut_keep(p->command, taut_str_z(text));
        free(text);
    }
    json_decref(root);
    TAUT_TRY(err);
    return taut_done(c);
}

/* ---- workspace ---- */

static int32_t keep_workspace(struct taut_call *c, taut_str id) {
    struct provision *p = c->arg;
    if (id.len >= sizeof p->workspace) return taut_fail(c, "internal_error");
    memcpy(p->workspace, id.ptr, id.len);
    p->workspace[id.len] = 0;
    return TAUT_OK;
}

int32_t provision_workspace(struct taut_mod *m, struct taut_call *c) {
    const struct taut_workspace *found = NULL;
    struct taut_array all;
    TAUT_TRY(dir(m)->workspaces(dir_self(m), c, &all));
    for (uint32_t i = 0; i < all.len; i++) {
        const struct taut_workspace *ws = TAUT_AT(all, struct taut_workspace, i);
        if (!found || taut_str_eq(ws->domain, demo_workspace.domain)) found = ws;
    }
    if (found) {
        TAUT_TRY(keep_workspace(c, found->id));
        return taut_done(c);
    }
    struct taut_user owner = user_of(&people[ADA]);
    taut_str id, owner_id;
    struct taut_batch *b = taut_batch(c);
    TAUT_TRY(dir(m)->workspace_create(dir_self(m), c, b, &demo_workspace, &owner, &id, &owner_id));
    TAUT_TRY(keep_workspace(c, id));
    taut_answer(c);
    return taut_commit(c, b);
}

/* ---- people and channels ---- */

/* What is there, and then what will be. */
struct scene {
    const struct taut_workspace *ws;
    const struct taut_user *there[MEMBERS];
    taut_str id[MEMBERS], bot, token[MEMBERS];
    const struct taut_channel *room[ROOMS];
    taut_str room_id[ROOMS];
};

static int32_t look(struct taut_mod *m, struct taut_call *c, struct scene *s) {
    struct provision *p = c->arg;
    taut_str ws = taut_str_z(p->workspace);
    TAUT_TRY(dir(m)->workspace(dir_self(m), c, ws, &s->ws));
    if (!s->ws) return taut_fail(c, "team_not_found");
    for (int i = 0; i < MEMBERS; i++) {
        taut_str name = i == HELPER ? TAUT_LIT("helper") : taut_str_z(people[i].name);
        TAUT_TRY(dir(m)->user_by_name(dir_self(m), c, ws, name, &s->there[i]));
    }
    for (int i = 0; i < ROOMS; i++)
        TAUT_TRY(conv(m)->channel_by_name(conv_self(m), c, ws, taut_str_z(rooms[i].name), &s->room[i]));
    return TAUT_OK;
}

static int32_t make_members(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, struct scene *s) {
    taut_str ignored;
    for (int i = 0; i < PEOPLE; i++) {
        struct taut_user user = user_of(&people[i]);
        if (s->there[i]) s->id[i] = s->there[i]->id;
        else TAUT_TRY(dir(m)->user_create(dir_self(m), c, b, s->ws->id, &user, 1, &s->id[i]));
    }
    if (s->there[HELPER]) {
        s->id[HELPER] = s->there[HELPER]->id;
        s->bot = s->there[HELPER]->bot;
    } else {
        TAUT_TRY(dir(m)->bot_create(dir_self(m), c, b, s->ws->id, TAUT_LIT("helper"), &s->bot, &s->id[HELPER]));
    }
    for (int i = 0; i < MEMBERS; i++) {
        taut_str bot = i == HELPER ? s->bot : no_str();
        TAUT_TRY(dir(m)->token_create(dir_self(m), c, b, s->ws->id, s->id[i], bot, &s->token[i], &ignored));
    }
    return TAUT_OK;
}

/* Everything up to now counts as read. */
static int32_t make_rooms(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, struct scene *s) {
    int64_t now = taut_now_us(m);
    for (int r = 0; r < ROOMS; r++) {
        struct taut_channel spec = {.size = sizeof spec,
                                    .name = taut_str_z(rooms[r].name),
                                    .purpose = taut_str_z(rooms[r].purpose),
                                    .creator = s->id[ADA],
                                    .kind = rooms[r].kind,
                                    .is_general = rooms[r].is_general,
                                    .created = now / 1000000};
        if (s->room[r]) s->room_id[r] = s->room[r]->id;
        else TAUT_TRY(conv(m)->channel_import(conv_self(m), c, b, s->ws->id, &spec, &s->room_id[r]));
        for (int i = 0; i < MEMBERS; i++) {
            if (!(rooms[r].members & 1u << i) || (s->room[r] && s->there[i])) continue;
            TAUT_TRY(conv(m)->member_import(conv_self(m), c, b, s->ws->id, s->room_id[r], s->id[i], now));
        }
    }
    return TAUT_OK;
}

/* The DM of ada and ben comes with the later of the two. */
static int32_t make_dm(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, struct scene *s) {
    int64_t now = taut_now_us(m);
    struct taut_channel spec = {
        .size = sizeof spec, .creator = s->id[ADA], .peer = s->id[BEN], .kind = TAUT_CH_IM, .created = now / 1000000};
    taut_str id;
    if (s->there[ADA] && s->there[BEN]) return TAUT_OK;
    TAUT_TRY(conv(m)->channel_import(conv_self(m), c, b, s->ws->id, &spec, &id));
    TAUT_TRY(conv(m)->member_import(conv_self(m), c, b, s->ws->id, id, s->id[ADA], now));
    return conv(m)->member_import(conv_self(m), c, b, s->ws->id, id, s->id[BEN], now);
}

static void answer(struct taut_call *c, const struct scene *s) {
    struct taut_json *j = taut_answer(c);
    taut_json_kopen(j, "team", '{');
    taut_json_kstr(j, "id", s->ws->id);
    taut_json_kstr(j, "name", s->ws->name);
    taut_json_kstr(j, "domain", s->ws->domain);
    taut_json_close(j, '}');
    taut_json_kopen(j, "users", '[');
    for (int i = 0; i < PEOPLE; i++) {
        taut_json_open(j, '{');
        taut_json_kstr(j, "id", s->id[i]);
        taut_json_kstr(j, "name", taut_str_z(people[i].name));
        taut_json_kstr(j, "token", s->token[i]);
        taut_json_close(j, '}');
    }
    taut_json_close(j, ']');
    taut_json_kopen(j, "bot", '{');
    taut_json_kstr(j, "id", s->bot);
    taut_json_kstr(j, "user_id", s->id[HELPER]);
    taut_json_kstr(j, "token", s->token[HELPER]);
    taut_json_close(j, '}');
    taut_json_kopen(j, "channels", '[');
    for (int r = 0; r < ROOMS; r++) {
        taut_json_open(j, '{');
        taut_json_kstr(j, "id", s->room_id[r]);
        taut_json_kstr(j, "name", taut_str_z(rooms[r].name));
        taut_json_close(j, '}');
    }
    taut_json_close(j, ']');
}

int32_t provision_people(struct taut_mod *m, struct taut_call *c) {
    struct provision *p = c->arg;
    struct scene s = {0};
    TAUT_TRY(look(m, c, &s));
    p->tokens_replaced = s.there[HELPER] != NULL;
    struct taut_batch *b = taut_batch(c);
    taut_batch_workspace(c->mod, b, s.ws->id);
    TAUT_TRY(make_members(m, c, b, &s));
    TAUT_TRY(make_rooms(m, c, b, &s));
    TAUT_TRY(make_dm(m, c, b, &s));
    answer(c, &s);
    return taut_commit(c, b);
}
