# cython: language_level=3
"""The numbers of a session in C. Names, arguments and results are those of `native.flow_reference`.

Four numbers in one cache line. As Python's, each lies somewhere else, and each share leaves another one behind: with
ten thousand sessions that is a memory access each that no cache has.
"""

from libc.math cimport INFINITY


cdef class Flow:
    cdef public long long accepted, read_bytes
    cdef public double fresh, alarm

    def __cinit__(self):
        self.alarm = INFINITY

    def take(self, double difficulty):
        self.accepted += 1
        self.fresh += difficulty
        if self.fresh < self.alarm:
            return False
        self.alarm = INFINITY
        return True

    def read(self, long long count):
        self.read_bytes += count
        return self.read_bytes
