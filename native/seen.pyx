# cython: language_level=3, boundscheck=False, wraparound=False
"""The hashes of accepted shares in C. Names, arguments, results and errors are those of `native.seen_reference`.

A table of slots, a power of two; a hash stands in the slot that its first bytes name, or in the next free one behind.
At most seven of eight slots are taken, so that a search ends soon.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset

cdef enum:
    # As in native.seen_reference, where the reason is.
    REMEMBERED_BYTES = 12
    SLOTS_MIN = 64

# All zero if it is free.
cdef struct Slot:
    uint8_t hash[REMEMBERED_BYTES]

cdef Slot FREE
memset(&FREE, 0, sizeof(Slot))


cdef class SeenHashes:
    cdef Slot *_slots
    cdef uint64_t _mask  # number of slots less one
    cdef Py_ssize_t _taken
    cdef bint _has_zero  # the hash that looks like a free slot

    def __cinit__(self):
        self._slots = <Slot *>calloc(SLOTS_MIN, sizeof(Slot))
        if self._slots is NULL:
            raise MemoryError
        self._mask = SLOTS_MIN - 1

    def __dealloc__(self):
        free(self._slots)

    def __len__(self):
        return self._taken + self._has_zero

    def add(self, bytes digest not None):
        cdef const uint8_t *hash = checked(digest)
        cdef Slot *slot
        if is_free(hash):
            if self._has_zero:
                return False
            self._has_zero = True
            return True
        slot = self.find(hash)
        if not is_free(slot.hash):
            return False
        if 8 * (self._taken + 1) > 7 * <Py_ssize_t>(self._mask + 1):
            self.grow()
            slot = self.find(hash)
        memcpy(slot.hash, hash, REMEMBERED_BYTES)
        self._taken += 1
        return True

    def discard(self, bytes digest not None):
        cdef const uint8_t *hash = checked(digest)
        cdef Slot *slot
        cdef uint64_t gap, place
        if is_free(hash):
            self._has_zero = False
            return
        slot = self.find(hash)
        if is_free(slot.hash):
            return
        self._taken -= 1
        # Those behind the gap move up into it, or a search for them would end there; but none may come to stand before
        # the slot that it names.
        gap = place = slot - self._slots
        while True:
            place = (place + 1) & self._mask
            if is_free(self._slots[place].hash):
                break
            if ((place - named(self._slots[place].hash)) & self._mask) >= ((place - gap) & self._mask):
                self._slots[gap] = self._slots[place]
                gap = place
        self._slots[gap] = FREE

    cdef Slot *find(self, const uint8_t *hash) noexcept nogil:
        # Where it stands, or the free slot where it would.
        cdef uint64_t place = named(hash) & self._mask
        while not is_free(self._slots[place].hash):
            if memcmp(self._slots[place].hash, hash, REMEMBERED_BYTES) == 0:
                break
            place = (place + 1) & self._mask
        return &self._slots[place]

    cdef int grow(self) except -1:
        cdef Slot *old = self._slots
        cdef uint64_t count = self._mask + 1, place
        cdef Slot *slots = <Slot *>calloc(2 * count, sizeof(Slot))
        if slots is NULL:
            raise MemoryError
        self._slots, self._mask = slots, 2 * count - 1
        for place in range(count):
            if not is_free(old[place].hash):
                memcpy(self.find(old[place].hash), &old[place], sizeof(Slot))
        free(old)
        return 0


cdef inline const uint8_t *checked(bytes digest) except NULL:
    if len(digest) != 32:
        raise ValueError("digest must be 32 bytes")
    return <const uint8_t *>digest


cdef inline uint64_t named(const uint8_t *hash) noexcept nogil:
    cdef uint64_t word
    memcpy(&word, hash, 8)
    return word


cdef inline bint is_free(const uint8_t *hash) noexcept nogil:
    return memcmp(hash, FREE.hash, REMEMBERED_BYTES) == 0
