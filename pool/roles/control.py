"""What an operator tells a running stratum process: one order on a line of JSON, over a socket in the data folder.

The socket is the pool's user's alone. Each order is answered with the number of sessions that were told.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct
from twisted.internet.protocol import Factory, connectionDone
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from pool import events
from pool.feed.addresses import server_endpoint
from stratum.announcements import Announcements

ORDER_BYTES_MAX: Final = 4096
PATIENCE_SECONDS: Final = 10.0

_HOST = r"^[A-Za-z0-9.:-]{1,255}$"


class ShowMessage(Struct, frozen=True, forbid_unknown_fields=True, tag="message"):
    """Show a text on the miners' own screens."""

    text: Annotated[str, Meta(min_length=1, max_length=256)]
    account: str | None = None


class Reconnect(Struct, frozen=True, forbid_unknown_fields=True, tag="reconnect"):
    """Have the miners connect elsewhere."""

    host: Annotated[str, Meta(pattern=_HOST)]
    port: Annotated[int, Meta(ge=1, le=65535)]
    wait_seconds: Annotated[int, Meta(ge=0, le=3600)] = 0
    account: str | None = None


class AskVersion(Struct, frozen=True, forbid_unknown_fields=True, tag="version"):
    """Ask the miners who they are."""

    account: str | None = None


class ChangeExtranonce(Struct, frozen=True, forbid_unknown_fields=True, tag="extranonce"):
    """Give the miners that take one another extranonce1."""

    account: str | None = None


Order = ShowMessage | Reconnect | AskVersion | ChangeExtranonce
_order_of = msgspec.json.Decoder(Order).decode


class Answer(Struct, frozen=True, omit_defaults=True):
    """sessions: how many were told. error: why none was."""

    sessions: int = 0
    error: str | None = None


def carry_out(order: Order, announcements: Announcements) -> int:
    """Returns how many sessions were told."""
    match order:
        case ShowMessage():
            return announcements.show_message(order.text, order.account)
        case Reconnect():
            return announcements.reconnect(order.host, order.port, order.wait_seconds, order.account)
        case AskVersion():
            return announcements.ask_version(order.account)
        case ChangeExtranonce():
            return announcements.change_extranonce(order.account)


class Control:
    """The socket of one stratum process. Raises what `server_endpoint` raises."""

    def __init__(self, reactor: Any, path: Path, announcements: Announcements) -> None:
        self._reactor = reactor
        self._path = path
        self._announcements = announcements
        self._port: Any = None

    async def start(self) -> None:
        """Listen."""
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        endpoint = server_endpoint(self._reactor, f"unix:{self._path}")
        self._port = await endpoint.listen(_ControlFactory(self._announcements))

    async def stop(self) -> None:
        """Listen no more."""
        if self._port is not None:
            await self._port.stopListening()


class _ControlProtocol(LineOnlyReceiver):
    delimiter = b"\n"
    MAX_LENGTH = ORDER_BYTES_MAX
    transport: Any

    def __init__(self, announcements: Announcements) -> None:
        self._announcements = announcements

    def lineReceived(self, line: bytes) -> None:  # noqa: N802 - Twisted's name
        try:
            order = _order_of(line)
            answer = Answer(carry_out(order, self._announcements))
            events.miners_told(type(order).__struct_config__.tag, order.account, answer.sessions)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            answer = Answer(error=f"no such order: {error}")
        except Exception as error:  # noqa: BLE001 - a bug: the operator hears of it, the role goes on
            events.bug("stratum control", error)
            answer = Answer(error="a bug: the log has more")
        self.transport.write(msgspec.json.encode(answer) + b"\n")

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        """Nothing is left to do."""


class _ControlFactory(Factory):
    noisy = False

    def __init__(self, announcements: Announcements) -> None:
        self._announcements = announcements

    def buildProtocol(self, addr: object) -> _ControlProtocol:  # noqa: N802 - Twisted's name
        return _ControlProtocol(self._announcements)


def tell(folder: Path, order: Order) -> dict[str, Answer]:
    """Give an order to every stratum process of this machine that runs; by its name, what it answers. Blocks."""
    answers: dict[str, Answer] = {}
    for path in sorted(folder.glob("*.sock")):
        try:
            with _connect(path) as connection:
                connection.sendall(msgspec.json.encode(order) + b"\n")
                with connection.makefile("rb") as file:
                    answers[path.stem] = msgspec.json.decode(file.readline(ORDER_BYTES_MAX), type=Answer)
        except ConnectionRefusedError:
            continue  # what a killed process left
        except (OSError, msgspec.MsgspecError) as error:
            answers[path.stem] = Answer(error=f"no answer: {error}")
    return answers


def _connect(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE_SECONDS)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        raise
    return connection
