"""What accounting needs of the outside world: where shares come from, what the chain says, where the books are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from msgspec import Struct

from payout.accounts import Account, Scheme, Stake
from payout.ledger import Posting, Row
from payout.maturity import Life
from payout.order import OrderedShares
from payout.rewards import Credit
from pool.ports import ShareBatch


class LedgerUnavailable(Exception):
    """The database cannot be asked. The text says which, why and how to mend it."""


class ShareSource(Protocol):
    """The way of the shares from the journals. May deliver a batch again, or after a gap; never out of order without
    one."""

    def read(self) -> Sequence[ShareBatch]:
        """The next batches; none if there were none for a while."""

    def committed(self, batch: ShareBatch, high_water: int) -> None:
        """The batch is in the books, and so is its journal up to high_water: it need not be kept or sent again."""

    def resend(self, batch: ShareBatch, high_water: int) -> None:
        """The batch came after a gap and was not taken: its journal is to go on after high_water."""


class Chain(Protocol):
    """A node's view of its active chain. Every method raises pool.ports.NodeUnavailable."""

    def is_synced(self) -> bool:
        """Whether the node believes that it has the whole chain."""

    def tip_height(self) -> int:
        """Height of the newest block."""

    def hash_at(self, height: int) -> bytes | None:
        """Hash of the block at a height, wire order; None above the tip."""

    def coinbase_outputs(self, block_hash: bytes) -> tuple[tuple[int, bytes], ...] | None:
        """The outputs of a block's coinbase as (value_sat, script); None if the node does not have the block."""


class FoundBlock(Struct, frozen=True):
    """A block that a share made. height: of the job, so of the block.

    finder, worker: the login of the share, as it came. frontend, seq: its place in a journal. outcome: of the share;
    the block counts whatever it is. end: where its window ends on the line of score. window_x: the window in blocks,
    as p or p/q; startup: the policy; both of the moment it was found.
    """

    block_hash: bytes
    height: int
    found_ms: int
    finder: str
    worker: str
    frontend: str
    seq: int
    outcome: str
    end: int
    window_x: str
    startup: str


class BookedBlock(Struct, frozen=True):
    """A found block with its life, and what it pays once it was in the chain.

    reward_sat: None before that. reserve_sat: held back by the start-up policy. credits: in order of the stakes.
    """

    found: FoundBlock
    life: Life
    reward_sat: int | None = None
    reserve_sat: int = 0
    credits: tuple[Credit[Stake], ...] = ()


class Accrual(Struct, frozen=True):
    """What an account earned per share in a period, not yet in the ledger.

    period_ms: when the period began. carry_psat: left over from the period before.
    """

    account: str
    period_ms: int
    accrued_psat: int
    carry_psat: int


class Batch(Struct, frozen=True):
    """Records of a journal that came into the books together, and the accepted shares among them.

    first_seq, last_seq: all that was new, whatever it is. time_ms: of the last record.
    """

    frontend: str
    first_seq: int
    last_seq: int
    time_ms: int
    shares: OrderedShares[Stake]


class Accounts(Protocol):
    """Names and their plans."""

    def resolve(self, first_seen_ms: Mapping[str, int], scheme: Scheme, fee_bps: int) -> Mapping[str, Account]:
        """The accounts of these names; those that do not exist are opened, with this plan from when they were first
        seen. Raises AccountRefused for a name that no account can have."""


class Shares(Protocol):
    """The accepted shares in their order."""

    def high_water(self, frontend: str) -> int:
        """The last record of a journal that is in the books; 0 for none."""

    def advance(self, frontend: str, seq: int) -> None:
        """Everything up to seq is in the books now."""

    def end(self) -> int:
        """The end of the line of score."""

    def append(self, batches: Sequence[Batch]) -> None:
        """Put the shares of batches at the end of the line; a batch without shares is kept, too."""

    def window(self, low: int, high: int) -> dict[Stake, int]:
        """The weight of each stake in the stretch (low, high] of the line."""


class Accruals(Protocol):
    """Pay per share, on its way into the ledger."""

    def period_ms(self) -> int:
        """When the current period began; 0 before the first."""

    def open_period(self, period_ms: int) -> None:
        """Make a period the current one."""

    def add(self, earned_psat: Mapping[tuple[str, int], int]) -> None:
        """Add to what accounts earned, by (account, period_ms)."""

    def due(self, before_ms: int) -> Sequence[Accrual]:
        """The unsettled accruals of periods that began before a time, in order of period and account."""

    def settle(self, settled: Sequence[tuple[Accrual, int]]) -> None:
        """These accruals are in the ledger but for their carry in picosatoshi, in order."""


class Blocks(Protocol):
    """The pool's own blocks."""

    def add(self, found: FoundBlock) -> bool:
        """Keep a new candidate; False if the block is known."""

    def open(self, tip_height: int) -> Sequence[Life]:
        """The blocks whose state may still change, in order of height and hash."""

    def get(self, block_hash: bytes) -> BookedBlock | None:
        """One block with what it pays."""

    def every(self) -> Iterator[BookedBlock]:
        """All blocks, in order of height and hash."""

    def book(self, block: BookedBlock) -> None:
        """Keep what a block pays, once and for ever."""

    def move(self, before: Life, after: Life) -> None:
        """Put a block into its next state. Raises LedgerError if it is not in the state that it leaves."""

    def chain_height(self) -> int:
        """The highest tip that was ever seen."""

    def see_height(self, height: int) -> None:
        """A higher tip was seen."""


class Journal(Protocol):
    """The ledger itself."""

    def post(self, postings: Sequence[Posting]) -> int:
        """Book what was not booked before and return how many that were.

        Raises LedgerError if a key was used for other content or a balance would be on the wrong side of zero.
        """

    def rows(self) -> Iterator[Row]:
        """All rows, in order."""

    def rows_after(self, row_id: int) -> Iterator[Row]:
        """The rows that followed one, in order."""

    def balances_sat(self, accounts: Iterable[str] | None = None) -> dict[str, int]:
        """Balances of these accounts, or of all; those without entries are left out."""


class Books(Protocol):
    """Everything that one transaction reads and writes."""

    @property
    def accounts(self) -> Accounts: ...
    @property
    def shares(self) -> Shares: ...
    @property
    def accruals(self) -> Accruals: ...
    @property
    def blocks(self) -> Blocks: ...
    @property
    def journal(self) -> Journal: ...


class LedgerStore(Protocol):
    """The books, on disk. Every method raises LedgerUnavailable."""

    def write(self) -> AbstractContextManager[Books]:
        """A transaction: all of it is durable when the block ends, or none of it if it raises. One writer at a time."""

    def read(self) -> AbstractContextManager[Books]:
        """The books as they were at one moment; writing raises."""
