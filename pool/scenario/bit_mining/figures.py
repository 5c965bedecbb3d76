"""The figures of a run: what was hashed, found and paid, for the summary and the picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from msgspec import Struct

from payout.rewards import UNIT
from pool.bitcoin.amount import format_btc
from pool.fleet.slices import SliceTable
from pool.fleet.times import utc
from pool.scenario.bit_mining.case import BEGINS_MS, DAY_MS, EPOCHS, GANZI, HOUR_MS, LOTS, OWNER, PLACES, Case
from pool.scenario.bit_mining.measured import Hour, rates_hps
from pool.scenario.bit_mining.paid import Paid, PaidBlock
from pool.scenario.bit_mining.play import Played

STEP_MS = 6 * HOUR_MS
_GIGA = 10**9


class EpochFigures(Struct, frozen=True):
    """The pool in one difficulty. expected_millionths: of blocks, by the score of its shares."""

    from_ms: int
    difficulty: int
    nbits: str
    blocks: int
    expected_millionths: int


class LotFigures(Struct, frozen=True):
    """A batch. measured_ghs: of the last week, with one standard deviation of it, error_ghs."""

    batch: str
    title: str
    site: str
    machines: int
    arrived: int
    nominal_ghs: int
    planned_ms: int
    planned: str
    dark_ms: int | None
    first_share_ms: int | None
    last_machine_ms: int | None
    measured_ghs: int
    error_ghs: int


class WayFigures(Struct, frozen=True):
    """What a ledger paid. parties_sat: by account; reserve_change_sat: of the reserve of pay per share."""

    way: str
    owner_fee_bps: int
    parties_sat: Mapping[str, int]
    pool_fee_sat: int
    reserve_change_sat: int
    blocks_sat: int


class Figures(Struct, frozen=True):
    """All of a run. block: one that was found after the move and pays both of its ends, under PPLNS."""

    seed: int
    scale: int
    begins_ms: int
    ends_ms: int
    records: int
    shares: int
    blocks: int
    expected_millionths: int
    epochs: Sequence[EpochFigures]
    batches: Sequence[LotFigures]
    ways: Sequence[WayFigures]
    block: PaidBlock | None
    slices: Mapping[int, str]


class Shown(Struct, frozen=True):
    """What the picture shows. rates_hps: of each site, in steps; nominal_hps: of the machines that hash, likewise."""

    case: Case
    rates_hps: Mapping[str, Sequence[float]]
    nominal_hps: Sequence[float]
    blocks: Sequence[PaidBlock]
    sites: Mapping[int, str]
    pplns: Sequence[tuple[int, int]]
    pps: Sequence[tuple[int, int]]


def sites_of(table: SliceTable) -> dict[int, str]:
    """Where the machines of each slice stand."""
    return {each.slice_id: each.site for each in table.assignments}


def figures(played: Played, found: Sequence[Hour], table: SliceTable, pplns: Paid, pps: Paid) -> Figures:
    """Add up a run."""
    case, sites = played.case, sites_of(table)
    return Figures(
        seed=case.seed,
        scale=case.scale,
        begins_ms=BEGINS_MS,
        ends_ms=case.ends_ms,
        records=played.records,
        shares=sum(hour.shares for hour in found),
        blocks=len(pplns.blocks),
        expected_millionths=_expected(found),
        epochs=tuple(_epochs(played, found, pplns)),
        batches=tuple(_batches(played, found, table)),
        ways=tuple(_way(played, number, each) for number, each in enumerate((pplns, pps))),
        block=_after_the_move(pplns.blocks, sites),
        slices={number: f"{batch.rpartition('/')[2]} at {sites[number]}" for number, batch in _batch_of(table).items()},
    )


def shown(played: Played, found: Sequence[Hour], table: SliceTable, pplns: Paid, pps: Paid) -> Shown:
    """What the picture needs."""
    case, sites = played.case, sites_of(table)
    count = (case.ends_ms - BEGINS_MS) // STEP_MS
    by_site = {place.name: [0.0] * count for place in PLACES}
    for (account, slice_id), rates in rates_hps(found, STEP_MS, case.ends_ms).items():
        if account == OWNER:
            site = by_site[sites[slice_id]]
            for at, rate in enumerate(rates):
                site[at] += rate
    return Shown(
        case=case,
        rates_hps=by_site,
        nominal_hps=_nominal(played, count),
        blocks=pplns.blocks,
        sites=sites,
        pplns=_rising(pplns),
        pps=_rising(pps),
    )


def _expected(found: Sequence[Hour]) -> int:
    return sum(hour.units for hour in found) * 1_000_000 // UNIT


def _epochs(played: Played, found: Sequence[Hour], pplns: Paid) -> Iterator[EpochFigures]:
    for epoch, after in pairwise(EPOCHS):
        from_ms, to_ms = max(epoch.from_ms, BEGINS_MS), min(after.from_ms, played.case.ends_ms)
        if from_ms < to_ms:
            blocks = sum(epoch.height <= block.height < after.height for block in pplns.blocks)
            within = [hour for hour in found if from_ms <= hour.from_ms < to_ms]
            yield EpochFigures(epoch.from_ms, epoch.difficulty, f"{epoch.nbits:08x}", blocks, _expected(within))


def _batches(played: Played, found: Sequence[Hour], table: SliceTable) -> Iterator[LotFigures]:
    ends_ms = played.case.ends_ms
    batches = _batch_of(table)
    for lot in LOTS:
        on_ms = sorted(stay.on_ms for stay in played.stays if stay.lot is lot and stay.site is not lot.stood)
        gone_ms = [stay.off_ms for stay in played.stays if stay.lot is lot and stay.site is lot.stood]
        slices = {number for number, name in batches.items() if name == lot.name}
        week = [each for each in found if each.slice_id in slices and each.from_ms >= ends_ms - 7 * DAY_MS]
        work, shares = sum(each.work for each in week), sum(each.shares for each in week)
        measured_ghs = work // (7 * DAY_MS // 1000) // _GIGA
        machines = sum(stay.lot is lot and stay.site is lot.stood for stay in played.stays) or len(
            {stay.worker for stay in played.stays if stay.lot is lot}
        )
        yield LotFigures(
            batch=lot.name,
            title=lot.title,
            site=lot.goes.name,
            machines=max(machines, lot.machines // played.case.scale),
            arrived=len(on_ms),
            nominal_ghs=lot.nominal_ghs,
            planned_ms=lot.on_ms,
            planned=lot.on_words,
            dark_ms=max(gone_ms, default=None),
            first_share_ms=played.first_share_ms.get(lot.key),
            last_machine_ms=max(on_ms, default=None),
            measured_ghs=measured_ghs,
            error_ghs=round(measured_ghs / shares**0.5) if shares else 0,
        )


def _batch_of(table: SliceTable) -> dict[int, str]:
    return {each.slice_id: each.batch for each in table.assignments}


def _way(played: Played, number: int, found: Paid) -> WayFigures:
    way = played.books[number].way
    parties: dict[str, int] = {}
    for income in found.incomes:
        parties[income.account] = parties.get(income.account, 0) + income.amount_sat
    reserve_sat = -sum(sat for name, sat in found.balances_sat.items() if name.startswith("equity:pps_reserve"))
    fee_sat = -sum(sat for name, sat in found.balances_sat.items() if name.startswith("income:pool_fee"))
    return WayFigures(
        way=way.name,
        owner_fee_bps=way.owner_fee_bps,
        parties_sat=dict(sorted(parties.items())),
        pool_fee_sat=fee_sat,
        reserve_change_sat=reserve_sat - way.reserve_sat,
        blocks_sat=sum(block.reward_sat for block in found.blocks),
    )


def _after_the_move(blocks: Sequence[PaidBlock], sites: Mapping[int, str]) -> PaidBlock | None:
    """The first whose window holds shares of the old site and of a new one, when the first three batches are all set
    up; else the first of all such blocks."""
    places = [{sites[each.slice_id] for each in block.slices if each.slice_id} for block in blocks]
    both = [block for block, stood in zip(blocks, places, strict=True) if GANZI.name in stood and len(stood) > 1]
    settled_ms = LOTS[1].on_ms + LOTS[1].ramp_ms
    return next((block for block in both if block.found_ms >= settled_ms), both[0] if both else None)


def _nominal(played: Played, count: int) -> list[float]:
    """Of each step the mean of what machines that hash are rated for."""
    levels, changes = [0.0] * (count + 2), [0.0] * (count + 2)
    for stay in played.stays:
        each_hps = stay.lot.nominal_ghs * 1e9 / max(1, stay.lot.machines // played.case.scale)
        for at_ms, hps in ((stay.on_ms, each_hps), (stay.off_ms, -each_hps)):
            step, within_ms = divmod(at_ms - BEGINS_MS, STEP_MS)
            levels[step] += hps * (STEP_MS - within_ms) / STEP_MS
            changes[step + 1] += hps
    rates, rate = [], 0.0
    for step in range(count):
        rate += changes[step]
        rates.append(rate + levels[step])
    return rates


def _rising(found: Paid) -> list[tuple[int, int]]:
    """The owner's income, added up, after each row."""
    points, total = [(BEGINS_MS, 0)], 0
    for income in found.incomes:
        if income.account == OWNER:
            total += income.amount_sat
            points.append((income.at_ms, total))
    return points


