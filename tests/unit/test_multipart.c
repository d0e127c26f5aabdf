/* test_multipart.c - multipart/form-data taken apart: whole, and cut in two at every place, which makes no difference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#include "gateway/multipart.h"

/* What the parser said, as text: [name|filename|type:data]… */
static struct {
    char text[16384];
    size_t len;
    bool open;
} seen;

static void put(const char *p, size_t n) {
    if (seen.len + n > sizeof seen.text - 1) return;
    memcpy(seen.text + seen.len, p, n);
    seen.len += n;
    seen.text[seen.len] = 0;
}
static void put_text(taut_str s) {
    put(s.ptr, s.len);
}

static void on_part(void *arg, const struct multipart_part *p) {
    (void)arg;
    put(seen.open ? "][" : "[", seen.open ? 2 : 1);
    seen.open = true;
    put_text(p->name);
    if (p->is_file) put("|", 1), put_text(p->filename);
    if (p->content_type.len) put("|", 1), put_text(p->content_type);
    put(":", 1);
}
static void on_data(void *arg, const char *p, size_t n) {
    (void)arg;
    assert_true(n > 0);
    put(p, n);
}

/* The error, or NULL; seen.text has what came. cut: bytes of the first piece. */
static const char *parse(const char *boundary, const char *body, size_t len, size_t cut) {
    static struct multipart m;
    memset(&m, 0, sizeof m);
    m.on_part = on_part;
    m.on_data = on_data;
    seen.len = 0;
    seen.text[0] = 0;
    seen.open = false;
    if (!multipart_init(&m, taut_str_z(boundary))) return "no boundary";
    /* Exactly as long as they are: a sanitizer sees a read past an end. */
    char *first = malloc(cut + 1), *second = malloc(len - cut + 1);
    memcpy(first, body, cut);
    memcpy(second, body + cut, len - cut);
    first = realloc(first, cut + !cut);
    second = realloc(second, len - cut + (len == cut));
    const char *wrong = multipart_feed(&m, first, cut);
    if (!wrong) wrong = multipart_feed(&m, second, len - cut);
    free(first);
    free(second);
    if (!wrong) wrong = multipart_end(&m);
    if (seen.open) put("]", 1);
    return wrong;
}

static void gives(const char *body, const char *expected, const char *error) {
    size_t len = strlen(body);
    for (size_t cut = 0; cut <= len; cut++) {
        const char *wrong = parse("b", body, len, cut);
        if ((wrong != NULL) != (error != NULL) || (error && strcmp(wrong, error) != 0))
            fail_msg("cut at %zu: %s", cut, wrong ? wrong : "no error");
        if (expected && strcmp(seen.text, expected) != 0) fail_msg("cut at %zu: %s", cut, seen.text);
    }
}

#define PART(name) "--b\r\nContent-Disposition: form-data; name=" name "\r\n\r\n"
#define END "\r\n--b--"

static void parts_have_names_files_and_types(void **state) {
    (void)state;
    gives(PART("one") "1" END, "[one:1]", NULL);
    gives(PART("\"a b\"") "1\r\n"
                          "--b\r\ncontent-type: image/png \r\nCONTENT-DISPOSITION: form-data; filename=\"x;y.png\"; "
                          "name=\"f\"\r\n\r\n"
                          "\x89PNG\r\n\r\n" END "\r\n",
          "[a b:1][f|x;y.png|image/png:\x89PNG\r\n\r\n]", NULL);
    gives("--b\r\nContent-Disposition: form-data; name=\"q\\\"u\\\\o; name=\\\"no\"; filename=\"\"\r\n\r\n" END,
          "[q\"u\\o; name=\"no|:]", NULL);
    gives("--b\r\nContent-Disposition: form-data; name=f; filename=\"a.txt\"; "
          "filename*=UTF-8''%e2%82%ac%20x.txt\r\n\r\n" END,
          "[f|\xe2\x82\xac x.txt:]", NULL);
    gives("--b\r\nContent-Disposition: form-data; name=f; filename=\"a.txt\"; filename*=latin1''x\r\n\r\n" END,
          "[f|a.txt:]", NULL);
}

static void parts_may_be_empty_and_there_may_be_none(void **state) {
    (void)state;
    gives(PART("a") "\r\n" PART("b") END, "[a:][b:]", NULL);
    gives(PART("a") "--b--", "[a:]", NULL);
    gives("--b--", "", NULL);
    gives("--b--\r\nwhat follows is nobody's\r\n" PART("x") "y" END, "", NULL);
}

static void what_stands_before_and_between_is_read_over(void **state) {
    (void)state;
    gives("This is a preamble.\r\n--bogus"
          "\r\n",
          NULL, "a boundary is followed by something else");
    gives("This is a preamble.\r\n-- b\r\n" PART("a") "1" END, "[a:1]", NULL);
    gives("\r\n--b \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b  --", NULL, NULL);
}

static void what_is_nearly_a_boundary_is_data(void **state) {
    (void)state;
    gives(PART("a") "\r\n-\r\n--\r\n--B\r\n\r\r\n--c" END, "[a:\r\n-\r\n--\r\n--B\r\n\r\r\n--c]", NULL);
    gives(PART("a") "--b is none\n--b\r--b" END, NULL, "a boundary is followed by something else");
    gives(PART("a") "x--b is none\n--b\r--b\r" END, "[a:x--b is none\n--b\r--b\r]", NULL);
    gives(PART("a") "-" END, "[a:-]", NULL);
}

