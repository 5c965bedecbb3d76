"""What the dashboard shows: rows of live statistics and of the books.

They are also the JSON of the API, so a field that is renamed or removed changes `/api/v1`. Times are Unix milliseconds
of the wall clock; no ages, so that an answer that says the same is the same bytes. Money is in integers below 2^53 (21
million bitcoin are 2.1e15 satoshi), so JSON readers keep it exact.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from pool.dashboard.role_rows import JobCoinbase, Roles


class Rate(Struct, frozen=True, gc=False):
    """An estimate of hashrate from shares.

    hps: hashes per second, never NaN or infinite. error: one standard deviation relative to hps, 1/sqrt(n) for n
    shares; None while there is no share to judge by.
    """

    hps: float
    error: float | None


class Hashrate(Struct, frozen=True, gc=False):
    """The estimates of four windows."""

    minute: Rate = field(name="1m")
    five_minutes: Rate = field(name="5m")
    hour: Rate = field(name="1h")
    day: Rate = field(name="24h")


class Activity(Struct, frozen=True, gc=False):
    """What one worker, one account or the pool does now.

    rejected: count of submissions by reason, the names of `pool.work.share.Outcome` in lower case.
    """

    hashrate: Hashrate
    accepted: int
    rejected: Mapping[str, int]
    last_share_ms: int | None

    @property
    def rejected_total(self) -> int:
        return sum(self.rejected.values())


class Worker(Struct, frozen=True, gc=False):
    """One machine by its login. difficulty: of its connection, else of its newest share; None if it has neither. agent:
    what it says it is, printable ASCII, untrusted; empty if it was not seen connected."""

    login: str
    account: str
    worker: str
    sessions: int
    difficulty: float | None
    activity: Activity
    agent: str = ""

    @property
    def online(self) -> bool:
        return self.sessions > 0


class Reject(Struct, frozen=True):
    """A refused share of a worker.

    reason: as it is counted, the names of `pool.work.share.Outcome` in lower case. text: what the miner was told.
    job_age_ms: how long before its job was made; None if it was not known. id: as `steppe explain reject` has it.
    """

    time_ms: int
    reason: str
    text: str
    job_id: str
    job_age_ms: int | None
    id: str = ""


class LiveAccount(Struct, frozen=True):
    """The activity of all workers of an account."""

    name: str
    workers: int
    workers_online: int
    activity: Activity


class LiveView(Struct, frozen=True):
    """All of the live statistics, read at one moment. coinbases: of the newest jobs, by region. silenced_until_ms: the
    end of a maintenance; None if none is on."""

    pool: Activity
    workers: tuple[Worker, ...]
    accounts: tuple[LiveAccount, ...]
    roles: Roles
    coinbases: Mapping[str, JobCoinbase] = {}
    silenced_until_ms: int | None = None


class AccountPlan(Struct, frozen=True):
    """A scheme and a fee from a time on."""

    scheme: str
    fee_bps: int
    valid_from_ms: int


class BookAccount(Struct, frozen=True):
    """An account in the ledger.

    scheme and fee_bps: of the plan in force; the fee in basis points. immature_sat: credits of blocks that may still
    be orphaned. reserved_sat: on its way to the account. pps_psat: earned per share but not yet in the ledger, in
    picosatoshi, as decimal text since it passes 2^53. credits: how many blocks it has a part of. plans: all it had,
    has, and will have, oldest first. paid_as: the scheme that new shares count under: PPLNS while nothing is paid per
    share.
    """

    name: str
    scheme: str
    fee_bps: int
    immature_sat: int
    available_sat: int
    reserved_sat: int
    pps_psat: str
    credits: int
    plans: tuple[AccountPlan, ...] = ()
    paid_as: str = ""


class Block(Struct, frozen=True):
    """A block that the pool found.

    state: candidate, immature, mature, orphaned or dead. finder: the login. reward_sat: what its coinbase pays the
    pool; None until it is seen on the chain. credits: how many accounts it credits.
    """

    hash_hex: str
    height: int
    state: str
    finder: str
    reward_sat: int | None
    confirmations: int
    found_ms: int
    credits: int


class Credit(Struct, frozen=True):
    """What an account has of a block.

    scheme: that its shares were accepted under; shares under PPS were bought by the reserve, and so is their part of
    the block: bought_sat. window_share: its part of the window's score, 0 to 1. amount_sat: gross_sat less fee_sat.
    """

    account: str
    scheme: str
    window_share: float
    gross_sat: int
    fee_sat: int
    amount_sat: int
    bought_sat: int = 0


class LedgerRow(Struct, frozen=True):
    """One entry of a posting. amount_sat: assets and expenses positive; liabilities, income and equity negative."""

    key: str
    kind: str
    time_ms: int
    account: str
    amount_sat: int


class BlockDetail(Struct, frozen=True):
    """A block with everything that the ledger holds about it."""

    block: Block
    credits: tuple[Credit, ...]
    ledger: tuple[LedgerRow, ...]


class AccountCredit(Struct, frozen=True):
    """What an account earned once.

    Of a block: ref is its hash_hex, state its state. Of a period of pay per share: ref is the key of the posting,
    state is "settled", height None.
    """

    ref: str
    height: int | None
    state: str
    amount_sat: int
    time_ms: int


class Totals(Struct, frozen=True):
    """The books in a few numbers. blocks: count by state. round_effort: score since the pool's newest block; 1.0 is the
    expected work of a block."""

    accounts: int
    blocks: Mapping[str, int]
    last_block_ms: int | None
    immature_sat: int
    available_sat: int
    round_effort: float
