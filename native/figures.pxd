# cython: language_level=3
# What one has sent, in C, with work of any size; and how it looks in Python, as in native.totals_reference.

from libc.stdint cimport int64_t, uint64_t

from native.records cimport OUTCOMES
from native.sums cimport NOT_YET

cdef extern from "exact.h" nogil:
    void wide_add(uint64_t *sum, const uint64_t *more, uint64_t times, int limbs, int room)
    double wide_double(const uint64_t *value, int limbs)

cdef enum:
    # As in native.totals_reference.
    WINDOWS = 4
    # A share's work has at most 257 bits, its square 514; 63 bits more for how many of them.
    WORK_LIMBS = 6
    SQUARE_LIMBS = 10

# A row. records: of any outcome.
cdef struct Figures:
    int64_t first_ms
    int64_t last_ms
    int64_t last_share_ms
    uint64_t counts[OUTCOMES]
    uint64_t records
    uint64_t blocks
    uint64_t work[WORK_LIMBS]
    double expected_blocks
    double difficulty
    int64_t first_s
    int64_t last_s
    double sums[WINDOWS]
    double squares[WINDOWS]

# The shares of one second with what they are worth.
cdef struct Part:
    int64_t first_ms
    int64_t last_ms
    int64_t last_share_ms
    uint64_t counts[OUTCOMES]
    uint64_t records
    uint64_t blocks
    uint64_t work[WORK_LIMBS]
    uint64_t squares[SQUARE_LIMBS]
    double expected_blocks
    double difficulty

# What an accepted share is worth. nbits: whose, with the difficulty.
cdef struct Weight:
    double difficulty
    uint64_t nbits
    uint64_t work[WORK_LIMBS]
    uint64_t square[SQUARE_LIMBS]
    double expected_blocks


cdef inline tuple row_of(const Figures *its):
    return (
        its.first_ms,
        its.last_ms,
        (
            its.first_s,
            its.last_s,
            (its.sums[0], its.sums[1], its.sums[2], its.sums[3]),
            (its.squares[0], its.squares[1], its.squares[2], its.squares[3]),
        ),
        None if its.last_share_ms == NOT_YET else its.last_share_ms,
        tuple([its.counts[outcome] for outcome in range(OUTCOMES)]),
        whole(its.work),
        its.blocks,
        its.expected_blocks,
        None if its.last_share_ms == NOT_YET else its.difficulty,
    )


cdef inline int figures_of(row, Figures *its) except -1:
    # The other way round; None for nothing, which shows with its first record.
    its.last_share_ms = NOT_YET
    if row is None:
        return 0
    its.first_ms, its.last_ms, rate, last_share_ms, counts, work, its.blocks, its.expected_blocks, difficulty = row
    wide_of(work, its.work, WORK_LIMBS)
    its.first_s, its.last_s, sums, squares = rate
    for window in range(WINDOWS):
        its.sums[window], its.squares[window] = sums[window], squares[window]
    for outcome in range(OUTCOMES):
        its.counts[outcome] = counts[outcome]
        its.records += its.counts[outcome]
    if last_share_ms is not None:
        its.last_share_ms, its.difficulty = last_share_ms, difficulty
    return 0


cdef inline int wide_of(value, uint64_t *limbs, int room) except -1:
    # How many limbs it has.
    cdef int limb, used = 0
    if value < 0 or value >> 64 * room:
        raise OverflowError("no share has so much work")
    for limb in range(room):
        limbs[limb] = value >> 64 * limb & 0xFFFFFFFFFFFFFFFF
        if limbs[limb]:
            used = limb + 1
    return used


cdef inline object whole(const uint64_t *limbs):
    cdef int limb
    value = limbs[0]
    for limb in range(1, WORK_LIMBS):
        if limbs[limb]:
            value = value | <object>limbs[limb] << 64 * limb
    return value
