#define _GNU_SOURCE /* memmem */
#include "work.h"

#include "../../native/sha256.h"

#include <err.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *skip_spaces(const char *at, const char *end)
{
    while (at < end && *at == ' ')
        at++;
    return at;
}

const char *value_of(struct text line, const char *key)
{
    const char *end = line.start + line.length, *at = line.start;
    while ((at = memmem(at, (size_t)(end - at), key, strlen(key))) != NULL) {
        at = skip_spaces(at + strlen(key), end);
        if (at < end && *at == ':')
            return skip_spaces(at + 1, end);
    }
    return NULL;
}

/* The next string of a line from *at on; it moves behind it. 0, or -1 if there is none, or a `]` before it. */
static int next_string(const char **at, const char *end, struct text *string)
{
    const char *start = *at;
    while (start < end && *start != '"' && *start != ']')
        start++;
    if (start == end || *start == ']')
        return -1;
    const char *stop = memchr(start + 1, '"', (size_t)(end - start - 1));
    if (stop == NULL)
        return -1;
    *string = (struct text){start + 1, (size_t)(stop - start - 1)};
    *at = stop + 1;
    return 0;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Returns the number of bytes, or -1 if the text is no hex or has more than `room`. */
static int unhex(struct text hex, uint8_t *bytes, size_t room)
{
    if (hex.length % 2 != 0 || hex.length / 2 > room)
        return -1;
    for (size_t i = 0; i < hex.length / 2; i++) {
        int high = digit(hex.start[2 * i]), low = digit(hex.start[2 * i + 1]);
        if (high < 0 || low < 0)
            return -1;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return (int)(hex.length / 2);
}

static int next_bytes(const char **at, const char *end, uint8_t *bytes, size_t length)
{
    struct text hex;
    return next_string(at, end, &hex) == 0 && unhex(hex, bytes, length) == (int)length ? 0 : -1;
}

static int next_uint32(const char **at, const char *end, uint32_t *value)
{
    uint8_t bytes[4];
    if (next_bytes(at, end, bytes, 4) != 0)
        return -1;
    *value = sha256_load_be32(bytes);
    return 0;
}

static int next_allocated(const char **at, const char *end, uint8_t **bytes, size_t *length)
{
    struct text hex;
    if (next_string(at, end, &hex) != 0)
        return -1;
    *bytes = malloc(hex.length / 2 + 1);
    if (*bytes == NULL)
        err(1, "a coinbase of %zu bytes", hex.length / 2);
    int found = unhex(hex, *bytes, hex.length / 2);
    *length = found < 0 ? 0 : (size_t)found;
    return found < 0 ? -1 : 0;
}

/* Each 4-byte word is reversed, as getwork had it. */
static void swap_words(uint8_t hash[32])
{
    for (size_t word = 0; word < 32; word += 4)
        sha256_store_be32(hash + word, sha256_load_le32(hash + word));
}

int read_job(struct text line, struct job *job)
{
    const char *end = line.start + line.length, *at = value_of(line, "\"params\"");
    struct text id, node;
    if (at == NULL || *at != '[' || next_string(&at, end, &id) != 0 || id.length > JOB_ID_CHARACTERS_MAX)
        return -1;
    *job = (struct job){0};
    memcpy(job->id, id.start, id.length);
    if (next_bytes(&at, end, job->prev_hash, 32) != 0 ||
        next_allocated(&at, end, &job->coinb1, &job->coinb1_bytes) != 0 ||
        next_allocated(&at, end, &job->coinb2, &job->coinb2_bytes) != 0)
        return -1;
    swap_words(job->prev_hash);
    for (; next_string(&at, end, &node) == 0; job->levels++)
        if (job->levels == BRANCH_LEVELS_MAX || unhex(node, job->branch[job->levels], 32) != 32)
            return -1;
    if (at == end || (at = memchr(at, ']', (size_t)(end - at))) == NULL)
        return -1;
    at++;
    if (next_uint32(&at, end, &job->version) != 0 || next_uint32(&at, end, &job->nbits) != 0 ||
        next_uint32(&at, end, &job->ntime) != 0)
        return -1;
    *put_hex(job->ntime_hex, job->ntime, 8) = '\0';
    return 0;
}

int read_subscription(struct text line, struct subscription *subscription)
{
    const char *end = line.start + line.length, *at = value_of(line, "\"result\"");
    if (at == NULL || *at != '[')
        return -1;
    /* Behind the list of subscriptions, with whatever lists are in it. */
    int depth = 0;
    for (at++; at < end; at++) {
        depth += (*at == '[') - (*at == ']');
        if (depth == 0 && *at == ']')
            break;
    }
    struct text hex;
    if (at == end || (at++, next_string(&at, end, &hex)) != 0)
        return -1;
    int length = unhex(hex, subscription->extranonce1, EXTRANONCE_BYTES_MAX);
    at = skip_spaces(at, end);
    int size = at < end && *at == ',' ? atoi(at + 1) : 0;
    if (length < 0 || size < 1 || size > 8)
        return -1;
    subscription->extranonce1_bytes = (size_t)length;
    subscription->extranonce2_bytes = (size_t)size;
    return 0;
}

int read_difficulty(struct text line, double *difficulty)
{
    const char *at = value_of(line, "\"params\"");
    if (at == NULL || *at != '[')
        return -1;
    *difficulty = strtod(at + 1, NULL); /* the line ends with a newline, where it stops */
    return *difficulty > 0 ? 0 : -1;
}

void target_of(double difficulty, uint8_t target[32])
{
    int exponent;
    double fraction = frexp(65535.0 / difficulty, &exponent);
    uint64_t mantissa = (uint64_t)ldexp(fraction, 53);
    int shift = 208 + exponent - 53; /* the target is mantissa * 2**shift */
    memset(target, 0, 32);
    if (shift + 53 > 256) {
        memset(target, 0xff, 32);
        return;
    }
    for (int bit = 0; bit < 53; bit++)
        if (shift + bit >= 0 && mantissa >> bit & 1)
            target[(shift + bit) / 8] |= (uint8_t)(1 << (shift + bit) % 8);
}

static void merkle_root(const struct job *job, const struct subscription *subscription, uint64_t extranonce2,
                        uint8_t root[32])
{
    struct sha256_stream coinbase;
    uint8_t counter[8], pair[64];
    for (size_t i = 0; i < subscription->extranonce2_bytes; i++)
        counter[i] = (uint8_t)(extranonce2 >> 8 * (subscription->extranonce2_bytes - 1 - i));
    sha256_start(&coinbase);
    sha256_update(&coinbase, job->coinb1, job->coinb1_bytes);
    sha256_update(&coinbase, subscription->extranonce1, subscription->extranonce1_bytes);
    sha256_update(&coinbase, counter, subscription->extranonce2_bytes);
    sha256_update(&coinbase, job->coinb2, job->coinb2_bytes);
    sha256_finish_double(&coinbase, pair);
    for (size_t level = 0; level < job->levels; level++) {
        memcpy(pair + 32, job->branch[level], 32);
        sha256_in_use->double_64(pair, pair);
    }
    memcpy(root, pair, 32);
}

static void store_le32(uint8_t *to, uint32_t word)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(word >> 8 * i);
}

static int every_hash_meets(const uint8_t target[32])
{
    for (int i = 0; i < 32; i++)
        if (target[i] != 0xff)
            return 0;
    return 1;
}

void hash_ahead(const struct job *job, const struct subscription *subscription, const uint8_t target[32],
                size_t per_extranonce2, uint32_t *nonces, size_t count)
{
    if (every_hash_meets(target)) {
        for (size_t i = 0; i < count; i++)
            nonces[i] = (uint32_t)i;
        return;
    }
    struct sha256_stream head = {0};
    uint8_t header[80];
    uint64_t first = 0;
    store_le32(header, job->version);
    memcpy(header + 4, job->prev_hash, 32);
    store_le32(header + 68, job->ntime);
    store_le32(header + 72, job->nbits);
    for (size_t i = 0; i < count; i++) {
        if (i % per_extranonce2 == 0) {
            merkle_root(job, subscription, i / per_extranonce2, header + 36);
            sha256_start(&head);
            sha256_update(&head, header, 64);
            first = 0;
        }
        if (!sha256_in_use->search(head.state, header + 64, target, first, (1ULL << 32) - first, &nonces[i]))
            errx(1, "no nonce meets the pool's difficulty: give it a lower one");
        first = (uint64_t)nonces[i] + 1;
    }
}

char *put_hex(char *to, uint64_t value, size_t digits)
{
    for (size_t i = 0; i < digits; i++)
        to[i] = "0123456789abcdef"[value >> 4 * (digits - 1 - i) & 15];
    return to + digits;
}
