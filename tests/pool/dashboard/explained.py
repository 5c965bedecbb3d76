"""Explanations of a block that another account found, and of what texas-2 had of it."""

from __future__ import annotations

from msgspec.structs import replace

from payout.explain.balance import BalanceExplained, InBlock, Kind
from payout.explain.credit import CreditExplained
from payout.explain.payment import AttemptShown, LineShown, PayoutExplained
from payout.explain.rows import ShownRow
from payout.statement import Balance
from pool.dashboard.explain import NotExplained
from pool.explain.reject import RejectExplained
from pool.explain.shares import ShareListed, SharesListed
from pool.explain.words import CreditFigures
from tests.pool.dashboard.fakes import NOW_MS

SHARE = "0123456789abcdef:4711"
ROW = ShownRow(
    7, NOW_MS, "block:aa:credit", "block", "ab" * 32,
    (("asset:immature", 1000), ("liab:texas-2:immature", -300), ("income:pool_fee", -10)), 1, -690,
)  # fmt: skip
CREDIT = CreditExplained(
    account="texas-2",
    block_hash="aa" * 32,
    height=840_000,
    state="immature",
    confirmations=3,
    found_ms=NOW_MS,
    finder="kz-ekibastuz.rig-1",
    share=SHARE,
    outcome="accepted",
    reward_sat=1000,
    is_solo=False,
    window_blocks="2",
    startup="share",
    capacity="2",
    all_units="2",
    oldest=None,
    newest=None,
    shared_sat=1000,
    reserve_sat=0,
    missing_sat=0,
    stakes=2,
    parts=(),
    given=(),
    own_sat=300,
    ledger=(ROW,),
)
PAYOUT = PayoutExplained(
    payout=1,
    state="broadcast",
    total_sat=900,
    lines_total=2,
    lines=(LineShown("texas-2", "bcrt1qtexas", 600), LineShown("kz-ekibastuz", "bcrt1qkz", 300)),
    times=((NOW_MS, "it was sent for the first time"),),
    attempts=(AttemptShown(1, "pay", "ab" * 32, 5, 140, NOW_MS, True, False),),
    txid="ab" * 32,
    block_hash=None,
    block_height=None,
    confirmations=0,
    fee_sat=5,
    ledger=(ROW,),
)
BALANCE = BalanceExplained(
    account="texas-2",
    ledger_row=7,
    ledger_hash="ab" * 32,
    balance=Balance(300, 0, 0),
    kinds=(Kind("block", 1, 300, 0, 0),),
    blocks=(InBlock(840_000, "aa" * 32, 3, 98, 300),),
    payouts=(),
    pending_psat="0",
    address=None,
    held_until_ms=0,
    threshold_sat=None,
)
REJECT = RejectExplained(
    id=SHARE,
    time_ms=NOW_MS,
    login="texas-2.rig-1",
    outcome="stale",
    code=21,
    said="Job not found",
    why="its job was for a block that was not the next one any more",
    todo="A few are nobody's fault.",
    job_id="a1",
    job_known=False,
    job_time_ms=None,
    job_age_ms=None,
    height=840_000,
    difficulty="1",
    hash=None,
    share_target=None,
    network_target=None,
    meets_target=None,
    is_block=False,
    ntime=0,
    ntime_min=None,
    ntime_max=None,
    version="20000000",
    counted_as=None,
)


class FakeExplaining:
    """Satisfies pool.dashboard.explain.Explaining. asked: what was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def credit(self, credit_id: str) -> CreditFigures:
        self.asked.append(credit_id)
        if credit_id != "840000:texas-2":
            raise NotExplained(f"no credit {credit_id}")
        return CREDIT

    async def payout(self, number: int, account: str | None) -> PayoutExplained:
        self.asked.append(f"{number} {account}")
        lines = tuple(line for line in PAYOUT.lines if account in (None, line.account))
        if number != 1 or not lines:
            raise NotExplained(f"payout {number} has no line for {account}")
        return replace(PAYOUT, lines=lines)

    async def balance(self, account: str) -> BalanceExplained:
        self.asked.append(account)
        if account != "texas-2":
            raise NotExplained(f"there is no account {account}")
        return BALANCE

    async def share(self, share_id: str) -> RejectExplained:
        self.asked.append(share_id)
        if share_id != SHARE:
            raise NotExplained("no such share")
        return REJECT

    async def shares(self, login: str, from_ms: int, to_ms: int) -> SharesListed:
        self.asked.append(f"{login} {from_ms} {to_ms}")
        row = ShareListed(SHARE, from_ms, "stale", "a1", 1.0, 840_000, None)
        return SharesListed(login, from_ms, to_ms, (row,), None)
