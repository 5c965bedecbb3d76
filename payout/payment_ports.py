"""What payments need of the outside world: a wallet at a node, and their part of the books."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from msgspec import Struct

from payout.payment import Attempt, Batch, Draft, Place, Purpose, State
from payout.ports import Blocks, Journal, Slices
from payout.settlement import Line
from payout.watch_ports import Guards, Strays
from pool.bitcoin.transaction import OutPoint, Output


class WalletWaits(Exception):
    """The wallet cannot do it now: locked, not loaded, without coins. The text says which and how to mend it."""


class Built(Struct, frozen=True):
    """A transaction that the wallet made. psbt: base64, without signatures. fee_sat: as the wallet says."""

    psbt: str
    fee_sat: int


class Tip(Struct, frozen=True):
    """The newest block of a node that has the whole chain. block_hash: wire order."""

    height: int
    block_hash: bytes


class Sent(enum.Enum):
    """What a node's answer to a transaction means. Source: docs/payouts.md 3.5."""

    TAKEN = "it is in the mempool"
    CONFIRMED = "it is in the chain"
    ASK = "its inputs are spent or unknown: ask where it is"
    UNKNOWN = "nothing is decided: send it again"


ALREADY_IN_CHAIN = -27
MISSING_INPUTS = -25


def what_send_means(code: int | None) -> Sent:
    """The meaning of bitcoind's answer to `sendrawtransaction`; code: of its error, None for none.

    -25 comes for a conflict and, just the same, for a transaction of ours whose outputs are all spent; so it decides
    nothing by itself. Every other error may pass: a full mempool, a higher least fee, a node that is starting.
    """
    return {None: Sent.TAKEN, ALREADY_IN_CHAIN: Sent.CONFIRMED, MISSING_INPUTS: Sent.ASK}.get(code, Sent.UNKNOWN)


class Answer(Struct, frozen=True):
    """What a node said to a transaction. text: of its error, for people."""

    sent: Sent
    text: str = ""


class Wallet(Protocol):
    """A wallet at a node. Every method raises pool.ports.NodeUnavailable when there is no answer, and WalletWaits."""

    def tip(self) -> Tip:
        """The tip. Raises NodeUnavailable unless the node has every block that it knows of."""

    def fee_rate_sat_kvb(self, target_blocks: int) -> int | None:
        """The fee rate to be in the chain within so many blocks; None if the node has no opinion."""

    def address_refusals(self, addresses: Mapping[str, bytes]) -> Mapping[str, str]:
        """Why the node does not take these addresses, or reads another script out of them; none if all are well."""

    def build(self, outputs_sat: Mapping[str, int], fee_rate_sat_kvb: int) -> Built:
        """A transaction that pays these addresses out of confirmed coins, which the wallet sets aside.

        Raises WalletWaits also if the coins do not suffice.
        """

    def build_replacement(self, txid: bytes, fee_rate_sat_kvb: int) -> Built:
        """One that pays the same as a transaction in the mempool, with the same inputs and perhaps more."""

    def build_cancel(self, spends: OutPoint, fee_rate_sat_kvb: int) -> Built:
        """One that spends an output of ours to ourselves."""

    def sign(self, psbt: str) -> bytes | None:
        """The signed transaction; None if this wallet cannot sign all of it."""

    def finish(self, psbt: str) -> bytes | None:
        """The transaction of a PSBT that was signed elsewhere; None while signatures are missing."""

    def spent_by(self, inputs: Sequence[OutPoint], *, in_mempool: bool) -> Mapping[OutPoint, Output | None]:
        """What these would spend; None for what is not there. in_mempool: what is spent there counts as gone."""

    def ours(self, scripts: Collection[bytes]) -> frozenset[bytes]:
        """Those of these scripts that are the wallet's."""

    def refusal(self, raw: bytes) -> str | None:
        """Why the node's mempool would not take a transaction; None if it would, or has it."""

    def send(self, raw: bytes) -> Answer:
        """Hand a transaction to the network. Raises NodeUnavailable when nobody knows whether it went out."""

    def place(self, txid: bytes, block_hash: bytes | None = None) -> Place | None:
        """Where a transaction is; None if the node does not know it. block_hash: where it was seen last."""

    def transaction(self, txid: bytes) -> bytes | None:
        """A transaction that the node knows, with its signatures."""

    def set_aside(self, claimed: Collection[OutPoint]) -> None:
        """Lock exactly these of the wallet's coins, for as long as the wallet exists: nothing else may spend them."""

    def confirmed_sat(self, claimed: Collection[OutPoint]) -> int:
        """All coins of the wallet in the chain, also those that transactions in the mempool would spend.

        claimed: the outputs that batches spend.
        """


