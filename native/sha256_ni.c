/* SHA-256 with the SHA extensions of x86-64 (Intel SDM, SHA256RNDS2, SHA256MSG1, SHA256MSG2).
 *
 * Each function names its target, so the file builds without special flags and runs only where sha256_choose
 * found the instructions. They want the state as two vectors, (F E B A) and (H G D C) from the lowest word up:
 * converting costs shuffles, so a double hash stays in that form to its end.
 */
#ifdef __x86_64__

#include "sha256.h"

#include <immintrin.h>

#define WITH_SHA __attribute__((target("sha,sse4.1,ssse3")))
#define INLINE_WITH_SHA static inline __attribute__((always_inline)) WITH_SHA

/* A state in the order of the instructions. */
struct halves {
    __m128i feba;
    __m128i hgdc;
};

/* Eight words in plain order, the first in the lowest lane. */
struct words {
    __m128i low;
    __m128i high;
};

INLINE_WITH_SHA struct halves halves_from(struct words plain)
{
    __m128i badc = _mm_shuffle_epi32(plain.low, 0xb1);
    __m128i hgfe = _mm_shuffle_epi32(plain.high, 0x1b);
    return (struct halves){_mm_alignr_epi8(badc, hgfe, 8), _mm_blend_epi16(hgfe, badc, 0xf0)};
}

INLINE_WITH_SHA struct words words_from(struct halves state)
{
    __m128i abef = _mm_shuffle_epi32(state.feba, 0x1b);
    __m128i ghcd = _mm_shuffle_epi32(state.hgdc, 0xb1);
    return (struct words){_mm_blend_epi16(abef, ghcd, 0xf0), _mm_alignr_epi8(ghcd, abef, 8)};
}

INLINE_WITH_SHA struct halves load_state(const uint32_t state[8])
{
    return halves_from((struct words){_mm_loadu_si128((const __m128i *)state),
                                      _mm_loadu_si128((const __m128i *)(state + 4))});
}

INLINE_WITH_SHA struct halves add(struct halves left, struct halves right)
{
    return (struct halves){_mm_add_epi32(left.feba, right.feba), _mm_add_epi32(left.hgdc, right.hgdc)};
}

/* Reverses the bytes of each word: from wire order to host order and back. */
INLINE_WITH_SHA __m128i swap_bytes(__m128i words)
{
    return _mm_shuffle_epi8(words, _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
}

INLINE_WITH_SHA void load_block(__m128i words[4], const uint8_t block[64])
{
    for (int i = 0; i < 4; i++)
        words[i] = swap_bytes(_mm_loadu_si128((const __m128i *)(block + 16 * i)));
}

INLINE_WITH_SHA __m128i constants(const uint32_t table[64], int i)
{
    return _mm_load_si128((const __m128i *)(table + 4 * i));
}

/* Four rounds over four words that already hold schedule plus constants. */
INLINE_WITH_SHA void four_rounds(struct halves *state, __m128i words)
{
    state->hgdc = _mm_sha256rnds2_epu32(state->hgdc, state->feba, words);
    state->feba = _mm_sha256rnds2_epu32(state->feba, state->hgdc, _mm_shuffle_epi32(words, 0x0e));
}

/* The four words of the schedule that follow these sixteen. */
INLINE_WITH_SHA __m128i next_words(__m128i w0, __m128i w1, __m128i w2, __m128i w3)
{
    __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));
    return _mm_sha256msg2_epu32(sum, w3);
}

/* Folds one block, given as words in host order, into each of `lanes` states. Two lanes take a quarter
 * longer than one: each instruction waits for the one before it, and those of the other lane fill the wait. */
INLINE_WITH_SHA void fold(int lanes, struct halves states[], __m128i w[][4])
{
    struct halves before[2];
    for (int lane = 0; lane < lanes; lane++)
        before[lane] = states[lane];
    for (int i = 0; i < 4; i++)
        for (int lane = 0; lane < lanes; lane++)
            four_rounds(&states[lane], _mm_add_epi32(w[lane][i], constants(sha256_round_constants, i)));
    for (int i = 4; i < 16; i += 4)
        for (int j = 0; j < 4; j++)
            for (int lane = 0; lane < lanes; lane++) {
                __m128i *v = w[lane];
                v[j] = next_words(v[j], v[(j + 1) % 4], v[(j + 2) % 4], v[(j + 3) % 4]);
                four_rounds(&states[lane], _mm_add_epi32(v[j], constants(sha256_round_constants, i + j)));
            }
    for (int lane = 0; lane < lanes; lane++)
        states[lane] = add(states[lane], before[lane]);
}

