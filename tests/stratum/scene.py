"""A pool with fake neighbours, miners on string transports, and jobs to mine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import globalLogPublisher

from pool.bitcoin import merkle
from pool.work.extranonce import ExtranonceRange
from pool.work.job import Job
from pool.work.share import Outcome, Share
from stratum.difficulty import DifficultyBounds
from stratum.ports import Neighbours
from stratum.protocol import StratumFactory
from stratum.returning import SessionIds
from stratum.server import StratumServer
from stratum.settings import StratumSettings
from tests.fakes import FakeCandidates, FakeClock, FakeFoundBlocks, FakeShareLog
from tests.native import blocks

TIP = bytes(range(32))
NEXT_TIP = bytes(range(32, 64))
MAINNET_NBITS = 0x1703255B
PEER = IPv4Address("TCP", "203.0.113.7", 40000)
# Every hash is below this difficulty's target.
ANY_HASH = 1e-10
NTIME = 1_700_000_000
MINUTE = 60
KEY = b"of the session ids"

# Block 100000 as a job: its coinbase transaction cut where this session's extranonces would be.
_COINBASE = blocks.BLOCK_COINB1 + blocks.BLOCK_EXTRANONCE1 + blocks.BLOCK_EXTRANONCE2 + blocks.BLOCK_COINB2
BLOCK_EXTRANONCE1, BLOCK_EXTRANONCE2 = _COINBASE[60:64], _COINBASE[64:72]


def make_job(job_id: str = "a1", prev_hash: bytes = TIP, **changes: Any) -> Job:
    """A job of the main chain's difficulty, on which no test will find a block."""
    fields: dict[str, Any] = {
        "job_id": job_id,
        "time_ms": NTIME * 1000,
        "height": 820_000,
        "version": 0x20000000,
        "prev_hash": prev_hash,
        "coinb1": bytes.fromhex("01000000010000") + bytes(30),
        "coinb2": bytes.fromhex("ffffffff02") + bytes(60),
        "branch": (b"\x11" * 32, b"\x22" * 32),
        "nbits": MAINNET_NBITS,
        "ntime": NTIME,
        "ntime_min": NTIME - 600,
        "ntime_max": NTIME + 7200,
        "subsidy_sat": 625_000_000,
        "fees_sat": 1_000_000,
        "clean": False,
    }
    return Job(**{**fields, **changes})


def block_job(job_id: str = "100000", **changes: Any) -> Job:
    """The job that block 100000 solves, with BLOCK_EXTRANONCE1."""
    fields: dict[str, Any] = {
        "job_id": job_id,
        "height": 100_000,
        "version": blocks.BLOCK_VERSION,
        "prev_hash": blocks.BLOCK_PREV_HASH,
        "coinb1": _COINBASE[:60],
        "coinb2": _COINBASE[72:],
        "branch": merkle.branch(blocks.BLOCK_TXIDS[1:]),
        "nbits": blocks.BLOCK_NBITS,
        "ntime": blocks.BLOCK_NTIME,
        "ntime_min": blocks.BLOCK_NTIME - 600,
        "ntime_max": blocks.BLOCK_NTIME + 7200,
    }
    return make_job(**{**fields, **changes})


def block_params(job_id: str = "100000", login: str = "alice.rig1") -> list[str]:
    """The submission that solves `block_job`."""
    return [login, job_id, BLOCK_EXTRANONCE2.hex(), f"{blocks.BLOCK_NTIME:08x}", f"{blocks.BLOCK_NONCE:08x}"]


def request(method: str, params: object, request_id: object = 1) -> bytes:
    """A line as most miners write it."""
    return json.dumps({"id": request_id, "method": method, "params": params}).encode() + b"\n"


def submit(request_id: object = 4, login: str = "alice.rig1", job_id: str = "a1", nonce: str = "00000001") -> bytes:
    return request("mining.submit", [login, job_id, "0000000000000001", f"{NTIME:08x}", nonce], request_id)


SUBSCRIBE = request("mining.subscribe", ["cgminer/4.11.1"])
AUTHORIZE = request("mining.authorize", ["alice.rig1", "x"], 2)
CONFIGURE = request("mining.configure", [["version-rolling"], {"version-rolling.mask": "ffffffff"}], 3)


