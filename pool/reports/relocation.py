"""The report of a relocation: what a fleet did before, during and after, what it cost, and who earned what.

Of one move, or of a fleet whose machines came from many places: then a person says the four times.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from fractions import Fraction
from itertools import repeat

from msgspec import Struct
from msgspec.structs import replace

from pool.fleet.patterns import common
from pool.fleet.report import MoveReport, report
from pool.fleet.travel import Status, status
from pool.reports.downtime import Journey, Lost, MachineDown, assignment_of, aways, downs, lost, machines_down
from pool.reports.facts import Dark, Facts, Fleets, ReportRefused, Span, Work, each_ghs, error_bps, work_in
from pool.reports.progress import BatchProgress, batch_progress
from pool.reports.rejects import Rejects, rejects
from pool.reports.windows import Cause

BEFORE_MS = 7 * 86_400_000
"""The mean of a week stands for what a fleet did before."""

_BPS = 10_000
_GIGA = 10**9


class Marks(Struct, frozen=True):
    """The four times of a relocation: before is `[from_ms, off_ms)`, during `[off_ms, on_ms)`, after
    `[on_ms, to_ms)`."""

    from_ms: int
    off_ms: int
    on_ms: int
    to_ms: int

    def phases(self) -> tuple[tuple[str, Span], ...]:
        return (
            ("before", Span(self.from_ms, self.off_ms)),
            ("during", Span(self.off_ms, self.on_ms)),
            ("after", Span(self.on_ms, self.to_ms)),
        )


class SiteDone(Struct, frozen=True):
    """A site in a phase. work: expected hashes of its shares, as text. error_bps: one standard deviation of what was
    measured, relative. nominal_ghs, expected_ghs: of all machines of its batches, and of those that were said to hash,
    as the mean over the time; of batches that stood there. rejects: None if the books did not keep that yet, and of
    what no assignment fits."""

    site: str
    work: str
    measured_ghs: int
    error_bps: int | None
    nominal_ghs: int
    expected_ghs: int
    measured_vs_expected_bps: int
    rejects: Rejects | None


class PartyEarned(Struct, frozen=True):
    """What a party has of the fleet's slices in a phase, in the ledger. kind: block, per_share or energy. pending_sat:
    what of it a reorg could still take back. tail_sat: what of it is for shares of sites that the fleet had left: the
    window pays on."""

    party: str
    kind: str
    amount_sat: int
    pending_sat: int
    tail_sat: int


class Phase(Struct, frozen=True):
    """Before, during or after."""

    name: str
    from_ms: int
    to_ms: int
    sites: tuple[SiteDone, ...]
    measured_ghs: int
    rejects: Rejects | None
    earned: tuple[PartyEarned, ...]


class Step(Struct, frozen=True):
    """A point of the picture: a site's hashrate in a step."""

    from_ms: int
    site: str
    ghs: int


class Relocation(Struct, frozen=True):
    """The whole report.

    moves: the planned ones that took its machines; none if they went without a plan. planned_off_ms, actual_off_ms:
    when the old site was to go dark, and when the first machine did. planned_on_ms, actual_on_ms: when all was to mine
    at the new one, and when the last machine did; None while machines are missing. late_ms: how much later than
    planned. known_ms: as of what was recorded by then. machines_sent, arrived, missing: of the moves. lost: by cause.
    machines: every one that was dark, longest first. move: of a report of one, with its stragglers by rack.
    """

    name: str
    account: str
    known_ms: int | None
    now_ms: int
    moves: tuple[str, ...]
    planned_off_ms: int | None
    actual_off_ms: int | None
    planned_on_ms: int | None
    actual_on_ms: int | None
    late_ms: int
    machines_sent: int
    machines_arrived: int
    machines_missing: int
    phases: tuple[Phase, ...]
    batches: tuple[BatchProgress, ...]
    lost: tuple[Lost, ...]
    lost_sat: int
    machines: tuple[MachineDown, ...]
    steps: tuple[Step, ...]
    move: MoveReport | None


def marks_of(journey: Journey, darks: Iterable[Dark], now_ms: int, from_ms: int | None, to_ms: int | None) -> Marks:
    """The four times of a move. What a person said goes before."""
    away = aways(journey, darks, now_ms)
    off_ms = min([journey.move.plan.deadline_ms, *(span.from_ms for span in away.values())])
    end_ms = now_ms if to_ms is None else to_ms
    on_ms = _arrived_ms(journey)
    marks = Marks(
        off_ms - BEFORE_MS if from_ms is None else from_ms, off_ms, end_ms if on_ms is None else on_ms, end_ms
    )
    return _in_order(marks)


def _in_order(marks: Marks) -> Marks:
    off_ms = max(marks.from_ms, min(marks.off_ms, marks.to_ms))
    return Marks(marks.from_ms, off_ms, max(off_ms, min(marks.on_ms, marks.to_ms)), max(marks.from_ms, marks.to_ms))


