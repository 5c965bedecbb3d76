"""A move as it stands, for people: how many machines are where, and which ones wait for a person, by rack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from pool.fleet.move import Event, Move, Place
from pool.fleet.travel import Status, Traveller, by_rack, is_late, status


class Machine(Struct, frozen=True):
    """One machine. told_ms: when a stratum process said so to it; None if it was not there to be told. twice_ms: since
    when it mines at both ends."""

    login: str
    rack: str
    status: str
    asked_ms: int | None
    tries: int
    told_ms: int | None
    gone_ms: int | None
    arrived_ms: int | None
    is_late: bool
    twice_ms: int | None


class Rack(Struct, frozen=True):
    """A rack: how many of its machines are where; who stayed, or is away."""

    rack: str
    counts: dict[str, int]
    stragglers: tuple[str, ...]
    gone: tuple[str, ...]


class MoveReport(Struct, frozen=True):
    """A move. counts: machines by status; late: how many should have arrived. lacks: of a draft, what a person has to
    say yet; it has no target. notice_ms: when power ends at the site that it leaves, by what is announced now."""

    name: str
    state: str
    account: str
    pattern: str
    origin: Place
    target: Place | None
    words: str
    planned_ms: int
    started_ms: int | None
    start_ms: int | None
    deadline_ms: int
    planned_on_ms: int
    late_ms: int
    machines: int
    counts: dict[str, int]
    late: int
    twice: tuple[str, ...]
    racks: tuple[Rack, ...]
    events: tuple[Event, ...]
    lacks: tuple[str, ...] = ()
    notice_ms: int | None = None

    @property
    def way(self) -> str:
        """From where to where."""
        return f"{self.origin.site} -> {'?' if self.target is None else self.target.site}"


class Stray(Struct, frozen=True):
    """A worker that came on in another region without a move."""

    id: int
    login: str
    account: str
    from_region: str
    to_region: str
    seen_ms: int


def report(move: Move, travellers: Sequence[Traveller], now_ms: int, notice_ms: int | None = None) -> MoveReport:
    """The move at a moment."""
    plan = move.plan
    racks = by_rack(move, travellers)
    return MoveReport(
        name=move.name,
        state=move.state.value,
        account=plan.account,
        pattern=plan.pattern,
        origin=plan.origin,
        target=plan.target,
        words=plan.words,
        planned_ms=move.planned_ms,
        started_ms=move.started_ms,
        start_ms=plan.start_ms,
        deadline_ms=plan.deadline_ms,
        planned_on_ms=plan.planned_on_ms,
        late_ms=plan.late_ms,
        machines=len(travellers),
        counts=counts(move, travellers, now_ms),
        late=sum(is_late(move, each, now_ms) for each in travellers),
        twice=tuple(each.login for each in travellers if each.twice_ms is not None),
        racks=tuple(_rack(move, name, found, now_ms) for name, found in racks.items()),
        events=move.events,
        notice_ms=notice_ms if move.is_open else None,
    )


def machines(move: Move, travellers: Sequence[Traveller], now_ms: int) -> list[Machine]:
    """Every machine, in the order of their turn."""
    return [
        Machine(
            each.login,
            rack,
            status(move, each, now_ms).value,
            leg.asked_ms,
            leg.tries,
            leg.told_ms,
            leg.gone_ms,
            leg.arrived_ms,
            is_late(move, each, now_ms),
            each.twice_ms,
        )
        for rack, found in by_rack(move, travellers).items()
        for each in found
        for leg in [each.leg(move.is_back)]
    ]


def counts(move: Move, travellers: Sequence[Traveller], now_ms: int) -> dict[str, int]:
    """How many machines are where, by status."""
    found = Counter(status(move, each, now_ms) for each in travellers)
    return {each.value: found[each] for each in Status}


def _rack(move: Move, name: str, travellers: Sequence[Traveller], now_ms: int) -> Rack:
    def those(which: Status) -> tuple[str, ...]:
        return tuple(each.login for each in travellers if status(move, each, now_ms) is which)

    return Rack(name, counts(move, travellers, now_ms), those(Status.STRAGGLER), those(Status.GONE))
