/* Double SHA-256 as mining needs it. Source: FIPS 180-4.
 *
 * Bytes are in wire order; state words are in host order. Nothing here allocates or fails, and nothing but
 * sha256_in_use, which is set before any thread starts, is shared: all may be called without the GIL.
 */
#ifndef STEPPE_SHA256_H
#define STEPPE_SHA256_H

#include <stddef.h>
#include <stdint.h>

/* One way to compute it on this processor. */
struct sha256_engine {
    const char *name;
    /* Folds whole 64-byte blocks into the state. */
    void (*compress)(uint32_t state[8], const uint8_t *blocks, size_t block_count);
    /* Double hash of exactly 64 bytes, one merkle level. The digest may overwrite the data. */
    void (*double_64)(uint8_t digest[32], const uint8_t data[64]);
    /* Tries `count` nonces from `first` on (first + count <= 2**32) behind the midstate of a header's first
     * 64 bytes and the next 12. Returns 1 and sets *nonce for the first that meets the target, else returns 0. */
    int (*search)(const uint32_t midstate[8], const uint8_t tail[12], const uint8_t target[32],
                  uint64_t first, uint64_t count, uint32_t *nonce);
};

extern const struct sha256_engine sha256_portable;
#ifdef __x86_64__
extern const struct sha256_engine sha256_ni;
#endif

/* Portable until sha256_choose is called. */
extern const struct sha256_engine *sha256_in_use;

/* Takes the fastest engine this processor runs, or the portable one if told to. */
void sha256_choose(int portable);

/* A hash under way. May be copied: what was hashed so far is its midstate. */
struct sha256_stream {
    uint32_t state[8];
    uint64_t length_bytes;
    uint8_t block[64];
};

void sha256_start(struct sha256_stream *stream);
void sha256_update(struct sha256_stream *stream, const uint8_t *data, size_t length_bytes);
/* Ends the stream and hashes its hash once more. */
void sha256_finish_double(struct sha256_stream *stream, uint8_t digest[32]);

/* Double hash of a block header. */
void sha256_double_80(uint8_t digest[32], const uint8_t header[80]);

/* Whether the digest, as a little-endian number, is at most the target. */
int sha256_meets_target(const uint8_t digest[32], const uint8_t target[32]);

/* Tables and words that the engines share. */
extern const uint32_t sha256_initial[8];
extern const uint32_t sha256_round_constants[64];
/* Round constants plus the message schedule of the block that pads a 64-byte message: always the same. */
extern const uint32_t sha256_padding_64[64];

static inline uint32_t sha256_load_be32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline void sha256_store_be32(uint8_t *bytes, uint32_t word)
{
    bytes[0] = (uint8_t)(word >> 24);
    bytes[1] = (uint8_t)(word >> 16);
    bytes[2] = (uint8_t)(word >> 8);
    bytes[3] = (uint8_t)word;
}

static inline uint32_t sha256_load_le32(const uint8_t *bytes)
{
    return (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}

#endif
