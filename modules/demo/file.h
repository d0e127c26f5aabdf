/* file.h - small files, read and written whole. Blocking: for commands, before or without a server. */
#ifndef DEMO_FILE_H
#define DEMO_FILE_H

#include "taut/taut.h"

/* The whole file, in memory of the call; *out empty when there is no such file. TAUT_E_IO: it cannot be read. */
int32_t file_read(struct taut_call *c, const char *path, size_t max, taut_str *out);
/* Whole or not at all, 0600, on disk when it returns. */
int32_t file_write(struct taut_call *c, const char *path, taut_str text);

#endif
