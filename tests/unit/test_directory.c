/* test_directory.c - what the directory takes as a name, a domain, an address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../modules/directory/names.c"

static taut_str long_text(size_t n) {
    static char text[512];
    memset(text, 'a', sizeof text);
    return taut_str_n(text, n);
}

static void names_are_lower_case_letters_digits_dots_dashes_and_underscores(void **state) {
    (void)state;
    static const char *const good[] = {"a", "ada", "user000001", "a.b_c-d", "9"};
    static const char *const bad[] = {"", "Ada", "a b", "ada!", "\xc3\xa4", "a/b", "@ada", "a\n"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) assert_true(name_valid(taut_str_z(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_false(name_valid(taut_str_z(bad[i])));
    assert_true(name_valid(long_text(80)));
    assert_false(name_valid(long_text(81)));
    assert_false(name_valid(taut_str_n("a\0b", 3)));
}

static void domains_have_no_dash_at_their_ends(void **state) {
    (void)state;
    assert_true(domain_valid(TAUT_LIT("taut-demo")));
    assert_false(domain_valid(TAUT_LIT("-a")));
    assert_false(domain_valid(TAUT_LIT("a-")));
    assert_false(domain_valid(TAUT_LIT("a.b")));
    assert_false(domain_valid(TAUT_LIT("")));
    assert_true(domain_valid(long_text(21)));
    assert_false(domain_valid(long_text(22)));
}

static void a_domain_is_made_of_a_name(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"Taut Demo", "taut-demo"},
        {"  Acme,  Inc. ", "acme-inc"},
        {"\xe6\x97\xa5\xe6\x9c\xac", ""},
        {"A name that is far longer than a domain", "a-name-that-is-far-lo"},
        {"abcdefghijklmnopqrst uvw", "abcdefghijklmnopqrst"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[DOMAIN_MAX_LEN];
        taut_str domain = domain_from_name(taut_str_z(cases[i][0]), out);
        assert_true(taut_str_is(domain, cases[i][1]));
        assert_true(domain.len == 0 || domain_valid(domain));
    }
}

static void titles_and_addresses_have_no_control_characters(void **state) {
    (void)state;
    assert_true(title_valid(TAUT_LIT("Ada \xc3\x84xample")));
    assert_false(title_valid(TAUT_LIT("")));
    assert_false(title_valid(TAUT_LIT("a\x1b[2J")));
    assert_false(title_valid(long_text(201)));
    assert_true(email_valid(TAUT_LIT("ada@example.org")));
    assert_false(email_valid(TAUT_LIT("ada")));
    assert_false(email_valid(TAUT_LIT("@example.org")));
    assert_false(email_valid(TAUT_LIT("ada@")));
    assert_false(email_valid(TAUT_LIT("a da@example.org")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_lower_case_letters_digits_dots_dashes_and_underscores),
        cmocka_unit_test(domains_have_no_dash_at_their_ends),
        cmocka_unit_test(a_domain_is_made_of_a_name),
        cmocka_unit_test(titles_and_addresses_have_no_control_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
