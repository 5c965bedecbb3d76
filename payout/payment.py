"""The life of a batch of payments, from reserved money to coins six blocks deep.

    reserved --> built --> signed --> broadcast --> confirmed --(six deep)--> final
       ^           |         ^         |  ^  ^          |
       +-----------+         |         |  |  +--(reorg)-+
                  exported --+         |  +--(reorg)-+
                                       +--> cancelled --(six deep)--> released

One signed transaction may be replaced by others, its *attempts*, which all spend a common input: at most one of them
can ever be in the chain. An attempt is kept for ever, and before it is sent. Money is released only if nothing was
signed, or if what was signed is provably dead. Source: docs/payouts.md 3.5.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from payout import ledger, settlement
from payout.ledger import LedgerError, Posting
from payout.settlement import Line
from pool.bitcoin.transaction import OutPoint

FINAL_DEPTH = 6
"""How deep a transaction must be before nobody looks for a way back."""


class StateChanged(Exception):
    """A batch is not in the state that it should leave: somebody else took a step meanwhile."""


class State(enum.StrEnum):
    """Where a batch stands. exported: its transaction was given out to be signed by somebody else."""

    RESERVED = "reserved"
    BUILT = "built"
    EXPORTED = "exported"
    SIGNED = "signed"
    BROADCAST = "broadcast"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    FINAL = "final"
    RELEASED = "released"


STEPS: Mapping[State, frozenset[State]] = {
    State.RESERVED: frozenset({State.BUILT, State.RELEASED}),
    State.BUILT: frozenset({State.RESERVED, State.EXPORTED, State.SIGNED, State.RELEASED}),
    State.EXPORTED: frozenset({State.SIGNED, State.RELEASED}),
    State.SIGNED: frozenset({State.BROADCAST, State.RELEASED}),
    State.BROADCAST: frozenset({State.CONFIRMED, State.CANCELLED, State.RELEASED}),
    State.CONFIRMED: frozenset({State.BROADCAST, State.FINAL}),
    State.CANCELLED: frozenset({State.BROADCAST, State.RELEASED}),
    State.FINAL: frozenset(),
    State.RELEASED: frozenset(),
}
"""What may follow what. A replacement is another attempt, not another state."""

LIVE = frozenset(state for state, after in STEPS.items() if after)
"""Where money is still reserved, or may be again."""

RESERVING = LIVE - {State.CONFIRMED}
"""Where the ledger holds the money of the lines as reserved. Invariant 4 of docs/payouts.md 3.3."""

NEVER_SIGNED = frozenset({State.RESERVED, State.BUILT})


class Purpose(enum.StrEnum):
    """What a transaction of a batch does: pay its lines, or spend one of its inputs to ourselves."""

    PAY = "pay"
    CANCEL = "cancel"


class Draft(Struct, frozen=True):
    """A transaction that waits for its signatures. psbt: base64. inputs: what it spends, which the batch claims."""

    purpose: Purpose
    psbt: str
    txid: bytes
    inputs: tuple[OutPoint, ...]
    fee_sat: int


class Attempt(Struct, frozen=True):
    """A transaction that may be in the network. number: from 1, in the order they were stored.

    is_signed: False if it was only given out to be signed; another attempt with the same txid may follow it, with the
    signatures. vbytes: of raw as it is.
    """

    number: int
    purpose: Purpose
    txid: bytes
    fee_sat: int
    vbytes: int
    raw: bytes
    is_signed: bool
    inputs: tuple[OutPoint, ...]

    @property
    def txid_hex(self) -> str:
        return self.txid[::-1].hex()


class Batch(Struct, frozen=True):
    """Payments that go out in one transaction.

    draft: what waits to be signed. attempts: oldest first. confirmed_number: the attempt in the chain, with the block
    it is in. flips: how often one left the chain again; part of its keys.
    """

    id: int
    state: State
    created_ms: int
    changed_ms: int
    total_sat: int
    draft: Draft | None = None
    attempts: tuple[Attempt, ...] = ()
    confirmed_number: int | None = None
    block_hash: bytes | None = None
    block_height: int | None = None
    flips: int = 0
    first_sent_ms: int | None = None

    @property
    def name(self) -> str:
        return str(self.id)

    @property
    def signed(self) -> tuple[Attempt, ...]:
        """The attempts that can be sent, oldest first."""
        return tuple(attempt for attempt in self.attempts if attempt.is_signed)

    @property
    def confirmed(self) -> Attempt:
        """The attempt in the chain. Raises LedgerError if there is none."""
        for attempt in self.attempts:
            if attempt.number == self.confirmed_number:
                return attempt
        raise LedgerError(f"payout {self.id} is {self.state.value} without a transaction in the chain")


class Place(Struct, frozen=True):
    """Where the node sees a transaction: confirmations above 0 in the chain, 0 in the mempool or known to the wallet,
    below 0 in conflict with another one that is so deep in the chain. block_hash: wire order."""

    confirmations: int
    block_hash: bytes | None = None
    height: int | None = None
    in_mempool: bool = False


def step(batch: Batch, state: State, time_ms: int) -> Batch:
    """The batch in its next state. Raises LedgerError for a step that the table does not have."""
    if state not in STEPS[batch.state]:
        raise LedgerError(f"payout {batch.id} cannot go from {batch.state.value} to {state.value}")
    return replace(batch, state=state, changed_ms=time_ms)


def outputs_sat(lines: Iterable[Line]) -> dict[bytes, int]:
    """The outputs of the transaction: lines that go to the same script are one."""
    merged: dict[bytes, int] = {}
    for line in lines:
        script = bytes.fromhex(line.script)
        merged[script] = merged.get(script, 0) + line.amount_sat
    return merged


def amounts_sat(lines: Iterable[Line]) -> dict[str, int]:
    """What each account is paid."""
    return {line.account: line.amount_sat for line in lines}


def release_refusal(batch: Batch, places: Sequence[Place | None]) -> str | None:
    """Why the money of a batch may not be given back; None if it may.

    places: of each attempt, as the node sees them. A signed transaction is only dead when another one, which spends
    one of its inputs, is six deep: an absent one may come back at any time.
    """
    if batch.state not in LIVE:
        return f"it is {batch.state.value} already"
    if batch.state is State.CONFIRMED:
        return "it is paid: its transaction is in the chain"
    if batch.state in NEVER_SIGNED and not batch.attempts:
        return None
    if batch.state is State.CANCELLED:
        return f"it is cancelled and is released by itself, {FINAL_DEPTH} blocks deep"
    if all(place is not None and place.confirmations <= -FINAL_DEPTH for place in places):
        return None
    return (
        "a transaction of it was signed or given out to be signed, and nothing proves it dead; "
        "cancel it, which spends one of its inputs back to the pool"
    )


def confirm(batch: Batch, lines: Sequence[Line], attempt: Attempt, time_ms: int) -> Posting:
    """What a transaction in the chain means in money: the payments and the network fee, or the fee alone."""
    if attempt.purpose is Purpose.PAY:
        posted = settlement.confirm(batch.name, amounts_sat(lines), attempt.fee_sat, time_ms)
    else:
        fee_sat = {ledger.WALLET: -attempt.fee_sat, ledger.NETWORK_FEE: attempt.fee_sat}
        posted = ledger.posting(f"payout:{batch.id}:cancelled", "payout.cancelled", batch.name, time_ms, fee_sat)
    return replace(posted, key=_flipped(posted.key, batch.flips))


def unconfirm(batch: Batch, lines: Sequence[Line], time_ms: int) -> Posting:
    """The transaction left the chain again: the exact negative of `confirm`."""
    posted = confirm(batch, lines, batch.confirmed, time_ms)
    return ledger.reverse(
        posted, _flipped(f"payout:{batch.id}:unconfirmed", batch.flips), "payout.unconfirmed", time_ms
    )


def _flipped(key: str, flips: int) -> str:
    """The key, and `:N` after the Nth time that the transaction left the chain."""
    return f"{key}:{flips}" if flips else key
