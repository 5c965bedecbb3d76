# What other modules of this package reach into, past Python.

from libc.stdint cimport int64_t, uint64_t

from native.records cimport OUTCOMES

cdef enum:
    NOT_YET = -1

# A row that grows. run: accepted shares in a row of the difficulty and nBits beside it; the earlier runs are in a list.
cdef struct Sum:
    int64_t first_ms
    int64_t last_ms
    int64_t last_share_ms
    uint64_t counts[OUTCOMES]
    uint64_t blocks
    uint64_t run
    double difficulty
    uint64_t nbits


cdef class SecondSums:
    cdef public long long second
    cdef Sum *_sums
    cdef Py_ssize_t _size
    # By account and worker as they stand in a record: the place of their sum.
    cdef dict _places
    # Of each sum: account and worker, and its earlier runs.
    cdef list _names
    cdef list _runs

    cdef tuple row(self, Py_ssize_t place)
    cdef Sum *place(self, bytes names, account, worker) except NULL
