/* SHA-256 in plain C: any processor, and the twin that the SHA-NI engine is compared with. */
#include "sha256.h"

#include <string.h>

static inline uint32_t rotate_right(uint32_t word, int bits)
{
    return word >> bits | word << (32 - bits);
}

/* Fills words[16..63] from words[0..15] and adds the round constants to all (FIPS 180-4, 6.2.2 step 1). */
static void schedule(uint32_t words[64])
{
    for (int i = 16; i < 64; i++) {
        uint32_t early = words[i - 15], late = words[i - 2];
        words[i] = words[i - 16] + words[i - 7]
                   + (rotate_right(early, 7) ^ rotate_right(early, 18) ^ early >> 3)
                   + (rotate_right(late, 17) ^ rotate_right(late, 19) ^ late >> 10);
    }
    for (int i = 0; i < 64; i++)
        words[i] += sha256_round_constants[i];
}

/* One round; instead of moving the eight words along, the caller names them one further each time. */
#define ROUND(a, b, c, d, e, f, g, h, word)                                                   \
    do {                                                                                      \
        uint32_t sum = h + (word) + (g ^ (e & (f ^ g)))                                       \
                       + (rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25));    \
        d += sum;                                                                             \
        h = sum + ((a & b) | (c & (a | b)))                                                   \
            + (rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22));               \
    } while (0)

/* The 64 rounds over words that already hold schedule plus constants (FIPS 180-4, 6.2.2 steps 2 to 4). */
static void rounds(uint32_t state[8], const uint32_t words[64])
{
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; i += 8) {
        ROUND(a, b, c, d, e, f, g, h, words[i]);
        ROUND(h, a, b, c, d, e, f, g, words[i + 1]);
        ROUND(g, h, a, b, c, d, e, f, words[i + 2]);
        ROUND(f, g, h, a, b, c, d, e, words[i + 3]);
        ROUND(e, f, g, h, a, b, c, d, words[i + 4]);
        ROUND(d, e, f, g, h, a, b, c, words[i + 5]);
        ROUND(c, d, e, f, g, h, a, b, words[i + 6]);
        ROUND(b, c, d, e, f, g, h, a, words[i + 7]);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

static void compress(uint32_t state[8], const uint8_t *blocks, size_t block_count)
{
    uint32_t words[64];
    for (; block_count > 0; block_count--, blocks += 64) {
        for (int i = 0; i < 16; i++)
            words[i] = sha256_load_be32(blocks + 4 * i);
        schedule(words);
        rounds(state, words);
    }
}

/* Replaces a state by the state of the hash of its 32-byte digest. */
static void hash_of_hash(uint32_t state[8])
{
    uint32_t words[64] = {0};
    memcpy(words, state, 32);
    words[8] = 0x80000000;
    words[15] = 256;
    schedule(words);
    memcpy(state, sha256_initial, 32);
    rounds(state, words);
}

static void double_64(uint8_t digest[32], const uint8_t data[64])
{
    uint32_t state[8];
    memcpy(state, sha256_initial, sizeof state);
    compress(state, data, 1);
    rounds(state, sha256_padding_64);
    hash_of_hash(state);
    for (int i = 0; i < 8; i++)
        sha256_store_be32(digest + 4 * i, state[i]);
}

static int search(const uint32_t midstate[8], const uint8_t tail[12], const uint8_t target[32],
                  uint64_t first, uint64_t count, uint32_t *nonce)
{
    uint32_t highest = sha256_load_le32(target + 28);
    uint8_t end[64] = {0}, digest[32];
    memcpy(end, tail, 12);
    end[16] = 0x80;
    end[62] = 640 >> 8;
    end[63] = 640 & 0xff;
    for (uint64_t candidate = first; candidate < first + count; candidate++) {
        uint32_t state[8];
        for (int i = 0; i < 4; i++)
            end[12 + i] = (uint8_t)(candidate >> 8 * i);
        memcpy(state, midstate, sizeof state);
        compress(state, end, 1);
        hash_of_hash(state);
        /* The last word holds the number's highest bits and settles nearly every nonce. */
        for (int i = 7; i >= 0; i--)
            sha256_store_be32(digest + 4 * i, state[i]);
        if (sha256_load_le32(digest + 28) <= highest && sha256_meets_target(digest, target)) {
            *nonce = (uint32_t)candidate;
            return 1;
        }
    }
    return 0;
}

const struct sha256_engine sha256_portable = {"portable", compress, double_64, search};
