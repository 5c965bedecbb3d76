"""The whole case, step by step: the machines hash, the journal keeps it, and both ledgers take it from there."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from hashlib import sha256
from pathlib import Path

from msgspec import Struct
from twisted.internet.defer import Deferred, execute
from twisted.python.failure import Failure

from pool.fleet.slices import SliceTable, Standing
from pool.journal.journal import Durability, Journal
from pool.paths import Paths
from pool.scenario.bit_mining.books import WAYS, JournalSource, ScenarioBooks
from pool.scenario.bit_mining.case import BEGINS_MS, HOUR_MS, OWNER, Case
from pool.scenario.bit_mining.mining import Mine
from pool.scenario.bit_mining.network import Network
from pool.scenario.bit_mining.register import slices_of
from pool.scenario.bit_mining.travel import Leaving, Stay, leave, stays
from pool.store.sql import reading


class Played(Struct):
    """What came of it. records: of the journal. first_share_ms: of each batch at its new
    place."""

    case: Case
    journal: Path
    frontend: str
    books: list[ScenarioBooks]
    leaving: list[Leaving]
    stays: list[Stay]
    network: Network
    records: int
    first_share_ms: dict[str, int]


class _SliceTable:
    """The slices of the owner's workers."""

    def __init__(self, table: SliceTable) -> None:
        self._table = table
        self._standing = Standing((), 0)

    def slice_of(self, worker: str, time_ms: int) -> int | None:
        if time_ms >= self._standing.until_ms:
            self._standing = self._table.at(time_ms)
        return self._standing.slice_of(OWNER, worker)


def play(case: Case, out: Path, tell: Callable[[float], None]) -> Played:
    """Into an empty folder. tell: hears which part of the time is over."""
    network = Network(case.seed)
    leaving = leave(case)
    where = list(stays(case, leaving))
    books = [ScenarioBooks(out / way.name, way, network) for way in WAYS]
    for each in books:
        each.open(case, where)
    with reading(books[0].engine) as connection:
        table = _SliceTable(slices_of(connection))
    mine = Mine(case, where, network, table)
    when_the_step_is_over = _Timer()
    journal = _journal(Paths(out).journal / "0", case.seed, when_the_step_is_over)
    sources = [JournalSource(journal.folder, journal.frontend) for _ in books]
    for end_ms in range(BEGINS_MS + case.step_ms, case.ends_ms + 1, case.step_ms):
        # By the hour, so that reports find what was done within one: there a batch counts where it ends.
        for hour_ms in range(end_ms - case.step_ms, end_ms, HOUR_MS):
            for record in mine.until(hour_ms + HOUR_MS):
                journal.append(record)
            journal.commit()
        when_the_step_is_over.fire()
        network.now_ms = end_ms
        for each, source in zip(books, sources, strict=True):
            source.durable_seq = journal.durable_seq
            each.take(source)
            for _ in each.follow(end_ms):
                pass
        tell((end_ms - BEGINS_MS) / (case.ends_ms - BEGINS_MS))
    _wait(journal.close())
    first_ms = {f"{OWNER}.{stay.worker}": at.first_ms for stay, at in mine.arrivals if at.first_ms is not None}
    arrived = [each.arrive(first_ms) for each in leaving]
    for each in books:
        each.keep(arrived)
    first_share_ms: dict[str, int] = {}
    for stay, machine in mine.arrivals:
        if machine.first_ms is not None:
            key = stay.lot.key
            first_share_ms[key] = min(machine.first_ms, first_share_ms.get(key, machine.first_ms))
    return Played(
        case, journal.folder, journal.frontend, books, arrived, where, network, journal.durable_seq, first_share_ms
    )


class _Timer:
    """The journal's only timer: to the disk, when a step is over."""

    def __init__(self) -> None:
        self._call: Callable[[], None] | None = None

    def later(self, _seconds: float, call: Callable[[], None]) -> _Timer:
        self._call = call
        return self

    def cancel(self) -> None:
        self._call = None

    def fire(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call()


def _journal(folder: Path, seed: int, timer: _Timer) -> Journal:
    """An empty one. Its id is the seed's: else no two runs would have the same bytes."""
    folder.mkdir(parents=True)
    (folder / "frontend").write_text(sha256(f"journal of {seed}".encode()).hexdigest()[:16] + "\n", encoding="ascii")

    def run(call: Callable[[], None]) -> Deferred[None]:
        return execute(call)

    return Journal(folder, Durability.RELAXED, run=run, later=timer.later)


def _wait(coroutine: Coroutine[Deferred[None], None, None]) -> None:
    """Run to its end what waits for nothing but the disk."""
    failures: list[Failure] = []
    Deferred.fromCoroutine(coroutine).addErrback(failures.append)
    for failure in failures:
        failure.raiseException()