def day(time_ms: int) -> str:
    """A date for people, in UTC."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
    return f"{moment.day} {moment.strftime('%b')}"


def words(told: Figures) -> Iterator[str]:
    """The summary as text."""
    yield f"BIT Mining, {utc(told.begins_ms)} to {utc(told.ends_ms)}; seed {told.seed}, scale 1:{told.scale}"
    yield f"{told.records:,} records in the journal, {told.shares:,} accepted shares"
    yield f"{told.blocks} blocks found, {_millionths(told.expected_millionths)} expected"
    yield ""
    yield "difficulty            from     nBits     found  expected"
    for epoch in told.epochs:
        expected = _millionths(epoch.expected_millionths)
        yield f"{epoch.difficulty:>20,}  {day(epoch.from_ms):>6}  {epoch.nbits}  {epoch.blocks:>6}  {expected:>8}"
    yield ""
    heads = f"{'machines':>8}  {'arrived':>7}  nominal PH/s  last week PH/s  {'planned':>10}  last machine"
    yield f"{'batch':<22}  {'site':<11}  {heads}"
    for each in told.batches:
        last = "-" if each.last_machine_ms is None else day(each.last_machine_ms)
        measured = f"{_peta(each.measured_ghs)} +- {_peta(each.error_ghs)}"
        name = each.batch.rpartition("/")[2]
        yield (
            f"{name:<2}  {each.title:<18}  {each.site:<11}  {each.machines:>8,}  {each.arrived:>7,}"
            f"  {_peta(each.nominal_ghs):>12}  {measured:>14}  {each.planned:>10}  {last:>12}"
        )
    yield ""
    pplns, pps = told.ways
    yield f"paid, BTC           {pplns.way:>14}  {pps.way:>14}"
    for name in sorted(pplns.parties_sat.keys() | pps.parties_sat.keys()):
        amounts = (format_btc(each.parties_sat.get(name, 0)) for each in told.ways)
        yield f"{name:<18}  {next(amounts):>14}  {next(amounts):>14}"
    for name, one_sat, other_sat in (
        ("pool fee", pplns.pool_fee_sat, pps.pool_fee_sat),
        ("reserve, change", pplns.reserve_change_sat, pps.reserve_change_sat),
        ("all blocks", pplns.blocks_sat, pps.blocks_sat),
    ):
        yield f"{name:<18}  {format_btc(one_sat):>14}  {format_btc(other_sat):>14}"
    if told.block is not None:
        yield ""
        yield from _block_words(told.block, told.slices)


def _block_words(block: PaidBlock, slices: Mapping[int, str]) -> Iterator[str]:
    yield f"a block that pays both ends of the move: {block.height}, found {utc(block.found_ms)}"
    yield f"by {block.finder}.{block.worker}; {block.reward_sat:,} sat under PPLNS"
    for each in block.slices:
        if each.slice_id:
            parts = ", ".join(f"{name} {sat:,}" for name, sat in sorted(each.parties_sat.items()))
            what = f"{slices[each.slice_id]}: {each.gross_sat:,} sat, fee {each.fee_sat:,}"
            yield f"  {what}; {parts}"
    yield "  by party:"
    for name, sat in block.parties_sat.items():
        yield f"  {name:<18}  {sat:>14,}"
    yield f"  {'sum':<18}  {sum(block.parties_sat.values()):>14,}"


def _millionths(value: int) -> str:
    return f"{value // 1_000_000}.{value % 1_000_000 // 10_000:02d}"


def _peta(ghs: int) -> str:
    return f"{ghs / 1e6:.1f}"
