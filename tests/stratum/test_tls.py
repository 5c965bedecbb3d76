"""stratum.tls and the front before it, with a TLS client in memory."""

from __future__ import annotations

import gc
import ssl
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stratum.limits import FIRST_BYTES_SECONDS, TLS_HANDSHAKE_BYTES_MAX
from stratum.protocol import StratumProtocol
from tests.certificates import NAME, write_pair
from tests.stratum.scene import AUTHORIZE, SUBSCRIBE, submit
from tests.stratum.test_front import HEADER, PROXY, Connection, Door


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_pair(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def door(pair: tuple[Path, Path]) -> Door:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    return Door(lambda: context)


class Client:
    """A miner that speaks TLS, on a transport of strings. before: sent in the clear ahead of all."""

    def __init__(
        self, connection: Connection, pair: tuple[Path, Path], *, pieces: int = 0, before: bytes = b""
    ) -> None:
        context = ssl.create_default_context(cafile=str(pair[0]))
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_hostname=NAME)
        self.connection = connection
        self._pieces = pieces
        self._before = before
        while not self._shaken():
            self.pump()
        self.pump()

    def pump(self) -> None:
        """Carry what waits to the other side, and its answer back."""
        data, self._before = self._before + self._out.read(), b""
        step = self._pieces or len(data) or 1
        for start in range(0, len(data), step):
            self.connection.send(data[start : start + step])
        self._in.write(self.connection.answer)
        self.connection.transport.clear()

    def send(self, data: bytes) -> None:
        self.tls.write(data)
        self.pump()

    def received(self) -> list[Any]:
        """The messages since the last call."""
        self.pump()
        data = b""
        try:
            while piece := self.tls.read(1 << 16):
                data += piece
        except ssl.SSLWantReadError:
            pass
        return [msgspec.json.decode(line) for line in data.split(b"\n")[:-1]]

    def _shaken(self) -> bool:
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True


def hello(pair: tuple[Path, Path]) -> bytes:
    """A client's first bytes."""
    out = ssl.MemoryBIO()
    tls = ssl.create_default_context(cafile=str(pair[0])).wrap_bio(ssl.MemoryBIO(), out, server_hostname=NAME)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return out.read()


def test_a_miner_mines_over_it(door: Door, pair: tuple[Path, Path]) -> None:
    client = Client(door.connect(), pair)
    client.send(SUBSCRIBE + AUTHORIZE)
    assert [message["id"] for message in client.received()] == [1, 2]
    assert client.tls.version() == "TLSv1.3"


def test_a_share_is_answered_once_the_journal_has_it(door: Door, pair: tuple[Path, Path]) -> None:
    client = Client(door.connect(), pair)
    client.send(SUBSCRIBE + AUTHORIZE)
    client.received()
    client.send(submit(4, job_id="ff"))
    door.pool.turn()
    assert [message["id"] for message in client.received()] == [4]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(1, 700))
def test_however_it_is_cut(door: Door, pair: tuple[Path, Path], pieces: int) -> None:
    client = Client(door.connect(), pair, pieces=pieces)
    client.send(SUBSCRIBE + AUTHORIZE)
    assert [message["id"] for message in client.received()] == [1, 2]


