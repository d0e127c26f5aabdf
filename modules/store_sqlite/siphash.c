/* siphash.c - the published algorithm (Aumasson, Bernstein), 128-bit variant. */
#include "siphash.h"

#include <stdint.h>
#include <string.h>

struct sip {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotl(uint64_t x, int b) {
    return x << b | x >> (64 - b);
}

static uint64_t load(const unsigned char *p, size_t n) {
    uint64_t x = 0;
    for (size_t i = 0; i < n; i++) x |= (uint64_t)p[i] << (8 * i);
    return x;
}

static void store(unsigned char *p, uint64_t x) {
    for (int i = 0; i < 8; i++) p[i] = (unsigned char)(x >> (8 * i));
}

static void rounds(struct sip *s, int n) {
    while (n-- > 0) {
        s->v0 += s->v1, s->v1 = rotl(s->v1, 13), s->v1 ^= s->v0, s->v0 = rotl(s->v0, 32);
        s->v2 += s->v3, s->v3 = rotl(s->v3, 16), s->v3 ^= s->v2;
        s->v0 += s->v3, s->v3 = rotl(s->v3, 21), s->v3 ^= s->v0;
        s->v2 += s->v1, s->v1 = rotl(s->v1, 17), s->v1 ^= s->v2, s->v2 = rotl(s->v2, 32);
    }
}

static void absorb(struct sip *s, uint64_t m) {
    s->v3 ^= m;
    rounds(s, 2);
    s->v0 ^= m;
}

void siphash(const unsigned char key[16], const void *data, size_t len, unsigned char out[HASH_LEN]) {
    const unsigned char *p = data;
    uint64_t k0 = load(key, 8), k1 = load(key + 8, 8);
    struct sip s = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du ^ 0xee, k0 ^ 0x6c7967656e657261u,
                    k1 ^ 0x7465646279746573u};
    size_t left = len;
    for (; left >= 8; p += 8, left -= 8) absorb(&s, load(p, 8));
    absorb(&s, load(p, left) | (uint64_t)len << 56);
    s.v2 ^= 0xee;
    rounds(&s, 4);
    store(out, s.v0 ^ s.v1 ^ s.v2 ^ s.v3);
    s.v1 ^= 0xdd;
    rounds(&s, 4);
    store(out + 8, s.v0 ^ s.v1 ^ s.v2 ^ s.v3);
}
