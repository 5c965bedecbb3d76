"""A pool to show: fakes at the dashboard's ports, filled with a farm as large as it needs to be."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from payout.accounts import AccountRefused
from payout.solvency import Solvency
from payout.statement import Balance, Line, Statement
from payout.store.luck import GroupReport
from payout.store.payout_reports import PayoutDetail, PayoutsPage
from pool.dashboard.ports import SourceUnavailable
from pool.dashboard.role_rows import (
    AccountingRole,
    Disk,
    MovesSign,
    ReserveSign,
    Roles,
    StratumRole,
    WorkChain,
    WorkJob,
    WorkNode,
    WorkProposals,
    WorkRole,
)
from pool.dashboard.rows import (
    AccountCredit,
    Activity,
    Block,
    BlockDetail,
    BookAccount,
    Credit,
    Hashrate,
    LedgerRow,
    LiveAccount,
    LiveView,
    Rate,
    Reject,
    Totals,
    Worker,
)
from pool.fleet.register import Register
from pool.stats.history import Rings

NOW_MS = 1_625_313_600_000
"""3 July 2021, the day difficulty fell by 27.94 %: the fleet on the move that this pool is for."""

NETWORK_DIFFICULTY = 14_363_025_673_659.65

HOSTILE_NAMES = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "javascript:alert(1)",
    "{{7*7}}${7*7}",
    "a\r\nSet-Cookie: x=1",
    "\u202egnp.exe",
    "=cmd|' /C calc'!A0",
    "\u0000\u001b[31mred",
    "</title><base href=//evil.example>",
    "W" * 64,
)
"""Logins that the stratum door refuses; the dashboard must not depend on that."""


@dataclass
class FakeClock:
    now_ms: int = NOW_MS
    seconds: float = 0.0

    def time_ms(self) -> int:
        return self.now_ms

    def monotonic(self) -> float:
        return self.seconds


@dataclass
class FakeLive:
    content: LiveView
    reason: str | None = None
    reads: int = 0
    refused: dict[str, tuple[Reject, ...]] = field(default_factory=dict)
    rings: Rings = field(default_factory=Rings)

    async def view(self) -> LiveView:
        self.reads += 1
        if self.reason is not None:
            raise SourceUnavailable(self.reason)
        return self.content

    async def history(self) -> Rings:
        if self.reason is not None:
            raise SourceUnavailable(self.reason)
        return self.rings

    async def rejects(self, login: str) -> tuple[Reject, ...]:
        if self.reason is not None:
            raise SourceUnavailable(self.reason)
        return self.refused.get(login, ())


@dataclass
class FakeFleets:
    known: Register = field(default_factory=Register)
    reason: str | None = None

    async def register(self) -> Register:
        if self.reason is not None:
            raise SourceUnavailable(self.reason)
        return self.known


@dataclass
class FakeBooks:
    details: list[BlockDetail]
    known: tuple[BookAccount, ...]
    reason: str | None = None
    reads: int = 0
    credits: dict[str, tuple[AccountCredit, ...]] = field(default_factory=dict)
    paid: list[PayoutDetail] = field(default_factory=list)
    stopped: str | None = None
    payments: tuple[Line, ...] = ()

    def _read(self) -> None:
        self.reads += 1
        if self.reason is not None:
            raise SourceUnavailable(self.reason)

    async def totals(self) -> Totals:
        self._read()
        states = [detail.block.state for detail in self.details]
        return Totals(
            accounts=len(self.known),
            blocks={state: states.count(state) for state in sorted(set(states))},
            last_block_ms=self.details[0].block.found_ms if self.details else None,
            immature_sat=sum(account.immature_sat for account in self.known),
            available_sat=sum(account.available_sat for account in self.known),
            round_effort=0.42,
        )

    async def accounts(self) -> tuple[BookAccount, ...]:
        self._read()
        return self.known

    async def account_credits(self, name: str, count: int) -> tuple[AccountCredit, ...]:
        self._read()
        return self.credits.get(name, ())[:count]

    async def blocks(self, state: str | None, offset: int, count: int) -> tuple[Block, ...]:
        self._read()
        rows = [detail.block for detail in self.details if state in (None, detail.block.state)]
        return tuple(rows[offset : offset + count])

    async def block(self, hash_hex: str) -> BlockDetail | None:
        self._read()
        return next((detail for detail in self.details if detail.block.hash_hex == hash_hex), None)

    async def statement(self, name: str, from_ms: int, to_ms: int, last_row: int | None, changes_max: int) -> Statement:
        self._read()
        if all(account.name != name for account in self.known):
            raise AccountRefused(f"there is no account {name!r}")
        change = Balance(0, 7, 0)
        line = Line(3, from_ms, "adjust", "adjust:=1+1", "=1+1", 0, 7, 0, 7)
        return Statement(
            name, from_ms, to_ms, last_row or 3, "ab" * 32, Balance(), (line, *self.payments), change, {"adjust": 7}
        )

    async def solvency(self) -> Solvency:
        self._read()
        return Solvency(NOW_MS, 100, "00" * 32, 1, 1, 1, 1, 0, 4, 2, 3, 5, 1, 12_500, 10_000, 0, 0, 2, 3, 0)

    async def payouts(self, offset: int, count: int) -> PayoutsPage:
        self._read()
        rows = tuple(detail.payout for detail in self.paid)
        return PayoutsPage(len(rows), rows[offset : offset + count], self.stopped)

    async def payout(self, payout_id: int) -> PayoutDetail | None:
        self._read()
        return next((detail for detail in self.paid if detail.payout.id == payout_id), None)

    async def luck(self) -> tuple[GroupReport, ...]:
        self._read()
        return (GroupReport("account", "alice", "5.125", 4, None),)


def hashrate(hps: float, shares_a_minute: float = 6.0) -> Hashrate:
    """A steady hashrate as its shares would show it."""
    minutes = {"minute": 1, "five_minutes": 5, "hour": 60, "day": 1440}
    rates = {}
    for name, length in minutes.items():
        error = (shares_a_minute * length) ** -0.5
        # A wave instead of chance: estimates of several windows differ by about their error, and always alike.
        rates[name] = Rate(hps * (1 + 0.7 * error * math.sin(hps + length)), error if hps else None)
    return Hashrate(**rates)


def worker(login: str, hps: float = 110e12, sessions: int = 1, **changes: object) -> Worker:
    """A machine of a hundred terahashes, one share each ten seconds."""
    account, _, name = login.partition(".")
    values: dict[str, object] = {
        "accepted": 8_640,
        "rejected": {"stale": 9},
        "last_share_ms": NOW_MS - 4_000,
        "difficulty": 262_144.0,
        "hashrate": hashrate(hps),
    } | changes
    difficulty = values.pop("difficulty")
    return Worker(login, account, name, sessions, difficulty, Activity(**values))  # type: ignore[arg-type]


def live_view(workers: Iterable[Worker]) -> LiveView:
    """The statistics of these workers, added up, and three healthy roles."""
    rows = tuple(workers)
    names = sorted({row.account for row in rows})
    accounts = []
    for name in names:
        of_account = [row for row in rows if row.account == name]
        online = sum(row.online for row in of_account)
        accounts.append(LiveAccount(name, len(of_account), online, _sum(of_account)))
    roles = Roles(
        work={
            "main": WorkRole(
                heartbeat_ms=NOW_MS - 400,
                node_reason=None,
                candidates_pending=0,
                job=WorkJob(
                    height=689_472,
                    tip_hash_hex="00000000000000000005a9e4b7c2f1d3e8a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2",
                    job_id="17a6d3f8c40",
                    template_ms=NOW_MS - 11_000,
                    transactions=2_481,
                    network_difficulty=NETWORK_DIFFICULTY,
                ),
                nodes=(WorkNode("127.0.0.1:8332", "good", None, 689_471, True, False, "majority"),),
                chain=WorkChain("majority", "its 689,471 blocks agree with another node's"),
                proposals=WorkProposals(looked_at=120, refused=0, last_refused_ms=None, problem=None),
                disk=Disk(200 * 2**30, 500 * 2**30, False),
            )
        },
        stratum=(stratum_role("0", sum(row.sessions for row in rows)),),
        accounting=AccountingRole(
            NOW_MS - 900,
            212,
            reserve=ReserveSign("funded", 60_000_000_000, 53_966_838_118, 35_977_892_079, 0),
            moves=MovesSign(0, {}, {}, 0),
        ),
    )
    return LiveView(_sum(rows), rows, tuple(accounts), roles)


def stratum_role(name: str, sessions: int) -> StratumRole:
    """A stratum process that is well."""
    disk = Disk(300 * 2**30, 500 * 2**30, False)
    return StratumRole(name, NOW_MS - 700, sessions, {"unknown_method": 3}, {"not_json": 1}, 0, disk=disk)


def _sum(rows: Iterable[Worker]) -> Activity:
    rows = list(rows)
    rejected: dict[str, int] = {}
    for row in rows:
        for reason, count in row.activity.rejected.items():
            rejected[reason] = rejected.get(reason, 0) + count

    def total(window: str) -> Rate:
        rates: list[Rate] = [getattr(row.activity.hashrate, window) for row in rows]
        hps = sum(rate.hps for rate in rates)
        squares = sum((rate.hps * rate.error) ** 2 for rate in rates if rate.error is not None)
        return Rate(hps, squares**0.5 / hps if hps else None)

    return Activity(
        hashrate=Hashrate(total("minute"), total("five_minutes"), total("hour"), total("day")),
        accepted=sum(row.activity.accepted for row in rows),
        rejected=rejected,
        last_share_ms=max((row.activity.last_share_ms or 0 for row in rows), default=None),
    )


def farm(workers: int) -> list[Worker]:
    """A fleet in three accounts, some machines slow, some gone; the same for the same size."""
    dice = random.Random(workers)
    accounts = ("sichuan-fleet", "texas-2", "kz-ekibastuz")
    rows = []
    for number in range(workers):
        account = accounts[number * 3 // max(workers, 1)]
        login = f"{account}.rack-{number // 24 + 1:02d}-{number % 24 + 1}"
        gone = dice.random() < 0.03
        hps = 0.0 if gone else dice.choice((68e12, 84e12, 95e12, 110e12)) * dice.uniform(0.94, 1.05)
        rejected = {"stale": dice.randrange(12)}
        if dice.random() < 0.08:
            rejected["low_difficulty"] = dice.randrange(300)
        rows.append(
            worker(
                login,
                hps,
                sessions=0 if gone else 1,
                accepted=dice.randrange(2_000, 90_000),
                rejected=rejected,
                last_share_ms=NOW_MS - (dice.randrange(3_600_000, 80_000_000) if gone else dice.randrange(30_000)),
                difficulty=dice.choice((131_072.0, 262_144.0)),
                hashrate=hashrate(hps, dice.uniform(4, 8)),
            )
        )
    return rows


def block_detail(number: int, state: str, confirmations: int) -> BlockDetail:
    """A block of the three accounts; number 0 is the newest."""
    hash_hex = f"{number + 0x4A51C07:064x}"
    reward_sat = None if state == "candidate" else 625_000_000 + 1_234_567 * (number + 1)
    finder = f"texas-2.rack-{number + 3:02d}-7"
    found_ms = NOW_MS - 5_400_000 - number * 39_000_000
    paid = reward_sat is not None and state != "orphaned"
    credits = (
        Credit("kz-ekibastuz", "pps", 0.1618, 101_222_001, 0, 101_222_001),
        Credit("sichuan-fleet", "pplns", 0.6437, 406_060_730, 4_060_607, 402_000_123),
        Credit("texas-2", "pplns", 0.1945, 121_840_044, 1_827_601, 120_012_443),
    )
    ledger = (
        LedgerRow(f"block:{hash_hex}:immature:1", "block_immature", found_ms, "asset:coinbase_immature", 623_234_567),
        LedgerRow(f"block:{hash_hex}:immature:1", "block_immature", found_ms, "liab:texas-2:immature", -623_234_567),
    )
    block = Block(hash_hex, 689_471 - number * 37, state, finder, reward_sat, confirmations, found_ms, 3 if paid else 0)
    return BlockDetail(block, credits if paid else (), ledger if paid else ())


def books() -> FakeBooks:
    """Three accounts and fourteen blocks, one of them orphaned."""
    states = ["candidate", "immature", "immature", "mature", "orphaned", *["mature"] * 9]
    details = [
        block_detail(number, state, {"candidate": 0, "orphaned": 0}.get(state, number * 37 + 1))
        for number, state in enumerate(states)
    ]
    accounts = (
        BookAccount("kz-ekibastuz", "pps", 250, 0, 48_120_773, 0, "50912004551201345", 0),
        BookAccount("sichuan-fleet", "pplns", 100, 804_000_246, 3_216_000_984, 0, "0", 11),
        BookAccount("texas-2", "pplns", 150, 240_024_886, 960_099_544, 0, "0", 11),
    )
    credit = AccountCredit(details[1].block.hash_hex, 689_434, "immature", 402_000_123, NOW_MS - 44_400_000)
    return FakeBooks(details, accounts, credits={"sichuan-fleet": (credit,)})
