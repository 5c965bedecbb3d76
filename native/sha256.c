/* What every engine shares: tables, the choice of the engine, streams, headers and targets. */
#include "sha256.h"

#include <string.h>

#ifdef __x86_64__
#include <cpuid.h>
#endif

const uint32_t sha256_initial[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

const uint32_t sha256_round_constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

const uint32_t sha256_padding_64[64] __attribute__((aligned(16))) = {
    0xc28a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf374,
    0x649b69c1, 0xf0fe4786, 0x0fe1edc6, 0x240cf254, 0x4fe9346f, 0x6cc984be, 0x61b9411e, 0x16f988fa,
    0xf2c65152, 0xa88e5a6d, 0xb019fc65, 0xb9d99ec7, 0x9a1231c3, 0xe70eeaa0, 0xfdb1232b, 0xc7353eb0,
    0x3069bad5, 0xcb976d5f, 0x5a0f118f, 0xdc1eeefd, 0x0a35b689, 0xde0b7a04, 0x58f4ca9d, 0xe15d5b16,
    0x007f3e86, 0x37088980, 0xa507ea32, 0x6fab9537, 0x17406110, 0x0d8cd6f1, 0xcdaa3b6d, 0xc0bbbe37,
    0x83613bda, 0xdb48a363, 0x0b02e931, 0x6fd15ca7, 0x521afaca, 0x31338431, 0x6ed41a95, 0x6d437890,
    0xc39c91f2, 0x9eccabbd, 0xb5c9a0e6, 0x532fb63c, 0xd2c741c6, 0x07237ea3, 0xa4954b68, 0x4c191d76,
};

const struct sha256_engine *sha256_in_use = &sha256_portable;

#ifdef __x86_64__
/* The SHA-NI engine also uses SSSE3 and SSE4.1 (Intel SDM, CPUID leaves 1 and 7). */
static int has_sha_ni(void)
{
    unsigned int eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_SSSE3) || !(ecx & bit_SSE4_1))
        return 0;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx & bit_SHA);
}
#endif

void sha256_choose(int portable)
{
    sha256_in_use = &sha256_portable;
#ifdef __x86_64__
    if (!portable && has_sha_ni())
        sha256_in_use = &sha256_ni;
#else
    (void)portable;
#endif
}

void sha256_start(struct sha256_stream *stream)
{
    memcpy(stream->state, sha256_initial, sizeof stream->state);
    stream->length_bytes = 0;
}

void sha256_update(struct sha256_stream *stream, const uint8_t *data, size_t length_bytes)
{
    size_t held = stream->length_bytes % 64;
    stream->length_bytes += length_bytes;
    if (held + length_bytes >= 64 && held > 0) {
        memcpy(stream->block + held, data, 64 - held);
        sha256_in_use->compress(stream->state, stream->block, 1);
        data += 64 - held;
        length_bytes -= 64 - held;
        held = 0;
    }
    size_t block_count = length_bytes / 64;
    if (block_count > 0)
        sha256_in_use->compress(stream->state, data, block_count);
    memcpy(stream->block + held, data + 64 * block_count, length_bytes % 64);
}

/* Writes a state as a digest. */
static void store_state(uint8_t digest[32], const uint32_t state[8])
{
    for (int i = 0; i < 8; i++)
        sha256_store_be32(digest + 4 * i, state[i]);
}

/* Ends a message whose last bytes, fewer than 64, are in the block: the bit 1, zeros, the length in bits. */
static void finish(uint32_t state[8], uint8_t block[64], uint64_t length_bytes)
{
    size_t held = length_bytes % 64;
    block[held++] = 0x80;
    if (held > 56) {
        memset(block + held, 0, 64 - held);
        sha256_in_use->compress(state, block, 1);
        held = 0;
    }
    memset(block + held, 0, 56 - held);
    sha256_store_be32(block + 56, (uint32_t)(length_bytes >> 29));
    sha256_store_be32(block + 60, (uint32_t)(length_bytes << 3));
    sha256_in_use->compress(state, block, 1);
}

/* The same, and then the hash of that hash. */
static void finish_double(uint32_t state[8], uint8_t block[64], uint64_t length_bytes, uint8_t digest[32])
{
    finish(state, block, length_bytes);
    store_state(block, state);
    memcpy(state, sha256_initial, sizeof sha256_initial);
    finish(state, block, 32);
    store_state(digest, state);
}

void sha256_finish_double(struct sha256_stream *stream, uint8_t digest[32])
{
    finish_double(stream->state, stream->block, stream->length_bytes, digest);
}

void sha256_double_80(uint8_t digest[32], const uint8_t header[80])
{
    uint32_t state[8];
    uint8_t block[64];
    memcpy(state, sha256_initial, sizeof state);
    sha256_in_use->compress(state, header, 1);
    memcpy(block, header + 64, 16);
    finish_double(state, block, 80, digest);
}

int sha256_meets_target(const uint8_t digest[32], const uint8_t target[32])
{
    for (int i = 31; i >= 0; i--)
        if (digest[i] != target[i])
            return digest[i] < target[i];
    return 1;
}
