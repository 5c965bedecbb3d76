# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The sums of the shares of one second in C. Names, arguments, results and errors are those of
`native.sums_reference`."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcmp, memset

from native.records cimport ACCEPTED, OUTCOMES, Cursor, Share, Text, hash_bytes, prefetch, read_record, text

cdef enum:
    ROOM_MIN = 64
    # With so many names all are forgotten, as most of them may be gone for good: 250 bytes each.
    NAMES_MAX = 1 << 17
    # Workers are strewn over more memory than the nearest caches have: so many shares ahead theirs is asked for, and
    # where to look for it as many before that.
    AHEAD = 8


cdef class SecondSums:
    def __init__(self, second=0, rows=()):
        cdef Sum *sum
        cdef Py_ssize_t place
        self.second = second
        # Names are chosen by miners: nobody outside may know which of them have hashes alike.
        self._secret = <uint64_t>hash(b"names")
        self._turn = 1
        self.forget_names()
        for account, worker, first_ms, last_ms, last_share_ms, counts, blocks, runs in rows:
            place = self.new_place(packed(account) + packed(worker), account, worker)
            sum = self.come(place)
            sum.first_ms, sum.last_ms = first_ms, last_ms
            sum.last_share_ms = NOT_YET if last_share_ms is None else last_share_ms
            for outcome in range(OUTCOMES):
                sum.counts[outcome] = counts[outcome]
            sum.blocks = blocks
            if runs:
                self._runs[place] = list(runs[:-1])
                sum.has_runs = len(runs) > 1
                sum.difficulty, sum.nbits, sum.run = runs[len(runs) - 1]

    def __dealloc__(self):
        free(self._sums)
        free(self._came)
        free(self._slots)
        free(self._shares)
        free(self._hashes)

    def clear(self):
        self._came_count = 0
        self._turn += 1
        if len(self._names) > NAMES_MAX:
            self.forget_names()

    def add(self, bytes payload not None, Py_ssize_t count, Py_ssize_t first):
        cdef const Share *share
        cdef Py_ssize_t number
        if payload is not self._payload or count != self._shares_count:
            self.read(payload, count)
        for number in range(max(first, 0), count):
            share = &self._shares[number]
            self.ahead(number, count)
            if share.is_job:
                continue
            if not self._came_count:
                self.second = share.time_ms // 1000
            elif share.time_ms // 1000 != self.second:
                return number
            self.count_in(share, self._hashes[number])
        self._payload = None
        return count

    def rows(self):
        return [self.row(self._came[number]) for number in range(self._came_count)]

    cdef tuple row(self, Py_ssize_t place):
        cdef Sum *sum = &self._sums[place]
        cdef list runs = []
        account, worker = self._names[place]
        if sum.has_runs:
            runs.extend(self._runs[place])
        if sum.run:
            runs.append((sum.difficulty, sum.nbits, sum.run))
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

    cdef int read(self, bytes payload, Py_ssize_t count) except -1:
        # All records, or none.
        cdef Cursor cursor
        cdef Share *shares
        cdef Share *share
        cdef uint64_t *hashes
        cdef Py_ssize_t number = 0, size
        self._payload = None
        cursor.at = <const uint8_t *>PyBytes_AS_STRING(payload)
        cursor.end = cursor.at + PyBytes_GET_SIZE(payload)
        while number < count and cursor.at is not NULL:
            if number == self._shares_size:
                size = 2 * self._shares_size + ROOM_MIN
                shares = <Share *>realloc(self._shares, size * sizeof(Share))
                if shares is NULL:
                    raise MemoryError
                self._shares = shares
                hashes = <uint64_t *>realloc(self._hashes, size * sizeof(uint64_t))
                if hashes is NULL:
                    raise MemoryError
                self._hashes, self._shares_size = hashes, size
            share = &self._shares[number]
            read_record(&cursor, share)
            if not share.is_job and cursor.at is not NULL:
                self._hashes[number] = hash_bytes(self._secret, &share.names)
            number += 1
        if count < 0 or cursor.at != cursor.end:
            raise ValueError("the records cannot be read")
        self._payload, self._shares_count = payload, count
        return 0

    cdef void ahead(self, Py_ssize_t number, Py_ssize_t count) noexcept:
        cdef uint32_t place
        cdef const Sum *sum
        if number + 2 * AHEAD < count and not self._shares[number + 2 * AHEAD].is_job:
            prefetch(&self._slots[self._hashes[number + 2 * AHEAD] & self._mask])
        if number + AHEAD < count and not self._shares[number + AHEAD].is_job:
            place = self._slots[self._hashes[number + AHEAD] & self._mask]
            if place:
                sum = &self._sums[place - 1]
                prefetch(sum)
                prefetch(<const char *>sum + 64)
                prefetch(<const char *>sum + 128)

    cdef int count_in(self, const Share *share, uint64_t hash) except -1:
        cdef Py_ssize_t place = self.place_of(share, hash)
        cdef Sum *sum = &self._sums[place]
        if sum.turn != self._turn:
            sum = self.come(place)
            sum.first_ms = share.time_ms
        sum.last_ms = share.time_ms
        sum.counts[share.outcome] += 1
        sum.blocks += share.block_hash.start is not NULL
        if share.outcome == ACCEPTED:
            sum.last_share_ms = share.time_ms
            if sum.run and (sum.difficulty != share.difficulty or sum.nbits != share.nbits):
                if not sum.has_runs:
                    sum.has_runs, self._runs[place] = True, []
                self._runs[place].append((sum.difficulty, sum.nbits, sum.run))
                sum.run = 0
            sum.difficulty, sum.nbits = share.difficulty, share.nbits
            sum.run += 1
        return 0

    cdef Sum *come(self, Py_ssize_t place) noexcept:
        # The first time in this second: all zero but for the names.
        cdef Sum *sum = &self._sums[place]
        self._came[self._came_count] = <uint32_t>place
        self._came_count += 1
        sum.turn, sum.last_share_ms = self._turn, NOT_YET
        sum.blocks = sum.run = 0
        sum.has_runs = False
        memset(sum.counts, 0, sizeof(sum.counts))
        return sum

    cdef Py_ssize_t place_of(self, const Share *share, uint64_t hash) except -1:
        cdef Py_ssize_t place = self.find(&share.names, hash)
        cdef bytes names
        cdef Text found
        if place < 0:
            # Another writer may have spelled the lengths otherwise.
            account, worker = text(&share.account), text(&share.worker)
            names = packed(account) + packed(worker)
            found.start, found.length = <const uint8_t *>PyBytes_AS_STRING(names), PyBytes_GET_SIZE(names)
            place = self.find(&found, hash_bytes(self._secret, &found))
            if place < 0:
                place = self.new_place(names, account, worker)
        return place

    cdef Py_ssize_t find(self, const Text *names, uint64_t hash) noexcept:
        # -1 for nowhere.
        cdef uint64_t slot = hash & self._mask
        cdef const Sum *sum
        while self._slots[slot]:
            sum = &self._sums[self._slots[slot] - 1]
            if (
                sum.hash == hash
                and sum.names.length == names.length
                and memcmp(sum.names.start, names.start, names.length) == 0
            ):
                return self._slots[slot] - 1
            slot = (slot + 1) & self._mask
        return -1

    cdef Py_ssize_t new_place(self, bytes names, account, worker) except -1:
        cdef Py_ssize_t place = len(self._names)
        cdef Sum *sum
        cdef uint64_t slot
        if place == self._size:
            self.make_room()
        sum = &self._sums[place]
        sum.names.start, sum.names.length = <const uint8_t *>PyBytes_AS_STRING(names), PyBytes_GET_SIZE(names)
        sum.hash, sum.turn = hash_bytes(self._secret, &sum.names), 0
        self._keys.append(names)
        self._names.append((account, worker))
        self._runs.append(None)
        slot = sum.hash & self._mask
        while self._slots[slot]:
            slot = (slot + 1) & self._mask
        self._slots[slot] = <uint32_t>place + 1
        return place

    cdef int make_room(self) except -1:
        # For twice as many names.
        cdef Py_ssize_t size = 2 * self._size if self._size else ROOM_MIN, place
        cdef Sum *sums = <Sum *>realloc(self._sums, size * sizeof(Sum))
        cdef uint32_t *came
        cdef uint32_t *slots
        cdef uint64_t slot
        if sums is NULL:
            raise MemoryError
        self._sums = sums
        came = <uint32_t *>realloc(self._came, size * sizeof(uint32_t))
        if came is NULL:
            raise MemoryError
        self._came = came
        slots = <uint32_t *>calloc(2 * size, sizeof(uint32_t))
        if slots is NULL:
            raise MemoryError
        free(self._slots)
        self._slots, self._mask, self._size = slots, 2 * size - 1, size
        for place in range(len(self._names)):
            slot = self._sums[place].hash & self._mask
            while slots[slot]:
                slot = (slot + 1) & self._mask
            slots[slot] = <uint32_t>place + 1
        return 0

    cdef int forget_names(self) except -1:
        self._keys, self._names, self._runs = [], [], []
        self._workers = self._accounts = self._grown_by = None
        self._size = 0
        return self.make_room()


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
