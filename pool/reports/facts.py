"""What reports are made of: the register of the fleets beside what was measured, lost and earned in a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import zip_longest
from math import isqrt
from typing import TypeVar

from msgspec import Struct

from payout.earnings import Earning
from pool.fleet.facts import Fact
from pool.fleet.kinds import Assignment, Batch, Count, Model, SiteEvent
from pool.fleet.register import Register

F = TypeVar("F", bound=Fact)


class ReportRefused(ValueError):
    """A report that cannot be made. The text says what is missing, and how to mend it."""


class Epoch(Struct, frozen=True):
    """What a hash was worth from a time on, until the next one. net_work: expected hashes of a block; block_sat: its
    subsidy."""

    from_ms: int
    net_work: int
    block_sat: int


class Work(Struct, frozen=True):
    """The accepted shares of a slice (0: of no assignment) in a step of time. work: their expected hashes. share_work:
    the mean work of one of them, weighted by work, by which the error is known; 0 if that is not known."""

    account: str
    slice_id: int
    from_ms: int
    to_ms: int
    work: int
    share_work: int = 0


class Counted(Struct, frozen=True):
    """The shares of a slice in the ten seconds that began at from_ms. refused: counts by reason."""

    slice_id: int
    from_ms: int
    accepted: int
    refused: Mapping[str, int]


class Seen(Struct, frozen=True):
    """A machine that had a share of a slice accepted on the day (UTC) that began at day_ms."""

    slice_id: int
    day_ms: int
    login: str


class Dark(Struct, frozen=True):
    """A machine that sent nothing. since_ms: its last share; until_ms: the first one after, None while there is
    none."""

    login: str
    since_ms: int
    until_ms: int | None


class Span(Struct, frozen=True):
    """`[from_ms, to_ms)`."""

    from_ms: int
    to_ms: int

    @property
    def ms(self) -> int:
        return max(0, self.to_ms - self.from_ms)

    def within(self, from_ms: int, to_ms: int | None) -> Span:
        """The part of it that lies in another; for none its ms are 0."""
        return Span(max(self.from_ms, from_ms), self.to_ms if to_ms is None else min(self.to_ms, to_ms))


def united(spans: Iterable[Span]) -> list[Span]:
    """The same time without overlaps, in order."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda each: (each.from_ms, each.to_ms)):
        if found and span.from_ms <= found[-1].to_ms:
            found[-1] = Span(found[-1].from_ms, max(found[-1].to_ms, span.to_ms))
        elif span.ms:
            found.append(span)
    return found


class Facts(Struct, frozen=True):
    """What a report is made of. known_ms: as of what was recorded by then, None for all. now_ms: when it is made.
    counted, seen: also of the day before the last one of the report; None if the books did not keep that yet."""

    register: Register
    now_ms: int
    known_ms: int | None = None
    epochs: Sequence[Epoch] = ()
    works: Sequence[Work] = ()
    darks: Sequence[Dark] = ()
    earned: Sequence[Earning] = ()
    counted: Sequence[Counted] | None = None
    seen: Sequence[Seen] | None = None

    def of(self, kind: type[F]) -> list[F]:
        """The rows of a kind that counted at known_ms, in the order of their times."""
        rows = (row for row in self.register.known(kind, self.known_ms) if not row.is_withdrawn)
        return sorted(rows, key=lambda row: (row.valid_from_ms, row.row_id))


class Stay(Struct, frozen=True):
    """A batch at a site."""

    site: str
    from_ms: int
    to_ms: int | None


class Fleets:
    """Questions about the register, answered for many times at once."""

    def __init__(self, facts: Facts) -> None:
        self.assignments = facts.of(Assignment)
        self.slices = {each.slice_id: each for each in self.assignments}
        self.batches = {each.name: each for each in facts.of(Batch)}
        self.models = {each.name: each for each in facts.of(Model)}
        self.events = facts.of(SiteEvent)
        self._counts: dict[str, list[Count]] = {}
        for count in facts.of(Count):
            self._counts.setdefault(count.batch, []).append(count)
        self._assigned: dict[str, list[Assignment]] = {}
        for each in self.assignments:
            if each.batch:
                self._assigned.setdefault(each.batch, []).append(each)

    def site_of(self, slice_id: int) -> str:
        """Where a slice's machines stand; empty if no assignment says."""
        found = self.slices.get(slice_id)
        return found.site if found is not None else ""

    def stays(self, batch: str) -> Iterator[Stay]:
        """Where a batch stood, one after the other: at the site of the assignment that began last."""
        rows = self._assigned.get(batch, [])
        for row, after in zip_longest(rows, rows[1:]):
            ends = [ms for ms in (row.valid_to_ms, after.valid_from_ms if after else None) if ms is not None]
            yield Stay(row.site, row.valid_from_ms, min(ends, default=None))

    def counts(self, batch: str) -> Sequence[Count]:
        """How far its machines were, one after the other."""
        return self._counts.get(batch, [])

    def count_at(self, batch: str, time_ms: int) -> Count | None:
        """How far its machines were at a time."""
        return next((each for each in self.counts(batch) if each.holds_at(time_ms)), None)

    def hashing_ms(self, batch: str, span: Span, site: str | None = None) -> int:
        """Machines that were said to hash, times milliseconds; those at a site, or all for None."""
        places = [Stay("", 0, None)] if site is None else [each for each in self.stays(batch) if each.site == site]
        total = 0
        for count in self.counts(batch):
            counted = span.within(count.valid_from_ms, count.valid_to_ms)
            total += sum(count.hashing * counted.within(each.from_ms, each.to_ms).ms for each in places)
        return total

    def batches_at(self, site: str, span: Span) -> list[Batch]:
        """Batches that stood there at any moment of a time, by name."""
        return [
            batch
            for name, batch in sorted(self.batches.items())
            if any(stay.site == site and span.within(stay.from_ms, stay.to_ms).ms for stay in self.stays(name))
        ]


def each_ghs(batch: Batch) -> Fraction:
    """The nominal rate of one machine: 102.3 PH/s over 2 600 machines has no end in decimals."""
    return Fraction(batch.nominal_ghs, batch.machines)


def work_in(works: Iterable[Work], span: Span) -> int:
    """The work within a time. A step that reaches over its edge counts by its part, rounded down."""
    return sum(each.work * part // (each.to_ms - each.from_ms) for each, part in _parts(works, span))


def error_bps(works: Iterable[Work], span: Span) -> int | None:
    """One standard deviation of the work within a time, relative to it, in basis points, rounded up.

    n equal shares have 1/sqrt(n); here n is the work in the mean work of a share. None without a share to judge by.
    """
    total = squares = 0
    for each, part in _parts(works, span):
        work = each.work * part // (each.to_ms - each.from_ms)
        if work and not each.share_work:
            return None
        total, squares = total + work, squares + work * each.share_work
    if not total:
        return None
    square = -(-squares * _BPS**2 // total**2)
    return isqrt(square - 1) + 1


_BPS = 10_000


def _parts(works: Iterable[Work], span: Span) -> Iterator[tuple[Work, int]]:
    for each in works:
        part = span.within(each.from_ms, each.to_ms).ms
        if part:
            yield each, part