def test_a_session_that_is_gone_leaves_nothing_to_the_garbage_collector(door: Door, pair: tuple[Path, Path]) -> None:
    def sessions() -> int:
        return sum(isinstance(each, StratumProtocol) for each in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before, connection = sessions(), door.connect()
        Client(connection, pair).send(SUBSCRIBE + AUTHORIZE)
        connection.transport.protocol.connectionLost()
        connection.transport.unregisterProducer()
        assert sessions() == before
    finally:
        gc.enable()


def test_on_the_same_port_others_speak_in_the_clear(door: Door) -> None:
    miner = door.connect()
    miner.send(SUBSCRIBE)
    assert b'"id":1' in miner.answer


def test_behind_a_proxy_too(door: Door, pair: tuple[Path, Path]) -> None:
    client = Client(door.connect(PROXY), pair, before=HEADER)
    client.send(SUBSCRIBE + AUTHORIZE)
    assert [link.remote_address for link in door.pool.server.presence()] == ["203.0.113.99"]


def test_what_is_answered_at_one_time_is_one_write(door: Door, pair: tuple[Path, Path]) -> None:
    client = Client(door.connect(), pair)
    writes: list[bytes] = []
    client.connection.transport.write = writes.append
    client.send(SUBSCRIBE + AUTHORIZE)
    assert len(writes) == 1


def test_who_begins_a_handshake_and_does_not_end_it_is_reset(door: Door, pair: tuple[Path, Path]) -> None:
    miner = door.connect()
    miner.send(hello(pair))
    door.pool.reactor.advance(FIRST_BYTES_SECONDS)
    assert (miner.reset, door.closed("no_first_bytes"), len(door.pool.server.sessions)) == (True, 1, 0)


def test_an_ended_handshake_ends_the_waiting(door: Door, pair: tuple[Path, Path]) -> None:
    Client(door.connect(), pair)
    assert door.pool.reactor.getDelayedCalls() == []


def test_a_broken_handshake_ends_with_an_alert(door: Door) -> None:
    miner = door.connect()
    miner.send(b"\x16\x03\x01\x00\x05hello")
    assert miner.answer[:1] == b"\x15"  # an alert: RFC 8446, 5.1
    assert (miner.transport.disconnecting, door.closed("tls_failed")) == (True, 1)
    assert door.pool.reactor.getDelayedCalls() == []


def test_a_handshake_has_a_bounded_size(door: Door) -> None:
    miner = door.connect()
    # Records of a hello that has no end, each of them whole.
    fragment = b"\x16\x03\x01\x20\x00" + b"\x01\x00\xff\xff" + bytes(0x2000 - 4)
    for _ in range(TLS_HANDSHAKE_BYTES_MAX // len(fragment) + 1):
        miner.send(fragment)
    assert door.closed("tls_failed") == 1


def test_who_leaves_in_the_middle_of_it_is_forgotten(door: Door, pair: tuple[Path, Path]) -> None:
    miner = door.connect()
    miner.send(hello(pair))
    miner.transport.protocol.connectionLost()
    assert door.pool.reactor.getDelayedCalls() == []


def test_who_leaves_later_is_lost_to_its_session(door: Door, pair: tuple[Path, Path]) -> None:
    client = Client(door.connect(), pair)
    client.connection.transport.protocol.connectionLost()
    assert door.pool.server.sessions == []


def test_a_miners_farewell_is_answered(door: Door, pair: tuple[Path, Path]) -> None:
    client = Client(door.connect(), pair)
    with pytest.raises(ssl.SSLWantReadError):
        client.tls.unwrap()
    client.pump()
    client.tls.unwrap()
    assert client.connection.transport.disconnecting


def test_a_session_that_closes_says_farewell(door: Door, pair: tuple[Path, Path]) -> None:
    client = Client(door.connect(), pair)
    client.send(b"no json\n")
    assert client.tls.read(1) == b""
    assert client.connection.transport.disconnecting


def test_garbage_after_the_handshake_ends_the_connection(door: Door, pair: tuple[Path, Path]) -> None:
    client = Client(door.connect(), pair)
    client.connection.send(b"in the clear, after all\n")
    assert client.connection.transport.disconnecting


def test_who_does_not_read_is_reset(door: Door, pair: tuple[Path, Path]) -> None:
    client = Client(door.connect(), pair)
    client.connection.transport.producer.pauseProducing()
    assert (client.connection.reset, door.closed("slow_reader")) == (True, 1)


def test_nothing_is_written_after_the_end(door: Door, pair: tuple[Path, Path]) -> None:
    client = Client(door.connect(), pair)
    layer = client.connection.transport.protocol
    layer.abortConnection()
    client.connection.transport.clear()
    layer.write(b"late")
    layer.loseConnection()
    layer.dataReceived(b"late")
    assert client.connection.answer == b""
