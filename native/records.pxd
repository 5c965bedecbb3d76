# cython: language_level=3
# The records of a journal in C, for the modules that read them. No Python object is touched but for an error.

from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memcpy

cdef extern from *:
    void prefetch "__builtin_prefetch"(const void *place) noexcept nogil

cdef enum:
    SHARE_KIND = 1
    JOB_KIND = 2
    OUTCOMES = 10
    ACCEPTED = 0
    # The fields that are read, the kind first; as in native.records_reference. Older shares end before the agent.
    SHARE_FIELDS = 16
    NEAR_MAX = 10
    NEAR_NONE = 255
    JOB_FIELDS = 3
    # A job nests two; what nests deeper is none of our records.
    DEPTH_MAX = 8

# What is read moves `at` on; what is not there as it should be leaves it NULL.
cdef struct Cursor:
    const uint8_t *at
    const uint8_t *end


cdef struct Text:
    const uint8_t *start
    Py_ssize_t length


# What is read of a record; of a job only is_job and time_ms. names: account and worker as they stand in the record, one
# behind the other. slice_id: 0 for none. block_hash: its start is NULL for none.
cdef struct Share:
    bint is_job
    int64_t time_ms
    uint64_t outcome
    Text names
    Text account
    Text worker
    double difficulty
    uint64_t nbits
    uint64_t height
    uint64_t slice_id
    Text block_hash
    # is_told: whether the record has these two at all. near: NEAR_NONE for none, or above NEAR_MAX.
    bint is_told
    Text agent
    uint8_t near


# --- msgpack; the numbers are those of its specification ----------------------------------------------------------------

cdef inline const uint8_t *some(Cursor *cursor, uint64_t length) noexcept nogil:
    # So many bytes, or NULL.
    cdef const uint8_t *start = cursor.at
    if start is NULL or length > <uint64_t>(cursor.end - start):
        cursor.at = NULL
        return NULL
    cursor.at = start + length
    return start


cdef inline uint64_t big_endian(Cursor *cursor, int length) noexcept nogil:
    cdef const uint8_t *start = some(cursor, length)
    cdef uint64_t value = 0
    cdef int i
    if start is not NULL:
        for i in range(length):
            value = value << 8 | start[i]
    return value


cdef inline uint64_t read_uint(Cursor *cursor) noexcept nogil:
    cdef const uint8_t *head = some(cursor, 1)
    cdef uint64_t value
    if head is NULL:
        return 0
    if head[0] < 0x80:
        return head[0]
    if 0xCC <= head[0] <= 0xCF:
        return big_endian(cursor, 1 << (head[0] - 0xCC))
    if 0xD0 <= head[0] <= 0xD3:
        value = big_endian(cursor, 1 << (head[0] - 0xD0))
        if value >> ((8 << (head[0] - 0xD0)) - 1) == 0:
            return value
    cursor.at = NULL  # negative, or no integer
    return 0


cdef inline uint64_t read_positive(Cursor *cursor) noexcept nogil:
    # What also fits a signed integer of 64 bits, as the databases have.
    cdef uint64_t value = read_uint(cursor)
    if value > <uint64_t>0x7FFFFFFFFFFFFFFF:
        cursor.at = NULL
    return value


cdef inline bint passed_nil(Cursor *cursor) noexcept nogil:
    if cursor.at is NULL or cursor.at == cursor.end or cursor.at[0] != 0xC0:
        return False
    cursor.at += 1
    return True


cdef inline double read_float(Cursor *cursor) noexcept nogil:
    cdef const uint8_t *head = some(cursor, 1)
    cdef uint64_t bits
    cdef double value = 0.0
    if head is not NULL and head[0] == 0xCB:
        bits = big_endian(cursor, 8)
        memcpy(&value, &bits, 8)
    else:
        cursor.at = NULL
    return value


cdef inline uint64_t read_size(
    Cursor *cursor, uint8_t fix, int fix_bits, uint8_t head_8, uint8_t head_16
) noexcept nogil:
    # The length in front of an array, a text or bytes: in the head itself, or in 1 (if there is such a head), 2 or 4
    # bytes behind it.
    cdef const uint8_t *head = some(cursor, 1)
    if head is NULL:
        return 0
    if fix and head[0] >> fix_bits == fix >> fix_bits:
        return head[0] & ((1 << fix_bits) - 1)
    if head_8 and head[0] == head_8:
        return big_endian(cursor, 1)
    if head[0] == head_16:
        return big_endian(cursor, 2)
    if head[0] == head_16 + 1:
        return big_endian(cursor, 4)
    cursor.at = NULL
    return 0


cdef inline int read_text(Cursor *cursor, Text *text) except -1 nogil:
    cdef Py_ssize_t i
    text.length = <Py_ssize_t>read_size(cursor, 0xA0, 5, 0xD9, 0xDA)
    text.start = some(cursor, text.length)
    if text.start is NULL:
        return 0
    for i in range(text.length):
        if text.start[i] >= 0x80:
            with gil:
                PyUnicode_DecodeUTF8(<const char *>text.start, text.length, NULL)  # raises
            break
    return 0


