# What other modules of this package reach into, past Python.

from libc.stdint cimport int64_t, uint32_t, uint64_t

from native.records cimport OUTCOMES, Share, Text

cdef enum:
    NOT_YET = -1

# A row that grows, of the second in which its worker came last. names: account and worker as they stand in a record.
# turn: which second that was. run: accepted shares in a row of the difficulty and nBits beside it; are there earlier
# ones, they are in a list.
cdef struct Sum:
    Text names
    uint64_t hash
    uint64_t turn
    int64_t first_ms
    int64_t last_ms
    int64_t last_share_ms
    uint64_t counts[OUTCOMES]
    uint64_t blocks
    uint64_t run
    double difficulty
    uint64_t nbits
    bint has_runs


# A worker keeps its place from second to second.
cdef class SecondSums:
    cdef public long long second
    cdef Sum *_sums
    # The places of those who came in this second, in that order.
    cdef uint32_t *_came
    cdef Py_ssize_t _came_count
    cdef Py_ssize_t _size
    cdef uint64_t _turn
    # Places plus one by the hash of the names, 0 for a free one; a power of two, half of them free.
    cdef uint32_t *_slots
    cdef uint64_t _mask
    cdef uint64_t _secret
    # By place: the names as they stand in a record, account and worker, and the earlier runs.
    cdef list _keys
    cdef list _names
    cdef list _runs
    # The records that were read last, and what they were read from.
    cdef Share *_shares
    cdef uint64_t *_hashes
    cdef Py_ssize_t _shares_size
    cdef Py_ssize_t _shares_count
    cdef bytes _payload
    # By place, for those who grow by these sums (`native.totals`); they hold as long as `_grown_by` says.
    cdef list _workers
    cdef list _accounts
    cdef object _grown_by

    cdef tuple row(self, Py_ssize_t place)
    cdef int read(self, bytes payload, Py_ssize_t count) except -1
    cdef int count_in(self, const Share *share, uint64_t hash) except -1
    cdef void ahead(self, Py_ssize_t number, Py_ssize_t count) noexcept
    cdef Sum *come(self, Py_ssize_t place) noexcept
    cdef Py_ssize_t place_of(self, const Share *share, uint64_t hash) except -1
    cdef Py_ssize_t find(self, const Text *names, uint64_t hash) noexcept
    cdef Py_ssize_t new_place(self, bytes names, account, worker) except -1
    cdef int make_room(self) except -1
    cdef int forget_names(self) except -1
