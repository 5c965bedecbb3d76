/* The miner's side of Stratum v1: what a pool sends as values, and nonces that meet its target, hashed ahead.
 *
 * Texts are slices of a line, not ended by a zero. Hashes and targets are 32 bytes in wire order (little-endian).
 */
#ifndef STEPPE_LOAD_WORK_H
#define STEPPE_LOAD_WORK_H

#include <stddef.h>
#include <stdint.h>

#define JOB_ID_CHARACTERS_MAX 64
#define EXTRANONCE_BYTES_MAX 16
#define BRANCH_LEVELS_MAX 32

struct text {
    const char *start;
    size_t length;
};

/* A mining.notify. */
struct job {
    char id[JOB_ID_CHARACTERS_MAX + 1];
    char ntime_hex[9];
    uint8_t prev_hash[32];
    uint8_t branch[BRANCH_LEVELS_MAX][32];
    size_t levels;
    uint8_t *coinb1, *coinb2;
    size_t coinb1_bytes, coinb2_bytes;
    uint32_t version, nbits, ntime;
};

/* What mining.subscribe was answered. extranonce2_bytes: of the counter that is ours. */
struct subscription {
    uint8_t extranonce1[EXTRANONCE_BYTES_MAX];
    size_t extranonce1_bytes, extranonce2_bytes;
};

/* Where the value of a key begins, or NULL. key: with its quotes. Good enough for a pool's lines, whose objects have no
 * objects within. The byte behind the line must be its newline. */
const char *value_of(struct text line, const char *key);

/* Each returns 0, or -1 if the line is not one. A job read twice is not freed: a run has a handful of them. */
int read_job(struct text line, struct job *job);
int read_subscription(struct text line, struct subscription *subscription);
int read_difficulty(struct text line, double *difficulty);

/* The target of a difficulty; every hash meets it if the difficulty is as low as 2**-33. Source: Bitcoin Core, pow.cpp;
 * difficulty 1 is 0xffff * 2**208. */
void target_of(double difficulty, uint8_t target[32]);

/* Fills in nonces of shares that meet the target, `per_extranonce2` of them on each extranonce2; that counts from 0. */
void hash_ahead(const struct job *job, const struct subscription *subscription, const uint8_t target[32],
                size_t per_extranonce2, uint32_t *nonces, size_t count);

/* Writes an integer in hex, `digits` of them, and returns the end. */
char *put_hex(char *to, uint64_t value, size_t digits);

#endif
