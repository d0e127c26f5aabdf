/* words.c - numbers and texts that look random and are always the same. */
#include "words.h"

uint64_t mix(uint64_t a, uint64_t b) {
    uint64_t z = a * 0x9e3779b97f4a7c15u + b + 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void zipf_init(double *cum, uint32_t n) {
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) cum[i] = sum += 1.0 / (i + 1.0);
}

uint32_t zipf_pick(const double *cum, uint32_t n, uint64_t random) {
    double at = (double)(random >> 11) * 0x1p-53 * cum[n - 1];
    uint32_t lo = 0, hi = n - 1;
    while (lo < hi) {
        uint32_t middle = lo + (hi - lo) / 2;
        if (cum[middle] > at) hi = middle;
        else lo = middle + 1;
    }
    return lo;
}

/* One syllable for the first 80 words, two for the next 6,400. */
size_t word(uint32_t i, char out[WORD_MAX]) {
    static const char consonants[] = "bdfghklmnprstvwz", vowels[] = "aeiou";
    enum { SYLLABLES = (sizeof consonants - 1) * (sizeof vowels - 1) };
    size_t n = 0;
    uint32_t syllables[2] = {i % SYLLABLES, i / SYLLABLES};
    for (int s = 0; s < (i < SYLLABLES ? 1 : 2); s++) {
        uint32_t syllable = s ? syllables[s] - 1 : syllables[s];
        out[n++] = consonants[syllable % (sizeof consonants - 1)];
        out[n++] = vowels[syllable / (sizeof consonants - 1)];
    }
    if (i >= SYLLABLES) out[n++] = consonants[i % 7 + 4];
    return n;
}

size_t text(const double *cum, uint64_t seed, char out[TEXT_MAX]) {
    uint32_t words = 3 + (uint32_t)(mix(seed, 1) % 7) + (uint32_t)(mix(seed, 2) % 12);
    size_t n = 0;
    for (uint32_t i = 0; i < words; i++) {
        if (i) out[n++] = ' ';
        n += word(zipf_pick(cum, VOCABULARY, mix(seed, 3 + i)), out + n);
    }
    return n;
}
