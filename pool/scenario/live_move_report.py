"""What a live move came to: numbers for programs, and the same in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from pool.bitcoin.amount import format_btc
from pool.scenario.acknowledged import Verdict


class Arrival(Struct, frozen=True):
    """A machine of the move. Seconds since its start; None: it did not. told: when it was its turn; heard: when a
    stratum process said so to it."""

    login: str
    rack: str
    told_s: float | None
    arrived_s: float | None
    status: str
    is_deaf: bool
    heard_s: float | None = None


class Wave(Struct, frozen=True):
    """Machines that were told at one time. first_s, last_s: of those that arrived, since they were told."""

    told_s: float
    machines: int
    arrived: int
    first_s: float | None
    last_s: float | None


class Party(Struct, frozen=True):
    """What an account has of a block for what was hashed at a site; an empty site for none."""

    account: str
    site: str
    sat: int


class PaidBlock(Struct, frozen=True):
    """A block and everybody who has a part of it. phase: before, during or after the move. found_s: since its start."""

    phase: str
    height: int
    hash_hex: str
    finder: str
    region: str
    found_s: float
    reward_sat: int
    pool_fee_sat: int
    parties: tuple[Party, ...]

    @property
    def sum_sat(self) -> int:
        """All parts together."""
        return self.pool_fee_sat + sum(each.sat for each in self.parties)


class Holding(Struct, frozen=True):
    """What an account has in the end: what it may be paid, and what blocks pay it that are not mature yet."""

    account: str
    mature_sat: int
    immature_sat: int


class Traffic(Struct, frozen=True):
    """Accepted shares of each region in equal times. from_s: when the first of these begins, since the start."""

    from_s: float
    step_s: float
    shares: dict[str, list[int]]


class Report(Struct, frozen=True):
    """The whole. lasted_s: from the start of the move to the last arrival. stayed_shares: acknowledged to stragglers
    after they were told. by_region: accepted shares. blocks_lost: of those found, not in the chain. blocks_after: of
    nobody. fees: of the pool. wrong: what must not be, beside what the verdict says."""

    chain: str
    machines: int
    neighbours: int
    seed: int
    pace: str
    notice: str
    lasted_s: float
    arrived: int
    stragglers: dict[str, list[str]]
    stayed_shares: int
    waves: tuple[Wave, ...]
    traffic: Traffic
    verdict: Verdict
    by_region: dict[str, int]
    blocks_found: int
    blocks_lost: int
    blocks_after: int
    blocks: tuple[PaidBlock, ...]
    holdings: tuple[Holding, ...]
    fees: Holding
    wrong: tuple[str, ...]
    arrivals: tuple[Arrival, ...]

    @property
    def is_good(self) -> bool:
        return self.verdict.is_good and not self.wrong


def waves_of(arrivals: Sequence[Arrival]) -> tuple[Wave, ...]:
    """Machines by the time of their turn."""
    times = sorted({each.told_s for each in arrivals if each.told_s is not None})
    return tuple(_wave(told_s, [each for each in arrivals if each.told_s == told_s]) for told_s in times)


def _wave(told_s: float, machines: list[Arrival]) -> Wave:
    took = sorted(each.arrived_s - told_s for each in machines if each.arrived_s is not None)
    return Wave(
        told_s=told_s,
        machines=len(machines),
        arrived=len(took),
        first_s=round(took[0], 1) if took else None,
        last_s=round(took[-1], 1) if took else None,
    )


def words(report: Report) -> Iterator[str]:
    """For people, line by line."""
    verdict, left = report.verdict, sum(map(len, report.stragglers.values()))
    racks = len({each.rack for each in report.arrivals})
    yield (
        f"{report.machines} machines in {racks} racks were to go from Ganzi to Ekibastuz, at {report.pace}, "
        f"on {report.chain}."
    )
    yield f"The notice: {report.notice}."
    yield f"{report.arrived} arrived, the last {report.lasted_s:.1f} s after the start."
    if left:
        yield f"{left} stayed: they ignore client.reconnect."
        yield f"Reset, these came back, and had {report.stayed_shares:,} shares more where they were."
    yield f"{report.neighbours} machines of another account mined on in Sichuan."
    yield ""
    yield "The shares"
    yield f"  {verdict.acknowledged:>8,} were acknowledged to the machines that sent them"
    yield f"  {len(verdict.lost):>8,} of these are lost"
    yield f"  {len(verdict.doubled):>8,} count twice"
    yield f"  {verdict.unheard:>8,} count though the machine had gone before it heard the answer"
    for reason, count in verdict.refused.items():
        yield f"  {count:>8,} were refused: {reason}"
    for region, count in report.by_region.items():
        yield f"  {count:>8,} came in at {region}"
    yield ""
    yield "The waves            machines  arrived  first after  last after"
    for number, wave in enumerate(report.waves, 1):
        first, last = ("-" if each is None else f"{each:.1f} s" for each in (wave.first_s, wave.last_s))
        yield f"  {number:>2} at {wave.told_s:>6.1f} s  {wave.machines:>9}  {wave.arrived:>7}  {first:>11}  {last:>10}"
    yield ""
    yield "Who stayed, by rack" if left else "Nobody stayed"
    for rack, logins in report.stragglers.items():
        yield f"  {rack}: {', '.join(login.partition('.')[2] for login in logins)}"
    yield ""
    yield "The blocks"
    yield f"  {report.blocks_found:>8,} were found"
    yield f"  {report.blocks_lost:>8,} of these were lost to another one at their height, and pay nobody"
    if report.blocks_after:
        yield f"  {report.blocks_after:>8,} of nobody followed, under which each is mature or lost"
    yield ""
    yield f"{len(report.blocks)} of them, and who has how many satoshi of each"
    for block in report.blocks:
        yield from _block_words(block)
    yield ""
    yield from _holdings_words(report)
    if not report.is_good:
        yield ""
        yield "WRONG"
        for each in (*report.wrong, *verdict.wrong, *verdict.lost, *verdict.doubled):
            yield f"  {each}"


def _holdings_words(report: Report) -> Iterator[str]:
    yield f"What everybody has in the end, in satoshi{'mature':>13}{'not mature yet':>20}"
    rows = [(each.account, each) for each in report.holdings]
    for name, each in [*rows, ("the pool, of fees", report.fees)]:
        yield f"  {name:<33}{each.mature_sat:>19,}{each.immature_sat:>20,}"
    every = [*report.holdings, report.fees]
    mature_sat, immature_sat = sum(each.mature_sat for each in every), sum(each.immature_sat for each in every)
    yield f"  {'together, as in the wallet':<33}{mature_sat:>19,}{immature_sat:>20,}"


def _block_words(block: PaidBlock) -> Iterator[str]:
    when = {"before": "before the move", "during": "while it went on", "after": "after the last arrival"}[block.phase]
    yield ""
    yield f"  found {when} ({block.found_s:+.1f} s) by {block.finder} at {block.region}: height {block.height}"
    yield f"  {block.hash_hex}"
    for party in block.parties:
        yield f"  {party.sat:>15,}  {party.account}" + (f", for what was hashed at {party.site}" if party.site else "")
    yield f"  {block.pool_fee_sat:>15,}  the pool's fee"
    yield f"  {block.sum_sat:>15,}  = {format_btc(block.reward_sat)} BTC"
