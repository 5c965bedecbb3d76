"""What operators order through the API, and look at for it: the same as the commands do.

Each is an operation with an action: the name by which who carries it out knows it, and by which the log has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Protocol

from msgspec import Meta, Struct

from pool.access.credential import Right
from pool.dashboard.access.operations import Operation

Reason = Annotated[str, Meta(min_length=1, max_length=300, description="Why; it is kept.")]
Name = Annotated[str, Meta(max_length=64)]


class OrderRefused(Exception):
    """It cannot be done. The text says why, and what can be done instead. is_input: what was sent is wrong in itself,
    however things are."""

    def __init__(self, text: str, *, is_input: bool = False) -> None:
        super().__init__(text)
        self.is_input = is_input


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """An order that has nothing more to say: {}."""


class Why(Struct, frozen=True, forbid_unknown_fields=True):
    """An order with its reason."""

    reason: Reason


class Ordered(Struct, frozen=True):
    """What came of an order, in words."""

    done: str


class Order(Struct, frozen=True):
    """Something that is ordered, or looked at. names: what stands in the path. said: the body, as the type that the
    operation takes. who: gives the order, as the log has it."""

    action: str
    names: tuple[str, ...]
    said: Any
    who: str


class Orders(Protocol):
    """Who carries them out."""

    async def carry_out(self, order: Order) -> Any:
        """The answer, of the type that the operation says; of an order it has `done`. Raises OrderRefused, and
        SourceUnavailable."""


def order(
    action: str,
    path: str,
    text: str,
    body: type,
    answer: type = Ordered,
    right: Right = Right.PAYOUTS,
    *,
    media: str = "application/json",
    body_bytes_max: int | None = None,
) -> Operation:
    """Something that is changed. media, body_bytes_max: of what is sent."""
    more: Mapping[str, Any] = {} if body_bytes_max is None else {"body_bytes_max": body_bytes_max}
    return Operation(
        "POST",
        f"/api/v1/{path}",
        "operators",
        text,
        answer,
        body=body,
        right=right,
        is_admin=True,
        action=action,
        media=media,
        refusals=(400, 404, 409, 415, 503) if "{" in path else (400, 409, 415, 503),
        **more,
    )


def look(action: str, path: str, text: str, answer: Any, right: Right = Right.PAYOUTS) -> Operation:
    """Something that is only for who may order: it is not in the log."""
    refusals = (404, 409, 503) if "{" in path else (409, 503)
    return Operation(
        "GET",
        f"/api/v1/{path}",
        "operators",
        text,
        answer,
        right=right,
        is_admin=True,
        action=action,
        refusals=refusals,
    )
