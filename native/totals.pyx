# cython: language_level=3, boundscheck=False, wraparound=False
"""What workers, accounts and all together have sent, in C. Names, arguments, results and errors are those of
`native.totals_reference`."""

from libc.math cimport exp
from libc.stdint cimport int64_t, uint64_t
from math import fsum

from native.records cimport OUTCOMES
from native.sums cimport NOT_YET, SecondSums, Sum

cdef enum:
    # As in native.totals_reference.
    WINDOWS = 4
    # After so many workers another thread may have the interpreter: some 0.1 ms.
    BETWEEN_PAUSES = 256

# A row but for its work, which may be of any size. records: of any outcome.
cdef struct Figures:
    int64_t first_ms
    int64_t last_ms
    int64_t last_share_ms
    uint64_t counts[OUTCOMES]
    uint64_t records
    uint64_t blocks
    double expected_blocks
    double difficulty
    int64_t first_s
    int64_t last_s
    double sums[WINDOWS]
    double squares[WINDOWS]


# A row. told: how many of its records `changes` told last. grown: whether it stands in the list of those that grew.
cdef class Total:
    cdef Figures figures
    cdef object work
    cdef object name
    cdef uint64_t told
    cdef bint grown

    cdef Total copy(self):
        cdef Total twin = Total.__new__(Total)
        twin.figures, twin.work = self.figures, self.work
        return twin

    cdef tuple row(self):
        cdef Figures *its = &self.figures
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
            self.work,
            its.blocks,
            its.expected_blocks,
            None if its.last_share_ms == NOT_YET else its.difficulty,
        )


# The shares of one second with what they are worth. several: the expected blocks of each part that went into it.
cdef class Part:
    cdef int64_t first_ms
    cdef int64_t last_ms
    cdef int64_t last_share_ms
    cdef uint64_t counts[OUTCOMES]
    cdef uint64_t records
    cdef uint64_t blocks
    cdef double difficulty
    cdef object work
    cdef object squares
    cdef double expected_blocks
    cdef list several

    cdef int join(self, Part other) except -1:
        # Of those whose newest share is as new, the last one's difficulty holds.
        cdef int outcome
        if self.several is None:
            self.several = []
            self.first_ms, self.last_ms, self.last_share_ms = other.first_ms, other.last_ms, NOT_YET
            self.work = self.squares = 0
        self.first_ms, self.last_ms = min(self.first_ms, other.first_ms), max(self.last_ms, other.last_ms)
        if other.last_share_ms >= self.last_share_ms:
            self.last_share_ms, self.difficulty = other.last_share_ms, other.difficulty
        for outcome in range(OUTCOMES):
            self.counts[outcome] += other.counts[outcome]
        self.records += other.records
        self.blocks += other.blocks
        self.work = self.work + other.work
        self.squares = self.squares + other.squares
        self.several.append(other.expected_blocks)
        return 0

    cdef int finish(self) except -1:
        self.expected_blocks = fsum(self.several)
        return 0


