/* power.h - what a directory would hold if the power went now: what was synced, and of the rest any part, in sectors.
 *
 * A write, a truncation, a new name, a rename or a removal stays pending until its file, or the directory, is synced.
 * A sync that fails leaves what it was for neither pending nor on disk: the kernel has forgotten it, as Linux does.
 * Under the disk's lock.
 */
#ifndef TESTS_POWER_H
#define TESTS_POWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void power_track(const char *dir); /* what is in it now is on disk; NULL: forgets everything */
bool power_knows(const char *path);
void power_create(const char *path);
void power_write(const char *path, int64_t at, const void *data, size_t n);
void power_truncate(const char *path, int64_t size);
void power_sync(const char *path);
void power_sync_failed(const char *path);
void power_unlink(const char *path);
void power_rename(const char *from, const char *to);
void power_sync_dir(void);
/* Writes into the new directory `to` what a cut would leave; the seed says which part of what is pending. */
void power_image(const char *to, uint32_t seed);

#endif