class Payee(Struct, frozen=True):
    """An account with something to be paid, as it stands in the books.

    address, script: in force; None if it never said where. held_until_ms: end of the hold after a change; 0 without.
    threshold_sat: its own; None for the pool's.
    """

    account: str
    available_sat: int
    address: str | None
    script: bytes | None
    held_until_ms: int
    threshold_sat: int | None


class Switch(Struct, frozen=True):
    """Whether payouts are stopped, since when and why."""

    is_stopped: bool
    time_ms: int
    reason: str


class PaidLine(Struct, frozen=True):
    """A line with the address it was written for."""

    line: Line
    address: str


class LeaseLost(Exception):
    """Another process pays now."""


class Payouts(Protocol):
    """The batches in the books. What changes one raises payment.StateChanged if it is not as it was given."""

    def payees(self, time_ms: int) -> Sequence[Payee]:
        """Every account with an available balance, by name."""

    def reserve(self, lines: Sequence[PaidLine], time_ms: int) -> Batch:
        """Keep a new batch."""

    def live(self) -> Sequence[Batch]:
        """The batches that are not final or released, oldest first."""

    def live_states(self) -> Mapping[int, State]:
        """Their numbers and states alone."""

    def states(self) -> Mapping[int, State]:
        """All numbers and states."""

    def counts(self) -> Mapping[State, int]:
        """How many batches are in each state."""

    def get(self, payout_id: int) -> Batch | None:
        """One batch."""

    def lines(self, payout_id: int) -> Sequence[PaidLine]:
        """What a batch pays, by account."""

    def reserved_sat(self) -> Mapping[str, int]:
        """The sums of the lines, by account, of the batches whose money is reserved."""

    def move(self, before: Batch, after: Batch) -> None:
        """Put a batch into another state."""

    def draft(self, batch: Batch, draft: Draft | None) -> Batch:
        """Keep a transaction that waits for signatures, and claim its inputs; None: it waits no more.

        The batch with it. Raises checks.InputRefused if another batch has claimed one.
        """

    def attempt(
        self, batch: Batch, purpose: Purpose, raw: bytes, fee_sat: int, time_ms: int, *, signed: bool
    ) -> Attempt:
        """Keep a transaction for ever; from then on it may be in the network."""

    def claimed(self, states: Collection[State]) -> Sequence[OutPoint]:
        """What the batches in these states spend."""

    def disclaim(self, batch: Batch) -> None:
        """Nothing that was signed spends its inputs."""

    def switch(self) -> Switch:
        """Whether payouts are stopped."""

    def set_switch(self, is_stopped: bool, reason: str, time_ms: int) -> None:
        """Stop them or let them go on."""

    def run_day(self) -> int:
        """The day of the newest daily run, in days since 1970 (UTC)."""

    def is_run_open(self) -> bool:
        """Whether a run has begun and not everybody has a batch."""

    def open_run(self, day: int | None) -> None:
        """Begin a run. day: if it is the daily one."""

    def close_run(self) -> None:
        """Everybody who can be paid has a batch."""


class Leases(Protocol):
    """Who may do what only one may do at a time."""

    def take(self, name: str, holder: str, now_ms: int, until_ms: int, dead: str | None) -> int | None:
        """The fence of this holder, for as long as nobody else has taken it; None while somebody else has it.

        dead: a holder that is known to have ended, whatever time it has left.
        """

    def holder(self, name: str) -> str | None:
        """Who has it, or had it last."""

    def check(self, name: str, fence: int) -> None:
        """Raises LeaseLost if it was taken since."""

    def give_back(self, name: str, fence: int) -> None:
        """Let the next one have it at once."""


class PaymentBooks(Protocol):
    """Everything that one transaction of payments reads and writes."""

    @property
    def payouts(self) -> Payouts: ...
    @property
    def leases(self) -> Leases: ...
    @property
    def blocks(self) -> Blocks: ...
    @property
    def slices(self) -> Slices: ...
    @property
    def strays(self) -> Strays: ...
    @property
    def guards(self) -> Guards: ...
    @property
    def journal(self) -> Journal: ...


class PaymentStore(Protocol):
    """The books, on disk. Every method raises payout.ports.LedgerUnavailable."""

    def write(self) -> AbstractContextManager[PaymentBooks]:
        """A transaction: durable when the block ends, or nothing of it if it raises. One writer at a time."""

    def read(self) -> AbstractContextManager[PaymentBooks]:
        """The books as they were at one moment."""
