/* shapes.c - users, bots and workspaces as JSON, in the shapes that Slack's SDKs decode. Types matter more than
 * completeness: strict decoders fail on a number where they expect a text, not on an absent member. */
#include "internal.h"

/* The colour of a user in lists: always the same for the same id. */
static const char *const colors[] = {"9f69e7", "4bbe2e", "e7392d", "3c989f", "674b1b", "e96699", "e0a729", "684b6c",
                                     "5b89d5", "2b6836", "99a949", "df3dc0", "4cc091", "9b3b45", "d58247", "bb86b7"};

static taut_str color_of(taut_str id) {
    uint32_t sum = 2166136261u;
    for (size_t i = 0; i < id.len; i++) sum = (sum ^ (unsigned char)id.ptr[i]) * 16777619u;
    return taut_str_z(colors[sum % (sizeof colors / sizeof colors[0])]);
}

/* Offsets of zones that change during the year are not known here: those members are left out then. */
static void write_zone(struct taut_json *j, taut_str tz) {
    if (!tz.len || taut_str_is(tz, "Etc/UTC") || taut_str_is(tz, "UTC")) {
        taut_json_kstr(j, "tz", TAUT_LIT("Etc/UTC"));
        taut_json_kstr(j, "tz_label", TAUT_LIT("Coordinated Universal Time"));
        taut_json_kint(j, "tz_offset", 0);
    } else {
        taut_json_kstr(j, "tz", tz);
        taut_json_kstr(j, "tz_label", tz);
    }
}

static void write_names(struct taut_json *j, taut_str real_name) {
    const char *blank = real_name.len ? memchr(real_name.ptr, ' ', real_name.len) : NULL;
    size_t first = blank ? (size_t)(blank - real_name.ptr) : real_name.len;
    size_t last = blank ? first + 1 : first;
    taut_json_kstr(j, "first_name", taut_str_n(real_name.ptr, first));
    taut_json_kstr(j, "last_name", taut_str_n(real_name.ptr + last, real_name.len - last));
}

/* Bots take an avatar of the size they like, and do not ask whether there is one. */
static void write_images(struct taut_json *j, taut_str image) {
    static const char *const sizes[] = {"image_24", "image_32", "image_48", "image_72", "image_192", "image_512"};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) taut_json_kstr(j, sizes[i], image);
}

static void write_profile(struct taut_json *j, taut_str workspace, const struct taut_user *user, taut_str real_name,
                          taut_str image) {
    static const char *const unset[] = {"title",        "phone",      "skype", "status_text", "status_text_canonical",
                                        "status_emoji", "avatar_hash"};
    taut_json_kopen(j, "profile", '{');
    for (size_t i = 0; i < sizeof unset / sizeof unset[0]; i++) taut_json_kstr(j, unset[i], no_str());
    taut_json_kint(j, "status_expiration", 0);
    taut_json_kstr(j, "real_name", real_name);
    taut_json_kstr(j, "real_name_normalized", real_name);
    taut_json_kstr(j, "display_name", user->name);
    taut_json_kstr(j, "display_name_normalized", user->name);
    write_names(j, real_name);
    if (user->email.len) taut_json_kstr(j, "email", user->email);
    if (user->bot.len) taut_json_kstr(j, "bot_id", user->bot);
    write_images(j, image);
    taut_json_kstr(j, "team", workspace);
    taut_json_close(j, '}');
}

void shape_user(struct taut_json *j, taut_str workspace, const struct taut_user *user, struct shape_user_opts opts) {
    const uint32_t flags = user->flags;
    taut_str real_name = user->real_name.len ? user->real_name : user->name;
    taut_json_open(j, '{');
    taut_json_kstr(j, "id", user->id);
    taut_json_kstr(j, "team_id", workspace);
    taut_json_kstr(j, "name", user->name);
    taut_json_kbool(j, "deleted", (flags & TAUT_USER_DELETED) != 0);
    taut_json_kstr(j, "color", color_of(user->id));
    taut_json_kstr(j, "real_name", real_name);
    write_zone(j, user->tz);
    write_profile(j, workspace, user, real_name, opts.image);
    taut_json_kbool(j, "is_admin", (flags & (TAUT_USER_ADMIN | TAUT_USER_OWNER)) != 0);
    taut_json_kbool(j, "is_owner", (flags & TAUT_USER_OWNER) != 0);
    taut_json_kbool(j, "is_primary_owner", (flags & TAUT_USER_PRIMARY_OWNER) != 0);
    taut_json_kbool(j, "is_restricted", 0);
    taut_json_kbool(j, "is_ultra_restricted", 0);
    taut_json_kbool(j, "is_bot", (flags & TAUT_USER_BOT) != 0);
    taut_json_kbool(j, "is_app_user", 0);
    taut_json_kint(j, "updated", user->updated);
    if (opts.locale) taut_json_kstr(j, "locale", TAUT_LIT("en-US"));
    taut_json_close(j, '}');
}

void shape_bot(struct taut_json *j, const struct taut_bot *bot) {
    taut_json_open(j, '{');
    taut_json_kstr(j, "id", bot->id);
    taut_json_kbool(j, "deleted", bot->deleted != 0);
    taut_json_kstr(j, "name", bot->name);
    taut_json_kint(j, "updated", bot->updated);
    taut_json_kstr(j, "app_id", bot->app);
    taut_json_kstr(j, "user_id", bot->user);
    taut_json_kopen(j, "icons", '{');
    taut_json_close(j, '}');
    taut_json_close(j, '}');
}

void shape_team(struct taut_json *j, const struct taut_workspace *ws, taut_str url) {
    taut_json_open(j, '{');
    taut_json_kstr(j, "id", ws->id);
    taut_json_kstr(j, "name", ws->name);
    taut_json_kstr(j, "url", url);
    taut_json_kstr(j, "domain", ws->domain);
    taut_json_kstr(j, "email_domain", no_str());
    taut_json_kopen(j, "icon", '{');
    taut_json_kbool(j, "image_default", 1);
    taut_json_close(j, '}');
    taut_json_close(j, '}');
}
