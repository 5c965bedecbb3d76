"""What operators order through the API: the same as the commands do about payouts, held blocks and moves."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from msgspec import Meta, Struct

from pool.access.credential import Right
from pool.dashboard.access.operations import Operation

Reason = Annotated[str, Meta(min_length=1, max_length=300, description="Why; it is kept.")]
PayoutVerb = Literal["run", "stop", "resume", "release", "bump", "cancel"]
MoveVerb = Literal["start", "pause", "resume", "rollback"]


class OrderRefused(Exception):
    """It cannot be done. The text says why, and what can be done instead."""


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """An order that has nothing more to say: {}."""


class Why(Struct, frozen=True, forbid_unknown_fields=True):
    """An order with its reason."""

    reason: Reason


class FeeRate(Struct, frozen=True, forbid_unknown_fields=True):
    """At which rate a transaction is drafted. fee_rate: in sat/vB; null for the node's estimate."""

    fee_rate: Annotated[int, Meta(ge=1, le=10_000)] | None = None


class MoveOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """An order about a move. key: the same key is one order, however often it is given."""

    reason: Annotated[str, Meta(max_length=300)] = ""
    key: Annotated[str, Meta(max_length=64)] = ""


class Ordered(Struct, frozen=True):
    """What came of an order, in words."""

    done: str


class Orders(Protocol):
    """Who carries them out. Every method raises OrderRefused, and SourceUnavailable."""

    async def payouts(self, verb: PayoutVerb, payout_id: int, said: FeeRate | Why | Nothing) -> str:
        """payout_id: 0 for what is about all."""

    async def block(self, hash_hex: str, reason: str, *, is_held: bool) -> str:
        """Hold back what a block pays, or let it go."""

    async def move(self, name: str, verb: MoveVerb, said: MoveOrder, who: str) -> str:
        """A step of a planned move."""


def _order(path: str, text: str, body: type, right: Right = Right.PAYOUTS) -> Operation:
    return Operation(
        "POST",
        path,
        "operators",
        text,
        Ordered,
        body=body,
        right=right,
        is_admin=True,
        refusals=(400, 409, 415, 503),
    )


ORDERS = (
    _order("/api/v1/payouts/run", "Pay now whoever can be paid, instead of at the daily hour.", Nothing),
    _order("/api/v1/payouts/stop", "Send nothing more until `resume`.", Why),
    _order("/api/v1/payouts/resume", "Let payouts go on, once somebody has looked.", Why),
    _order("/api/v1/payouts/{id}/release", "Give the money of a batch back to its accounts.", Nothing),
    _order("/api/v1/payouts/{id}/bump", "Draft a replacement at a higher fee rate.", FeeRate),
    _order("/api/v1/payouts/{id}/cancel", "Draft a transaction that spends an input back to the pool.", FeeRate),
    _order("/api/v1/blocks/{hash}/hold", "Hold back what a block pays.", Why),
    _order("/api/v1/blocks/{hash}/release", "Let go what a held block pays.", Why),
    *(
        _order(f"/api/v1/moves/{{name}}/{verb}", text, MoveOrder, Right.MOVES)
        for verb, text in (
            ("start", "Begin a planned move."),
            ("pause", "Tell nobody more to go."),
            ("resume", "Go on with the next."),
            ("rollback", "Have everybody come back."),
        )
    ),
)
