"""What the dashboard shows: rows of live statistics and of the books.

They are also the JSON of the API, so a field that is renamed or removed changes `/api/v1`. Times are Unix milliseconds
of the wall clock; no ages, so that an answer that says the same is the same bytes. Money is in integers below 2^53 (21
million bitcoin are 2.1e15 satoshi), so JSON readers keep it exact.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from pool.dashboard.fleet_rows import AlarmSign


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


class WorkJob(Struct, frozen=True):
    """What is mined on now. height: of the block that is built. template_ms: when a node gave the template."""

    height: int
    tip_hash_hex: str
    job_id: str
    template_ms: int
    transactions: int
    network_difficulty: float


class WorkNode(Struct, frozen=True):
    """A node of the work role.

    name: host and port. state: good, returning, slow, lagging, syncing or down. reason: why it is not good, in words
    with the mend. height: of its tip, None while it cannot be used. is_chosen: it gives the work. is_silent: whether it
    fails to announce its tips over ZMQ; None if it is not configured to. chain: majority, minority or unknown; None
    before the verdict.
    """

    name: str
    state: str
    reason: str | None
    height: int | None
    is_chosen: bool
    is_silent: bool | None
    chain: str | None = None


class WorkChain(Struct, frozen=True):
    """Whose chain the pool works on. verdict: majority, minority or unknown. reason: in words."""

    verdict: str
    reason: str


class WorkProposals(Struct, frozen=True):
    """What the nodes think of our blocks. looked_at, refused: templates since the role started. last_refused_ms: None
    if none was. problem: of the nodes whose refusal stands."""

    looked_at: int
    refused: int
    last_refused_ms: int | None
    problem: str | None


class Disk(Struct, frozen=True):
    """The disk that a role writes its truth to. is_low: below the limits of the configuration."""

    free_bytes: int
    total_bytes: int
    is_low: bool


class WorkRole(Struct, frozen=True):
    """What the work role says.

    node_reason: why no node can give work, in words with the mend; None while one can. candidates_pending: blocks on
    disk that still wait for the node's verdict. job: the newest one; None before the first. blocks_refused: blocks of
    ours that a node refused for good since the role's start. nodes: the preferred one first.
    """

    heartbeat_ms: int
    node_reason: str | None
    candidates_pending: int
    job: WorkJob | None
    blocks_refused: int = 0
    nodes: tuple[WorkNode, ...] = ()
    disk: Disk | None = None
    chain: WorkChain | None = None
    proposals: WorkProposals | None = None


class StratumRole(Struct, frozen=True):
    """What one stratum process says.

    refused, closed: requests refused and connections closed, by reason, since its start. candidates_pending: blocks
    that the work role has not yet taken. certificate_expires_ms: end of the certificate for TLS; None without one.
    journal_refusal: why the journal takes no shares; None while it does.
    is_released: it sent its miners to their backup pools, for want of work.
    """

    name: str
    heartbeat_ms: int
    sessions: int
    refused: Mapping[str, int]
    closed: Mapping[str, int]
    candidates_pending: int
    certificate_expires_ms: int | None = None
    journal_refusal: str | None = None
    disk: Disk | None = None
    is_released: bool = False
    region: str = ""
    endpoint: str = ""


class Broken(Struct, frozen=True, array_like=True):
    """An invariant of the books that is broken: its number, which rows, and how to mend it."""

    invariant: int
    what: str
    mend: str


class HeldBlock(Struct, frozen=True, array_like=True):
    """A block whose reward is held back, and why."""

    hash_hex: str
    reason: str


class Suspected(Struct, frozen=True, array_like=True):
    """A group of machines that found too few blocks for luck alone, and what else is known."""

    kind: str
    name: str
    told: str


class ReserveSign(Struct, frozen=True):
    """The reserve of pay per share. level: unused, funded, low, closed or stopped. alarm_sat, close_sat: below them
    people are told, and no account more is paid per share; None: no reserve is enough."""

    level: str
    held_sat: int
    alarm_sat: int | None
    close_sat: int | None
    floor_sat: int


class MovesSign(Struct, frozen=True):
    """Planned moves that are open. counts: their machines by status. late: by name, machines that should have arrived.
    strays: workers in another region without a move, not confirmed. drafts: moves of notices that nobody planned."""

    open: int
    counts: dict[str, int]
    late: dict[str, int]
    strays: int
    drafts: tuple[str, ...] = ()


class AccountingRole(Struct, frozen=True):
    """What the accounting role says. lag_shares: journalled records it has not yet taken. payouts_stopped: why nothing
    is sent. broken: what is wrong with the books. held: blocks that wait for a person. suspected: of whom blocks
    are missing. moves: None before it has looked. alarms: machines in the dark."""

    heartbeat_ms: int
    lag_shares: int | None
    payouts_stopped: str | None = None
    broken: tuple[Broken, ...] = ()
    held: tuple[HeldBlock, ...] = ()
    suspected: tuple[Suspected, ...] = ()
    reserve: ReserveSign | None = None
    moves: MovesSign | None = None
    alarms: tuple[AlarmSign, ...] = ()


class Roles(Struct, frozen=True):
    """The roles that gave a sign of life lately. work: of those of several regions the one that is worst off;
    work_regions: all of them. web_heartbeat_ms: of the web role; None if none lives."""

    work: WorkRole | None
    stratum: tuple[StratumRole, ...]
    accounting: AccountingRole | None
    work_regions: tuple[str, ...] = ()
    web_heartbeat_ms: int | None = None


class CoinbaseOutput(Struct, frozen=True):
    """An output of the coinbase, as `pool.work.paid.PaidOutput` has it. to: pool, commitment or other."""

    value_sat: int
    part: float
    address: str | None
    script_hex: str
    to: str


class JobCoinbase(Struct, frozen=True):
    """The coinbase that miners have now. made_ms: when its job was made. coinb1_hex, coinb2_hex: without witness, cut
    where the 12 bytes of the extranonce go."""

    made_ms: int
    subsidy_sat: int
    fees_sat: int
    tag: str
    coinb1_hex: str
    coinb2_hex: str
    outputs: tuple[CoinbaseOutput, ...]


class LiveView(Struct, frozen=True):
    """All of the live statistics, read at one moment."""

    pool: Activity
    workers: tuple[Worker, ...]
    accounts: tuple[LiveAccount, ...]
    roles: Roles
    coinbase: JobCoinbase | None = None


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
