"""Orders on their way from a request to who carries them out, each with its rows in the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

import msgspec
from msgspec import Struct

from pool.dashboard.access.operations import BRIEF_BYTES_MAX, Operation
from pool.dashboard.access.orders import Order, OrderRefused, Orders
from pool.dashboard.access.ports import Credentials
from pool.dashboard.access.principal import Principal
from pool.dashboard.answers import CSV, JSON, Answer, Refusal, encoded
from pool.dashboard.asked import Asked
from pool.dashboard.ports import SourceUnavailable
from pool.dashboard.query import Parameters

T = TypeVar("T")

_SHOWN_CHARACTERS_MAX = 120
_HOW = "/api/v1/openapi.json says what it takes."


class Ordering:
    """Answers the operations that have an action. Raises Refusal; SourceUnavailable when nothing can be logged."""

    def __init__(self, orders: Orders, credentials: Credentials) -> None:
        self._orders = orders
        self._credentials = credentials

    async def look(self, operation: Operation, names: tuple[str, ...], asked: Asked, principal: Principal) -> Answer:
        """What is only for who may order."""
        Parameters(asked.arguments, ())
        _check_names(operation, names)
        found = await self._carry_out(Order(operation.action, names, None, principal.who))
        return Answer(200, CSV, found.encode()) if isinstance(found, str) else encoded(found)

    async def order(self, operation: Operation, names: tuple[str, ...], asked: Asked, principal: Principal) -> Answer:
        """What is changed; before it is done it is in the log: what a crash leaves behind must be there."""
        said = body(asked, operation.body, operation.media, operation.body_bytes_max)
        _check_names(operation, names)
        order = Order(operation.action, names, said, principal.who)
        if getattr(said, "dry_run", False):
            return encoded(await self._carry_out(order))
        target = " ".join([*names, words(said)]).strip()
        await self._tell(order, target, asked, "begun")
        try:
            answer = await self._carry_out(order)
        except Refusal as error:
            await self._tell(order, target, asked, f"refused: {str(error).removesuffix('.')}")
            raise
        await self._tell(order, target, asked, f"done: {answer.done}")
        return encoded(answer)

    async def _carry_out(self, order: Order) -> Any:
        try:
            return await self._orders.carry_out(order)
        except OrderRefused as error:
            status, code = (400, "bad_input") if error.is_input else (409, "refused")
            raise Refusal(status, code, f"{error}.", "Nothing was changed.") from error
        except SourceUnavailable as error:
            # A database that went away while it wrote may have written.
            hint = "Once that is mended look whether it was done, then order it again."
            text = f"This cannot be done now: {str(error).removesuffix('.')}."
            raise Refusal(503, "unavailable", text, hint) from error

    async def _tell(self, order: Order, target: str, asked: Asked, result: str) -> None:
        await self._credentials.record(order.who, order.action, target, asked.address, result)


def body(asked: Asked, kind: type[T], media: str = JSON, bytes_max: int = BRIEF_BYTES_MAX) -> T:
    """What was sent, as the type that the operation takes. Raises Refusal."""
    if asked.headers.get("content-type", "").partition(";")[0].strip().lower() != media:
        only = "Only JSON is understood." if media == JSON else f"Only {media} is understood."
        raise Refusal(415, "wrong_content_type", only, f"Send Content-Type: {media}.")
    if len(asked.body) > bytes_max:
        raise Refusal(413, "too_long", "The body is too long.", f"This takes no more than {bytes_max // 1024} KiB.")
    try:
        return msgspec.json.decode(asked.body or b"{}", type=kind) if media == JSON else cast(T, asked.body.decode())
    except UnicodeDecodeError as error:
        wrong = f"The body is no UTF-8: byte {error.start}."
        raise Refusal(400, "bad_body", wrong, "Save the file as CSV in UTF-8.") from None
    except msgspec.MsgspecError as error:
        raise Refusal(400, "bad_body", f"The body is not understood: {error}.", _HOW) from None


def words(said: object) -> str:
    """An order's body for the log: what is long, as a PSBT, by its length."""
    values: Mapping[str, object] = msgspec.structs.asdict(said) if isinstance(said, Struct) else {"sent": said}
    return " ".join(f"{name}={_short(value)}" for name, value in values.items() if value not in (None, "", False, {}))


def _short(value: object) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{name}:{_short(each)}" for name, each in value.items())
    text = str(value)
    return text if len(text) <= _SHOWN_CHARACTERS_MAX else f"{len(text)} characters"


def _check_names(operation: Operation, names: tuple[str, ...]) -> None:
    """What cannot be a number or a hash names nothing."""
    for kind, name in zip(operation.names, names, strict=True):
        if kind == "id" and not (name.isascii() and name.isdecimal() and len(name) <= 15):
            raise Refusal(404, "unknown_number", "There is nothing of this number.", "The list shows the numbers.")
        if kind == "hash" and not (len(name) == 64 and all(each in "0123456789abcdef" for each in name)):
            hint = "A hash has 64 hexadecimal digits; /api/v1/blocks lists them."
            raise Refusal(404, "unknown_block", "There is no such block.", hint)
