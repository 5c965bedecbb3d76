"""A pool's money in a few lines: shares, blocks, a chain that is moved by hand, and the books.

Shares are given by their difficulty on a network of difficulty 1, so a share of 1/4 is a quarter of a block. Blocks
and journals have names. A period of pay per share is a minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import zip_longest
from typing import TypeVar

import msgspec
from msgspec.structs import replace
from sqlalchemy import Engine

from payout.accounting import Accounting
from payout.accounts import Plan, Scheme
from payout.audit import audit
from payout.contracts import parse_steps
from payout.fee_days import DAY_MS, Settled, day_of
from payout.intake import Rules, Taken
from payout.invariants import SOLVENT, Finding
from payout.lead import Lead
from payout.ledger import Row
from payout.order import OrderedShares, Worths
from payout.ports import Stop
from payout.rewards import Startup
from payout.store.ledger import SqlBooks, SqlLedger
from pool.fleet.facts import Fact
from pool.fleet.kinds import Assignment, Capacity, Contract, ContractKind, Fleet, Site
from pool.fleet.register import Entry
from pool.ports import BlockHeader, NodeUnavailable, Record, ShareBatch
from pool.store.fleets import SqlFleets
from pool.store.sql import writing
from pool.work.job import Job
from pool.work.share import Outcome, Share

T = TypeVar("T")

MINUTE_MS = 60_000
START_MS = 1_700_000_040_000  # a full minute
NETWORK = 0x1D00FFFF
REWARD_SAT = 1_000_000
POOL_SCRIPT = b"\x00\x14pool's script....."
RULES = Rules(
    window_x=Fraction(2),
    startup=Startup.DISTRIBUTE,
    default_scheme=Scheme.PPLNS,
    default_fee_bps=100,
    settle_period_ms=MINUTE_MS,
    pool_scripts=frozenset({POOL_SCRIPT}),
    subsidy_sat=lambda height: 900_000,
)


def block_hash(name: str) -> bytes:
    """The hash of a block with this name."""
    return name.encode().ljust(32, b"\0")


def share(
    account: str,
    difficulty: str = "1/4",
    *,
    minute: int = 0,
    outcome: Outcome = Outcome.ACCEPTED,
    block: str | None = None,
    height: int = 100,
    slice_id: int | None = None,
) -> Share:
    """A share as its stratum process journalled it."""
    exact = Fraction(difficulty)
    return Share(
        time_ms=START_MS + minute * MINUTE_MS,
        outcome=outcome,
        job_id="a",
        account=account,
        worker="rig",
        extranonce1=b"",
        extranonce2=b"",
        version=0,
        ntime=0,
        nonce=0,
        difficulty=exact.numerator / exact.denominator,
        nbits=NETWORK,
        height=height,
        slice_id=slice_id,
        block_hash=None if block is None else block_hash(block),
    )


def ordered(shares: Iterable[tuple[T, int]], first_seq: int = 1, gaps: Iterable[int] = ()) -> OrderedShares[T]:
    """Shares (stake, units) in their order. gaps: how many records lie before each; none where not said."""
    runs: dict[tuple[T, int], int] = {}
    places: list[int] = []
    stretches: list[tuple[int, int]] = []
    seq = first_seq
    for each, gap in zip_longest(shares := list(shares), list(gaps)[: len(shares)], fillvalue=0):
        assert not isinstance(each, int)
        places.append(runs.setdefault(each, len(runs)))
        seq += gap
        if stretches and sum(stretches[-1]) == seq:
            stretches[-1] = stretches[-1][0], stretches[-1][1] + 1
        else:
            stretches.append((seq, 1))
        seq += 1
    worths = Worths.of([stake for stake, _ in runs], [units for _, units in runs])
    counts = [places.count(place) for place in range(len(runs))]
    return OrderedShares(worths, range(len(runs)), counts, bytes(places), stretches)


def job(minute: int) -> Job:
    """A job as it stands in the journal."""
    time_ms = START_MS + minute * MINUTE_MS
    return Job("a", time_ms, 100, 0, b"", b"", b"", (), NETWORK, 0, 0, 0, 0, 0, True)


def batch(records: Iterable[Record], first_seq: int = 1, frontend: str = "f1") -> ShareBatch:
    """Records on their way from a journal."""
    encoded = [msgspec.msgpack.encode(record) for record in records]
    return ShareBatch(frontend, first_seq, len(encoded), b"".join(encoded))


class FakeChain:
    """A chain that is moved by hand. Heights without a block of a name have one of somebody else."""

    def __init__(self) -> None:
        self.tip = 99
        self.ours: dict[int, bytes] = {}
        self.synced = True
        self.failure: NodeUnavailable | None = None
        self.reward_sat = REWARD_SAT
        self.script = POOL_SCRIPT
        self.pruned = False
        self.headers: dict[bytes, BlockHeader] = {}
        self.fees: dict[bytes, int] = {}
        self.asked = 0

    def is_synced(self) -> bool:
        self._answer()
        return self.synced

    def tip_height(self) -> int:
        self._answer()
        return self.tip

    def hash_at(self, height: int) -> bytes | None:
        self._answer()
        return self.ours.get(height, block_hash(f"other {height}")) if height <= self.tip else None

    def coinbase_outputs(self, block_hash: bytes) -> tuple[tuple[int, bytes], ...] | None:
        self._answer()
        return None if self.pruned else ((self.reward_sat, self.script), (0, b"\x6a\x24commitment"))

    def header(self, block_hash: bytes) -> BlockHeader | None:
        self._answer()
        return self.headers.get(block_hash)

    def fees_sat(self, block_hash: bytes) -> int | None:
        self._answer()
        return self.fees.get(block_hash)

    def add_day(self, day_ms: int, fees_sat: Sequence[int]) -> None:
        """Blocks of a day on top, then such that no more can be of it, six deep."""
        day_s = day_ms // 1000
        first = max((each.height for each in self.headers.values()), default=-1) + 1
        times = [
            (day_s - 200_000, 0),
            *((day_s + 7 * at, fees) for at, fees in enumerate(fees_sat)),
            (day_s + 86_400, 9),
        ]
        for height, (time_s, fees) in enumerate(times, first):
            own = block_hash(f"network {height}")
            header = BlockHeader(own, block_hash(f"network {height - 1}"), height, time_s, time_s)
            self.headers[own], self.fees[own] = header, fees
            self.ours[height] = own
        self.tip = max(self.tip, first + len(times)) + 6
        self.ours[self.tip - 5] = own

    def _answer(self) -> None:
        self.asked += 1
        if self.failure is not None:
            raise self.failure


class Scene:
    """One pool."""

    def __init__(self, engine: Engine, rules: Rules = RULES, chain: FakeChain | None = None) -> None:
        self.engine = engine
        self.ledger = SqlLedger(engine)
        self.chain = chain or FakeChain()
        self.rules = rules
        self.accounting = Accounting(self.ledger, self.chain, rules, self.chain)
        self.next_seq = 1

    def lead_by(self, lead: Lead[SqlBooks]) -> None:
        """Keep the books by a lease from now on."""
        self.accounting = Accounting(lead, self.chain, self.rules)

    def account(self, name: str, scheme: Scheme, fee_bps: int = 0) -> None:
        """Open an account."""
        with self.ledger.write() as books:
            books.accounts.add(name, scheme, fee_bps, None, START_MS)

    def slice(self, name: str, steps: str | None, *, minute: int = 0) -> int:
        """Assign workers of an account to a site and a contract, from a minute on; the number of the slice. steps: None
        for no contract; who is named in them has an account."""
        begins_ms = START_MS + minute * MINUTE_MS
        since_ms = START_MS - 60 * MINUTE_MS
        with writing(self.engine) as connection:
            fleets = SqlFleets(connection)
            number = len(fleets.assignments()) + 1
            contract = "" if steps is None else f"contract-{number}"
            told: list[Fact] = [
                Fleet(name=f"{name}/f", valid_from_ms=since_ms),
                Site(name="s", country="KZ", time_zone="Asia/Almaty", valid_from_ms=since_ms),
                Capacity(site="s", capacity_w=20_000_000, valid_from_ms=since_ms),
            ]
            if steps is not None:
                divided = parse_steps(steps)
                told.append(Contract(name=contract, kind=ContractKind.HOSTING, steps=divided, valid_from_ms=since_ms))
            told.append(
                Assignment(
                    account=name,
                    pattern=f"worker-{number}",
                    fleet=f"{name}/f",
                    site="s",
                    contract=contract,
                    valid_from_ms=begins_ms,
                )
            )
            fleets.record([Entry("scene", fact) for fact in told], since_ms)
        return number

    def end_contract(self, name: str) -> None:
        """End a contract and what is under it."""
        end_ms = START_MS + 60 * MINUTE_MS
        with writing(self.engine) as connection:
            fleets = SqlFleets(connection)
            known = fleets.register()
            told = [each for each in known.known(Assignment) if each.contract == name]
            ended = [*told, *(each for each in known.known(Contract) if each.name == name)]
            entries = [Entry("scene", replace(each, valid_to_ms=end_ms, replaces=each.row_id)) for each in ended]
            fleets.record(entries, START_MS)

    def change_plan(self, name: str, scheme: Scheme, fee_bps: int, minute: int) -> None:
        """Give an account another plan from a minute on."""
        with self.ledger.write() as books:
            books.accounts.change_plan(name, Plan(scheme, fee_bps, START_MS + minute * MINUTE_MS), START_MS)

    def decide(self, from_height: int, *, is_stopped: bool) -> None:
        """Have nothing paid per share for jobs from a height on, or again."""
        with self.ledger.write() as books:
            books.reserve.stop(Stop(from_height, is_stopped, START_MS, "a test"))

    def end_day(self, fees_sat: Sequence[int]) -> Settled | None:
        """Let the books' day pass, with a block of the network for each of these fees, and settle it."""
        with self.ledger.read() as books:
            day_ms = day_of(books.accruals.period_ms())
        self.take(job((day_ms + DAY_MS - START_MS) // MINUTE_MS + 1))
        return self.settle_day(day_ms, fees_sat)

    def settle_day(self, day_ms: int, fees_sat: Sequence[int]) -> Settled | None:
        """Settle a day that is over in the books, with a block of the network for each of these fees."""
        self.chain.add_day(day_ms, fees_sat)
        settled = None
        for _ in range(100):
            settled = settled or self.accounting.settle_day()
        return settled

    def take(self, *records: Record) -> Taken:
        """The next records of the journal f1, as one batch."""
        taken = self.accounting.take(batch(records, self.next_seq))
        self.next_seq += len(records)
        return taken

    def reach(self, tip: int, **blocks: int) -> list[str]:
        """Move the chain, put blocks at heights (0: take it out), and tell the steps of the pool's blocks."""
        self.chain.tip = tip
        for name, height in blocks.items():
            self.chain.ours = {at: found for at, found in self.chain.ours.items() if found != block_hash(name)}
            if height:
                self.chain.ours[height] = block_hash(name)
        return [
            f"{step.before.block_hash.rstrip(bytes(1)).decode()}: {step.before.state} -> {step.after.state}"
            for step in self.accounting.follow(START_MS)
        ]

    def balances(self) -> dict[str, int]:
        """Every account of the ledger that is not at 0, after an audit that found nothing."""
        with self.ledger.read() as books:
            assert unsound(books) == []
            return {name: amount for name, amount in sorted(books.journal.balances_sat().items()) if amount}

    def rows(self) -> list[Row]:
        """The ledger."""
        with self.ledger.read() as books:
            return list(books.journal.rows())

    def keys(self) -> list[str]:
        """The keys of the ledger's rows, with the names of blocks instead of their hashes."""
        return [_named(row.posting.key) for row in self.rows()]


def unsound(books: SqlBooks) -> list[Finding]:
    """What an audit finds, but for coins that are missing: scenes pay per share out of nothing."""
    return [finding for finding in audit(books) if finding.invariant != SOLVENT]


def _named(key: str) -> str:
    what, name, *rest = key.split(":")
    if what == "block":
        name = bytes.fromhex(name)[::-1].rstrip(b"\0").decode()
    return ":".join([what, name, *rest])
