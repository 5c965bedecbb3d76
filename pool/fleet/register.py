"""All that is known about fleets, and what becomes of it when more is said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from pool.fleet.facts import Fact, holding, known, says
from pool.fleet.kinds import KINDS, Assignment, kind_of

F = TypeVar("F", bound=Fact)


class Entry(Struct, frozen=True):
    """A row that somebody enters. place: where it stands, for an error to name."""

    place: str
    fact: Fact


class Mistake(Struct, frozen=True):
    """What is wrong with one entry. place: where it came from, such as `site.csv line 3`."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


class Register:
    """Rows of all kinds."""

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self._facts: dict[str, list[Fact]] = {name: [] for name in KINDS}
        self._known: dict[str, dict[int, Fact]] = {name: {} for name in KINDS}
        # By kind and the first word of their key, which is the name of a thing or what it belongs to.
        self._about: dict[tuple[str, str], dict[int, Fact]] = {}
        self._replaced: dict[tuple[str, int | None], int] = {}
        self._row_ids = dict.fromkeys(KINDS, 0)
        self._slice_id = 0
        for fact in facts:
            self._keep(fact)

    def every(self, kind: type[F]) -> list[F]:
        """All rows of a kind, also those that are replaced."""
        return [fact for fact in self._facts[_name(kind)] if isinstance(fact, kind)]

    def known(self, kind: type[F], recorded_ms: int | None = None) -> list[F]:
        """Those that nothing has taken the place of, as of what was recorded by a time."""
        if recorded_ms is not None:
            return known(self.every(kind), recorded_ms)
        return [fact for fact in self._known[_name(kind)].values() if isinstance(fact, kind)]

    def about(self, kind: type[F], first: str) -> list[F]:
        """Those that nothing has taken the place of, by the first word of their key."""
        return [fact for fact in self._about.get((_name(kind), first), {}).values() if isinstance(fact, kind)]

    def row(self, kind: type[F], row_id: int | None) -> F | None:
        """One row, replaced or not."""
        # Rows are numbered from 1 without a gap.
        every = self._facts[_name(kind)]
        found = every[row_id - 1] if row_id is not None and 0 < row_id <= len(every) else None
        return found if isinstance(found, kind) else None

    def times_replaced(self, fact: Fact) -> int:
        """How many rows say that they replace the one that this replaces."""
        return self._replaced.get((kind_of(fact), fact.replaces), 0)

    def holding(self, kind: type[F], valid_ms: int, recorded_ms: int | None = None) -> list[F]:
        """What held at a time, as of what was recorded by another."""
        return holding(self.every(kind), valid_ms, recorded_ms)

    def add(self, entries: Sequence[Entry], now_ms: int) -> list[Entry]:
        """The rows that entries come to; the register has them from then on.

        What says the same as a row that is known comes to nothing. What begins as one about the same takes its place;
        what begins within one lets that end there, but never an assignment: to whom shares belong is said in so many
        words. What an operator corrects by its row keeps naming that.
        """
        # An end comes before a beginning, so that what follows at that time finds the place free.
        ordered = sorted(entries, key=lambda entry: (entry.fact.valid_from_ms, entry.fact.replaces is None))
        recorded: list[Entry] = []
        for entry in sorted(ordered, key=lambda entry: list(KINDS).index(kind_of(entry.fact))):
            recorded += [Entry(entry.place, self._record(fact, now_ms)) for fact in self._meant(entry.fact)]
        return recorded

    def _meant(self, fact: Fact) -> Iterator[Fact]:
        if fact.replaces is not None:
            yield fact
            return
        for before in self.about(type(fact), fact.key[0]):
            if before.key != fact.key or before.is_withdrawn:
                continue
            if before.valid_from_ms == fact.valid_from_ms:
                same = replace(fact, slice_id=before.slice_id) if isinstance(before, Assignment) else fact
                if says(same) != says(before):
                    yield replace(same, replaces=before.row_id)
                return
            open_ended = before.valid_to_ms is None and before.valid_from_ms < fact.valid_from_ms
            if open_ended and not isinstance(fact, Assignment):
                yield replace(before, valid_to_ms=fact.valid_from_ms, replaces=before.row_id)
        yield fact

    def _record(self, fact: Fact, now_ms: int) -> Fact:
        name = kind_of(fact)
        if isinstance(fact, Assignment) and not fact.slice_id:
            fact = replace(fact, slice_id=self._slice_id + 1)
        recorded = replace(fact, row_id=self._row_ids[name] + 1, recorded_ms=now_ms)
        self._keep(recorded)
        return recorded

    def _keep(self, fact: Fact) -> None:
        name = kind_of(fact)
        self._facts[name].append(fact)
        self._row_ids[name] = max(self._row_ids[name], fact.row_id)
        if isinstance(fact, Assignment):
            self._slice_id = max(self._slice_id, fact.slice_id)
        self._replaced[name, fact.replaces] = self._replaced.get((name, fact.replaces), 0) + 1
        before = self.row(type(fact), fact.replaces)
        if before is not None:
            self._known[name].pop(before.row_id, None)
            self._about[name, before.key[0]].pop(before.row_id, None)
        self._known[name][fact.row_id] = fact
        self._about.setdefault((name, fact.key[0]), {})[fact.row_id] = fact


def _name(kind: type[Fact]) -> str:
    return _NAMES[kind]


_NAMES = {kind: name for name, kind in KINDS.items()}
