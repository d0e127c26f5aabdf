/* test_conversation.c - the parts of modules/conversation that need no store: texts, permission, shapes of messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../modules/conversation/channels.c"
#include "../../modules/conversation/may.c"
#include "../../modules/conversation/parts.c"
#include "../../modules/conversation/shapes.c"
#include "../../modules/conversation/tables.c"
#include "../../modules/conversation/text.c"
#include "taut/page.h"

static void same(taut_str got, const char *want) {
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.ptr, want, got.len);
}

/* ---- text.h ---- */

static void times_are_written_with_six_digits(void **state) {
    char out[STAMP_SIZE];
    (void)state;
    same(stamp_write(out, 1512085950000216), "1512085950.000216");
    same(stamp_write(out, 0), "0000000000.000000");
    same(stamp_write(out, -5), "0000000000.000000");
    same(stamp_write(out, INT64_MAX), "9223372036854.775807");
}

static void times_are_read_back(void **state) {
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        {"1512085950.000216", 1512085950000216},
        {"1512085950", 1512085950000000},
        {"1512085950.5", 1512085950500000},
        {"0", 0},
        {"", -1},
        {".5", -1},
        {"12a", -1},
        {"12.a", -1},
        {"12.0000001", -1},
        {"-1", -1},
        {"1234567890123", -1},
        {"now", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(stamp_read(taut_str_z(cases[i].text)), cases[i].us);
}

static void bounds_of_time_may_have_more_digits(void **state) {
    (void)state;
    assert_int_equal(stamp_read_bound(TAUT_LIT("1512085950.0002169")), 1512085950000216);
    assert_int_equal(stamp_read_bound(TAUT_LIT("1512085950.123456789")), 1512085950123456);
    assert_int_equal(stamp_read_bound(TAUT_LIT("1512085950")), 1512085950000000);
    assert_int_equal(stamp_read_bound(TAUT_LIT("1512085950.0002169x")), -1);
    assert_int_equal(stamp_read_bound(TAUT_LIT("now")), -1);
}

static void channel_names_follow_the_rules(void **state) {
    static const struct {
        const char *name, *error;
    } cases[] = {
        {"general", NULL},
        {"a-b_c-9", NULL},
        {"caf\xc3\xa9", NULL},
        {"\xe6\x97\xa5\xe6\x9c\xac", NULL},
        {"", "invalid_name_required"},
        {"  ", "invalid_name_required"},
        {"---", "invalid_name_punctuation"},
        {"___", "invalid_name_punctuation"},
        {"...", "invalid_name_punctuation"},
        {"General", "invalid_name_specials"},
        {"a b", "invalid_name_specials"},
        {"a.b", "invalid_name_specials"},
        {"#general", "invalid_name_specials"},
        {"\xc3\x89t\xc3\xa9", "invalid_name_specials"},
        {"smile\xf0\x9f\x98\x80", "invalid_name_specials"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *error = channel_name_error(taut_str_z(cases[i].name));
        if (cases[i].error) assert_string_equal(error, cases[i].error);
        else assert_null(error);
    }
}

static void channel_names_have_no_character_that_nobody_sees(void **state) {
    static const uint32_t bad[] = {0x130,  0x34f,  0x61c,  0x115f, 0x1160, 0x17b4, 0x17b5, 0x180b, 0x180e,
                                   0x200b, 0x200e, 0x202a, 0x202e, 0x2060, 0x2066, 0x2069, 0x3164, 0xffa0};
    char name[8] = "a";
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        size_t n = 1;
        if (bad[i] >= 0x800) name[n++] = (char)(0xe0 | bad[i] >> 12), name[n++] = (char)(0x80 | (bad[i] >> 6 & 63));
        else name[n++] = (char)(0xc0 | bad[i] >> 6);
        name[n++] = (char)(0x80 | (bad[i] & 63));
        assert_string_equal(channel_name_error(taut_str_n(name, n)), "invalid_name_specials");
    }
    assert_null(channel_name_error(TAUT_LIT("e\xcc\x81t\xc3\xa9"))); /* a mark joins the letter before it */
    assert_string_equal(channel_name_error(TAUT_LIT("\xcc\x81x")), "invalid_name_specials");
    assert_string_equal(channel_name_error(TAUT_LIT("\xe3\x82\x99x")), "invalid_name_specials");
}

static void a_channel_name_has_at_most_80_characters(void **state) {
    char name[2 * 81];
    (void)state;
    for (size_t i = 0; i < sizeof name; i += 2) memcpy(name + i, "\xc3\xa9", 2);
    assert_null(channel_name_error(taut_str_n(name, sizeof name - 2)));
    assert_string_equal(channel_name_error(taut_str_n(name, sizeof name)), "invalid_name_maxlength");
}

static void reaction_names_follow_the_rules(void **state) {
    static const char *const good[] = {"thumbsup", "+1", "man-shrugging", "wave::skin-tone-3", "\xc3\xa9t\xc3\xa9"};
    static const char *const bad[] = {"", ":wave:", "a b", "Wave", "a:b", "a\"b", "wave::x"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) assert_true(reaction_name_ok(taut_str_z(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_false(reaction_name_ok(taut_str_z(bad[i])));
}

static void texts_are_counted_and_cut_by_characters(void **state) {
    (void)state;
    assert_int_equal(text_length(TAUT_LIT("a\xc3\xa9\xf0\x9f\x98\x80")), 3);
    same(text_cut(TAUT_LIT("a\xc3\xa9\xf0\x9f\x98\x80"), 2), "a\xc3\xa9");
    same(text_cut(TAUT_LIT("\xc3\xa9\xc3\xa9"), 2), "\xc3\xa9\xc3\xa9");
    same(text_cut(TAUT_LIT("abc"), 0), "");
    assert_true(text_blank(TAUT_LIT(" \n\t")));
    assert_false(text_blank(TAUT_LIT(" a")));
}

static void what_is_no_utf8_is_no_text(void **state) {
    static const char *const good[] = {
        "", "a", "\xc3\xa9", "\xe2\x82\xac", "\xed\x9f\xbf", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\xff",
                                      "\x80",
                                      "\xc3",
                                      "\xc0\xaf",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xe2\x82",
                                      "a\xc3(",
                                      "\xf5\x80\x80\x80"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) assert_true(text_is_utf8(taut_str_z(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(text_is_utf8(taut_str_z(bad[i])));
}

static void lists_are_walked_item_by_item(void **state) {
    taut_str rest = TAUT_LIT(",a,,bc,"), item;
    (void)state;
    assert_int_equal(list_count(rest), 2);
    assert_true(list_has(rest, TAUT_LIT("bc")));
    assert_false(list_has(rest, TAUT_LIT("b")));
    assert_true(list_next(&rest, &item));
    same(item, "a");
    assert_true(list_next(&rest, &item));
    same(item, "bc");
    assert_false(list_next(&rest, &item));
}

/* ---- parts.h ---- */

static void parts_are_what_their_names_say(void **state) {
    static const struct {
        const char *blocks, *attachments, *metadata;
        const char *error;
    } cases[] = {
        {.blocks = "", .error = NULL},
        {.blocks = "[]", .attachments = "[]", .metadata = "{}", .error = NULL},
        {.blocks = "[{\"type\":\"divider\"}]", .error = NULL},
        {.blocks = "{}", .error = "invalid_blocks_format"},
        {.blocks = "[1]", .error = "invalid_blocks"},
        {.blocks = "[{}]", .error = "invalid_blocks"},
        {.blocks = "[{\"type\":1}]", .error = "invalid_blocks"},
        {.blocks = "[{\"type\":\"a\"},\"b\"]", .error = "invalid_blocks"},
        {.attachments = "{}", .error = "invalid_attachments"},
        {.attachments = "[\"a\"]", .error = "invalid_attachments"},
        {.attachments = "[{\"text\":\"a\"}]", .error = NULL},
        {.metadata = "[]", .error = "invalid_metadata_format"},
        {.metadata = "{\"event_type\":\"a\"}", .error = "invalid_metadata_schema"},
        {.metadata = "{\"event_type\":1,\"event_payload\":{}}", .error = "invalid_metadata_schema"},
        {.metadata = "{\"event_type\":\"a\",\"event_payload\":[]}", .error = "invalid_metadata_schema"},
        {.metadata = "{\"event_type\":\"a\",\"event_payload\":{}}", .error = NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct parts parts = {taut_str_z(cases[i].blocks), taut_str_z(cases[i].attachments),
                                    taut_str_z(cases[i].metadata)};
        const char *error = parts_error(&parts);
        if (cases[i].error) assert_string_equal(error, cases[i].error);
        else assert_null(error);
    }
}

static void a_message_has_at_most_50_blocks(void **state) {
    enum { BLOCK = 13 };
    char text[51 * BLOCK + 1];
    (void)state;
    for (size_t i = 0; i < 51; i++) memcpy(text + i * BLOCK, i ? ",{\"type\":\"a\"}" : "[{\"type\":\"a\"}", BLOCK);
    text[51 * BLOCK] = ']';
    assert_string_equal(parts_error(&(struct parts){.blocks = taut_str_n(text, sizeof text)}), "invalid_blocks");
    text[50 * BLOCK] = ']';
    assert_null(parts_error(&(struct parts){.blocks = taut_str_n(text, 50 * BLOCK + 1)}));
}

static void an_empty_list_is_no_part(void **state) {
    (void)state;
    assert_false(parts_shown(&(struct parts){.blocks = TAUT_LIT("[]"), .metadata = TAUT_LIT("{\"a\":1}")}));
    assert_true(parts_shown(&(struct parts){.attachments = TAUT_LIT("[{}]")}));
    same(part_kept(TAUT_LIT("{}")), "");
    same(part_kept(TAUT_LIT("[{}]")), "[{}]");
}

/* ---- taut/page.h ---- */

static void cursors_come_back(void **state) {
    char out[TAUT_CURSOR_SIZE], in[TAUT_CURSOR_SIZE];
    taut_str value = {"", 0}, cursor = taut_cursor_write(out, "user", TAUT_LIT("U061NFTT2"));
    (void)state;
    same(cursor, "dXNlcjpVMDYxTkZUVDI=");
    assert_true(taut_cursor_read(cursor, "user", in, &value));
    same(value, "U061NFTT2");
    assert_false(taut_cursor_read(cursor, "next_ts", in, &value));
    assert_false(taut_cursor_read(TAUT_LIT("!!"), "user", in, &value));
    assert_false(taut_cursor_read(TAUT_LIT("dXNlcjo="), "user", in, &value));
    assert_false(taut_cursor_read(TAUT_LIT("dXNl\0A=="), "user", in, &value));
}

static void cursors_of_every_length_come_back(void **state) {
    char text[80], out[TAUT_CURSOR_SIZE], in[TAUT_CURSOR_SIZE];
    taut_str value;
    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t n = 1; n <= sizeof text; n++) {
        assert_true(taut_cursor_read(taut_cursor_write(out, "k", taut_str_n(text, n)), "k", in, &value));
        assert_int_equal(value.len, n);
    }
}

static void a_limit_is_a_number_above_zero(void **state) {
    (void)state;
    assert_int_equal(taut_limit_read(TAUT_LIT(""), 7), 7);
    assert_int_equal(taut_limit_read(TAUT_LIT("1"), 7), 1);
    assert_int_equal(taut_limit_read(TAUT_LIT("1000"), 7), 1000);
    assert_int_equal(taut_limit_read(TAUT_LIT("1001"), 7), 1000);
    assert_int_equal(taut_limit_read(TAUT_LIT("99999999999999999999"), 7), 1000);
    static const char *const bad[] = {"0", "-1", "ten", "1.5", " 5", "5x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_int_equal(taut_limit_read(taut_str_z(bad[i]), 7), 0);
}

/* ---- may.h ---- */

static const char *ask(uint32_t action, uint32_t kind, uint32_t is_member, const char *author, uint32_t flags) {
    struct taut_actor actor = {.user = TAUT_LIT("U1"), .flags = flags};
    struct taut_channel ch = {.kind = kind, .is_member = is_member};
    const char *error = may_error(action, &ch, &actor, taut_str_z(author));
    return error ? error : "ok";
}

static void strangers_to_private_channels_learn_nothing(void **state) {
    static const uint32_t kinds[] = {TAUT_CH_PRIVATE, TAUT_CH_IM, TAUT_CH_MPIM};
    (void)state;
    for (uint32_t action = 0; action <= TAUT_ACT_DELETE + 1; action++)
        for (size_t i = 0; i < 3; i++)
            assert_string_equal(ask(action, kinds[i], 0, "U1", TAUT_ACTOR_OWNER), "channel_not_found");
}

static void public_channels_are_open_to_read_and_join(void **state) {
    (void)state;
    assert_string_equal(ask(TAUT_ACT_SEE, TAUT_CH_PUBLIC, 0, "", 0), "ok");
    assert_string_equal(ask(TAUT_ACT_READ, TAUT_CH_PUBLIC, 0, "", 0), "ok");
    assert_string_equal(ask(TAUT_ACT_JOIN, TAUT_CH_PUBLIC, 0, "", 0), "ok");
    assert_string_equal(ask(TAUT_ACT_POST, TAUT_CH_PUBLIC, 0, "", 0), "not_in_channel");
    assert_string_equal(ask(TAUT_ACT_REACT, TAUT_CH_PUBLIC, 0, "", 0), "not_in_channel");
    assert_string_equal(ask(TAUT_ACT_MARK, TAUT_CH_PUBLIC, 0, "", 0), "not_in_channel");
    assert_string_equal(ask(TAUT_ACT_INVITE, TAUT_CH_PUBLIC, 0, "", 0), "not_in_channel");
    assert_string_equal(ask(TAUT_ACT_POST, TAUT_CH_PUBLIC, 1, "", 0), "ok");
}

static void dms_have_no_membership_to_change(void **state) {
    static const uint32_t actions[] = {TAUT_ACT_JOIN, TAUT_ACT_INVITE, TAUT_ACT_KICK, TAUT_ACT_LEAVE};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(ask(actions[i], TAUT_CH_IM, 1, "", 0), "method_not_supported_for_channel_type");
        assert_string_equal(ask(actions[i], TAUT_CH_MPIM, 1, "", 0), "method_not_supported_for_channel_type");
    }
    assert_string_equal(ask(TAUT_ACT_POST, TAUT_CH_IM, 1, "", 0), "ok");
}

static void only_authors_edit_and_only_they_and_admins_delete(void **state) {
    (void)state;
    assert_string_equal(ask(TAUT_ACT_EDIT, TAUT_CH_PUBLIC, 1, "U1", 0), "ok");
    assert_string_equal(ask(TAUT_ACT_EDIT, TAUT_CH_PUBLIC, 1, "U2", TAUT_ACTOR_OWNER), "cant_update_message");
    assert_string_equal(ask(TAUT_ACT_EDIT, TAUT_CH_PUBLIC, 1, "", 0), "cant_update_message");
    assert_string_equal(ask(TAUT_ACT_DELETE, TAUT_CH_PUBLIC, 1, "U2", 0), "cant_delete_message");
    assert_string_equal(ask(TAUT_ACT_DELETE, TAUT_CH_PUBLIC, 1, "U2", TAUT_ACTOR_ADMIN), "ok");
    assert_string_equal(ask(TAUT_ACT_DELETE, TAUT_CH_PUBLIC, 1, "U1", 0), "ok");
}

static void archived_channels_are_for_reading(void **state) {
    struct taut_actor actor = {.user = TAUT_LIT("U1")};
    struct taut_channel ch = {.kind = TAUT_CH_PUBLIC, .is_member = 1, .is_archived = 1};
    (void)state;
    assert_null(may_error(TAUT_ACT_READ, &ch, &actor, TAUT_LIT("")));
    assert_null(may_error(TAUT_ACT_MARK, &ch, &actor, TAUT_LIT("")));
    assert_string_equal(may_error(TAUT_ACT_POST, &ch, &actor, TAUT_LIT("")), "is_archived");
    assert_string_equal(may_error(TAUT_ACT_JOIN, &ch, &actor, TAUT_LIT("")), "is_archived");
    assert_string_equal(may_error(TAUT_ACT_EDIT, &ch, &actor, TAUT_LIT("U1")), "is_inactive");
}

static void nobody_leaves_the_general_channel(void **state) {
    struct taut_actor actor = {.user = TAUT_LIT("U1"), .flags = TAUT_ACTOR_OWNER};
    struct taut_channel ch = {.kind = TAUT_CH_PUBLIC, .is_member = 1, .is_general = 1};
    (void)state;
    assert_string_equal(may_error(TAUT_ACT_LEAVE, &ch, &actor, TAUT_LIT("")), "cant_leave_general");
    assert_string_equal(may_error(TAUT_ACT_KICK, &ch, &actor, TAUT_LIT("")), "cant_kick_from_general");
}

static void an_unknown_action_is_refused(void **state) {
    (void)state;
    assert_string_equal(ask(0, TAUT_CH_PUBLIC, 1, "", 0), "method_not_supported_for_channel_type");
    assert_string_equal(ask(TAUT_ACT_DELETE + 1, TAUT_CH_PUBLIC, 1, "", 0), "method_not_supported_for_channel_type");
}

/* ---- shapes.h ---- */

struct writer {
    struct taut_json json;
    char text[4096];
};
static int32_t full(struct taut_json *j, size_t need) {
    (void)j;
    (void)need;
    return TAUT_E_NOMEM;
}
static struct taut_json *writer_init(struct writer *w) {
    w->json = (struct taut_json){.ptr = w->text, .cap = sizeof w->text, .grow = full};
    return &w->json;
}

static void a_plain_message_looks_as_people_expect(void **state) {
    const struct message ms = {.user = TAUT_LIT("U1"), .text = TAUT_LIT("a \"b\""), .ts = 1512085950000216};
    struct writer w;
    struct taut_json *j = writer_init(&w);
    (void)state;
    shape_message(j, TAUT_LIT("T1"), &ms, NULL);
    same(taut_json_out(j), "{\"type\":\"message\",\"user\":\"U1\",\"text\":\"a \\\"b\\\"\","
                           "\"ts\":\"1512085950.000216\",\"team\":\"T1\"}");
}

static void the_event_of_a_message_adds_where_it_is(void **state) {
    const struct channel ch = {.pub = {.id = TAUT_LIT("D1"), .kind = TAUT_CH_IM}};
    struct writer w;
    struct taut_json *j = writer_init(&w);
    (void)state;
    shape_message_event(j, TAUT_LIT("{\"type\":\"message\"}"), &ch, 1000000, TAUT_LIT(""));
    same(taut_json_out(j), "{\"type\":\"message\",\"channel\":\"D1\",\"channel_type\":\"im\","
                           "\"event_ts\":\"0000000001.000000\"}");
}

static void a_parent_shows_its_thread(void **state) {
    const struct message ms = {
        .user = TAUT_LIT("U1"),
        .text = TAUT_LIT("x"),
        .ts = 1000000,
        .reply_count = 7,
        .latest_reply = 3000000,
        .reply_users = {TAUT_LIT("U1"), TAUT_LIT("U2"), TAUT_LIT("U3"), TAUT_LIT("U4"), TAUT_LIT("U5")},
        .reply_users_count = 6};
    struct writer w;
    struct taut_json *j = writer_init(&w);
    (void)state;
    shape_message(j, TAUT_LIT("T1"), &ms, NULL);
    same(taut_json_out(j),
         "{\"type\":\"message\",\"user\":\"U1\",\"text\":\"x\",\"ts\":\"0000000001.000000\",\"team\":\"T1\","
         "\"thread_ts\":\"0000000001.000000\",\"reply_count\":7,\"reply_users_count\":6,"
         "\"latest_reply\":\"0000000003.000000\",\"reply_users\":[\"U1\",\"U2\",\"U3\",\"U4\",\"U5\"],"
         "\"is_locked\":false}");
}

static void reactions_are_shown_under_a_message(void **state) {
    const taut_str users[] = {TAUT_LIT("U1"), TAUT_LIT("U2")};
    const struct reaction wave = {TAUT_LIT("wave"), users, 2};
    const struct reaction_list list = {&wave, 1};
    const struct message ms = {.user = TAUT_LIT("U1"), .text = TAUT_LIT(""), .ts = 1000000};
    struct writer w;
    struct taut_json *j = writer_init(&w);
    (void)state;
    shape_message(j, TAUT_LIT("T1"), &ms, &list);
    same(taut_json_out(j),
         "{\"type\":\"message\",\"user\":\"U1\",\"text\":\"\",\"ts\":\"0000000001.000000\","
         "\"team\":\"T1\",\"reactions\":[{\"name\":\"wave\",\"users\":[\"U1\",\"U2\"],\"count\":2}]}");
}

static void a_stone_without_replies_is_gone(void **state) {
    struct taut_val vals[MS_COLUMNS] = {[MS_SUBTYPE] = taut_v_str(TAUT_LIT("tombstone"))};
    const struct taut_row row = {.ncols = MS_COLUMNS, .vals = vals};
    (void)state;
    vals[MS_REPLY_COUNT] = taut_v_int(0);
    assert_true(message_is_gone(&row));
    vals[MS_REPLY_COUNT] = taut_v_int(1);
    assert_false(message_is_gone(&row));
    assert_true(message_is_stone(&row));
    vals[MS_SUBTYPE] = taut_v_null();
    vals[MS_REPLY_COUNT] = taut_v_int(0);
    assert_false(message_is_gone(&row));
}

static void the_message_of_a_bot_has_a_whole_profile(void **state) {
    const struct taut_bot bot = {.id = TAUT_LIT("B1"), .app = TAUT_LIT("A1"), .name = TAUT_LIT("beep"), .updated = 5};
    const struct message ms = {
        .user = TAUT_LIT("U1"), .bot_id = bot.id, .bot = &bot, .text = TAUT_LIT("x"), .ts = 1000000};
    struct writer w;
    struct taut_json *j = writer_init(&w);
    (void)state;
    shape_message(j, TAUT_LIT("T1"), &ms, NULL);
    same(taut_json_out(j), "{\"type\":\"message\",\"user\":\"U1\",\"bot_id\":\"B1\",\"app_id\":\"A1\","
                           "\"bot_profile\":{\"id\":\"B1\",\"deleted\":false,\"name\":\"beep\",\"updated\":5,"
                           "\"app_id\":\"A1\",\"icons\":{},\"team_id\":\"T1\"},\"text\":\"x\","
                           "\"ts\":\"0000000001.000000\",\"team\":\"T1\"}");
}

static void replies_stay_out_of_the_channel_unless_broadcast(void **state) {
    const struct message root = {.ts = 1}, reply = {.ts = 2, .thread_ts = 1},
                         loud = {.ts = 3, .thread_ts = 1, .subtype = TAUT_LIT("thread_broadcast")};
    (void)state;
    assert_true(message_in_channel(&root));
    assert_false(message_in_channel(&reply));
    assert_true(message_in_channel(&loud));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_written_with_six_digits),
        cmocka_unit_test(times_are_read_back),
        cmocka_unit_test(bounds_of_time_may_have_more_digits),
        cmocka_unit_test(channel_names_follow_the_rules),
        cmocka_unit_test(channel_names_have_no_character_that_nobody_sees),
        cmocka_unit_test(a_channel_name_has_at_most_80_characters),
        cmocka_unit_test(reaction_names_follow_the_rules),
        cmocka_unit_test(texts_are_counted_and_cut_by_characters),
        cmocka_unit_test(cursors_come_back),
        cmocka_unit_test(cursors_of_every_length_come_back),
        cmocka_unit_test(what_is_no_utf8_is_no_text),
        cmocka_unit_test(lists_are_walked_item_by_item),
        cmocka_unit_test(parts_are_what_their_names_say),
        cmocka_unit_test(a_message_has_at_most_50_blocks),
        cmocka_unit_test(an_empty_list_is_no_part),
        cmocka_unit_test(a_limit_is_a_number_above_zero),
        cmocka_unit_test(strangers_to_private_channels_learn_nothing),
        cmocka_unit_test(public_channels_are_open_to_read_and_join),
        cmocka_unit_test(dms_have_no_membership_to_change),
        cmocka_unit_test(only_authors_edit_and_only_they_and_admins_delete),
        cmocka_unit_test(archived_channels_are_for_reading),
        cmocka_unit_test(nobody_leaves_the_general_channel),
        cmocka_unit_test(an_unknown_action_is_refused),
        cmocka_unit_test(a_plain_message_looks_as_people_expect),
        cmocka_unit_test(the_event_of_a_message_adds_where_it_is),
        cmocka_unit_test(a_parent_shows_its_thread),
        cmocka_unit_test(reactions_are_shown_under_a_message),
        cmocka_unit_test(a_stone_without_replies_is_gone),
        cmocka_unit_test(the_message_of_a_bot_has_a_whole_profile),
        cmocka_unit_test(replies_stay_out_of_the_channel_unless_broadcast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
