# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""What workers, accounts and all together have sent, in C. Names, arguments, results and errors are those of
`native.totals_reference`."""

from libc.math cimport exp
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from native.figures cimport (
    SQUARE_LIMBS,
    WINDOWS,
    WORK_LIMBS,
    Figures,
    Part,
    Weight,
    figures_of,
    row_of,
    wide_add,
    wide_double,
    wide_of,
)
from native.records cimport OUTCOMES, mixed, prefetch
from native.sums cimport NOT_YET, SecondSums, Sum

cdef extern from "exact.h" nogil:
    ctypedef struct FloatSum "struct float_sum":
        int count

    void float_add(FloatSum *sum, double value)
    double float_rounded(const FloatSum *sum)

cdef enum:
    # After so many workers another thread may have the interpreter: some 0.1 ms.
    BETWEEN_PAUSES = 256
    # Workers are strewn over more memory than the nearest caches have: so many ahead are asked for.
    AHEAD = 6
    # Silences in seconds whose decays are kept, and pairs of difficulty and nBits whose weights are; a power of two.
    SILENCES = 1024
    WEIGHTS = 4096

# Of a free place among the weights.
cdef uint64_t NO_NBITS = <uint64_t>-1


# told: how many of its records `changes` told last. grown: whether it stands in the list of those that grew.
cdef class Total:
    cdef Figures figures
    cdef object name
    cdef uint64_t told
    cdef bint grown

    cdef tuple row(self):
        return row_of(&self.figures)


# An account, or all. joined, expected_blocks: the parts of the second that `turn` says.
cdef class Together(Total):
    cdef Part joined
    cdef FloatSum expected_blocks
    cdef uint64_t turn

    cdef void begin(self, uint64_t turn) noexcept:
        memset(&self.joined, 0, sizeof(Part))
        self.joined.last_share_ms = NOT_YET
        self.expected_blocks.count = 0
        self.turn = turn

    cdef void join(self, const Part *other, int work_limbs, int square_limbs) noexcept:
        # Of those whose newest share is as new, the last one's difficulty holds.
        cdef Part *its = &self.joined
        cdef int outcome
        its.first_ms = min(its.first_ms, other.first_ms) if its.records else other.first_ms
        its.last_ms = max(its.last_ms, other.last_ms)
        if other.last_share_ms >= its.last_share_ms:
            its.last_share_ms, its.difficulty = other.last_share_ms, other.difficulty
        for outcome in range(OUTCOMES):
            its.counts[outcome] += other.counts[outcome]
        its.records += other.records
        its.blocks += other.blocks
        wide_add(its.work, other.work, 1, work_limbs, WORK_LIMBS)
        wide_add(its.squares, other.squares, 1, square_limbs, SQUARE_LIMBS)
        float_add(&self.expected_blocks, other.expected_blocks)

    cdef const Part *finish(self) noexcept:
        self.joined.expected_blocks = float_rounded(&self.expected_blocks)
        return &self.joined


cdef class Totals:
    cdef object _weigh
    cdef object _name
    cdef int64_t _windows_seconds[WINDOWS]
    # What is left after a silence of so many seconds; 0 where nobody asked yet.
    cdef double _decays[SILENCES][WINDOWS]
    cdef Weight *_weights
    # As many limbs as any of them has, and one more for sums of them.
    cdef int _work_limbs
    cdef int _square_limbs
    cdef dict _workers
    cdef dict _accounts
    cdef Together _everyone
    # Each second that is looked at is another one.
    cdef uint64_t _turn
    # Says that places of sums lead to rows of ours; another one when rows were dropped.
    cdef object _seal
    # Those that grew since `changes` was asked last.
    cdef list _grown_workers
    cdef list _grown_accounts

    def __init__(self, weigh, name, windows_seconds, workers={}, accounts={}, everyone=None):
        if len(windows_seconds) != WINDOWS:
            raise ValueError(f"there must be {WINDOWS} windows")
        self._weigh, self._name = weigh, name
        for window in range(WINDOWS):
            self._windows_seconds[window] = windows_seconds[window]
        self._weights = <Weight *>calloc(WEIGHTS, sizeof(Weight))
        if self._weights is NULL:
            raise MemoryError
        for place in range(WEIGHTS):
            self._weights[place].nbits = NO_NBITS
        self._work_limbs = self._square_limbs = 1
        self._workers = {each: total_of(Total.__new__(Total), each, row) for each, row in workers.items()}
        self._accounts = {each: total_of(Together.__new__(Together), each, row) for each, row in accounts.items()}
        self._everyone = total_of(Together.__new__(Together), "", everyone)
        self._seal = object()
        self._grown_workers, self._grown_accounts = [], []

    def __dealloc__(self):
        free(self._weights)

    def take(self, SecondSums sums not None):
        cdef list accounts = []
        cdef Part part
        cdef Total total
        cdef Together account
        cdef Py_ssize_t number, place
        self.know(sums)
        for number in range(sums._came_count):
            place = sums._came[number]
            ahead(sums, number + AHEAD)
            total, account = sums._workers[place], sums._accounts[place]
            self.weighed(sums, place, &part)
            self.grow(&total.figures, &part, sums.second)
            note(self._grown_workers, total)
            self.join(accounts, account, &part)
            pause(number)
        for account in accounts:
            self.grow(&account.figures, account.finish(), sums.second)
            note(self._grown_accounts, account)
        if accounts:
            self.grow(&self._everyone.figures, self.of_all(accounts), sums.second)

    def rows(self, SecondSums sums not None):
        workers, accounts, everyone = self.open_rows(sums, False)
        return (
            {**rows_of(self._workers), **workers},
            {**rows_of(self._accounts), **accounts},
            everyone,
        )

    def everyone(self):
        return self._everyone.row() if self._everyone.figures.records else None

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
        if silent:
            self._seal = object()
        return silent

    cdef tuple open_rows(self, SecondSums sums, bint untold):
        # The rows that the sums of a second touch, as they are with them; or those of them that are not told, and now
        # they are.
        cdef dict workers = {}, accounts = {}
        cdef list together = []
        cdef Part part
        cdef Figures everyone = self._everyone.figures
        cdef Together account
        cdef Py_ssize_t number, place
        self.know(sums)
        for number in range(sums._came_count):
            place = sums._came[number]
            self.weighed(sums, place, &part)
            self.show(workers, sums._workers[place], &part, sums.second, untold)
            self.join(together, sums._accounts[place], &part)
            pause(number)
        for account in together:
            self.show(accounts, account, account.finish(), sums.second, untold)
        if together:
            self.grow(&everyone, self.of_all(together), sums.second)
        return workers, accounts, row_of(&everyone) if everyone.records else None

    cdef int show(self, dict rows, Total total, const Part *part, int64_t second, bint untold) except -1:
        cdef Figures grown
        if untold:
            total.grown = False  # in the list it is passed over: this is its newest row
            if total.told == total.figures.records + part.records:
                return 0
            total.told = total.figures.records + part.records
        grown = total.figures
        self.grow(&grown, part, second)
        rows[total.name] = row_of(&grown)
        return 0

    cdef int know(self, SecondSums sums) except -1:
        # That each place of the sums leads to the rows that grow with it.
        cdef Py_ssize_t number, place
        cdef list names = sums._names
        self._turn += 1
        if sums._grown_by is not self._seal:
            sums._workers, sums._accounts, sums._grown_by = [], [], self._seal
        missing = len(names) - len(sums._workers)
        if missing:
            sums._workers += [None] * missing
            sums._accounts += [None] * missing
        for number in range(sums._came_count):
            place = sums._came[number]
            if sums._workers[place] is None:
                account, worker = names[place]
                name = self._name(account, worker)
                if name not in self._workers:
                    self._workers[name] = total_of(Total.__new__(Total), name, None)
                if account not in self._accounts:
                    self._accounts[account] = total_of(Together.__new__(Together), account, None)
                sums._workers[place], sums._accounts[place] = self._workers[name], self._accounts[account]
        return 0

    cdef int join(self, list accounts, Together account, const Part *part) except -1:
        if account.turn != self._turn:
            account.begin(self._turn)
            accounts.append(account)
        account.join(part, self._work_limbs, self._square_limbs)
        return 0

    cdef const Part *of_all(self, list accounts) except NULL:
        cdef Together account
        self._everyone.begin(self._turn)
        for account in accounts:
            self._everyone.join(&account.joined, self._work_limbs, self._square_limbs)
        return self._everyone.finish()

    cdef int weighed(self, SecondSums sums, Py_ssize_t place, Part *part) except -1:
        # Fill in the part of one worker.
        cdef const Sum *its = &sums._sums[place]
        cdef int outcome
        memset(part, 0, sizeof(Part))
        part.first_ms, part.last_ms, part.last_share_ms = its.first_ms, its.last_ms, its.last_share_ms
        part.blocks = its.blocks
        for outcome in range(OUTCOMES):
            part.counts[outcome] = its.counts[outcome]
            part.records += its.counts[outcome]
        if its.has_runs:
            for difficulty, nbits, count in sums._runs[place]:
                self.add_run(part, difficulty, nbits, count)
        if its.run:
            self.add_run(part, its.difficulty, its.nbits, its.run)
        return 0

    cdef int add_run(self, Part *part, double difficulty, uint64_t nbits, uint64_t count) except -1:
        cdef const Weight *weight = self.weight(difficulty, nbits)
        wide_add(part.work, weight.work, count, self._work_limbs, WORK_LIMBS)
        wide_add(part.squares, weight.square, count, self._square_limbs, SQUARE_LIMBS)
        part.expected_blocks += weight.expected_blocks * <double>count
        part.difficulty = difficulty
        return 0

    cdef const Weight *weight(self, double difficulty, uint64_t nbits) except NULL:
        # Kept until another pair wants its place.
        cdef Weight *found
        cdef Weight fresh
        cdef uint64_t bits
        memcpy(&bits, &difficulty, sizeof(bits))
        found = &self._weights[mixed(bits, nbits) & (WEIGHTS - 1)]
        if found.nbits != nbits or differs(found.difficulty, difficulty):
            work, square, fresh.expected_blocks = self._weigh(difficulty, nbits)
            fresh.difficulty, fresh.nbits = difficulty, nbits
            self._work_limbs = max(self._work_limbs, wide_of(work, fresh.work, WORK_LIMBS - 1) + 1)
            self._square_limbs = max(self._square_limbs, wide_of(square, fresh.square, SQUARE_LIMBS - 1) + 1)
            found[0] = fresh
        return found

    cdef int grow(self, Figures *its, const Part *part, int64_t second) except -1:
        cdef int outcome, limb
        cdef uint64_t work = 0
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
        for limb in range(self._work_limbs):
            work |= part.work[limb]
        if work:
            wide_add(its.work, part.work, 1, self._work_limbs, WORK_LIMBS)
            self.rise(its, part, second)
        return 0

    cdef int rise(self, Figures *its, const Part *part, int64_t second) except -1:
        cdef double work = wide_double(part.work, self._work_limbs)
        cdef double squares = wide_double(part.squares, self._square_limbs)
        cdef int64_t silence = max(0, second - its.last_s)
        cdef double unkept[WINDOWS]
        cdef double *decays = unkept
        cdef int window
        if silence < SILENCES:
            decays = self._decays[silence]
        if silence >= SILENCES or decays[0] == 0.0:
            for window in range(WINDOWS):
                decays[window] = exp(-<double>silence / <double>self._windows_seconds[window])
        its.first_s, its.last_s = min(its.first_s, second), second
        for window in range(WINDOWS):
            its.sums[window] = its.sums[window] * decays[window] + work
            its.squares[window] = its.squares[window] * (decays[window] * decays[window]) + squares
        return 0


cdef inline bint differs(double one, double two) noexcept:
    # By their bits: a difficulty may be no number.
    cdef uint64_t first, second
    memcpy(&first, &one, sizeof(first))
    memcpy(&second, &two, sizeof(second))
    return first != second


cdef Total total_of(Total total, name, row):
    total.name = name
    figures_of(row, &total.figures)
    total.told = total.figures.records
    return total


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


cdef inline int ahead(SecondSums sums, Py_ssize_t number) except -1:
    cdef Total total
    cdef Py_ssize_t place, line
    if number < sums._came_count:
        place = sums._came[number]
        prefetch(&sums._sums[place])
        prefetch(<const char *>&sums._sums[place] + 64)
        prefetch(<const char *>&sums._sums[place] + 128)
        total = sums._workers[place]
        for line in range(0, <Py_ssize_t>sizeof(Figures), 64):
            prefetch(<const char *>&total.figures + line)
    return 0


cdef inline int pause(Py_ssize_t done) except -1:
    if done % BETWEEN_PAUSES == 0:
        with nogil:
            pass
    return 0
