"""Reports of fleets from the books: what `pool.reports` is made of, read in one transaction."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise

from sqlalchemy import Connection, Engine

from payout.activity import Activity
from payout.rewards import UNIT
from payout.scoring import network_work
from payout.store.activity import Counted as Kept
from payout.store.activity import SqlActivity
from payout.store.earnings import SqlEarnings
from payout.store.epochs import SqlEpochs
from payout.store.ledger import errors_of_ours
from payout.store.slice_work import step_units
from pool.fleet.kinds import Assignment, SiteEvent
from pool.fleet.move import MoveRefused
from pool.fleet.words import account_of
from pool.reports.asked import Asked, Report
from pool.reports.downtime import Journey
from pool.reports.facts import Counted, Dark, Epoch, Facts, ReportRefused, Seen, Span, Work
from pool.reports.losses import Downtime, downtime
from pool.reports.papers import Made
from pool.reports.power import Power, power
from pool.reports.presence import looked_at
from pool.reports.progress import Commissioning, commissioning
from pool.reports.relocation import Marks, Relocation, marks_of, relocation
from pool.reports.uptime import Uptime, uptime
from pool.reports.weak import Measured, Weak, weak
from pool.stats.hashrate import WINDOWS_SECONDS
from pool.stats.tally import Row
from pool.store.darkness import SqlDarkness
from pool.store.fleets import SqlFleets
from pool.store.moves import SqlMoves
from pool.store.sql import reading
from pool.work.share import Outcome

HOUR_MS = 3_600_000
_REMEMBERED_MS = 7 * 86_400_000
"""What was dark before that has no part in any hashrate of now."""

STEPS_MAX = 400
"""So many steps has a picture at most; a longer time has longer ones."""


class Reports:
    """Makes each report at a moment. known_ms: as of what was recorded by then; None for all. Every method raises
    ReportRefused, LedgerUnavailable, LedgerError."""

    def __init__(self, engine: Engine, now_ms: int, known_ms: int | None = None) -> None:
        self._engine = engine
        self._now_ms = now_ms
        self._known_ms = known_ms

    def make(self, asked: Asked, workers: Callable[[], Iterable[Row]], rack_rule: str) -> Made:
        """Whichever is asked for. workers: all there are, with their hashrates of now."""
        match asked.report:
            case Report.RELOCATION:
                marks = asked.marks(self._now_ms)
                if marks is not None:
                    return self.fleet_relocation(asked.name, marks)
                return self.relocation(asked.name, asked.from_ms, asked.to_ms)
            case Report.COMMISSIONING:
                return self.commissioning(asked.name, asked.span(self._now_ms))
            case Report.POWER:
                return self.power(asked.name, asked.span(self._now_ms))
            case Report.DOWNTIME:
                return self.downtime(asked.name, asked.span(self._now_ms))
            case Report.SLA:
                return self.uptime(asked.name, asked.span(self._now_ms))
            case _:
                return self.weak(asked.name, workers(), rack_rule)

    def relocation(self, move: str, from_ms: int | None = None, to_ms: int | None = None) -> Relocation:
        """Of one move. from_ms: by default a week before it; to_ms: by default now."""
        with self._reading() as connection:
            books = SqlMoves(connection)
            try:
                kept = books.get(move)
            except MoveRefused as error:
                raise ReportRefused(f"{error}; of a fleet it is told with the times --off and --on") from error
            journey = Journey(kept.move, books.travellers(kept.id))
            darks = _darks(connection, 0, None, {kept.move.plan.account})
            marks = marks_of(journey, darks, self._now_ms, from_ms, to_ms)
            account = kept.move.plan.account
            facts = self._facts(
                connection, Span(marks.from_ms, marks.to_ms), {account}, (marks.off_ms, marks.on_ms), with_earned=True
            )
            return relocation(facts, move, account, "", marks, [journey], is_of_one=True)

    def fleet_relocation(self, fleet: str, marks: Marks) -> Relocation:
        """Of a fleet (`account/fleet`, or all of an account's), of which a person says the four times."""
        account = account_of(fleet)
        with self._reading() as connection:
            facts = self._facts(
                connection, Span(marks.from_ms, marks.to_ms), {account}, (marks.off_ms, marks.on_ms), with_earned=True
            )
            journeys = _journeys(connection, Span(marks.from_ms, marks.to_ms), {account})
            return relocation(facts, fleet, account, fleet if "/" in fleet else "", marks, journeys)

    def commissioning(self, fleet: str, span: Span) -> Commissioning:
        """Of the batches of a fleet, an account, or all."""
        with self._reading() as connection:
            return commissioning(self._facts(connection, span, _accounts(fleet)), span, fleet)

    def power(self, site: str, span: Span) -> Power:
        """By hour, or several."""
        with self._reading() as connection:
            return power(self._facts(connection, span, None), steps(span), site)

    def downtime(self, fleet: str, span: Span) -> Downtime:
        """What darkness cost."""
        with self._reading() as connection:
            accounts = _accounts(fleet)
            facts = self._facts(connection, span, accounts, with_works=False)
            return downtime(facts, span, fleet, _journeys(connection, span, accounts))

    def uptime(self, contract: str, span: Span) -> Uptime:
        """The statement of a contract."""
        with self._reading() as connection:
            register = SqlFleets(connection).register()
            edges = [ms for each in register.known(SiteEvent) for ms in (each.valid_from_ms, each.valid_to_ms) if ms]
            accounts = {each.account for each in register.known(Assignment) if each.contract == contract}
            facts = self._facts(connection, span, accounts, edges)
            return uptime(facts, span, contract, _journeys(connection, span, accounts))

    def weak(self, fleet: str, workers: Iterable[Row], rack_rule: str) -> Weak:
        """workers: all there are, with their hashrates of now."""
        with self._reading() as connection:
            now = Span(self._now_ms, self._now_ms + 1)
            back_ms: dict[str, int] = {}
            for login, _, until_ms in SqlDarkness(connection).between(self._now_ms - _REMEMBERED_MS, None):
                back_ms[login] = self._now_ms if until_ms is None else until_ms
            facts = self._facts(connection, now, _accounts(fleet), with_works=False)
            return weak(
                facts, [each for row in workers for each in _measured(row, back_ms.get(row.name, 0))], fleet, rack_rule
            )

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with errors_of_ours(self._engine), reading(self._engine) as connection:
            yield connection

    def _facts(
        self,
        connection: Connection,
        span: Span,
        accounts: Collection[str] | None,
        marks_ms: Iterable[int] = (),
        *,
        with_works: bool = True,
        with_earned: bool = False,
    ) -> Facts:
        """accounts: None for all. marks_ms: where a step must end besides."""
        register = SqlFleets(connection).register()
        wanted = {each.account for each in register.known(Assignment)} if accounts is None else set(accounts)
        epochs = [
            Epoch(each.from_ms, network_work(each.nbits), each.subsidy_sat) for each in SqlEpochs(connection).every()
        ]
        marks = steps(span, marks_ms)
        of_account = {each.slice_id: each.account for each in register.known(Assignment)}
        done: list[Work] = []
        counted: list[Counted] | None = None
        seen: list[Seen] | None = None
        if with_works:
            kept = SqlActivity(connection)
            looked = looked_at(span.to_ms)
            began_ms = min(span.from_ms, looked.from_ms)
            every = [each for each in kept.between(began_ms, span.to_ms) if of_account.get(each.slice_id) in wanted]
            done += works(connection, marks, epochs)
            done += solo_works(every, marks, of_account)
            first_ms = kept.first_ms()
            if first_ms is not None and first_ms < span.to_ms:
                counted = [_counted(each) for each in every]
                seen = [Seen(*each) for each in kept.workers(looked.from_ms, looked.to_ms)]
        return Facts(
            register=register,
            now_ms=self._now_ms,
            known_ms=self._known_ms,
            epochs=epochs,
            works=[each for each in done if each.account in wanted],
            darks=_darks(connection, span.from_ms, span.to_ms, wanted),
            earned=SqlEarnings(connection).between(span.from_ms, span.to_ms, wanted) if with_earned else (),
            counted=counted,
            seen=seen,
        )


def _accounts(fleet: str) -> set[str] | None:
    return {account_of(fleet)} if fleet else None


def _darks(connection: Connection, from_ms: int, to_ms: int | None, accounts: Collection[str]) -> list[Dark]:
    return [Dark(*each) for each in SqlDarkness(connection).between(from_ms, to_ms, accounts)]


def _journeys(connection: Connection, span: Span, accounts: Collection[str] | None) -> list[Journey]:
    """Moves that were under way in a time, with their machines."""
    books = SqlMoves(connection)
    found = []
    for kept in books.every():
        move = kept.move
        ended_ms = None if move.is_open else move.events[-1].time_ms
        under_way = move.started_ms is not None and span.within(move.started_ms, ended_ms).ms
        if under_way and (accounts is None or move.plan.account in accounts):
            found.append(Journey(move, books.travellers(kept.id)))
    return found


def _measured(row: Row, back_ms: int) -> Iterator[Measured]:
    """What is known of a worker's hashrate over an hour and a day."""
    for window_seconds, estimate in zip(WINDOWS_SECONDS, row.estimates, strict=True):
        if window_seconds >= 3600 and estimate.relative_error:
            shares = 1 / estimate.relative_error**2
            since_ms = max(row.tally.first_ms, back_ms)
            yield Measured(row.name, window_seconds, estimate.hashrate_hps, shares, since_ms)


def steps(span: Span, marks_ms: Iterable[int] = ()) -> list[int]:
    """Where steps of a time begin and end: whole hours, or several, and the marks."""
    hours = max(1, -(-span.ms // (HOUR_MS * STEPS_MAX)))
    step_ms = hours * HOUR_MS
    first = span.from_ms // step_ms * step_ms
    inner = {*range(first, span.to_ms, step_ms), *marks_ms}
    return sorted({span.from_ms, span.to_ms, *(each for each in inner if span.from_ms < each < span.to_ms)})


def works(connection: Connection, marks_ms: Sequence[int], epochs: Sequence[Epoch]) -> Iterator[Work]:
    """What each slice did in each step. A step within which the difficulty changes is cut there."""
    cuts = {each.from_ms for each in epochs if marks_ms[0] < each.from_ms < marks_ms[-1]}
    for step in step_units(connection, sorted({*marks_ms, *cuts})):
        epoch = next((each for each in reversed(epochs) if each.from_ms <= step.from_ms), None)
        if epoch is None:
            epoch = next((each for each in epochs if each.from_ms < step.to_ms), None)
        for (account, slice_id), units in sorted(step.units.items()):
            if epoch is None:
                raise ReportRefused(
                    "the books do not know the network's difficulty before this version of the pool; begin the report "
                    "later"
                )
            share_units = step.share_units.get((account, slice_id), 0)
            yield Work(account, slice_id, step.from_ms, step.to_ms, *_hashes(epoch.net_work, units, share_units))


def solo_works(kept: Sequence[Kept], marks_ms: Sequence[int], of_account: Mapping[int, str]) -> Iterator[Work]:
    """What slices did in each step whose accounts are on SOLO: their shares are on no line. Ten seconds lie in
    the step in which they began."""
    for from_ms, to_ms in pairwise(marks_ms):
        sums: dict[int, Activity] = {}
        first, last = (bisect_left(kept, ms, key=lambda each: each.from_ms) for ms in (from_ms, to_ms))
        for each in kept[first:last]:
            if each.activity.solo_work:
                sums[each.slice_id] = sums.get(each.slice_id, Activity()).plus(each.activity)
        for slice_id, done in sorted(sums.items()):
            share_work = -(-done.solo_squares // done.solo_work)
            yield Work(of_account[slice_id], slice_id, from_ms, to_ms, done.solo_work, share_work)


def _counted(kept: Kept) -> Counted:
    counts = kept.activity.counts
    refused = {each.name.lower(): counts[each] for each in Outcome if each and counts[each]}
    return Counted(kept.slice_id, kept.from_ms, counts[Outcome.ACCEPTED], refused)


def _hashes(net_work: int, *units: int) -> list[int]:
    # Each share's units were rounded down, by less than a millionth of a hash each.
    return [-(-each * net_work // UNIT) for each in units]