cdef class Totals:
    cdef object _weigh
    cdef object _name
    cdef int64_t _windows_seconds[WINDOWS]
    # What is left after a silence of so many seconds; nearly all are the same.
    cdef int64_t _silence
    cdef double _decays[WINDOWS]
    cdef dict _workers
    cdef dict _accounts
    cdef Total _everyone
    # Those that grew since `changes` was asked last.
    cdef list _grown_workers
    cdef list _grown_accounts

    def __init__(self, weigh, name, windows_seconds, workers={}, accounts={}, everyone=None):
        if len(windows_seconds) != WINDOWS:
            raise ValueError(f"there must be {WINDOWS} windows")
        self._weigh, self._name = weigh, name
        for window in range(WINDOWS):
            self._windows_seconds[window] = windows_seconds[window]
        self._silence = NOT_YET
        self._workers = {each: total_of(each, row) for each, row in workers.items()}
        self._accounts = {each: total_of(each, row) for each, row in accounts.items()}
        self._everyone = nobody("") if everyone is None else total_of("", everyone)
        self._grown_workers, self._grown_accounts = [], []

    def take(self, SecondSums sums not None):
        cdef dict by_account = {}
        cdef Part part = Part.__new__(Part), together
        cdef Total total
        cdef Py_ssize_t place
        for place in range(len(sums._names)):
            total = self.worker(sums, place)
            self.weighed(sums, place, part)
            self.grow(total, part, sums.second)
            note(self._grown_workers, total)
            joined(by_account, sums._names[place][0], part)
            pause(place)
        for account, together in by_account.items():
            together.finish()
            total = known(self._accounts, account)
            self.grow(total, together, sums.second)
            note(self._grown_accounts, total)
        if by_account:
            self.grow(self._everyone, of_all(by_account), sums.second)

    def rows(self, SecondSums sums not None):
        workers, accounts, everyone = self.open_rows(sums, False)
        return (
            {**rows_of(self._workers), **workers},
            {**rows_of(self._accounts), **accounts},
            everyone,
        )

    def changes(self, SecondSums sums not None):
        workers, accounts, everyone = self.open_rows(sums, True)
        tell(self._grown_workers, workers)
        tell(self._grown_accounts, accounts)
        return workers, accounts, everyone

    def forget(self, int64_t oldest_ms):
        cdef Total total
        silent = []
        for name, total in self._workers.items():
            if total.figures.records and total.figures.last_ms < oldest_ms:
                silent.append(name)
                total.grown = False  # in the list it is passed over
        for name in silent:
            del self._workers[name]
        return silent

    cdef tuple open_rows(self, SecondSums sums, bint untold):
        # The rows that the sums of a second touch, as they are with them; or those of them that are not told, and now
        # they are.
        cdef dict workers = {}, accounts = {}, by_account = {}
        cdef Part part = Part.__new__(Part), together
        cdef Total total
        cdef Py_ssize_t place
        for place in range(len(sums._names)):
            total = self.worker(sums, place)
            self.weighed(sums, place, part)
            self.show(workers, total, part, sums.second, untold)
            joined(by_account, sums._names[place][0], part)
            pause(place)
        for account, together in by_account.items():
            together.finish()
            self.show(accounts, known(self._accounts, account), together, sums.second, untold)
        total = self._everyone
        if by_account:
            total = total.copy()
            self.grow(total, of_all(by_account), sums.second)
        return workers, accounts, total.row() if total.figures.records else None

    cdef int show(self, dict rows, Total total, Part part, int64_t second, bint untold) except -1:
        cdef Total grown
        if untold:
            total.grown = False  # in the list it is passed over: this is its newest row
            if total.told == total.figures.records + part.records:
                return 0
            total.told = total.figures.records + part.records
        grown = total.copy()
        self.grow(grown, part, second)
        rows[total.name] = grown.row()
        return 0

    cdef Total worker(self, SecondSums sums, Py_ssize_t place):
        account, worker = sums._names[place]
        return known(self._workers, self._name(account, worker))

    cdef int weighed(self, SecondSums sums, Py_ssize_t place, Part part) except -1:
        # Fill in the part of one worker.
        cdef Sum *its = &sums._sums[place]
        cdef int outcome
        part.first_ms, part.last_ms, part.last_share_ms = its.first_ms, its.last_ms, its.last_share_ms
        part.blocks, part.records = its.blocks, 0
        part.work = part.squares = 0
        part.expected_blocks = 0.0
        for outcome in range(OUTCOMES):
            part.counts[outcome] = its.counts[outcome]
            part.records += its.counts[outcome]
        for difficulty, nbits, count in sums._runs[place]:
            self.add_run(part, difficulty, nbits, count)
        if its.run:
            self.add_run(part, its.difficulty, its.nbits, its.run)
        return 0

    cdef int add_run(self, Part part, double difficulty, uint64_t nbits, uint64_t count) except -1:
        work, square, expected_blocks = self._weigh(difficulty, nbits)
        part.work = part.work + work * count
        part.squares = part.squares + square * count
        part.expected_blocks += <double>expected_blocks * <double>count
        part.difficulty = difficulty
        return 0

    cdef int grow(self, Total total, Part part, int64_t second) except -1:
        cdef Figures *its = &total.figures
        cdef int outcome
        if its.records == 0:
            its.first_ms = part.first_ms
            its.first_s = its.last_s = second
        its.last_ms = part.last_ms
        if part.last_share_ms != NOT_YET:
            its.last_share_ms, its.difficulty = part.last_share_ms, part.difficulty
        for outcome in range(OUTCOMES):
            its.counts[outcome] += part.counts[outcome]
        its.records += part.records
        its.blocks += part.blocks
        its.expected_blocks += part.expected_blocks
        if part.work:
            total.work = total.work + part.work
            self.rise(its, part.work, part.squares, second)
        return 0

    cdef int rise(self, Figures *its, double work, double squares, int64_t second) except -1:
        cdef int64_t silence = max(0, second - its.last_s)
        cdef double decay
        cdef int window
        if silence != self._silence:
            self._silence = silence
            for window in range(WINDOWS):
                self._decays[window] = exp(-<double>silence / <double>self._windows_seconds[window])
        its.first_s, its.last_s = min(its.first_s, second), second
        for window in range(WINDOWS):
            decay = self._decays[window]
            its.sums[window] = its.sums[window] * decay + work
            its.squares[window] = its.squares[window] * (decay * decay) + squares
        return 0


