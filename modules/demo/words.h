/* words.h - numbers and texts that look random and are always the same: the seed of each is part of the call. Pure
 * functions; nothing here is for secrets. */
#ifndef DEMO_WORDS_H
#define DEMO_WORDS_H

#include <stddef.h>
#include <stdint.h>

enum { VOCABULARY = 4000, WORD_MAX = 8, TEXT_MAX = 256 };

/* A well mixed number from two. */
uint64_t mix(uint64_t a, uint64_t b);

/* Ranks 0 … n-1, rank i with a weight of 1/(i+1). cum[n] is the caller's: cum[i] is the weight of the ranks 0 … i. */
void zipf_init(double *cum, uint32_t n);
uint32_t zipf_pick(const double *cum, uint32_t n, uint64_t random);

/* Word number i of the vocabulary, pronounceable, without a NUL. Different for each i. Returns its length. */
size_t word(uint32_t i, char out[WORD_MAX]);
/* A text of 3 to 20 words, the common ones as common as in a language. cum: of VOCABULARY ranks. */
size_t text(const double *cum, uint64_t seed, char out[TEXT_MAX]);

#endif
