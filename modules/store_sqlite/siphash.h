/* siphash.h - SipHash-2-4 with 128 bits: a keyed hash. Claims are kept by their hash; with a key that strangers do not
 * know, and 128 bits, nobody can make two claims that meet, by chance or on purpose. */
#ifndef STORE_SIPHASH_H
#define STORE_SIPHASH_H

#include <stddef.h>

enum { HASH_LEN = 16 };
void siphash(const unsigned char key[16], const void *data, size_t len, unsigned char out[HASH_LEN]);

#endif
