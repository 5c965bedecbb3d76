"""The statistics folded again from the journals, beside what Redis holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from msgspec import Struct
from msgspec.structs import asdict

from pool.journal.format import Group
from pool.journal.segments import JournalDamaged
from pool.rebuild.comparison import Check
from pool.rebuild.journals import Journals, RebuildImpossible
from pool.stats.history import COARSE_SECONDS, FINE_SECONDS, Rings
from pool.stats.tally import Snapshot, Tallies

_READ_BYTES = 8 << 20


class LiveTallies(Protocol):
    """Redis, as far as its statistics go. Every method raises StoreUnavailable."""

    def frontends(self) -> list[str]:
        """The journals that ever had tallies."""

    def tallies_of(self, frontend: str) -> tuple[int, Snapshot] | None:
        """The tallies of a journal, with the record up to which they stand; None if they have faded."""


def groups_to(journals: Journals, frontend: str, last_seq: int) -> Iterator[Group]:
    """A journal from its first record to last_seq."""
    reader = journals.reader(frontend)
    try:
        while reader.next_seq <= last_seq:
            yield from reader.read(last_seq, bytes_max=_READ_BYTES)
    except JournalDamaged as error:
        raise RebuildImpossible(f"the journal {frontend} cannot be read to its end: {error}") from error


def fold(journals: Journals, frontend: str, last_seq: int) -> Tallies:
    """The tallies of a journal as of a record. Group by group, as the live fold: it forgets idle workers by groups."""
    tallies = Tallies()
    for group in groups_to(journals, frontend, last_seq):
        tallies.fold(group.payload, group.count)
        journals.seen(group.count)
    return tallies


def compare_statistics(
    live: LiveTallies, journals: Journals, folded: Callable[[str, int, Tallies], None]
) -> tuple[list[Check], list[str], int]:
    """The checks, what could not be compared, and how many records were folded.

    folded: told of each journal, its last record and its tallies.
    """
    checks = [Check(f"statistics: {what}") for what in ("workers", "accounts", "pool", "over time")]
    faded: list[str] = []
    records = 0
    for frontend in live.frontends():
        found = live.tallies_of(frontend)
        if found is None:
            faded.append(f"statistics of journal {frontend} have faded from Redis: nothing to compare")
            continue
        last_seq, shown = found
        tallies = fold(journals, frontend, last_seq)
        records += last_seq
        folded(frontend, last_seq, tallies)
        again = tallies.snapshot()
        place = f"journal {frontend} up to record {last_seq}"
        pools = [{} if each is None else {"pool": each} for each in (shown.pool, again.pool)]
        steps = [_steps(each.history or Rings()) for each in (shown, again)]
        tables: tuple[tuple[Mapping[str, Struct], Mapping[str, Struct]], ...] = (
            (shown.workers, again.workers),
            (shown.accounts, again.accounts),
            (pools[0], pools[1]),
            (steps[0], steps[1]),
        )
        for check, (one, two) in zip(checks, tables, strict=True):
            _compare(check, place, one, two)
    return checks, faded, records


def _steps(history: Rings) -> dict[str, Struct]:
    """The minutes and half hours of a history, by what a person calls them."""
    rings = ((FINE_SECONDS, history.fine), (COARSE_SECONDS, history.coarse))
    return {f"{seconds} s from {cell.start_s}": cell for seconds, ring in rings for cell in ring}


def _compare(check: Check, place: str, live: Mapping[str, Struct], rebuilt: Mapping[str, Struct]) -> None:
    check.live += len(live)
    check.rebuilt += len(rebuilt)
    for name in sorted({*live, *rebuilt}):
        one, two = live.get(name), rebuilt.get(name)
        if one == two:
            continue
        if one is None or two is None:
            check.differs(f"{name}, {place}: only {'rebuilt' if one is None else 'live'}")
            continue
        fields = [
            f"{field} {value} live, {again} rebuilt"
            for (field, value), again in zip(asdict(one).items(), asdict(two).values(), strict=True)
            if value != again
        ]
        check.differs(f"{name}, {place}: {'; '.join(fields)}")
