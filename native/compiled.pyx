# cython: language_level=3, boundscheck=False, wraparound=False
"""The share check in C. Names, arguments, results and errors are those of `native.reference`."""

from cpython.long cimport PyLong_AsLongLongAndOverflow
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy

from native.compact import target_from_nbits
from native.verdict import Verdict

cdef extern from "sha256.h" nogil:
    struct sha256_engine:
        const char *name
        void (*double_64)(uint8_t *digest, const uint8_t *data) noexcept nogil
        int (*search)(
            const uint32_t *midstate,
            const uint8_t *tail,
            const uint8_t *target,
            uint64_t first,
            uint64_t count,
            uint32_t *nonce,
        ) noexcept nogil

    const sha256_engine *sha256_in_use
    void sha256_choose(int portable)
    void sha256_start(sha256_stream *stream)
    void sha256_update(sha256_stream *stream, const uint8_t *data, size_t length_bytes)
    void sha256_finish_double(sha256_stream *stream, uint8_t *digest)
    void sha256_double_80(uint8_t *digest, const uint8_t *header)
    int sha256_meets_target(const uint8_t *digest, const uint8_t *target)

cdef enum:
    # Roots remembered per job. A miner may find several shares on one extranonce2, and each session has its
    # own: of a thousand sessions that take turns, four in five find their root in a table of this size. It takes
    # 256 KiB a job.
    ROOT_SLOTS = 4096
    # As in native.reference, where the reason is.
    EXTRANONCES_BYTES_MAX = 100

# By value; found once here, not for every share.
cdef tuple VERDICTS = tuple(Verdict(value) for value in (LOW, SHARE, BLOCK))


def use_portable(portable: bool) -> str:
    """Switch to the portable code, or back to the fastest, and return the name of what runs now.

    For tests, which must see both on one machine; no other thread may be hashing meanwhile.
    """
    sha256_choose(bool(portable))
    return sha256_in_use.name.decode()


SHA256_IMPLEMENTATION = use_portable(False)


def sha256d(bytes data not None):
    cdef sha256_stream stream
    cdef uint8_t digest[32]
    sha256_start(&stream)
    sha256_update(&stream, data, len(data))
    sha256_finish_double(&stream, digest)
    return digest[:32]


def merkle_root(bytes txid not None, bytes branch not None):
    cdef uint8_t root[32]
    require_32(txid, "txid")
    require_branch(branch)
    memcpy(root, <const uint8_t *>txid, 32)
    climb(root, branch, len(branch))
    return root[:32]


def header(version, bytes prev_hash not None, bytes root not None, ntime, nbits, nonce):
    cdef uint8_t header[80]
    require_32(prev_hash, "prev_hash")
    require_32(root, "root")
    store_header(
        header,
        uint32(version, "version"),
        prev_hash,
        root,
        uint32(ntime, "ntime"),
        uint32(nbits, "nbits"),
        uint32(nonce, "nonce"),
    )
    return header[:80]


def meets_target(bytes digest not None, bytes target not None):
    require_32(digest, "digest")
    require_32(target, "target")
    return sha256_meets_target(digest, target) != 0


def search(bytes header not None, bytes target not None, first_nonce, count):
    if len(header) not in (76, 80):
        raise ValueError("header must be 76 or 80 bytes")
    require_32(target, "target")
    cdef long long first = up_to_2_32(first_nonce)
    cdef long long number = up_to_2_32(count)
    if first < 0 or number < 0 or first + number > 1LL << 32:
        raise ValueError("nonces must be from 0 to 2**32 - 1")
    cdef const uint8_t *header_bytes = header
    cdef const uint8_t *target_bytes = target
    cdef sha256_stream stream
    cdef uint32_t nonce
    cdef bint found
    with nogil:
        sha256_start(&stream)
        sha256_update(&stream, header_bytes, 64)
        found = sha256_in_use.search(stream.state, header_bytes + 64, target_bytes, first, number, &nonce)
    return nonce if found else None


