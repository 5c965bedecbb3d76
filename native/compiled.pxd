# What other Cython modules may call without going through Python.

from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef extern from "sha256.h" nogil:
    struct sha256_stream:
        uint32_t state[8]
        uint64_t length_bytes
        uint8_t block[64]


# The values of native.verdict.Verdict.
cdef enum Judged:
    LOW = 0
    SHARE = 1
    BLOCK = 2


# The merkle root of one extranonce, in one cache line.
cdef struct CachedRoot:
    uint8_t length  # of the extranonce, plus one: zero marks a slot never used
    uint8_t extranonce[31]
    uint8_t root[32]


cdef class JobCheck:
    cdef bytes _coinb1
    cdef bytes _coinb2
    cdef bytes _branch
    # The same bytes for code that runs without the GIL; the objects above keep them alive.
    cdef const uint8_t *_coinb2_bytes
    cdef size_t _coinb2_length
    cdef const uint8_t *_branch_bytes
    cdef size_t _branch_length

    cdef sha256_stream _after_coinb1
    cdef uint8_t _prev_hash[32]
    cdef uint8_t _target[32]
    cdef uint32_t _nbits
    cdef CachedRoot *_roots

    # In all of these, extranonce is extranonce1 and extranonce2 joined, of any length. They touch no Python object,
    # but they write to the cache: hold the GIL, or one lock per job.

    # Fills in the digest and returns the verdict.
    cdef Judged judge(
        self,
        const uint8_t *extranonce,
        size_t length,
        uint32_t version,
        uint32_t ntime,
        uint32_t nonce,
        const uint8_t *share_target,
        uint8_t *digest,
    ) noexcept nogil

    # Fills in the 80 bytes of a header.
    cdef void fill_header(
        self,
        const uint8_t *extranonce,
        size_t length,
        uint32_t version,
        uint32_t ntime,
        uint32_t nonce,
        uint8_t *header,
    ) noexcept nogil

    # Returns the merkle root: in the cache, or in `uncached` if the extranonce is too long to remember.
    cdef const uint8_t *root(
        self, const uint8_t *extranonce, size_t length, uint8_t *uncached
    ) noexcept nogil

    cdef void compute_root(self, const uint8_t *extranonce, size_t length, uint8_t *root) noexcept nogil
