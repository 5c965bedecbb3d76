"""The miner's side of Stratum, without a socket.

It forgets nothing, comes back to its session, and sends again what was not answered, as a miner does that would lose
money otherwise.
"""

from __future__ import annotations

import json
import random
from typing import Any

from msgspec import Struct

import native
from pool.bitcoin.target import share_target, target_from_nbits
from tests.chaos.memory import Absence, Memory

NONCES_AT_ONCE = 1 << 12
# Of the shares that were answered so many in a hundred are sent once more, for money that is not due.
GREED_PERCENT = 3


class Job(Struct, frozen=True):
    """A mining.notify, parsed."""

    id: str
    prev_hash: bytes
    coinb1: bytes
    coinb2: bytes
    branch: bytes
    version: int
    nbits: int
    ntime: int


class Claim(Struct, frozen=True):
    """A share as it is submitted. extranonce1: of the session; in another one it would be another share."""

    hash: bytes
    extranonce1: bytes
    params: tuple[str, ...]


class Work(Struct, frozen=True):
    """A header to search, but for its nonce. target: of a share, 32 bytes, wire order; network_target: of a block."""

    job: Job
    extranonce2_hex: str
    header: bytes
    target: bytes
    network_target: bytes


def read_job(params: list[Any]) -> Job:
    """The params of mining.notify as values."""
    job_id, prev_hash, coinb1, coinb2, branch, version, nbits, ntime, _clean = params
    words = bytes.fromhex(prev_hash)
    return Job(
        id=job_id,
        prev_hash=b"".join(words[at : at + 4][::-1] for at in range(0, 32, 4)),
        coinb1=bytes.fromhex(coinb1),
        coinb2=bytes.fromhex(coinb2),
        branch=bytes.fromhex("".join(branch)),
        version=int(version, 16),
        nbits=int(nbits, 16),
        ntime=int(ntime, 16),
    )


class _Connection:
    """What is forgotten with a connection. requests: without an answer, by id."""

    def __init__(self) -> None:
        self.unread = b""
        self.out: list[bytes] = []
        self.requests: dict[int, str | Claim] = {}
        self.next_id = 1
        self.authorized = False
        self.job: Job | None = None
        self.difficulty: float | None = None
        self.extranonce1 = b""
        self.extranonce2_bytes = 0

    @property
    def claims(self) -> list[Claim]:
        """Shares without an answer."""
        return [each for each in self.requests.values() if isinstance(each, Claim)]


class Miner:
    """One miner over all its connections. It sends shares when told to."""

    def __init__(self, login: str, memory: Memory, chance: random.Random, now: float) -> None:
        self.login = login
        self._memory = memory
        self._chance = chance
        self._session_id: str | None = None
        self._next_extranonce2 = 0
        self._open: list[Claim] = []  # of the last connection, without an answer
        self._away_since: float | None = now
        self._at = _Connection()

    @property
    def is_ready(self) -> bool:
        """Whether it can mine."""
        return self._at.authorized and self._at.job is not None and self._at.difficulty is not None

    @property
    def unanswered(self) -> int:
        """Shares of this connection that the pool still owes an answer."""
        return len(self._at.claims)

    def is_working_on(self, work: Work) -> bool:
        """Whether a share of it would be of the newest job of this connection."""
        return self._at.job is work.job

    def connected(self) -> None:
        """A connection is open."""
        self._request("subscribe", "mining.subscribe", ["chaos", *([self._session_id] if self._session_id else [])])

    def lost(self, now: float) -> None:
        """The connection is gone."""
        self._open += self._at.claims
        self._at = _Connection()
        if self._away_since is None:
            self._away_since = now

    def outgoing(self) -> bytes:
        """The bytes to write, once."""
        data, self._at.out = b"".join(self._at.out), []
        return data

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes from the pool."""
        *lines, self._at.unread = (self._at.unread + data).split(b"\n")
        for line in filter(None, lines):
            message = json.loads(line)
            if message.get("method"):
                self._told(message["method"], message["params"])
            else:
                self._answered(self._at.requests.pop(message["id"]), message.get("result"), message.get("error"), now)
            self._perhaps_back(now)

    def work(self) -> Work | None:
        """A header that nobody has searched; None without a job."""
        job, difficulty = self._at.job, self._at.difficulty
        if not self._at.authorized or job is None or difficulty is None:
            return None
        extranonce2 = self._next_extranonce2.to_bytes(self._at.extranonce2_bytes, "big")
        self._next_extranonce2 += 1
        coinbase = job.coinb1 + self._at.extranonce1 + extranonce2 + job.coinb2
        root = native.merkle_root(native.sha256d(coinbase), job.branch)
        header = native.header(job.version, job.prev_hash, root, job.ntime, job.nbits, 0)
        targets = share_target(difficulty, job.nbits), target_from_nbits(job.nbits)
        return Work(job, extranonce2.hex(), header, *(target.to_bytes(32, "little") for target in targets))

    def mine(self) -> None:
        """Find a share and submit it."""
        work = self.work()
        if work is not None and (nonce := native.search(work.header, work.target, 0, NONCES_AT_ONCE)) is not None:
            self.submit(work, nonce)

    def submit(self, work: Work, nonce: int) -> None:
        """Send a share of ours."""
        header = work.header[:76] + nonce.to_bytes(4, "little")
        share_hash = native.sha256d(header)
        is_block = int.from_bytes(share_hash, "little") <= int.from_bytes(work.network_target, "little")
        self._memory.sent(share_hash, work.job.id, self.login, is_block)
        ntime_hex = f"{work.job.ntime:08x}"
        self._claim(
            Claim(
                share_hash,
                self._at.extranonce1,
                (self.login, work.job.id, work.extranonce2_hex, ntime_hex, f"{nonce:08x}"),
            )
        )

    def _claim(self, claim: Claim) -> None:
        self._request(claim, "mining.submit", list(claim.params))

    def _request(self, what: str | Claim, method: str, params: list[str]) -> None:
        request_id, self._at.next_id = self._at.next_id, self._at.next_id + 1
        self._at.requests[request_id] = what
        self._at.out.append(json.dumps({"id": request_id, "method": method, "params": params}).encode() + b"\n")

    def _told(self, method: str, params: list[Any]) -> None:
        if method == "mining.notify":
            self._at.job = read_job(params)
        elif method == "mining.set_difficulty":
            self._at.difficulty = float(params[0])

    def _answered(self, what: str | Claim, result: Any, error: Any, now: float) -> None:
        if isinstance(what, Claim):
            if result is True:
                self._memory.acknowledged(what.hash, now)
            else:
                self._memory.refused(what.hash, str(error))
            if self._chance.randrange(100) < GREED_PERCENT:
                self._claim(what)
        elif what == "subscribe":
            [[_, [_, self._session_id]], extranonce1_hex, self._at.extranonce2_bytes] = result
            self._at.extranonce1 = bytes.fromhex(extranonce1_hex)
            self._request("authorize", "mining.authorize", [self.login, "x"])
        elif result is True:
            self._at.authorized = True
        else:
            raise AssertionError(f"the pool does not know {self.login}: {error}")

    def _perhaps_back(self, now: float) -> None:
        if self._away_since is None or not self.is_ready:
            return
        self._memory.was_away(Absence(self.login, self._away_since, now))
        self._away_since = None
        for claim in self._open:
            if claim.extranonce1 == self._at.extranonce1:
                self._claim(claim)
        self._open = []