cdef class JobCheck:
    def __cinit__(
        self,
        bytes coinb1 not None,
        bytes coinb2 not None,
        bytes branch not None,
        bytes prev_hash not None,
        nbits,
    ):
        require_branch(branch)
        require_32(prev_hash, "prev_hash")
        cdef bytes target = target_from_nbits(nbits)
        self._coinb1 = coinb1
        self._coinb2 = coinb2
        self._coinb2_bytes = coinb2
        self._coinb2_length = len(coinb2)
        self._branch = branch
        self._branch_bytes = branch
        self._branch_length = len(branch)
        self._nbits = nbits
        memcpy(self._target, <const uint8_t *>target, 32)
        memcpy(self._prev_hash, <const uint8_t *>prev_hash, 32)
        sha256_start(&self._after_coinb1)
        sha256_update(&self._after_coinb1, coinb1, len(coinb1))
        self._roots = <CachedRoot *>calloc(ROOT_SLOTS, sizeof(CachedRoot))
        if self._roots is NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self._roots)

    def check(
        self,
        bytes extranonce1 not None,
        bytes extranonce2 not None,
        version,
        ntime,
        nonce,
        bytes share_target not None,
    ):
        cdef uint8_t extranonce[EXTRANONCES_BYTES_MAX]
        cdef uint8_t digest[32]
        require_32(share_target, "share_target")
        cdef Judged judged = self.judge(
            extranonce,
            join(extranonce, extranonce1, extranonce2),
            uint32(version, "version"),
            uint32(ntime, "ntime"),
            uint32(nonce, "nonce"),
            share_target,
            digest,
        )
        return VERDICTS[judged], digest[:32]

    def header(self, bytes extranonce1 not None, bytes extranonce2 not None, version, ntime, nonce):
        cdef uint8_t extranonce[EXTRANONCES_BYTES_MAX]
        cdef uint8_t header[80]
        self.fill_header(
            extranonce,
            join(extranonce, extranonce1, extranonce2),
            uint32(version, "version"),
            uint32(ntime, "ntime"),
            uint32(nonce, "nonce"),
            header,
        )
        return header[:80]

    def coinbase(self, bytes extranonce1 not None, bytes extranonce2 not None):
        cdef uint8_t extranonce[EXTRANONCES_BYTES_MAX]
        cdef Py_ssize_t length = join(extranonce, extranonce1, extranonce2)
        return self._coinb1 + extranonce[:length] + self._coinb2

    cdef Judged judge(
        self,
        const uint8_t *extranonce,
        size_t length,
        uint32_t version,
        uint32_t ntime,
        uint32_t nonce,
        const uint8_t *share_target,
        uint8_t *digest,
    ) noexcept nogil:
        cdef uint8_t header[80]
        self.fill_header(extranonce, length, version, ntime, nonce, header)
        sha256_double_80(digest, header)
        if sha256_meets_target(digest, self._target):
            return BLOCK
        return SHARE if sha256_meets_target(digest, share_target) else LOW

    cdef void fill_header(
        self,
        const uint8_t *extranonce,
        size_t length,
        uint32_t version,
        uint32_t ntime,
        uint32_t nonce,
        uint8_t *header,
    ) noexcept nogil:
        cdef uint8_t uncached[32]
        cdef const uint8_t *root = self.root(extranonce, length, uncached)
        store_header(header, version, self._prev_hash, root, ntime, self._nbits, nonce)

    cdef const uint8_t *root(
        self, const uint8_t *extranonce, size_t length, uint8_t *uncached
    ) noexcept nogil:
        cdef CachedRoot *slot
        if length > sizeof(slot.extranonce):
            self.compute_root(extranonce, length, uncached)
            return uncached
        slot = &self._roots[spread(extranonce, length) % ROOT_SLOTS]
        if slot.length != length + 1 or memcmp(slot.extranonce, extranonce, length) != 0:
            self.compute_root(extranonce, length, slot.root)
            memcpy(slot.extranonce, extranonce, length)
            slot.length = <uint8_t>(length + 1)
        return slot.root

    cdef void compute_root(self, const uint8_t *extranonce, size_t length, uint8_t *root) noexcept nogil:
        cdef sha256_stream stream = self._after_coinb1
        sha256_update(&stream, extranonce, length)
        sha256_update(&stream, self._coinb2_bytes, self._coinb2_length)
        sha256_finish_double(&stream, root)
        climb(root, self._branch_bytes, self._branch_length)


cdef void climb(uint8_t *node, const uint8_t *branch, size_t length) noexcept nogil:
    # Replaces a leaf by the root above it.
    cdef uint8_t pair[64]
    cdef size_t start
    memcpy(pair, node, 32)
    for start in range(0, length, 32):
        memcpy(pair + 32, branch + start, 32)
        sha256_in_use.double_64(pair, pair)
    memcpy(node, pair, 32)


cdef uint32_t spread(const uint8_t *extranonce, size_t length) noexcept nogil:
    # FNV-1a, folded. Forced collisions cost time, never a wrong root: a slot compares the whole extranonce.
    cdef uint32_t value = 0x811C9DC5
    cdef size_t i
    for i in range(length):
        value = (value ^ extranonce[i]) * 0x01000193
    return value ^ (value >> 16)


cdef void store_header(
    uint8_t *header,
    uint32_t version,
    const uint8_t *prev_hash,
    const uint8_t *root,
    uint32_t ntime,
    uint32_t nbits,
    uint32_t nonce,
) noexcept nogil:
    store_le32(header, version)
    memcpy(header + 4, prev_hash, 32)
    memcpy(header + 36, root, 32)
    store_le32(header + 68, ntime)
    store_le32(header + 72, nbits)
    store_le32(header + 76, nonce)


cdef inline void store_le32(uint8_t *to, uint32_t word) noexcept nogil:
    to[0] = <uint8_t>word
    to[1] = <uint8_t>(word >> 8)
    to[2] = <uint8_t>(word >> 16)
    to[3] = <uint8_t>(word >> 24)


cdef Py_ssize_t join(uint8_t *joined, bytes extranonce1, bytes extranonce2) except -1:
    # Returns the length. The bytes stay on the stack: an object would cost a tenth of a cached check.
    cdef Py_ssize_t length1 = len(extranonce1), length2 = len(extranonce2)
    if length1 + length2 > EXTRANONCES_BYTES_MAX:
        raise ValueError("extranonces must be 100 bytes at most")
    memcpy(joined, <const uint8_t *>extranonce1, length1)
    memcpy(joined + length1, <const uint8_t *>extranonce2, length2)
    return length1 + length2


cdef uint32_t uint32(value, str name) except? 0:
    cdef int overflow
    cdef long long number = PyLong_AsLongLongAndOverflow(value, &overflow)
    if overflow or number < 0 or number > 0xFFFFFFFF:
        raise ValueError(f"{name} must be from 0 to 2**32 - 1")
    return <uint32_t>number


cdef long long up_to_2_32(value) except? -1:
    # The value, or -1 if it is not from 0 to 2**32.
    cdef int overflow
    cdef long long number = PyLong_AsLongLongAndOverflow(value, &overflow)
    return -1 if overflow or number < 0 or number > 1LL << 32 else number


cdef int require_32(bytes value, str name) except -1:
    if len(value) != 32:
        raise ValueError(f"{name} must be 32 bytes")
    return 0


cdef int require_branch(bytes branch) except -1:
    if len(branch) % 32 != 0:
        raise ValueError("branch must be a multiple of 32 bytes")
    return 0
