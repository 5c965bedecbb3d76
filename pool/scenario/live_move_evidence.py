"""After a live move: what journals, books and machines say of it, put together and held against each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct
from sqlalchemy import Engine

from payout.audit import audit
from payout.ledger import POOL_FEE
from payout.maturity import State
from payout.ports import BookedBlock
from payout.store.history import SqlHistory
from payout.store.ledger import SqlLedger
from pool.bitcoin.amount import COIN
from pool.fleet.kinds import Assignment
from pool.fleet.report import Machine, MoveReport
from pool.roles.database import reach_database
from pool.roles.fleets import read_register
from pool.scenario.acknowledged import Kept, judge, read_books, read_journals
from pool.scenario.chains import Chain
from pool.scenario.fleet_facts import ACCOUNTS, NEIGHBOUR, OWNER, SITES
from pool.scenario.live_move_report import Arrival, Holding, PaidBlock, Party, Report, Traffic, waves_of
from pool.scenario.machines import Answered
from pool.scenario.two_regions import REGIONS, Endpoint, TwoRegions
from pool.store.sql import reading

STEP_MS = 2_000
ALIVE = (State.IMMATURE, State.MATURE)


class Story(Struct, frozen=True):
    """What was seen while it went on. told: by login, how often a machine heard client.reconnect."""

    chain: Chain
    pace: str
    seed: int
    started_ms: int
    deaf: frozenset[str]
    told: Mapping[str, int]
    answers: Sequence[Answered]
    move: MoveReport
    machines: Sequence[Machine]


def gather(story: Story, regions: TwoRegions) -> Report:
    """The report."""
    kept = read_journals({name: regions.journal(name) for name in REGIONS})
    engine = reach_database(regions.config)
    try:
        with SqlLedger(engine).read() as books:
            every = list(books.blocks.every())
            balances_sat = books.journal.balances_sat()
            findings = [f"invariant {each.invariant}: {each.what}" for each in audit(books)]
        register = read_register(engine)
        sites = {each.slice_id: each.site for each in register.known(Assignment)}
        arrivals = tuple(_arrival(each, story) for each in story.machines)
        arrived_ms = max(each.arrived_ms or 0 for each in story.machines)
        blocks = tuple(
            _paid(phase, block, story, {each.place: each.region for each in kept}, sites, engine)
            for phase, block in _three(every, story.started_ms, arrived_ms)
        )
        verdict = judge(story.answers, kept, read_books(engine))
    finally:
        engine.dispose()
    holdings = tuple(_holding(name, f"liab:{name}:available", f"liab:{name}", balances_sat) for name in ACCOUNTS)
    fees = _holding("", POOL_FEE, POOL_FEE, balances_sat)
    wrong = [
        *findings,
        *wrong_arrivals(story, regions.endpoints[REGIONS[1]]),
        *wrong_slices(kept, sites),
        *wrong_blocks(every, kept),
        *wrong_fates(every, lambda height: str(regions.call("getblockhash", height))),
        *wrong_coins([*holdings, fees], regions.call("getbalances")["mine"]),
        *(f"the parts of block {each.height} do not sum to it" for each in blocks if each.sum_sat != each.reward_sat),
    ]
    return Report(
        chain=story.chain.name,
        machines=len(story.machines),
        neighbours=sum(login.startswith(f"{NEIGHBOUR}.") for login in story.told),
        seed=story.seed,
        pace=story.pace,
        notice=story.move.words,
        lasted_s=_seconds(arrived_ms, story),
        arrived=story.move.counts["arrived"],
        stragglers={rack.rack: list(rack.stragglers) for rack in story.move.racks if rack.stragglers},
        stayed_shares=stayed_shares(story),
        waves=waves_of(arrivals),
        traffic=_traffic(kept, story),
        verdict=verdict,
        by_region=dict(Counter(each.region for each in kept)),
        blocks_found=len(every),
        blocks_lost=sum(each.life.state not in ALIVE for each in every),
        blocks_after=story.chain.blocks_after,
        blocks=blocks,
        holdings=holdings,
        fees=fees,
        wrong=tuple(wrong),
        arrivals=arrivals,
    )


def _seconds(time_ms: int, story: Story) -> float:
    return round((time_ms - story.started_ms) / 1000, 1)


def _arrival(machine: Machine, story: Story) -> Arrival:
    return Arrival(
        login=machine.login,
        rack=machine.rack,
        told_s=None if machine.asked_ms is None else _seconds(machine.asked_ms, story),
        arrived_s=None if machine.arrived_ms is None else _seconds(machine.arrived_ms, story),
        status=machine.status,
        is_deaf=machine.login in story.deaf,
        heard_s=None if machine.told_ms is None else _seconds(machine.told_ms, story),
    )


def _traffic(kept: Sequence[Kept], story: Story) -> Traffic:
    first_ms = min(each.time_ms for each in kept)
    steps = (max(each.time_ms for each in kept) - first_ms) // STEP_MS  # the last one is not whole, and left out
    shares = {region: [0] * steps for region in REGIONS}
    for each in kept:
        at = (each.time_ms - first_ms) // STEP_MS
        if at < steps:
            shares[each.region][at] += 1
    return Traffic(_seconds(first_ms, story), STEP_MS / 1000, shares)


def _three(every: Sequence[BookedBlock], started_ms: int, arrived_ms: int) -> Iterator[tuple[str, BookedBlock]]:
    """The last block before the move, the one in its middle, the first after it; those that there are."""
    alive = [each for each in every if each.life.state in ALIVE]
    before = [each for each in alive if each.found.found_ms < started_ms]
    during = [each for each in alive if started_ms <= each.found.found_ms <= arrived_ms]
    after = [each for each in alive if each.found.found_ms > arrived_ms]
    middle_ms = (started_ms + arrived_ms) // 2
    if before:
        yield "before", max(before, key=lambda each: each.found.found_ms)
    if during:
        yield "during", min(during, key=lambda each: abs(each.found.found_ms - middle_ms))
    if after:
        yield "after", min(after, key=lambda each: each.found.found_ms)


def _paid(
    phase: str,
    block: BookedBlock,
    story: Story,
    regions: Mapping[tuple[str, int], str],
    sites: Mapping[int, str],
    engine: Engine,
) -> PaidBlock:
    parties: list[Party] = []
    with reading(engine) as connection:
        history = SqlHistory(connection)
        for name in ACCOUNTS:
            had: Counter[str] = Counter()
            for line in history.lines(name):
                if line.ref == block.life.hash_hex and line.kind == "block.immature":
                    had[sites.get(line.slice_id or 0, "")] += line.immature_sat
            parties += [Party(name, site, sat) for site, sat in had.items()]
    reward_sat = block.reward_sat or 0
    return PaidBlock(
        phase=phase,
        height=block.life.height,
        hash_hex=block.life.hash_hex,
        finder=f"{block.found.finder}.{block.found.worker}",
        region=regions.get((block.found.frontend, block.found.seq), "no region"),
        found_s=_seconds(block.found.found_ms, story),
        reward_sat=reward_sat,
        pool_fee_sat=sum(each.fee_sat for each in block.credits),
        parties=tuple(parties),
    )


def _holding(name: str, mature: str, claim: str, balances_sat: Mapping[str, int]) -> Holding:
    return Holding(name, -balances_sat.get(mature, 0), -balances_sat.get(f"{claim}:immature", 0))


def stayed_shares(story: Story) -> int:
    """Shares that were acknowledged to machines which had been told to go, and did not."""
    told_ms = {each.login: each.asked_ms for each in story.machines if each.arrived_ms is None}
    times = ((told_ms.get(each.login), each.time_ms) for each in story.answers if not each.reason)
    return sum(asked_ms is not None and time_ms > asked_ms for asked_ms, time_ms in times)


def wrong_arrivals(story: Story, there: Endpoint) -> Iterator[str]:
    """The pool says who arrived by its journals; the machines know by the answers that they had. there: where they were
    to go."""
    heard = {each.login for each in story.answers if each.endpoint == there and not each.reason}
    said = {each.login for each in story.machines if each.arrived_ms is not None}
    yield from (f"{login} has arrived, as the pool says, and had no share acknowledged there" for login in said - heard)
    yield from (
        f"{login} had shares acknowledged there, and has not arrived, as the pool says" for login in heard - said
    )
    for login, times in story.told.items():
        if login.startswith(f"{NEIGHBOUR}.") and times:
            yield f"{login}, which is not on the move, was told to go"
        if login.startswith(f"{OWNER}.") and not times:
            yield f"{login} was never told to go"
    listed = {login for rack in story.move.racks for login in rack.stragglers}
    yield from (f"{login} is deaf, and no straggler" for login in story.deaf - listed)
    yield from (f"{login} is a straggler, and follows redirects" for login in listed - story.deaf)


def wrong_slices(kept: Collection[Kept], sites: Mapping[int, str]) -> Iterator[str]:
    """A share belongs to the site of the region where it came in."""
    for each in kept:
        expected = SITES[each.region] if each.login.startswith(f"{OWNER}.") else ""
        if sites.get(each.slice_id or 0, "") != expected:
            yield f"a share of {each.login} at {each.region} is in slice {each.slice_id}, not of {expected or 'none'}"


def wrong_blocks(every: Collection[BookedBlock], kept: Collection[Kept]) -> Iterator[str]:
    """Every share that is a block is one in the books."""
    known = {each.life.block_hash: each.life.state for each in every}
    for each in kept:
        if each.block_hash is not None and each.block_hash not in known:
            yield f"block {each.block_hash[::-1].hex()} of {each.login} is not in the books"
    for block_hash, state in known.items():
        if state is State.CANDIDATE:
            yield f"block {block_hash[::-1].hex()}: nobody knows what became of it"


def wrong_fates(every: Collection[BookedBlock], hash_at: Callable[[int], str]) -> Iterator[str]:
    """A block that pays is in the chain, and one that is lost is not. hash_at: what the node has at a height."""
    for each in every:
        state, height = each.life.state, each.life.height
        if (hash_at(height) == each.life.hash_hex) != (state in ALIVE):
            yield f"block {each.life.hash_hex} is {state.value} in the books, and the chain has {hash_at(height)} there"


def wrong_coins(holdings: Collection[Holding], wallet: Mapping[str, Decimal]) -> Iterator[str]:
    """The coins of the node's wallet are somebody's, each once. wallet: in BTC, as the node tells them."""
    for what, coins, sat in (
        ("mature", wallet["trusted"], sum(each.mature_sat for each in holdings)),
        ("not yet mature", wallet["immature"], sum(each.immature_sat for each in holdings)),
    ):
        if coins * COIN != sat:
            yield f"{int(coins * COIN)} satoshi of the wallet are {what}, and the books divide {sat}"