def relocation(
    facts: Facts,
    name: str,
    account: str,
    fleet: str,
    marks: Marks,
    journeys: Sequence[Journey],
    *,
    is_of_one: bool = False,
) -> Relocation:
    """The report. fleet: `account/fleet`; empty for all machines of the account, or those of the move. facts: works cut
    at the marks. journeys: of the account, in that time. is_of_one: the report is of that move. Raises ReportRefused.
    """
    if not marks.from_ms <= marks.off_ms <= marks.on_ms <= marks.to_ms:
        raise ReportRefused("the times of a relocation must follow each other: --from, --off, --on, --to")
    fleets = Fleets(facts)
    one = journeys[0] if is_of_one else None
    slices = _slices(fleets, account, fleet, one)
    if one is None:
        journeys = _of_fleet(fleets, slices, journeys)
    works = [each for each in facts.works if each.slice_id in slices]
    dark = downs(facts, fleets, slices, Span(marks.from_ms, marks.to_ms), journeys)
    left = _left(fleets, slices, marks)
    by_cause = lost(dark, facts)
    # While machines are missing there is no time after the move: then of the time since it began.
    since_ms = marks.on_ms if marks.to_ms - marks.on_ms >= 1000 else marks.off_ms
    to = Span(max(since_ms, marks.to_ms - 86_400_000), marks.to_ms)
    plans = [each.move.plan for each in journeys]
    arrivals_ms = [_arrived_ms(each) for each in journeys]
    statuses = [status(each.move, machine, facts.now_ms) for each in journeys for machine in each.travellers]
    batches = sorted({each.batch for each in fleets.assignments if each.slice_id in slices and each.batch})
    gone = [each.span.from_ms for each in dark if each.cause is Cause.MOVE]
    return Relocation(
        name=name,
        account=account,
        known_ms=facts.known_ms,
        now_ms=facts.now_ms,
        moves=tuple(each.move.name for each in journeys),
        planned_off_ms=min((each.deadline_ms for each in plans), default=None),
        actual_off_ms=min(gone, default=None),
        planned_on_ms=max((each.planned_on_ms for each in plans), default=None),
        actual_on_ms=None if None in arrivals_ms else max((ms for ms in arrivals_ms if ms), default=None),
        late_ms=max(map(_late_ms, journeys, arrivals_ms, repeat(facts.now_ms)), default=0),
        machines_sent=sum(each is not Status.PENDING for each in statuses),
        machines_arrived=sum(each is Status.ARRIVED for each in statuses),
        machines_missing=sum(each not in (Status.ARRIVED, Status.STAYED) for each in statuses),
        phases=tuple(_phase(what, span, facts, fleets, slices, works, left) for what, span in marks.phases()),
        batches=tuple(
            batch_progress(facts, fleets, fleets.batches[each], works, to)
            for each in batches
            if each in fleets.batches and to.ms >= 1000
        ),
        lost=by_cause,
        lost_sat=sum(each.cost_sat for each in by_cause),
        machines=machines_down(dark, facts, journeys),
        steps=_steps(fleets, works),
        move=report(one.move, one.travellers, facts.now_ms) if one is not None else None,
    )


def _of_fleet(fleets: Fleets, slices: Collection[int], journeys: Iterable[Journey]) -> list[Journey]:
    """Those that took machines of some slices, with these machines, in the order of their deadlines."""
    found = []
    for each in journeys:
        began_ms = each.move.started_ms or each.move.plan.deadline_ms
        own = [one for one in each.travellers if assignment_of(fleets, one.login, began_ms, slices) is not None]
        if own:
            found.append(Journey(each.move, own))
    return sorted(found, key=lambda each: (each.move.plan.deadline_ms, each.move.name))


def _slices(fleets: Fleets, account: str, fleet: str, journey: Journey | None) -> set[int]:
    """Those of the fleet, or of the machines of a move at either of its ends. All of an account: also those that no
    assignment fits."""
    found = {each.slice_id for each in fleets.assignments if each.account == account and fleet in ("", each.fleet)}
    if journey is None or fleet:
        return found if fleet else found | {0}
    plan = journey.move.plan
    here, there = (
        [fleets.slices[number] for number in sorted(found) if fleets.slices[number].site == site]
        for site in (plan.origin.site, plan.target.site)
    )
    old = [each for each in here if common(each.pattern, plan.pattern) is not None]
    batches = {each.batch for each in old if each.batch}
    # At the new site machines may have new names, and other machines may stand there already.
    same_names = [each for each in there if common(each.pattern, plan.pattern) is not None]
    same_batches = [each for each in there if each.batch in batches]
    return {each.slice_id for each in (*old, *(same_batches or same_names or there))}


def _arrived_ms(journey: Journey) -> int | None:
    """When the last one arrived; None while any is missing."""
    move = journey.move
    times = [each.leg(move.is_back).arrived_ms for each in journey.travellers]
    known = [each for each in times if each is not None]
    return max(known) if known and len(known) == len(times) else None


def _late_ms(journey: Journey, arrived_ms: int | None, now_ms: int) -> int:
    end_ms = now_ms if arrived_ms is None else arrived_ms
    return max(0, end_ms - journey.move.plan.planned_on_ms)


