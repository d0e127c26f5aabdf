/* fuzz_json.c - libFuzzer target: what the check for plain JSON accepts, jansson accepts. */
#include <jansson.h>

#include "gateway/api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    json_error_t error;
    if (!json_is_plain(taut_str_n((const char *)data, size))) return 0;
    json_t *tree = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(tree)) abort();
    json_decref(tree);
    return 0;
}
