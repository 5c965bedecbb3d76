"""What the roles say of themselves in their signs of life, as the dashboard shows it. As with `pool.dashboard.rows`, a
field that is renamed or removed changes `/api/v1`."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from pool.dashboard.fleet_rows import AlarmSign


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
    """What the work role of a region says.

    node_reason: why no node can give work, in words with the mend; None while one can. candidates_pending: blocks on
    disk that still wait for the node's verdict. job: the newest one; None before the first. blocks_refused: blocks of
    ours that a node refused for good in the last six hours. nodes: the preferred one first.
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


def _lack(role: WorkRole) -> tuple[bool, bool, int]:
    """The greater, the less there is to mine on."""
    return role.node_reason is not None, role.job is None, -role.job.template_ms if role.job else 0


class Roles(Struct, frozen=True):
    """The roles that gave a sign of life lately. work: by the region's name. web_heartbeat_ms: of the web role; None if
    none lives."""

    work: Mapping[str, WorkRole]
    stratum: tuple[StratumRole, ...]
    accounting: AccountingRole | None
    web_heartbeat_ms: int | None = None

    @property
    def worst_work(self) -> WorkRole | None:
        """Of the region whose work is the worst, where there is room for one only; None if no work role is there."""
        return max(self.work.values(), key=_lack, default=None)


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
