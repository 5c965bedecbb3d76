"""A ledger of the scenario: the pool's own accounting, fed from the journal, under one way of paying."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

from msgspec import Struct

from payout.accounting import Accounting
from payout.accounts import Plan, Scheme
from payout.audit import audit
from payout.follow import Step
from payout.intake import Rules
from payout.invariants import Finding
from payout.reserve import Policy
from payout.rewards import Startup
from payout.store.ledger import SqlLedger
from payout.treasury import Terms, fund, open_account
from pool.bitcoin.amount import subsidy
from pool.journal.reader import Reader
from pool.ports import ShareBatch
from pool.scenario.bit_mining.case import BEGINS_MS, DAY_MS, OTHERS, OWNER, PARTIES, Case
from pool.scenario.bit_mining.network import HALVING_BLOCKS, POOL_SCRIPT, Network
from pool.scenario.bit_mining.register import enter
from pool.scenario.bit_mining.travel import ACTOR, PLANNED_MS, Leaving, Stay
from pool.store.darkness import SqlDarkness
from pool.store.moves import SqlMoves
from pool.store.sql import connect, writing
from pool.store.upgrade import upgrade

_OPENED_MS = BEGINS_MS - 3 * DAY_MS
_PARTY_FEE_BPS = 0


class Way(Struct, frozen=True):
    """How everybody is paid in one of the ledgers. reserve_sat: what the pool puts aside to pay per share."""

    name: str
    scheme: Scheme
    owner_fee_bps: int
    others_fee_bps: int
    reserve_sat: int = 0


PPLNS = Way("pplns", Scheme.PPLNS, 150, 200)
PPS = Way("pps", Scheme.PPS, 400, 400, 600 * 100_000_000)
WAYS = (PPLNS, PPS)

RULES = Rules(
    window_x=Fraction(8),
    startup=Startup.DISTRIBUTE,
    default_scheme=Scheme.PPLNS,
    default_fee_bps=200,
    settle_period_ms=DAY_MS,
    pool_scripts=frozenset({POOL_SCRIPT}),
    subsidy_sat=partial(subsidy, halving_interval=HALVING_BLOCKS),
)


class JournalSource:
    """What of the journal is on the disk, as it is read there. Satisfies payout.ports.ShareSource."""

    def __init__(self, folder: Path, frontend: str) -> None:
        self._reader = Reader(folder)
        self._frontend = frontend
        self.durable_seq = 0

    def read(self) -> Sequence[ShareBatch]:
        if self._reader.next_seq > self.durable_seq:
            return ()
        groups = self._reader.read(self.durable_seq, bytes_max=1 << 30)
        return [ShareBatch(self._frontend, each.first_seq, each.count, each.payload) for each in groups]

    def committed(self, batch: ShareBatch, high_water: int) -> None:
        """It stays in the journal."""

    def resend(self, batch: ShareBatch, high_water: int) -> None:
        self._reader.seek(high_water + 1)


class ScenarioBooks:
    """The ledger of one way."""

    def __init__(self, folder: Path, way: Way, network: Network) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.way = way
        self.path = folder / "ledger.sqlite"
        self.engine = connect(f"sqlite:///{self.path}")
        upgrade(self.engine)
        self.ledger = SqlLedger(self.engine)
        self._accounting = Accounting(self.ledger, network, RULES)

    def open(self, case: Case, stays: Sequence[Stay]) -> None:
        """Everybody's account, the reserve, and all that is ever entered about the fleet."""
        for _ in self.follow(_OPENED_MS):  # from the height of the chain the reserve knows what a block is worth
            pass
        terms = Terms(Policy(), RULES.subsidy_sat)
        with self.ledger.write() as books:
            if self.way.reserve_sat:
                fund(books, terms, "scenario", self.way.reserve_sat, _OPENED_MS)
            open_account(books, terms, OWNER, Plan(self.way.scheme, self.way.owner_fee_bps, _OPENED_MS))
            for number in range(1, OTHERS.accounts + 1):
                plan = Plan(self.way.scheme, self.way.others_fee_bps, _OPENED_MS)
                open_account(books, terms, f"member-{number:02d}", plan)
            for party in PARTIES:
                open_account(books, terms, party, Plan(Scheme.PPLNS, _PARTY_FEE_BPS, _OPENED_MS))
        with writing(self.engine) as connection:
            enter(connection, case, stays)

    def take(self, source: JournalSource) -> int:
        """What the journal has by now; how many shares were accepted."""
        return sum(taken.accepted for taken in self._accounting.drain(source))

    def follow(self, time_ms: int) -> Iterator[Step]:
        """The steps of blocks that the chain decides now."""
        return self._accounting.follow(time_ms)

    def keep(self, moves: Sequence[Leaving]) -> None:
        """The moves with where each machine is, and how long each was dark: the pool notes both as it runs."""
        with writing(self.engine) as connection:
            kept, darkness = SqlMoves(connection), SqlDarkness(connection)
            for each in moves:
                move = each.move
                number = kept.add(
                    move.name, move.plan, [every.login for every in each.travellers], ACTOR, PLANNED_MS
                ).id
                for event in move.events:
                    kept.take(move.name, event)
                kept.save(number, each.travellers)
                legs = {every.login: every.out for every in each.travellers}
                darkness.begin({login: leg.gone_ms for login, leg in legs.items() if leg.gone_ms is not None})
                darkness.end({login: leg.arrived_ms for login, leg in legs.items() if leg.arrived_ms is not None})

    def audit(self) -> tuple[Finding, ...]:
        """Everything that is wrong with it."""
        with self.ledger.read() as books:
            return audit(books)

    def close(self) -> None:
        """The file is whole then, and nothing is beside it."""
        with self.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        self.engine.dispose()