class Miner:
    """A connection with a string for its transport."""

    def __init__(self, protocol: Any) -> None:
        transport: Any = StringTransport  # untyped, as is much of the protocol
        self.protocol = protocol
        self.transport: Any = transport(peerAddress=PEER)
        self.protocol.makeConnection(self.transport)

    def disconnect(self) -> None:
        """It is gone."""
        self.protocol.connectionLost()

    def send(self, *lines: bytes) -> None:
        for line in lines:
            self.protocol.dataReceived(line)

    def received(self) -> list[Any]:
        """The messages since the last call."""
        data = self.transport.value()
        self.transport.clear()
        assert data == b"" or data.endswith(b"\n")
        return [msgspec.json.decode(line) for line in data.split(b"\n")[:-1]]

    def replies(self) -> dict[Any, Any]:
        """Errors or results by id."""
        return {
            message["id"]: message["error"] or message["result"] for message in self.received() if "result" in message
        }

    @property
    def closed(self) -> bool:
        return bool(self.transport.disconnecting or self.transport.disconnected)


class Reactor(Clock):
    """Turns by hand."""

    def soon(self, callable: Callable[[], object]) -> None:
        self.callLater(0, callable)


class Pool:
    """A server with fakes at its ports, whose reactor turns by hand."""

    def __init__(
        self,
        difficulty: float = ANY_HASH,
        minimum: float = ANY_HASH,
        maximum: float = 1e12,
        extranonces: Iterable[bytes] = (),
        range_id: int = 7,
        neighbours: Neighbours | None = None,
        **settings: Any,
    ) -> None:
        self.clock = FakeClock(NTIME * 1000)
        self.share_log = FakeShareLog()
        self.candidates = FakeCandidates()
        self.found = FakeFoundBlocks()
        self.extranonces = GivenExtranonces(extranonces, range_id)
        self.reactor = Reactor()
        self.server = StratumServer(
            StratumSettings(DifficultyBounds(difficulty, minimum, maximum), **settings),
            self.clock,
            self.share_log,
            self.candidates,
            self.found,
            self.extranonces,
            self.reactor,
            SessionIds(KEY),
            neighbours,
        )
        self._factory = StratumFactory(self.server)

    def connect(self, *lines: bytes, address: str = PEER.host) -> Miner:
        miner = Miner(self._factory.buildProtocol(IPv4Address("TCP", address, 40000)))
        miner.send(*lines)
        return miner

    def ready(self) -> Miner:
        """A miner at work, its handshake read."""
        miner = self.connect(SUBSCRIBE, AUTHORIZE)
        miner.received()
        return miner

    def turn(self) -> None:
        """The end of the reactor's turn: the journal is committed, the replies leave."""
        self.reactor.advance(0)

    def pass_seconds(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(1)
            self.reactor.advance(1)

    @property
    def shares(self) -> list[Share]:
        """Every durable share."""
        return [record for record in self.share_log.records if isinstance(record, Share)]

    @property
    def outcomes(self) -> list[Outcome]:
        return [share.outcome for share in self.shares]


class GivenExtranonces:
    """First the values a test needs, then those of a real range."""

    def __init__(self, first: Iterable[bytes], range_id: int) -> None:
        self._first = list(first)
        self._range = ExtranonceRange(range_id, 0, lambda reserved: None)
        self.released: list[bytes] = []

    def take(self) -> bytes:
        return self._first.pop(0) if self._first else self._range.take()

    def hold(self, extranonce1: bytes) -> bool:
        return self._range.hold(extranonce1)

    def release(self, extranonce1: bytes) -> None:
        self._range.release(extranonce1)
        self.released.append(extranonce1)


@contextmanager
def logged() -> Iterator[list[dict[str, Any]]]:
    """The log events of the block, as they come."""
    events: list[dict[str, Any]] = []
    publisher: Any = globalLogPublisher  # its observers are plain callables; zope's interfaces are no types
    observer = events.append
    publisher.addObserver(observer)
    try:
        yield events
    finally:
        publisher.removeObserver(observer)


def pool_with_job(**options: Any) -> Pool:
    pool = Pool(**options)
    pool.server.take_job(make_job())
    pool.turn()
    return pool


def solving_miner(pool: Pool, *handshake: bytes) -> Miner:
    """One whose extranonce1 is that of block 100000."""
    miner = pool.connect(SUBSCRIBE, *(handshake or (AUTHORIZE,)))
    miner.received()
    return miner


def block_pool(difficulty: float = 1.0, miners: int = 1) -> Pool:
    """One whose job is `block_job`. miners: so many can solve it."""
    pool = Pool(difficulty, extranonces=[BLOCK_EXTRANONCE1] * miners)
    pool.server.take_job(block_job())
    pool.turn()
    return pool