static void bad_bodies_say_what_is_wrong(void **state) {
    (void)state;
    static const char late[] = "the multipart body ends without its last boundary";
    gives("", "", late);
    gives(PART("a") "1", NULL, late);
    gives(PART("a") "1\r\n--b", NULL, late);
    gives(PART("a") "1\r\n--b-", NULL, late);
    gives(PART("a") "1\r\n--b\r\nContent-Disposition: form-data; name=x", NULL, late);
    gives("--b\r\n\r\n1" END, "", "a part has no name");
    gives("--b\r\nContent-Disposition: form-data; filename=x\r\n\r\n1" END, "", "a part has no name");
    gives("--b\r\nX: y\r\n z\r\n\r\n" END, "", "a header of a part is folded over two lines");
    gives("--b\r\nX\r\n\r\n" END, "", "a header of a part has no colon");
    gives("--b\nX: y\r\n\r\n" END, "", "a boundary is followed by something else");
    gives("--b\r\nX: y\n\r\n" END, "", "a line of a part's head does not end in CRLF");
    gives("--b\r\nX: \x01\r\n\r\n" END, "", "a control character in a part's head");
    gives("--b\r\nContent-Disposition: form-data; name=\xff\r\n\r\n" END, "",
          "a name in the multipart body is not UTF-8");
    gives("--b\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: form-data; name=a\r\n\r\n" END, "",
          "a part has a transfer encoding");
    gives("--b\r\nContent-Transfer-Encoding: binary\r\nContent-Disposition: form-data; name=a\r\n\r\n" END, "[a:]",
          NULL);
}

static void boundaries_have_their_letters(void **state) {
    (void)state;
    char longest[80];
    memset(longest, 'x', sizeof longest);
    longest[70] = 0;
    assert_null(parse("a b", "--a b--", 7, 3));
    assert_string_equal(parse("", "----", 4, 0), "no boundary");
    assert_string_equal(parse("a ", "--a --", 6, 0), "no boundary");
    assert_string_equal(parse("a\"b", "", 0, 0), "no boundary");
    assert_string_equal(parse("a\r", "", 0, 0), "no boundary");
    assert_string_not_equal(parse(longest, "", 0, 0), "no boundary");
    longest[70] = 'x', longest[71] = 0;
    assert_string_equal(parse(longest, "", 0, 0), "no boundary");
}

static void every_length_has_its_limit(void **state) {
    (void)state;
    static char body[65536];
    size_t n = 0;
    for (int i = 0; i < 65; i++) n += (size_t)sprintf(body + n, "%s" PART("a"), i ? "\r\n" : "");
    strcpy(body + n, END);
    assert_string_equal(parse("b", body, strlen(body), 100), "the multipart body has more than 64 parts");
    n = (size_t)sprintf(body, "--b\r\nX: ");
    memset(body + n, 'x', 5000);
    assert_string_equal(parse("b", body, n + 5000, 10), "the head of a part is too long");
    n = (size_t)sprintf(body, "--b\r\nContent-Disposition: form-data; name=");
    memset(body + n, 'x', 257);
    strcpy(body + n + 257, "\r\n\r\n" END);
    assert_string_equal(parse("b", body, strlen(body), 10), "the name of a part is too long");
    n = (size_t)sprintf(body, "--b\r\nContent-Disposition: form-data; name=a; filename=");
    memset(body + n, 'x', 1025);
    strcpy(body + n + 1025, "\r\n\r\n" END);
    assert_string_equal(parse("b", body, strlen(body), 10), "a file's name is too long");
}

/* The values of a head are copied, each once: however long they are, they do not outgrow it. */
static void the_head_of_a_part_may_be_full_of_one_value(void **state) {
    (void)state;
    static const char *const keys[] = {"name", "filename", "filename*", "x"};
    static char body[8192];
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        size_t n = (size_t)sprintf(body, "--b\r\nContent-Disposition: form-data; name=a; %s=\"", keys[i]);
        memset(body + n, 'x', 4000);
        strcpy(body + n + 4000, "\"; y=z\r\n\r\n" END);
        if (i == 0) memcpy(strstr(body, "; name=a;"), "; nome=a;", 9);
        const char *wrong = parse("b", body, strlen(body), 10);
        assert_string_equal(wrong ? wrong : "", i == 0   ? "the name of a part is too long"
                                                : i == 1 ? "a file's name is too long"
                                                         : "");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_have_names_files_and_types),
        cmocka_unit_test(parts_may_be_empty_and_there_may_be_none),
        cmocka_unit_test(what_stands_before_and_between_is_read_over),
        cmocka_unit_test(what_is_nearly_a_boundary_is_data),
        cmocka_unit_test(bad_bodies_say_what_is_wrong),
        cmocka_unit_test(boundaries_have_their_letters),
        cmocka_unit_test(every_length_has_its_limit),
        cmocka_unit_test(the_head_of_a_part_may_be_full_of_one_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
