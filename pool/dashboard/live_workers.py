"""The rows of workers as the table shows them, made again each second of what changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol

from msgspec import Struct

from pool.dashboard.rows import Activity, Hashrate, Rate, Worker
from pool.dashboard.tables import natural_key
from pool.stats.hashrate import Estimate
from pool.stats.tally import Row, Tally, login

NOTHING = Activity(Hashrate(*[Rate(0.0, None)] * 4), 0, {}, None)
"""Of who sent no share yet."""


class Connected(Protocol):
    """A worker that is connected, as a stratum role tells it."""

    @property
    def account(self) -> str: ...
    @property
    def worker(self) -> str: ...
    @property
    def agent(self) -> str: ...
    @property
    def difficulty(self) -> float | None: ...


class _Presence(Struct):
    """The connections of one worker. agent, difficulty: of the last one that was told."""

    sessions: int
    agent: str
    difficulty: float | None


class WorkerRows:
    """Who sent shares lately or is connected, or both, in the order in which people count. For one thread at a time."""

    def __init__(self) -> None:
        self._order: list[str] = []
        self._names: frozenset[str] = frozenset()
        # Of machines that are gone: what they were is not forgotten while they are in the table.
        self._agents: dict[str, str] = {}
        self._rejected: dict[str, tuple[Tally, Mapping[str, int]]] = {}

    def rows(self, tallies: Iterable[Row], present: Iterable[Connected]) -> tuple[Worker, ...]:
        """tallies: with hashrates of now."""
        connected = _by_login(present)
        sent = {row.name: row for row in tallies}
        names = frozenset(sent.keys() | connected.keys())
        if names != self._names:
            self._order, self._names = sorted(names, key=natural_key), names
            self._agents = {name: agent for name, agent in self._agents.items() if name in names}
            self._rejected = {name: kept for name, kept in self._rejected.items() if name in names}
        self._agents.update((name, each.agent) for name, each in connected.items() if each.agent)
        return tuple([self._worker(name, sent.get(name), connected.get(name)) for name in self._order])

    def _worker(self, name: str, row: Row | None, presence: _Presence | None) -> Worker:
        account, _, worker = name.partition(".")
        difficulty = presence.difficulty if presence else None
        if row is None:
            activity = NOTHING
        else:
            activity = activity_of(row, self._reasons(name, row.tally))
            difficulty = difficulty or row.tally.difficulty
        sessions = presence.sessions if presence else 0
        return Worker(name, account, worker, sessions, difficulty, activity, self._agents.get(name, ""))

    def _reasons(self, name: str, tally: Tally) -> Mapping[str, int]:
        kept = self._rejected.get(name)
        if kept is None or kept[0] is not tally:
            kept = self._rejected[name] = (tally, tally.rejected)
        return kept[1]


def activity_of(row: Row, rejected: Mapping[str, int] | None = None) -> Activity:
    """What a tally says of now. rejected: of the tally, if it is known already."""
    return Activity(
        Hashrate(*[_rate(estimate) for estimate in row.estimates]),
        row.tally.accepted,
        row.tally.rejected if rejected is None else rejected,
        row.tally.last_share_ms,
    )


def _rate(estimate: Estimate) -> Rate:
    return Rate(estimate.hashrate_hps, estimate.relative_error)


def _by_login(present: Iterable[Connected]) -> dict[str, _Presence]:
    found: dict[str, _Presence] = {}
    for each in present:
        name = login(each.account, each.worker)
        if (known := found.get(name)) is None:
            found[name] = _Presence(1, each.agent, each.difficulty)
        else:
            known.sessions += 1
            known.agent, known.difficulty = each.agent, each.difficulty
    return found


def counted(workers: Iterable[Worker]) -> tuple[Counter[str], Counter[str]]:
    """How many workers each account has, and how many of them are online."""
    known: Counter[str] = Counter()
    online: Counter[str] = Counter()
    for worker in workers:
        known[worker.account] += 1
        online[worker.account] += worker.sessions > 0
    return known, online
