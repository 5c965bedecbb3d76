# cython: language_level=3, boundscheck=False, wraparound=False
"""The sums of the shares of one second in C. Names, arguments, results and errors are those of
`native.sums_reference`."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t
from libc.stdlib cimport free, realloc
from libc.string cimport memset

from native.records cimport ACCEPTED, OUTCOMES, Cursor, Share, read_record, text


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
    sum.blocks += share.block_hash.start is not NULL
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
