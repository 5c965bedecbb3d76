"""The statement of a contract: how long its machines were up, and how much they did of what was to be expected.

The clock stops where nobody is to blame: in windows that were announced for the site, and for machines on a move.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from msgspec import Struct

from pool.fleet.kinds import Contract
from pool.reports.downtime import Down, Journey, downs
from pool.reports.facts import Facts, Fleets, ReportRefused, Span, each_ghs, error_bps, united, work_in
from pool.reports.windows import Cause, Window, windows

_BPS = 10_000
_GIGA = 10**9


class Uptime(Struct, frozen=True):
    """A contract in a time.

    machine_seconds: of machines that were said to hash under it while the clock ran; dark_seconds: of these without a
    share, by no announced cause; uptime_bps: what is left, rounded down. stopped_seconds: how long the clock stood for
    the whole site; moving_seconds: of machines on a move. expected_ghs, measured_ghs: while the clock ran; error_bps:
    one standard deviation of what was measured. delivered_bps: measured of expected.
    """

    contract: str
    kind: str
    site: str
    from_ms: int
    to_ms: int
    known_ms: int | None
    windows: tuple[Window, ...]
    clock_seconds: int
    stopped_seconds: int
    moving_seconds: int
    machine_seconds: int
    dark_seconds: int
    uptime_bps: int
    expected_ghs: int
    measured_ghs: int
    error_bps: int | None
    delivered_bps: int


def clock(span: Span, told: Sequence[Window]) -> list[Span]:
    """The parts of a time in which the clock runs."""
    running, at_ms = [], span.from_ms
    for stop in united(span.within(each.from_ms, each.to_ms) for each in told):
        running.append(Span(at_ms, stop.from_ms))
        at_ms = stop.to_ms
    running.append(Span(at_ms, span.to_ms))
    return [each for each in running if each.ms]


def uptime(facts: Facts, span: Span, name: str, journeys: Sequence[Journey]) -> Uptime:
    """The statement. facts: works cut where windows begin and end. Raises ReportRefused."""
    if not span.ms:
        raise ReportRefused("the statement has no time: give --to after --from")
    contracts = {each.name: each for each in facts.of(Contract)}
    if name not in contracts:
        raise ReportRefused(f"there is no contract {name}; there are: {', '.join(sorted(contracts)) or 'none'}")
    contract = contracts[name]
    fleets = Fleets(facts)
    own = [each for each in fleets.assignments if each.contract == name]
    slices = {each.slice_id for each in own}
    sites = sorted({each.site for each in own} | ({contract.site} if contract.site else set()))
    whole = span.within(contract.valid_from_ms, contract.valid_to_ms)
    told = [each for site in sites for each in windows(fleets.events, site)]
    seen = tuple(each for each in told if whole.within(each.from_ms, each.to_ms).ms)
    running = clock(whole, seen) if whole.ms else []
    machine_ms, expected = 0, Fraction(0)
    for assigned in {(each.batch, each.site) for each in own if each.batch in fleets.batches}:
        batch, site = fleets.batches[assigned[0]], assigned[1]
        hashing_ms = sum(fleets.hashing_ms(batch.name, each, site) for each in running)
        machine_ms += hashing_ms
        expected += each_ghs(batch) * hashing_ms
    found = [each for part in running for each in downs(facts, fleets, slices, part, journeys)]
    dark_ms, moving_ms = _ms(found, Cause.FAULT), _ms(found, Cause.MOVE)
    works = [each for each in facts.works if each.slice_id in slices]
    clock_ms = sum(each.ms for each in running)
    work = sum(work_in(works, each) for each in running)
    measured = work * 1000 // clock_ms // _GIGA if clock_ms else 0
    expected_ghs = int(expected / clock_ms) if clock_ms else 0
    due_ms = max(0, machine_ms - moving_ms)
    return Uptime(
        contract=name,
        kind=contract.kind.value,
        site=", ".join(sites),
        from_ms=span.from_ms,
        to_ms=span.to_ms,
        known_ms=facts.known_ms,
        windows=seen,
        clock_seconds=clock_ms // 1000,
        stopped_seconds=(whole.ms - clock_ms) // 1000,
        moving_seconds=moving_ms // 1000,
        machine_seconds=due_ms // 1000,
        dark_seconds=dark_ms // 1000,
        uptime_bps=max(0, due_ms - dark_ms) * _BPS // due_ms if due_ms else 0,
        expected_ghs=expected_ghs,
        measured_ghs=measured,
        error_bps=error_bps(works, Span(whole.from_ms, whole.to_ms)),
        delivered_bps=measured * _BPS // expected_ghs if expected_ghs else 0,
    )


def _ms(found: Sequence[Down], cause: Cause) -> int:
    return sum(each.span.ms for each in found if each.cause is cause)
