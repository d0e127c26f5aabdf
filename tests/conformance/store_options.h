/* store_options.h - fills a module's options struct as the server's configuration would: by its own option table. */
#ifndef TESTS_STORE_OPTIONS_H
#define TESTS_STORE_OPTIONS_H

#include "store_kit.h"

/* Defaults, then k->options. Ends the program when a text does not fit its option. */
void options_fill(struct kit *k);
/* Is there such an option? */
bool options_has(const struct kit *k, const char *name);

#endif
