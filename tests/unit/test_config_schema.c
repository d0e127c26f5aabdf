/* test_config_schema.c - option tables as a JSON Schema: what an editor is told of each type. */
#include <jansson.h>
#include <stddef.h>

#include "config_harness.h"
#include "taut/json.h"

struct room {
    taut_str id;
    int64_t seats;
};
struct options {
    taut_str name, link;
    int64_t versions, strict, mode, size;
    double ratio;
    struct taut_array quotas, rooms, nets;
};
static const struct taut_opt room[] = {
    TAUT_OPT(struct room, id, TAUT_OPT_STR, .flags = TAUT_OPT_REQUIRED),
    TAUT_OPT(struct room, seats, TAUT_OPT_INT, .min = 2, .max = 9, .dflt = "4", .help = "chairs"),
};
static const struct taut_opt opts[] = {
    TAUT_OPT(struct options, name, TAUT_OPT_STR, .flags = TAUT_OPT_REQUIRED, .min = 1, .max = 9, .help = "its name"),
    TAUT_OPT(struct options, link, TAUT_OPT_URL, .choices = "http|https"),
    TAUT_OPT(struct options, versions, TAUT_OPT_FLAGS, .choices = "1.2|1.3|on", .dflt = "1.3, on"),
    TAUT_OPT(struct options, strict, TAUT_OPT_BOOL, .dflt = "yes", .flags = TAUT_OPT_LIVE, .help = "to the letter"),
    TAUT_OPT(struct options, mode, TAUT_OPT_ENUM, .choices = "off|full", .dflt = "off"),
    TAUT_OPT(struct options, size, TAUT_OPT_BYTES),
    TAUT_OPT(struct options, ratio, TAUT_OPT_FLOAT, .min = -1, .max = 1, .dflt = "0.5", .help = "part"),
    TAUT_OPT(struct options, quotas, TAUT_OPT_MAP, .item = TAUT_OPT_DURATION, .max_items = 5, .help = "times"),
    TAUT_OPT(struct options, rooms, TAUT_OPT_LIST, .item = TAUT_OPT_STRUCT, .options = TAUT_ARRAY(room),
             .item_size = sizeof(struct room), .max_items = 3, .help = "places"),
    TAUT_OPT(struct options, nets, TAUT_OPT_LIST, .item = TAUT_OPT_NET, .dflt = "::1, 10.0.0.0/8", .max_items = 7,
             .help = "from"),
};
#define REFERENCE "{\"$ref\":\"#/$defs/reference\"}"

static struct arena arena;
static json_t *schema;

static int set_up(void **state) {
    const struct schema_module list[] = {{"lodge", "rooms for people", TAUT_ARRAY(opts)}, {"plain", NULL, {0}}};
    struct taut_json j;
    json_error_t error;
    (void)state;
    arena_json(&arena, &j);
    config_schema(&arena, &j, list, COUNT_OF(list));
    schema = json_loadb(j.ptr, j.len, JSON_REJECT_DUPLICATES, &error);
    if (!schema) fail_msg("%s at %d: %.*s", error.text, error.position, (int)j.len, j.ptr);
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    json_decref(schema);
    arena_free(&arena);
    return 0;
}

static const json_t *lodge(void) {
    const json_t *items = json_object_get(json_object_get(schema, "properties"), "modules");
    items = json_object_get(json_object_get(items, "items"), "anyOf");
    const json_t *m = json_object_get(json_object_get(json_array_get(items, 1), "properties"), "lodge");
    return json_array_get(json_object_get(m, "anyOf"), 0);
}

static void is_json(const json_t *v, const char *text) {
    char *have = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
    assert_non_null(have);
    assert_string_equal(have, text);
    free(have);
}
static void option_is(const char *name, const char *text) {
    is_json(json_object_get(json_object_get(lodge(), "properties"), name), text);
}