cdef inline void read_bytes(Cursor *cursor, Text *data) noexcept nogil:
    data.length = <Py_ssize_t>read_size(cursor, 0, 0, 0xC4, 0xC5)
    data.start = some(cursor, data.length)


cdef inline int skip(Cursor *cursor, uint64_t values, int depth) except -1 nogil:
    cdef uint8_t head
    cdef Text passed
    while values and cursor.at is not NULL:
        values -= 1
        if cursor.at == cursor.end or depth == 0:
            cursor.at = NULL
            return 0
        head = cursor.at[0]
        if head < 0x80 or head >= 0xE0 or head == 0xC0 or head == 0xC2 or head == 0xC3:
            cursor.at += 1
        elif 0xA0 <= head < 0xC0 or 0xD9 <= head <= 0xDB:
            read_text(cursor, &passed)
        elif 0xC4 <= head <= 0xC6:
            read_bytes(cursor, &passed)
        elif 0xCA <= head <= 0xCB:
            some(cursor, 1 + (4 << (head - 0xCA)))
        elif 0xCC <= head <= 0xD3:
            some(cursor, 1 + (1 << ((head - 0xCC) & 3)))
        elif 0x90 <= head < 0xA0 or 0xDC <= head <= 0xDD:
            skip(cursor, read_size(cursor, 0x90, 4, 0, 0xDC), depth - 1)
        elif 0x80 <= head < 0x90 or 0xDE <= head <= 0xDF:
            skip(cursor, 2 * read_size(cursor, 0x80, 4, 0, 0xDE), depth - 1)
        else:
            cursor.at = NULL  # extensions: we write none
    return 0


cdef inline int read_record(Cursor *cursor, Share *share) except -1 nogil:
    cdef uint64_t fields = read_size(cursor, 0x90, 4, 0, 0xDC)
    cdef uint64_t kind, near
    if fields == 0:
        cursor.at = NULL
    kind = read_uint(cursor)
    share.is_job = kind == JOB_KIND
    if share.is_job and fields >= JOB_FIELDS:
        skip(cursor, 1, DEPTH_MAX)  # job id
        share.time_ms = <int64_t>read_positive(cursor)
        skip(cursor, fields - JOB_FIELDS, DEPTH_MAX)
        return 0
    if kind != SHARE_KIND or fields < SHARE_FIELDS:
        cursor.at = NULL
        return 0
    share.time_ms = <int64_t>read_positive(cursor)
    share.outcome = read_uint(cursor)
    if share.outcome >= OUTCOMES:
        cursor.at = NULL
    skip(cursor, 1, DEPTH_MAX)  # job id
    share.names.start = cursor.at
    read_text(cursor, &share.account)
    read_text(cursor, &share.worker)
    if cursor.at is not NULL:
        share.names.length = cursor.at - share.names.start
    skip(cursor, 5, DEPTH_MAX)  # extranonce1, extranonce2, version, ntime, nonce
    share.difficulty = read_float(cursor)
    share.nbits = read_uint(cursor)
    if share.nbits > <uint64_t>0xFFFFFFFF:
        cursor.at = NULL
    share.height = read_positive(cursor)
    share.slice_id = 0 if passed_nil(cursor) else read_positive(cursor)
    share.block_hash.start = NULL
    if not passed_nil(cursor):
        read_bytes(cursor, &share.block_hash)
    share.agent.length, share.near, share.is_told = 0, NEAR_NONE, False
    if fields > SHARE_FIELDS:
        read_text(cursor, &share.agent)
        fields -= 1
    if fields > SHARE_FIELDS:
        share.is_told = True
        if not passed_nil(cursor):
            near = read_positive(cursor)
            if near <= NEAR_MAX:
                share.near = <uint8_t>near
        fields -= 1
    skip(cursor, fields - SHARE_FIELDS, DEPTH_MAX)
    return 0


cdef inline str text(const Text *text):
    return PyUnicode_DecodeUTF8(<const char *>text.start, text.length, NULL)


# --- where names are looked up -----------------------------------------------------------------------------------------

cdef inline uint64_t hash_bytes(uint64_t hash, const Text *data) noexcept nogil:
    cdef uint64_t word
    cdef Py_ssize_t left = data.length
    cdef const uint8_t *start = data.start
    while left >= 8:
        memcpy(&word, start, 8)
        hash = mixed(hash, word)
        start += 8
        left -= 8
    if left:
        word = 0
        memcpy(&word, start, left)
        hash = mixed(hash, word ^ <uint64_t>left << 56)
    return hash


cdef inline uint64_t mixed(uint64_t hash, uint64_t word) noexcept nogil:
    # The finalizer of MurmurHash3, 64 bits.
    hash ^= word
    hash = (hash ^ hash >> 33) * <uint64_t>0xFF51AFD7ED558CCD
    hash = (hash ^ hash >> 33) * <uint64_t>0xC4CEB9FE1A85EC53
    return hash ^ hash >> 33
