"""What is fuzzed: each target takes any bytes, and raises if something is not as it must be."""

from __future__ import annotations

import ipaddress
import json
import ssl
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

from stratum.limits import LINE_BYTES_MAX
from stratum.protocol import StratumProtocol
from stratum.proxy import V2_BYTES_MAX, BadProxyHeader, ProxyHeader, read_header
from stratum.session import Session
from tests.certificates import write_pair
from tests.stratum.scene import PEER, Pool, logged, make_job
from tests.stratum.test_front import PROXY, Connection, Door

CORPUS: Final = Path(__file__).parent / "corpus"
"""A folder of seeds for each target; what once broke one stays there."""


class Broken(AssertionError):
    """A target found what must not be."""


def session(data: bytes) -> None:
    """A miner's bytes, with its handshake done or not, as the first byte says: answered alike, whole and in pieces."""
    if not data:
        return
    mode, data = data[0], data[1:]
    start = _HANDSHAKE if mode & 1 else b""
    whole = _talk(start, [data])
    pieces = list(_cut(data, mode >> 1))
    if _talk(start, pieces) != whole:
        raise Broken("another answer when it comes in pieces")


def front(data: bytes) -> None:
    """A connection's first bytes: PROXY header, TLS, the clear. As the first byte says, it is a proxy's or not, and
    there is a certificate or not."""
    if not data:
        return
    mode, data = data[0], data[1:]
    host = PROXY if mode & 1 else PEER.host
    context = _context() if mode & 2 else None
    whole = _arrive(host, context, [data])
    if _arrive(host, context, list(_cut(data, mode >> 2))) != whole:
        raise Broken("another end when it comes in pieces")


def proxy(data: bytes) -> None:
    """A PROXY header: decided once, never waiting for more than its longest, naming an address if it names one."""
    decided: ProxyHeader | str | None = None
    for size in range(min(len(data), V2_BYTES_MAX) + 1):
        found: ProxyHeader | str | None
        try:
            found = read_header(data[:size])
        except BadProxyHeader:
            found = "bad"
        if decided is not None and found != decided:
            raise Broken(f"{decided} became {found} at byte {size}")
        decided = found
        if isinstance(found, ProxyHeader):
            if not 0 < found.length <= size:
                raise Broken(f"{found} of {size} bytes")
            if found.source is not None:
                ipaddress.ip_address(found.source)
    if decided is None and len(data) >= V2_BYTES_MAX:
        raise Broken("it waits for more than the longest header")


TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = {"session": session, "front": front, "proxy": proxy}

_HANDSHAKE: Final = (
    b'{"id":1,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"ffffffff"}]}\n'
    b'{"id":2,"method":"mining.subscribe","params":["fuzz/1"]}\n'
    b'{"id":3,"method":"mining.authorize","params":["alice.rig1","d=1"]}\n'
)


def _cut(data: bytes, size: int) -> Iterator[bytes]:
    """Pieces of one size; 0 is 1 and then ever more."""
    position, step = 0, size or 1
    while position < len(data):
        yield data[position : position + step]
        position += step
        step += not size


def _talk(start: bytes, pieces: list[bytes]) -> tuple[Any, ...]:
    """What a pool answers, and how the session ends up."""
    pool = Pool()
    pool.server.take_job(make_job())
    pool.turn()
    with logged() as events:
        miner = pool.connect(start)
        for piece in pieces:
            miner.send(piece)
            if len(miner.protocol.session._rest) > LINE_BYTES_MAX:
                raise Broken("more kept than a line may have")
        pool.turn()
    for event in events:
        if event["event"] == "bug":
            raise Broken("a bug") from event["log_failure"].value
    answer = bytes(miner.transport.value())
    _check_lines(answer)
    kept: Session = miner.protocol.session
    closed = {name: count for name, count in pool.server.counters.items() if name.startswith("closed_")}
    # Replies of shares wait for the end of the turn, and notifications overtake them: the same lines, however cut.
    return sorted(answer.split(b"\n")), kept.state, kept.logins, kept.extranonce1, closed, pool.outcomes


def _check_lines(answer: bytes) -> None:
    if answer and not answer.endswith(b"\n"):
        raise Broken("half a line was sent")
    for line in answer.split(b"\n")[:-1]:
        message = json.loads(line)
        if not {"id", "result", "error"} <= message.keys() and not {"id", "method", "params"} <= message.keys():
            raise Broken(f"not a message: {line!r}")


def _arrive(host: str, context: ssl.SSLContext | None, pieces: list[bytes]) -> tuple[Any, ...]:
    """Where a connection with these bytes ends up."""
    door = Door(lambda: context)
    with logged() as events:
        miner: Connection = door.connect(host)
        for piece in pieces:
            if miner.reset:
                break
            miner.send(piece)
    for event in events:
        if event["event"] == "bug":
            raise Broken("a bug") from event["log_failure"].value
    where = miner.transport.protocol
    address = where.remote_address if isinstance(where, StratumProtocol) else None
    if address is not None:
        ipaddress.ip_address(address)
    if miner.reset or miner.transport.disconnecting:
        with suppress(KeyError):
            del door.pool.server._links[where]
    elif door.pool.reactor.getDelayedCalls() == [] and not door.pool.server.sessions:
        raise Broken("nobody watches over this connection")
    closed = {name: count for name, count in door.pool.server.counters.items() if name.startswith("closed_")}
    return type(where).__name__, address, closed, bool(miner.reset), bool(miner.transport.disconnecting)


@cache
def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        context.load_cert_chain(*write_pair(Path(folder)))
    return context