cdef Total nobody(name):
    # A row of nothing; it shows with its first record.
    cdef Total total = Total.__new__(Total)
    total.name, total.work = name, 0
    total.figures.last_share_ms = NOT_YET
    return total


cdef Total total_of(name, row):
    cdef Total total = nobody(name)
    cdef Figures *its = &total.figures
    its.first_ms, its.last_ms, rate, last_share_ms, counts, total.work, its.blocks, its.expected_blocks, difficulty = row
    its.first_s, its.last_s, sums, squares = rate
    for window in range(WINDOWS):
        its.sums[window], its.squares[window] = sums[window], squares[window]
    for outcome in range(OUTCOMES):
        its.counts[outcome] = counts[outcome]
        its.records += its.counts[outcome]
    if last_share_ms is not None:
        its.last_share_ms, its.difficulty = last_share_ms, difficulty
    total.told = its.records
    return total


cdef Total known(dict totals, name):
    found = totals.get(name)
    if found is None:
        found = totals[name] = nobody(name)
    return <Total>found


cdef int joined(dict parts, name, Part part) except -1:
    # Join a part to the one of that name.
    found = parts.get(name)
    if found is None:
        found = parts[name] = Part.__new__(Part)
    return (<Part>found).join(part)


cdef Part of_all(dict by_account):
    cdef Part everyone = Part.__new__(Part), together
    for together in by_account.values():
        everyone.join(together)
    everyone.finish()
    return everyone


cdef dict rows_of(dict totals):
    cdef Total total
    return {name: total.row() for name, total in totals.items() if total.figures.records}


cdef int note(list grown, Total total) except -1:
    if not total.grown:
        total.grown = True
        grown.append(total)
    return 0


cdef int tell(list grown, dict rows) except -1:
    # Add the rows that grew and are not told, and forget that they grew.
    cdef Total total
    cdef Py_ssize_t place = 0
    for total in grown:
        if total.grown and total.told != total.figures.records:
            total.told = total.figures.records
            rows[total.name] = total.row()
        total.grown = False
        place += 1
        pause(place)
    grown.clear()
    return 0


cdef inline int pause(Py_ssize_t done) except -1:
    if done % BETWEEN_PAUSES == 0:
        with nogil:
            pass
    return 0
