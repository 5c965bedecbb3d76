# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The accepted shares of batches as runs in C. Name, arguments, results and errors are those of
`native.runs_reference`."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset

from native.arrays cimport Array, Places, add, at, grow
from native.records cimport (
    ACCEPTED, NEAR_MAX, NEAR_NONE, Cursor, Share, Text, hash_bytes, mixed, prefetch, read_record, text
)

cdef enum:
    AHEAD = 8
    # A text of so many bytes is kept with its run: where its record is, memory is far. Addresses have 62.
    KEPT_BYTES = 64
    DAY_MS = 86_400_000

# share: its texts stand in the records, which must stay where they are. account, agent: these two again, if they are
# short. bound: how many of the bounds are not above. nears: how many shares came so near to a block.
cdef struct Run:
    uint64_t hash
    Share share
    uint8_t account[KEPT_BYTES]
    uint8_t agent[KEPT_BYTES]
    int64_t period_ms
    Py_ssize_t bound
    uint64_t shares
    int64_t oldest_ms
    int64_t newest_ms
    uint64_t nears[NEAR_MAX + 1]
    # In the batch that is read: its number, and the place among its runs.
    Py_ssize_t batch
    uint32_t place

# A worker that had shares of a slice accepted on a day. share: as of a run; its texts are compared where they stand.
cdef struct Worker:
    uint64_t hash
    Share share
    int64_t day

# Refused shares of a slice in the batch that is read.
cdef struct Refused:
    uint64_t slice_id
    uint64_t outcome
    uint64_t shares

cdef struct Stretch:
    Py_ssize_t first
    Py_ssize_t length

cdef struct Block:
    Share share
    Py_ssize_t number
    Py_ssize_t accepted

# run_places, worker_places: of runs and workers. batch: number of the one that is read, from 1; parts, picks,
# stretches, blocks and refused are its own.
cdef struct Found:
    Array runs
    Array workers
    Array parts
    Array picks
    Array stretches
    Array blocks
    Array refused
    Places run_places
    Places worker_places
    Py_ssize_t batch

# The shares of a batch that are of one run. run: its place.
cdef struct Part:
    uint32_t run
    uint64_t shares


def share_runs(batches, long long period_ms, long long period_length_ms, bounds_ms):
    cdef Found found
    cdef int64_t period = period_ms
    cdef Py_ssize_t bounds = len(bounds_ms), place
    cdef int64_t *bound = <int64_t *>malloc((bounds + 1) * sizeof(int64_t))
    cdef list read = []
    if bound is NULL:
        raise MemoryError
    begin(&found)
    try:
        for place in range(bounds):
            bound[place] = bounds_ms[place]
        for payload, count, first in batches:
            read.append(read_batch(&found, payload, count, first, &period, period_length_ms, bound, bounds))
        return (
            [run_of(<Run *>at(&found.runs, place)) for place in range(found.runs.count)],
            [worker_of(<Worker *>at(&found.workers, place)) for place in range(found.workers.count)],
            read,
        )
    finally:
        free(bound)
        free(found.run_places.slots)
        free(found.worker_places.slots)
        for array in range(7):
            free((&found.runs)[array].data)


cdef void begin(Found *found) noexcept nogil:
    memset(found, 0, sizeof(Found))
    found.runs.size = sizeof(Run)
    found.workers.size = sizeof(Worker)
    found.refused.size = sizeof(Refused)
    found.parts.size = sizeof(Part)
    found.picks.size = sizeof(uint32_t)
    found.stretches.size = sizeof(Stretch)
    found.blocks.size = sizeof(Block)


cdef tuple read_batch(
    Found *found,
    bytes payload,
    Py_ssize_t count,
    Py_ssize_t first,
    int64_t *period_ms,
    int64_t length_ms,
    const int64_t *bounds_ms,
    Py_ssize_t bounds,
):
    cdef Cursor cursor
    cdef int64_t time_ms = 0
    cdef bint read
    cdef Py_ssize_t place
    cdef const Part *part
    cdef list runs = [], shares = []
    if payload is None:
        raise TypeError("a payload is bytes")
    found.batch += 1
    found.parts.count = found.picks.count = found.stretches.count = found.blocks.count = found.refused.count = 0
    cursor.at = <const uint8_t *>PyBytes_AS_STRING(payload)
    cursor.end = cursor.at + PyBytes_GET_SIZE(payload)
    with nogil:
        read = read_all(found, &cursor, count, first, period_ms, length_ms, bounds_ms, bounds, &time_ms)
    if not read:
        raise ValueError("the records cannot be read")
    for place in range(found.parts.count):
        part = <const Part *>at(&found.parts, place)
        runs.append(part.run)
        shares.append(part.shares)
    return (
        runs,
        shares,
        picks_of(found),
        [stretch_of(<Stretch *>at(&found.stretches, place)) for place in range(found.stretches.count)],
        [block_of(<Block *>at(&found.blocks, place)) for place in range(found.blocks.count)],
        [refused_of(<Refused *>at(&found.refused, place)) for place in range(found.refused.count)],
        period_ms[0],
        time_ms,
    )