/* Replaces each state by the state of the hash of its 32-byte digest. */
INLINE_WITH_SHA void hash_of_hash(int lanes, struct halves states[])
{
    __m128i w[2][4];
    for (int lane = 0; lane < lanes; lane++) {
        struct words digest = words_from(states[lane]);
        w[lane][0] = digest.low;
        w[lane][1] = digest.high;
        w[lane][2] = _mm_set_epi32(0, 0, 0, (int)0x80000000);
        w[lane][3] = _mm_set_epi32(256, 0, 0, 0);
        states[lane] = load_state(sha256_initial);
    }
    fold(lanes, states, w);
}

WITH_SHA static void compress(uint32_t state[8], const uint8_t *blocks, size_t block_count)
{
    struct halves folded = load_state(state);
    for (; block_count > 0; block_count--, blocks += 64) {
        __m128i w[1][4];
        load_block(w[0], blocks);
        fold(1, &folded, w);
    }
    struct words plain = words_from(folded);
    _mm_storeu_si128((__m128i *)state, plain.low);
    _mm_storeu_si128((__m128i *)(state + 4), plain.high);
}

WITH_SHA static void store_digest(uint8_t digest[32], struct halves state)
{
    struct words plain = words_from(state);
    _mm_storeu_si128((__m128i *)digest, swap_bytes(plain.low));
    _mm_storeu_si128((__m128i *)(digest + 16), swap_bytes(plain.high));
}

WITH_SHA static void double_64(uint8_t digest[32], const uint8_t data[64])
{
    struct halves state = load_state(sha256_initial);
    __m128i w[1][4];
    load_block(w[0], data);
    fold(1, &state, w);
    struct halves before = state;
    for (int i = 0; i < 16; i++)
        four_rounds(&state, constants(sha256_padding_64, i));
    state = add(state, before);
    hash_of_hash(1, &state);
    store_digest(digest, state);
}

WITH_SHA static int search(const uint32_t midstate[8], const uint8_t tail[12], const uint8_t target[32],
                           uint64_t first, uint64_t count, uint32_t *nonce)
{
    const struct halves start = load_state(midstate);
    const uint32_t highest = sha256_load_le32(target + 28);
    const uint64_t end = first + count;
    const int tail0 = (int)sha256_load_be32(tail);
    const int tail1 = (int)sha256_load_be32(tail + 4);
    const int tail2 = (int)sha256_load_be32(tail + 8);
    for (uint64_t candidate = first; candidate < end; candidate += 2) {
        struct halves states[2] = {start, start};
        __m128i w[2][4];
        for (int lane = 0; lane < 2; lane++) {
            uint32_t word = __builtin_bswap32((uint32_t)candidate + (uint32_t)lane);
            w[lane][0] = _mm_set_epi32((int)word, tail2, tail1, tail0);
            w[lane][1] = _mm_set_epi32(0, 0, 0, (int)0x80000000);
            w[lane][2] = _mm_setzero_si128();
            w[lane][3] = _mm_set_epi32(640, 0, 0, 0);
        }
        fold(2, states, w);
        hash_of_hash(2, states);
        for (int lane = 0; lane < 2 && candidate + (uint64_t)lane < end; lane++) {
            /* The last word holds the number's highest bits and settles nearly every nonce. */
            if (__builtin_bswap32((uint32_t)_mm_cvtsi128_si32(states[lane].hgdc)) > highest)
                continue;
            uint8_t digest[32];
            store_digest(digest, states[lane]);
            if (sha256_meets_target(digest, target)) {
                *nonce = (uint32_t)candidate + (uint32_t)lane;
                return 1;
            }
        }
    }
    return 0;
}

const struct sha256_engine sha256_ni = {"sha-ni", compress, double_64, search};

#else
/* ISO C forbids an empty translation unit. */
typedef int sha256_ni_is_for_x86_64;
#endif