def _left(fleets: Fleets, slices: Collection[int], marks: Marks) -> set[int]:
    """Slices of sites where the fleet has no machines any more at the last mark."""
    stays = {each.site for each in fleets.assignments if each.slice_id in slices and each.holds_at(marks.to_ms - 1)}
    return {number for number in slices if number and fleets.site_of(number) not in stays}


def _phase(
    what: str,
    span: Span,
    facts: Facts,
    fleets: Fleets,
    slices: Collection[int],
    works: Sequence[Work],
    left: Collection[int],
) -> Phase:
    names = sorted({fleets.site_of(number) for number in slices})
    sites = tuple(_site(name, span, facts, fleets, slices, works) for name in names)
    earned: dict[tuple[str, str], list[int]] = {}
    for each in facts.earned:
        if each.slice_id in slices and span.from_ms <= each.at_ms < span.to_ms:
            sums = earned.setdefault((each.party, each.kind), [0, 0, 0])
            sums[0] += each.amount_sat
            sums[1] += 0 if each.is_final else each.amount_sat
            sums[2] += each.amount_sat if each.slice_id in left and what != "before" else 0
    parties = tuple(PartyEarned(party, kind, *sums) for (party, kind), sums in sorted(earned.items()))
    measured = work_in(works, span) * 1000 // span.ms // _GIGA if span.ms else 0
    refused = None if facts.counted is None else rejects(facts.counted, slices, span)
    return Phase(what, span.from_ms, span.to_ms, sites, measured, refused, parties)


def _site(
    name: str, span: Span, facts: Facts, fleets: Fleets, slices: Collection[int], works: Sequence[Work]
) -> SiteDone:
    own = [each for each in works if fleets.site_of(each.slice_id) == name]
    work = work_in(own, span)
    own_batches = {each.batch for each in fleets.assignments if each.slice_id in slices}
    nominal = expected = Fraction(0)
    for batch in fleets.batches_at(name, span):
        if batch.name in own_batches and span.ms:
            stood_ms = sum(
                span.within(stay.from_ms, stay.to_ms).ms for stay in fleets.stays(batch.name) if stay.site == name
            )
            nominal += Fraction(batch.nominal_ghs * stood_ms, span.ms)
            expected += each_ghs(batch) * Fraction(fleets.hashing_ms(batch.name, span, name), span.ms)
    measured = work * 1000 // span.ms // _GIGA if span.ms else 0
    ratio = int(measured * _BPS / expected) if expected else 0
    there = {number for number in slices if number and fleets.site_of(number) == name}
    refused = rejects(facts.counted, there, span) if facts.counted is not None and there else None
    return SiteDone(name, str(work), measured, error_bps(own, span), int(nominal), int(expected), ratio, refused)


def _steps(fleets: Fleets, works: Sequence[Work]) -> tuple[Step, ...]:
    """The picture: of each site its hashrate in each step, and none between two that are apart."""
    sums: dict[tuple[int, int, str], int] = {}
    for done in works:
        key = done.from_ms, done.to_ms, fleets.site_of(done.slice_id)
        sums[key] = sums.get(key, 0) + done.work
    stretches = _without_slivers(sorted({(from_ms, to_ms) for from_ms, to_ms, _ in sums}))
    sites = sorted({site for _, _, site in sums})
    steps: list[Step] = []
    for place, each in enumerate(stretches):
        for site in sites:
            work = sum(sums.get((*part, site), 0) for part in each.parts)
            steps.append(Step(each.from_ms, site, work * 1000 // (each.to_ms - each.from_ms) // _GIGA))
        if place + 1 < len(stretches) and each.to_ms < stretches[place + 1].from_ms:
            steps += [Step(each.to_ms, site, 0) for site in sites]  # nobody hashed until the next one
    return tuple(steps)


class _Stretch(Struct, frozen=True):
    """A step of the picture, of these spans."""

    from_ms: int
    to_ms: int
    parts: tuple[tuple[int, int], ...]


def _without_slivers(spans: Sequence[tuple[int, int]]) -> list[_Stretch]:
    """Spans in their order; one that a phase or an epoch cut to less than half a step is joined to the next, the last
    one to the one before. In the third of a second before an epoch there is a share or none, which is no hashrate; for
    the same reason a gap as short is none."""
    least_ms = max((to_ms - from_ms for from_ms, to_ms in spans), default=0) // 2
    found: list[_Stretch] = []
    for from_ms, to_ms in spans:
        stretch = _Stretch(from_ms, to_ms, ((from_ms, to_ms),))
        if found and from_ms - found[-1].to_ms < least_ms:
            before = found.pop()
            is_last = stretch.parts[0] == spans[-1]
            if before.to_ms - before.from_ms < least_ms or (is_last and to_ms - from_ms < least_ms):
                stretch = _Stretch(before.from_ms, to_ms, before.parts + stretch.parts)
            else:
                found.append(replace(before, to_ms=from_ms))
        found.append(stretch)
    return found
