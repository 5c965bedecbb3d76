# cython: language_level=3
# Arrays that grow, and where in them things are by their hash.

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc

cdef enum:
    SLOTS_MIN = 256
    ROOM_MIN = 64

# size: of an element.
cdef struct Array:
    char *data
    Py_ssize_t count
    Py_ssize_t room
    Py_ssize_t size

# slots: places plus one, 0 for a free one; a power of two, half of them free.
cdef struct Places:
    uint32_t *slots
    uint64_t mask


cdef inline char *at(const Array *array, Py_ssize_t place) noexcept nogil:
    return array.data + place * array.size


cdef inline char *add(Array *array) except NULL nogil:
    # A new element, as it happens to be.
    cdef char *data
    cdef Py_ssize_t room
    if array.count == array.room:
        room = 2 * array.room + ROOM_MIN
        data = <char *>realloc(array.data, room * array.size)
        if data is NULL:
            with gil:
                raise MemoryError
        array.data, array.room = data, room
    array.count += 1
    return at(array, array.count - 1)


cdef inline int grow(Places *places, const Array *array) except -1 nogil:
    # Elements begin with their hash.
    cdef uint64_t count = 2 * (places.mask + 1) if places.slots is not NULL else SLOTS_MIN
    cdef uint64_t slot
    cdef Py_ssize_t place
    cdef uint32_t *slots = <uint32_t *>calloc(count, sizeof(uint32_t))
    if slots is NULL:
        with gil:
            raise MemoryError
    free(places.slots)
    places.slots, places.mask = slots, count - 1
    for place in range(array.count):
        slot = (<uint64_t *>at(array, place))[0] & places.mask
        while slots[slot]:
            slot = (slot + 1) & places.mask
        slots[slot] = <uint32_t>place + 1
    return 0