cdef int read_all(
    Found *found,
    Cursor *cursor,
    Py_ssize_t count,
    Py_ssize_t first,
    int64_t *period_ms,
    int64_t length_ms,
    const int64_t *bounds_ms,
    Py_ssize_t bounds,
    int64_t *time_ms,
) except -1 nogil:
    # Whether all of it could be read.
    # The runs are strewn over more memory than the nearest caches have: what is read waits until its own is there.
    cdef Share shares[AHEAD]
    cdef Share share
    cdef uint64_t hashes[AHEAD]
    cdef uint64_t hash
    cdef Block *block
    cdef Stretch *stretch
    cdef Py_ssize_t number = 0, read = 0
    cdef int64_t begin_ms
    while number < count:
        while read < count and read < number + AHEAD:
            if cursor.at is NULL:
                return False
            read_record(cursor, &shares[read % AHEAD])
            if cursor.at is NULL:
                return False
            if not shares[read % AHEAD].is_job:
                hashes[read % AHEAD] = hash_of(&shares[read % AHEAD])
                ahead(found, hashes[read % AHEAD])
            read += 1
        share, hash = shares[number % AHEAD], hashes[number % AHEAD]
        if number >= first:
            time_ms[0] = share.time_ms
            begin_ms = share.time_ms - share.time_ms % length_ms
            if begin_ms > period_ms[0]:
                period_ms[0] = begin_ms
            if not share.is_job:
                if share.outcome == ACCEPTED:
                    accept(found, &share, hash, period_ms[0], bound_of(share.time_ms, bounds_ms, bounds))
                    if share.slice_id:
                        see(found, &share)
                    stretch = NULL
                    if found.stretches.count:
                        stretch = <Stretch *>at(&found.stretches, found.stretches.count - 1)
                    if stretch is NULL or stretch.first + stretch.length != number:
                        stretch = <Stretch *>add(&found.stretches)
                        stretch.first, stretch.length = number, 0
                    stretch.length += 1
                elif share.slice_id:
                    refuse(found, &share)
                if share.block_hash.start is not NULL:
                    block = <Block *>add(&found.blocks)
                    block.share, block.number, block.accepted = share, number, found.picks.count
        number += 1
    return count >= 0 and number == count and cursor.at == cursor.end


cdef inline Py_ssize_t bound_of(int64_t time_ms, const int64_t *bounds_ms, Py_ssize_t bounds) noexcept nogil:
    cdef Py_ssize_t place = 0
    while place < bounds and bounds_ms[place] <= time_ms:
        place += 1
    return place


cdef inline void ahead(const Found *found, uint64_t hash) noexcept nogil:
    cdef uint32_t place
    if found.run_places.slots is not NULL:
        place = found.run_places.slots[hash & found.run_places.mask]
        if place:
            prefetch(at(&found.runs, place - 1))
            prefetch(at(&found.runs, place - 1) + 64)
            prefetch(at(&found.runs, place - 1) + 128)
            prefetch(at(&found.runs, place - 1) + 192)
            prefetch(at(&found.runs, place - 1) + 256)
            prefetch(at(&found.runs, place - 1) + 320)
            prefetch(at(&found.runs, place - 1) + 384)


cdef int accept(
    Found *found, const Share *share, uint64_t hash, int64_t period_ms, Py_ssize_t bound
) except -1 nogil:
    cdef uint64_t slot
    cdef Run *run
    cdef Part *part
    cdef Places *places = &found.run_places
    if 2 * <uint64_t>(found.runs.count + 1) > places.mask:
        grow(places, &found.runs)
    slot = hash & places.mask
    while places.slots[slot]:
        run = <Run *>at(&found.runs, places.slots[slot] - 1)
        if run.hash == hash and is_same(run, share, period_ms, bound):
            break
        slot = (slot + 1) & places.mask
    else:
        run = <Run *>add(&found.runs)
        run.share, run.period_ms, run.bound, run.hash, run.shares = share[0], period_ms, bound, hash, 0
        run.oldest_ms = run.newest_ms = share.time_ms
        memset(run.nears, 0, sizeof(run.nears))
        run.batch = 0
        keep(run.account, &share.account)
        keep(run.agent, &share.agent)
        places.slots[slot] = <uint32_t>found.runs.count
    if run.batch != found.batch:
        run.batch, run.place = found.batch, <uint32_t>found.parts.count
        part = <Part *>add(&found.parts)
        part.run, part.shares = places.slots[slot] - 1, 0
    part = <Part *>at(&found.parts, run.place)
    part.shares += 1
    run.shares += 1
    run.oldest_ms = min(run.oldest_ms, share.time_ms)
    run.newest_ms = max(run.newest_ms, share.time_ms)
    if share.near != NEAR_NONE:
        run.nears[share.near] += 1
    (<uint32_t *>add(&found.picks))[0] = run.place
    return 0


