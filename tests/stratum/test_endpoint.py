"""stratum.endpoint: Twisted's manners over asyncio's transports; here a fake one, in `tests/load` real ones."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import Factory, Protocol
from zope.interface.verify import verifyClass

from stratum.endpoint import Bridge, FastTransport
from stratum.limits import WRITE_BUFFER_BYTES_MAX


class FakeSocket:
    """Remembers its options."""

    def __init__(self) -> None:
        self.options: list[tuple[int, int, object]] = []

    def setsockopt(self, level: int, option: int, value: object) -> None:
        self.options.append((level, option, value))


class FakeAsyncioTransport:
    """What the bridge uses of an asyncio transport."""

    def __init__(self, peer: tuple[Any, ...] | None = ("203.0.113.7", 40000)) -> None:
        self.extra: dict[str, Any] = {"peername": peer, "sockname": ("192.0.2.1", 3333), "socket": FakeSocket()}
        self.written = b""
        self.calls: list[str] = []
        self.closing = False
        self.high: int | None = None

    def get_extra_info(self, name: str) -> Any:
        return self.extra[name]

    def set_protocol(self, protocol: Any) -> None:
        self.receive = protocol.data_received

    def set_write_buffer_limits(self, high: int) -> None:
        self.high = high

    def is_closing(self) -> bool:
        return self.closing

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closing = True
        self.calls.append("close")

    def abort(self) -> None:
        self.closing = True
        self.calls.append("abort")

    def pause_reading(self) -> None:
        self.calls.append("pause_reading")

    def resume_reading(self) -> None:
        self.calls.append("resume_reading")


class Recorder(Protocol):
    """Keeps what happens to it."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.lost: Any = None
        self.paused = 0

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        self.received.append(data)

    def connectionLost(self, reason: Any = None) -> None:  # noqa: N802 - Twisted's name
        self.lost = reason.value

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        self.paused += 1


def bridged() -> tuple[Bridge, Any, FakeAsyncioTransport]:
    factory: Any = Factory.forProtocol(Recorder)
    bridge = Bridge(factory)
    raw = FakeAsyncioTransport()
    bridge.connection_made(raw)
    return bridge, bridge.protocol, raw


def test_it_is_a_tcp_transport_to_twisted() -> None:
    assert verifyClass(ITCPTransport, FastTransport)


def test_bytes_go_in() -> None:
    _, protocol, raw = bridged()
    raw.receive(b"a")
    raw.receive(b"b")
    assert protocol.received == [b"a", b"b"]


def test_bytes_go_out() -> None:
    _, protocol, raw = bridged()
    protocol.transport.write(b"a")
    protocol.transport.writeSequence([b"b", b"c"])
    assert raw.written == b"abc"


def test_nothing_goes_out_after_the_end() -> None:
    _, protocol, raw = bridged()
    protocol.transport.loseConnection()
    protocol.transport.write(b"late")
    protocol.transport.pauseProducing()
    protocol.transport.resumeProducing()
    assert (raw.written, raw.calls) == (b"", ["close"])


def test_an_abort_resets_the_connection() -> None:
    _, protocol, raw = bridged()
    protocol.transport.abortConnection()
    [(_, _, linger)] = raw.extra["socket"].options
    assert (linger, raw.calls) == (b"\x01\x00\x00\x00\x00\x00\x00\x00", ["abort"])


def test_reading_can_pause() -> None:
    _, protocol, raw = bridged()
    protocol.transport.pauseProducing()
    protocol.transport.resumeProducing()
    assert raw.calls == ["pause_reading", "resume_reading"]


def test_the_producer_hears_of_a_full_write_buffer() -> None:
    bridge, protocol, raw = bridged()
    protocol.transport.registerProducer(protocol, True)
    bridge.pause_writing()
    assert (protocol.paused, raw.high) == (1, WRITE_BUFFER_BYTES_MAX)


def test_without_a_producer_nobody_does() -> None:
    bridge, protocol, _ = bridged()
    protocol.transport.registerProducer(protocol, True)
    protocol.transport.unregisterProducer()
    bridge.pause_writing()
    assert protocol.paused == 0


def test_a_pull_producer_is_refused() -> None:
    _, protocol, _ = bridged()
    with pytest.raises(ValueError, match="push"):
        protocol.transport.registerProducer(protocol, False)


def test_another_protocol_may_take_over() -> None:
    bridge, protocol, _ = bridged()
    second = protocol.transport.protocol = Recorder()
    bridge.data_received(b"a")
    assert (protocol.received, second.received, protocol.transport.protocol) == ([], [b"a"], second)


@pytest.mark.parametrize(("error", "reason"), [(None, ConnectionDone), (OSError("reset"), ConnectionLost)])
def test_the_end_has_a_reason(error: Exception | None, reason: type[Exception]) -> None:
    bridge, protocol, _ = bridged()
    bridge.connection_lost(error)
    assert isinstance(protocol.lost, reason)


@pytest.mark.parametrize(
    ("name", "address"),
    [
        (("203.0.113.7", 40000), IPv4Address("TCP", "203.0.113.7", 40000)),
        (("2001:db8::7", 40000, 0, 0), IPv6Address("TCP", "2001:db8::7", 40000)),
        (None, IPv4Address("TCP", "unknown", 0)),
    ],
)
def test_a_peer_has_an_address(name: tuple[Any, ...] | None, address: object) -> None:
    raw: Any = FakeAsyncioTransport(name)
    assert FastTransport(raw, Bridge(None)).getPeer() == address
