# cython: language_level=3, boundscheck=False, wraparound=False
"""The sums of the shares of one second in C. Names, arguments, results and errors are those of
`native.sums_reference`."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memset

cdef enum:
    SHARE_KIND = 1
    JOB_KIND = 2
    ACCEPTED = 0
    # A share's fields, its kind first; as in native.sums_reference.
    SHARE_FIELDS = 16
    # A job nests two; what nests deeper is none of our records.
    DEPTH_MAX = 8

# What is read moves `at` on; what is not there as it should be leaves it NULL.
cdef struct Cursor:
    const uint8_t *at
    const uint8_t *end

cdef struct Text:
    const uint8_t *start
    Py_ssize_t length

# What is summed of a share. names: account and worker as they stand in the record, one behind the other.
cdef struct Share:
    bint is_job
    int64_t time_ms
    uint64_t outcome
    Text names
    Text account
    Text worker
    double difficulty
    uint64_t nbits
    bint is_block


cdef class SecondSums:
    def __init__(self, second=0, rows=()):
        cdef Sum *sum
        self.second = second
        self.clear()
        for account, worker, first_ms, last_ms, last_share_ms, counts, blocks, runs in rows:
            sum = self.place(packed(account) + packed(worker), account, worker)
            sum.first_ms, sum.last_ms = first_ms, last_ms
            sum.last_share_ms = NOT_YET if last_share_ms is None else last_share_ms
            for outcome in range(OUTCOMES):
                sum.counts[outcome] = counts[outcome]
            sum.blocks = blocks
            if runs:
                self._runs[len(self._runs) - 1] = list(runs[:-1])
                sum.difficulty, sum.nbits, sum.run = runs[len(runs) - 1]

    def __dealloc__(self):
        free(self._sums)

    def clear(self):
        self._places = {}
        self._names = []
        self._runs = []

    def add(self, bytes payload not None, Py_ssize_t count, Py_ssize_t first):
        cdef Cursor cursor
        cdef Share share
        cdef Py_ssize_t number
        check(payload, count)
        cursor.at = <const uint8_t *>PyBytes_AS_STRING(payload)
        cursor.end = cursor.at + PyBytes_GET_SIZE(payload)
        for number in range(count):
            read_record(&cursor, &share)
            if number < first or share.is_job:
                continue
            if not self._places:
                self.second = share.time_ms // 1000
            elif share.time_ms // 1000 != self.second:
                return number
            count_in(self, &share)
        return count

    def rows(self):
        return [self.row(place) for place in range(len(self._names))]

    cdef tuple row(self, Py_ssize_t place):
        cdef Sum *sum = &self._sums[place]
        cdef list runs = self._runs[place]
        account, worker = self._names[place]
        if sum.run:
            runs = [*runs, (sum.difficulty, sum.nbits, sum.run)]
        return (
            account,
            worker,
            sum.first_ms,
            sum.last_ms,
            None if sum.last_share_ms == NOT_YET else sum.last_share_ms,
            tuple([sum.counts[outcome] for outcome in range(OUTCOMES)]),
            sum.blocks,
            tuple(runs),
        )

    cdef Sum *place(self, bytes names, account, worker) except NULL:
        # A new sum, all zero.
        cdef Py_ssize_t place = len(self._names), size
        cdef Sum *sums
        if place == self._size:
            size = 2 * self._size + 64
            sums = <Sum *>realloc(self._sums, size * sizeof(Sum))
            if sums is NULL:
                raise MemoryError
            self._sums, self._size = sums, size
        memset(&self._sums[place], 0, sizeof(Sum))
        self._sums[place].last_share_ms = NOT_YET
        self._places[names] = place
        self._names.append((account, worker))
        self._runs.append([])
        return &self._sums[place]


cdef int count_in(SecondSums self, Share *share) except -1:
    cdef Sum *sum
    cdef bytes names = PyBytes_FromStringAndSize(<const char *>share.names.start, share.names.length)
    cdef str account, worker
    found = self._places.get(names)
    if found is None:
        # Another writer may have spelled the lengths otherwise.
        account, worker = text(&share.account), text(&share.worker)
        names = packed(account) + packed(worker)
        found = self._places.get(names)
    if found is None:
        sum = self.place(names, account, worker)
        sum.first_ms = share.time_ms
    else:
        sum = &self._sums[<Py_ssize_t>found]
    sum.last_ms = share.time_ms
    sum.counts[share.outcome] += 1
    sum.blocks += share.is_block
    if share.outcome == ACCEPTED:
        sum.last_share_ms = share.time_ms
        if sum.run and (sum.difficulty != share.difficulty or sum.nbits != share.nbits):
            self._runs[<Py_ssize_t>self._places[names]].append((sum.difficulty, sum.nbits, sum.run))
            sum.run = 0
        sum.difficulty, sum.nbits = share.difficulty, share.nbits
        sum.run += 1
    return 0


cdef int check(bytes payload, Py_ssize_t count) except -1:
    cdef Cursor cursor
    cdef Share share
    cdef Py_ssize_t number = 0
    cursor.at = <const uint8_t *>PyBytes_AS_STRING(payload)
    cursor.end = cursor.at + PyBytes_GET_SIZE(payload)
    while number < count and cursor.at is not NULL:
        read_record(&cursor, &share)
        number += 1
    if count < 0 or cursor.at != cursor.end:
        raise ValueError("the records cannot be read")
    return 0


cdef int read_record(Cursor *cursor, Share *share) except -1:
    cdef uint64_t fields = read_size(cursor, 0x90, 4, 0, 0xDC)
    cdef uint64_t kind, number
    cdef Text passed
    if fields == 0:
        cursor.at = NULL
    kind = read_uint(cursor)
    share.is_job = kind == JOB_KIND
    if share.is_job:
        skip_all(cursor, fields - 1, DEPTH_MAX)
        return 0
    if kind != SHARE_KIND or fields < SHARE_FIELDS:
        cursor.at = NULL
        return 0
    number = read_uint(cursor)
    share.time_ms = <int64_t>number
    share.outcome = read_uint(cursor)
    if number > <uint64_t>0x7FFFFFFFFFFFFFFF or share.outcome >= OUTCOMES:
        cursor.at = NULL
    skip(cursor, DEPTH_MAX)  # job id
    share.names.start = cursor.at
    read_text(cursor, &share.account)
    read_text(cursor, &share.worker)
    if cursor.at is not NULL:
        share.names.length = cursor.at - share.names.start
    skip_all(cursor, 5, DEPTH_MAX)  # extranonce1, extranonce2, version, ntime, nonce
    share.difficulty = read_float(cursor)
    share.nbits = read_uint(cursor)
    if share.nbits > 0xFFFFFFFF:
        cursor.at = NULL
    skip_all(cursor, 2, DEPTH_MAX)  # height, slice_id
    share.is_block = cursor.at is not NULL and cursor.at < cursor.end and cursor.at[0] != 0xC0
    if share.is_block:
        read_bytes(cursor, &passed)
    else:
        skip(cursor, DEPTH_MAX)
    skip_all(cursor, fields - SHARE_FIELDS, DEPTH_MAX)
    return 0


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


cdef inline int read_text(Cursor *cursor, Text *text) except -1:
    cdef Py_ssize_t i
    text.length = <Py_ssize_t>read_size(cursor, 0xA0, 5, 0xD9, 0xDA)
    text.start = some(cursor, text.length)
    if text.start is NULL:
        return 0
    for i in range(text.length):
        if text.start[i] >= 0x80:
            PyUnicode_DecodeUTF8(<const char *>text.start, text.length, NULL)  # raises
            break
    return 0


cdef inline void read_bytes(Cursor *cursor, Text *data) noexcept nogil:
    data.length = <Py_ssize_t>read_size(cursor, 0, 0, 0xC4, 0xC5)
    data.start = some(cursor, data.length)


cdef inline int skip_all(Cursor *cursor, uint64_t values, int depth) except -1:
    while values and cursor.at is not NULL:
        skip(cursor, depth)
        values -= 1
    return 0


cdef int skip(Cursor *cursor, int depth) except -1:
    cdef uint8_t head
    cdef Text passed
    if cursor.at is NULL or cursor.at == cursor.end or depth == 0:
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
        skip_all(cursor, read_size(cursor, 0x90, 4, 0, 0xDC), depth - 1)
    elif 0x80 <= head < 0x90 or 0xDE <= head <= 0xDF:
        skip_all(cursor, 2 * read_size(cursor, 0x80, 4, 0, 0xDE), depth - 1)
    else:
        cursor.at = NULL  # extensions: we write none
    return 0


cdef inline str text(const Text *text):
    return PyUnicode_DecodeUTF8(<const char *>text.start, text.length, NULL)


cdef bytes packed(str name):
    # As it stands in a record.
    cdef bytes data = name.encode()
    cdef Py_ssize_t length = len(data)
    if length < 32:
        return bytes([0xA0 | length]) + data
    if length < 0x100:
        return bytes([0xD9, length]) + data
    if length < 0x10000:
        return b"\xda" + length.to_bytes(2, "big") + data
    return b"\xdb" + length.to_bytes(4, "big") + data
