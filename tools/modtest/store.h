/* store.h - the storage of a world: storage/1 in the hub's own thread, on the tables of tests/store_memory. */
#ifndef MODTEST_STORE_H
#define MODTEST_STORE_H

#include <stdbool.h>

#include "taut/module.h"
#include "taut/svc/storage.h"

extern const struct taut_module modtest_store;

/* Written when the store is opened; NULL: nothing. Valid until then. Nothing is refused yet. */
void store_begin_with(const struct taut_batch_view *rows);
/* The next commit, or the next read, is refused. TAUT_OK: it is not. */
void store_refuse(bool commits, int32_t status);
/* This commit is not the next one: it is the script's own. */
void store_spare(const struct taut_batch_view *commit);
/* What is in it stays over the lives of the module that provides it, while `keeps`: the next life finds it. */
void store_keep(bool keeps);

#endif