cdef inline bint is_same(const Run *run, const Share *share, int64_t period_ms, Py_ssize_t bound) noexcept nogil:
    return (
        run.share.difficulty == share.difficulty
        and run.share.nbits == share.nbits
        and run.share.height == share.height
        and run.share.slice_id == share.slice_id
        and run.period_ms == period_ms
        and run.bound == bound
        and run.share.is_told == share.is_told
        and is_text(&run.share.account, run.account, &share.account)
        and is_text(&run.share.agent, run.agent, &share.agent)
    )


cdef inline void keep(uint8_t *kept, const Text *text) noexcept nogil:
    if text.length <= KEPT_BYTES:
        memcpy(kept, text.start, text.length)


cdef inline bint is_text(const Text *one, const uint8_t *kept, const Text *two) noexcept nogil:
    return one.length == two.length and memcmp(
        kept if one.length <= KEPT_BYTES else one.start, two.start, two.length
    ) == 0


cdef inline uint64_t hash_of(const Share *share) noexcept nogil:
    # Without the period, of which a batch has one or two.
    cdef uint64_t hash = hash_bytes(hash_bytes(0x9E3779B97F4A7C15, &share.account), &share.agent), word
    memcpy(&word, &share.difficulty, 8)
    hash = mixed(hash, word ^ share.slice_id)
    return mixed(hash, share.height << 32 ^ share.nbits)


cdef int see(Found *found, const Share *share) except -1 nogil:
    cdef Places *places = &found.worker_places
    cdef int64_t day = share.time_ms // DAY_MS
    cdef uint64_t hash = hash_bytes(hash_bytes(0x9E3779B97F4A7C15, &share.account), &share.worker), slot
    cdef Worker *worker
    hash = mixed(hash, share.slice_id ^ <uint64_t>day << 48)
    if 2 * <uint64_t>(found.workers.count + 1) > places.mask:
        grow(places, &found.workers)
    slot = hash & places.mask
    while places.slots[slot]:
        worker = <Worker *>at(&found.workers, places.slots[slot] - 1)
        if worker.hash == hash and worker.day == day and worker.share.slice_id == share.slice_id and is_text(
            &worker.share.account, worker.share.account.start, &share.account
        ) and is_text(&worker.share.worker, worker.share.worker.start, &share.worker):
            return 0
        slot = (slot + 1) & places.mask
    worker = <Worker *>add(&found.workers)
    worker.share, worker.day, worker.hash = share[0], day, hash
    places.slots[slot] = <uint32_t>found.workers.count
    return 0


cdef int refuse(Found *found, const Share *share) except -1 nogil:
    # A batch has few of them.
    cdef Py_ssize_t place
    cdef Refused *refused
    for place in range(found.refused.count):
        refused = <Refused *>at(&found.refused, place)
        if refused.slice_id == share.slice_id and refused.outcome == share.outcome:
            refused.shares += 1
            return 0
    refused = <Refused *>add(&found.refused)
    refused.slice_id, refused.outcome, refused.shares = share.slice_id, share.outcome, 1
    return 0


cdef bytes picks_of(const Found *found):
    cdef Py_ssize_t count = found.picks.count, place
    cdef int width = 1 if found.parts.count <= 1 << 8 else 2 if found.parts.count <= 1 << 16 else 4
    cdef bytes packed = PyBytes_FromStringAndSize(NULL, count * width)
    cdef uint8_t *out = <uint8_t *>PyBytes_AS_STRING(packed)
    cdef const uint32_t *picks = <const uint32_t *>found.picks.data
    cdef int byte
    for place in range(count):
        for byte in range(width):
            out[byte] = <uint8_t>(picks[place] >> 8 * (width - 1 - byte))
        out += width
    return packed


cdef tuple run_of(const Run *run):
    return (
        text(&run.share.account),
        run.share.slice_id,
        run.share.difficulty,
        run.share.nbits,
        run.share.height,
        run.period_ms,
        run.shares,
        run.share.time_ms,
        run.oldest_ms,
        run.newest_ms,
        text(&run.share.agent) if run.share.agent.length else "",
        tuple([run.nears[near] for near in range(NEAR_MAX + 1 if run.share.is_told else 0)]),
    )


cdef tuple worker_of(const Worker *worker):
    return worker.share.slice_id, worker.day * DAY_MS, text(&worker.share.account), text(&worker.share.worker)


cdef tuple refused_of(const Refused *refused):
    return refused.slice_id, refused.outcome, refused.shares


cdef tuple stretch_of(const Stretch *stretch):
    return stretch.first, stretch.length


cdef tuple block_of(const Block *block):
    return (
        block.number,
        block.accepted,
        block.share.time_ms,
        block.share.outcome,
        text(&block.share.account),
        text(&block.share.worker),
        block.share.height,
        PyBytes_FromStringAndSize(<const char *>block.share.block_hash.start, block.share.block_hash.length),
    )
