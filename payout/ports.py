"""What accounting needs of the outside world: where shares come from, what the chain says, where the books are."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from msgspec import Struct

from payout.accounts import Account, PayoutAddress, Plan, Scheme, Stake
from payout.activity import ActivityBooks
from payout.contracts import Contract
from payout.epochs import Epochs
from payout.ledger import Posting, Row
from payout.maturity import Life
from payout.order import OrderedShares
from payout.pps import DayBlock
from payout.rewards import Credit
from payout.watch_ports import Hold, LuckBooks, Strays
from pool.ports import BlockHeader, ShareBatch


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


class DayChain(Protocol):
    """What FPPS asks of a node's chain. Every method raises pool.ports.NodeUnavailable."""

    def tip_height(self) -> int:
        """Height of the newest block."""

    def hash_at(self, height: int) -> bytes | None:
        """Hash of the block at a height, wire order; None above the tip."""

    def header(self, block_hash: bytes) -> BlockHeader | None:
        """One block; None if the node does not know it."""

    def fees_sat(self, block_hash: bytes) -> int | None:
        """The transaction fees of a block; None if the node does not know it."""


class FoundBlock(Struct, frozen=True):
    """A block that a share made. height: of the job, so of the block.

    finder, worker: the login of the share, as it came. frontend, seq: its place in a journal. outcome: of the share;
    the block counts whatever it is. end: where its window ends on the line of score. window_x: the window in blocks,
    as p or p/q; startup: the policy; both of the moment it was found. subsidy_sat: of its height; None in books that
    are older than PPS+. taker: whose the whole block is, if its finder was on SOLO.
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
    subsidy_sat: int | None = None
    taker: Stake | None = None


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


class FeeDay(Struct, frozen=True):
    """The network's blocks of a UTC day, in order of height. day_ms: when it began."""

    day_ms: int
    blocks: tuple[DayBlock, ...]


class Basis(enum.StrEnum):
    """What earnings of a slice are: the price of its shares in a period, or what FPPS adds fees to in a day."""

    SHARES = "shares"
    FEES = "fees"


class SliceEarning(Struct, frozen=True):
    """What a slice earned: its place in the accounts. at_ms: when the period or the day began. fee_bps: still to be
    taken; 0 where the price is after the fee."""

    basis: Basis
    account: str
    at_ms: int
    slice_id: int
    fee_bps: int = 0


class Batch(Struct, frozen=True):
    """Records of a journal that came into the books together, and the accepted shares among them.

    first_seq, last_seq: all that was new, whatever it is. time_ms: of the last record.
    """

    frontend: str
    first_seq: int
    last_seq: int
    time_ms: int
    shares: OrderedShares[Stake]


class Stop(Struct, frozen=True):
    """From jobs of a height on, shares of accounts that are paid per share count as under PPLNS, or no longer.

    decided_ms: when, and reason: why that was decided.
    """

    from_height: int
    is_stopped: bool
    decided_ms: int
    reason: str


class Accounts(Protocol):
    """Names and their plans."""

    def find(self, names: Collection[str]) -> Mapping[str, Account]:
        """Those of these accounts that exist."""

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


class FeeDays(Protocol):
    """FPPS: what shares would have earned in transaction fees, by day, and what the network's blocks paid."""

    def add(self, base_psat: Mapping[tuple[str, int, int], int]) -> None:
        """Add to the gross earnings per share, by (account, day_ms, fee_bps)."""

    def due(self, before_ms: int) -> int | None:
        """The oldest day with earnings that is not settled and over before a time."""

    def bases(self, day_ms: int) -> Sequence[tuple[str, int, int]]:
        """The earnings of a day as (account, fee_bps, base_psat), in their order."""

    def carries_psat(self) -> Mapping[str, int]:
        """What is left over of the days before, by account."""

    def settle(self, day: FeeDay, carries_psat: Mapping[str, int]) -> None:
        """The day is in the ledger but for these carries."""

    def settled(self) -> Iterator[FeeDay]:
        """All settled days, in order."""

    def newest(self) -> FeeDay | None:
        """The newest settled day."""


class Reserve(Protocol):
    """What was decided about pay per share."""

    def stops(self) -> Sequence[Stop]:
        """In order of their heights."""

    def stop(self, decided: Stop) -> None:
        """Keep a decision; its height is above those of all before."""

    def seen_height(self) -> int:
        """The highest job of which a share is in the books."""

    def see_height(self, height: int) -> None:
        """A share of a higher job came."""

    def lowest_fee_bps(self, schemes: Iterable[Scheme], time_ms: int) -> int | None:
        """The lowest fee of accounts that are under one of these schemes at a time or later; None without one."""

    def accrued_psat(self) -> int:
        """What all accounts have earned per share and is not in the ledger."""


class Slices(Protocol):
    """Assignments, as far as money goes by them."""

    def contracts(self, slice_ids: Collection[int]) -> Mapping[int, Contract]:
        """The contracts of slices; one without is left out. Raises LedgerError for a slice that is not in the books."""

    def add(self, earned_psat: Mapping[SliceEarning, int]) -> None:
        """Add to what slices earned per share."""

    def earned(self, basis: Basis, account_name: str, at_ms: int) -> Sequence[tuple[SliceEarning, int]]:
        """What the slices of an account earned in a period or a day, in picosatoshi, in order of slice and fee."""


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

    def hold(self, hold: Hold) -> None:
        """Hold back what a block pays, or let it go. Raises LedgerError if that is so already."""

    def totals(self) -> tuple[tuple[str, int, int], ...]:
        """Of each state: how many blocks, and what they pay in all."""

    def rewards_sat(self) -> Mapping[Life, int | None]:
        """All blocks and what each pays."""

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

    def balance_after(self, account: str, row_id: int) -> tuple[int, int]:
        """What an account moved in the rows that followed one, in satoshis, and the newest row; 0: from the first."""

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
    def fee_days(self) -> FeeDays: ...
    @property
    def reserve(self) -> Reserve: ...
    @property
    def slices(self) -> Slices: ...
    @property
    def blocks(self) -> Blocks: ...
    @property
    def strays(self) -> Strays: ...
    @property
    def luck(self) -> LuckBooks: ...
    @property
    def epochs(self) -> Epochs: ...
    @property
    def activity(self) -> ActivityBooks: ...
    @property
    def journal(self) -> Journal: ...


class OperatorAccounts(Accounts, Protocol):
    """Names and plans, as operators change them. Every method raises payout.accounts.AccountRefused."""

    def get(self, name: str) -> Account | None:
        """One account."""

    def add(self, name: str, scheme: Scheme, fee_bps: int, address: PayoutAddress | None, at_ms: int) -> Account:
        """Open an account."""

    def change_plan(self, name: str, changed: Plan, now_ms: int) -> Account:
        """Give an account another plan from a time on."""


class OperatorBooks(Books, Protocol):
    """The books, as operators change them."""

    @property
    def accounts(self) -> OperatorAccounts: ...


class LedgerStore(Protocol):
    """The books, on disk. Every method raises LedgerUnavailable."""

    def write(self) -> AbstractContextManager[Books]:
        """A transaction: all of it is durable when the block ends, or none of it if it raises. One writer at a time."""

    def read(self) -> AbstractContextManager[Books]:
        """The books as they were at one moment; writing raises."""