static void scalars_have_their_types_limits_and_defaults(void **state) {
    (void)state;
    option_is("name", "{\"description\":\"its name (1 to 9 bytes)\",\"anyOf\":[{\"type\":[\"string\",\"number\","
                      "\"boolean\"],\"minLength\":1,\"maxLength\":9}," REFERENCE "]}");
    option_is("link",
              "{\"anyOf\":[{\"type\":\"string\",\"pattern\":\"^(http|https)://[^/\\\\s][^\\\\s]*$\"}," REFERENCE "]}");
    option_is("strict", "{\"description\":\"to the letter; a reload applies it\",\"anyOf\":[{\"enum\":[true,false,"
                        "\"yes\",\"no\",\"on\",\"off\"]}," REFERENCE "],\"default\":true}");
    option_is("size", "{\"anyOf\":[{\"type\":[\"string\",\"integer\"],\"pattern\":\"^[0-9]+(KiB|MiB|GiB)?$\","
                      "\"minimum\":0}," REFERENCE "]}");
    option_is(
        "ratio",
        "{\"description\":\"part (-1 to 1)\",\"anyOf\":[{\"type\":\"number\",\"minimum\":-1,\"maximum\":1}," REFERENCE
        "],\"default\":0.5}");
}

static void words_that_yaml_takes_for_something_else_are_that_as_well(void **state) {
    (void)state;
    option_is("mode", "{\"anyOf\":[{\"enum\":[\"off\",false,\"full\"]}," REFERENCE "],\"default\":\"off\"}");
    option_is("versions", "{\"type\":\"array\",\"items\":{\"enum\":[\"1.2\",1.2,\"1.3\",1.3,\"on\",true]},"
                          "\"default\":[\"1.3\",\"on\"]}");
}

static void lists_and_maps_say_what_their_items_are_and_how_many(void **state) {
    (void)state;
    option_is("quotas", "{\"description\":\"times (at most 5 items)\",\"type\":\"object\",\"maxProperties\":5,"
                        "\"additionalProperties\":{\"anyOf\":[{\"type\":[\"string\",\"integer\"],\"pattern\":"
                        "\"^[0-9]+(ms|s|m|h|d)$\",\"minimum\":0,\"maximum\":0}," REFERENCE "]}}");
    option_is("nets",
              "{\"description\":\"from (at most 7 items)\",\"type\":\"array\",\"maxItems\":7,\"items\":{\"anyOf\":["
              "{\"type\":\"string\",\"pattern\":\"^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$\"}," REFERENCE
              "]},\"default\":[\"::1\",\"10.0.0.0/8\"]}");
    option_is(
        "rooms",
        "{\"description\":\"places (at most 3 items)\",\"type\":\"array\",\"maxItems\":3,\"items\":{\"type\":"
        "\"object\",\"additionalProperties\":false,\"required\":[\"id\"],\"properties\":{\"id\":{"
        "\"anyOf\":[{\"type\":[\"string\",\"number\",\"boolean\"]}," REFERENCE "]},\"seats\":{"
        "\"description\":\"chairs (2 to 9)\",\"anyOf\":[{\"type\":\"integer\",\"minimum\":2,\"maximum\":9}," REFERENCE
        "],\"default\":4}}}}");
}

static void a_module_that_needs_options_cannot_stand_by_its_name_alone(void **state) {
    (void)state;
    is_json(json_object_get(lodge(), "required"), "[\"name\"]");
    const json_t *items = json_object_get(json_object_get(schema, "properties"), "modules");
    items = json_object_get(json_object_get(items, "items"), "anyOf");
    is_json(json_array_get(items, 0), "{\"enum\":[\"plain\"]}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_have_their_types_limits_and_defaults),
        cmocka_unit_test(words_that_yaml_takes_for_something_else_are_that_as_well),
        cmocka_unit_test(lists_and_maps_say_what_their_items_are_and_how_many),
        cmocka_unit_test(a_module_that_needs_options_cannot_stand_by_its_name_alone),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
