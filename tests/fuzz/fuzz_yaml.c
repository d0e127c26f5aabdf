/* fuzz_yaml.c - libFuzzer target: any text as taut.yaml. What is accepted must print as a configuration that is
 * accepted and prints the same. */
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct config_override none = {0};
    struct config *c = config_read_text("fuzz.yaml", taut_str_n((const char *)data, size), &none);
    for (uint32_t i = 0; i < c->errors.n; i++)
        if (!c->errors.list[i].len) abort();
    if (!c->errors.n) {
        char *first = config_print(c);
        struct config *again = config_read_text("printed.yaml", taut_str_z(first), &none);
        if (again->errors.n) panic("%.*s", (int)again->errors.list[0].len, again->errors.list[0].ptr);
        char *second = config_print(again);
        if (strcmp(first, second) != 0) panic("prints differently:\n%s\n---\n%s", first, second);
        free(first);
        free(second);
        config_free(again);
    }
    config_free(c);
    return 0;
}
