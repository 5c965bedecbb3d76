"""The bundled CPU miner: real Stratum v1, real hashing, for demos and tests.

One thread: it searches a slice of nonces, then looks at the socket. `MinerSession` knows the protocol and no socket;
`mine` pumps it.
"""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from msgspec import Struct

import native
from pool.bitcoin.target import target_from_difficulty

# Nonces between two looks at the socket: about a tenth of a second of one core with SHA-NI.
SLICE_NONCES = 1 << 21
NONCES = 1 << 32
IDLE_SECONDS = 0.5
LINE_BYTES_MAX = 1 << 20
RECONNECT_SECONDS_MAX = 10.0
READ_BYTES = 65536


class MinerError(Exception):
    """The pool said no in a way that trying again does not mend."""


class Work(Struct, frozen=True):
    """One job with one extranonce2: a header but for its nonce. target: 32 bytes, wire order."""

    job_id: str
    extranonce2_hex: str
    ntime_hex: str
    header: bytes
    target: bytes


class Redirect(Struct, frozen=True):
    """What `client.reconnect` asks for. host: empty for the one that said so."""

    host: str
    port: int
    wait_seconds: float


class MinerSession:
    """The miner's side of one connection, without a socket."""

    def __init__(self, user: str, password: str) -> None:
        self._user = user
        self._password = password
        self._unread = b""
        self._extranonce1 = b""
        self._extranonce2_bytes = 0
        self._extranonce2 = -1
        self._difficulty = Fraction(1)
        self._notify: list[Any] | None = None
        self._requests: dict[int, str] = {}
        self._next_id = 1
        self.accepted = 0
        self.rejected: list[str] = []
        self.authorized = False
        self.fresh = False
        self.redirect: Redirect | None = None
        self._out = [self._request("mining.subscribe", ["steppe-miner"])]

    def outgoing(self) -> bytes:
        """The bytes to write, once."""
        data, self._out = b"".join(self._out), []
        return data

    def receive(self, data: bytes) -> None:
        """Take bytes from the pool. Raises MinerError when the pool refuses us."""
        *lines, self._unread = (self._unread + data).split(b"\n")
        if len(self._unread) > LINE_BYTES_MAX:
            raise MinerError("the pool sends a line without end")
        for line in filter(None, lines):
            message = json.loads(line)
            if message.get("method"):
                self._told(message["method"], message.get("params") or [])
            else:
                self._answered(self._requests.pop(message["id"], ""), message)

    def next_work(self) -> Work | None:
        """The current job with an extranonce2 never used before; None while there is no job."""
        if self._notify is None or not self.authorized:
            return None
        job_id, prev_hash, coinb1, coinb2, branch, version, nbits, ntime, _clean = self._notify
        self._extranonce2 += 1
        extranonce2 = self._extranonce2.to_bytes(self._extranonce2_bytes, "big")
        coinbase = bytes.fromhex(coinb1) + self._extranonce1 + extranonce2 + bytes.fromhex(coinb2)
        root = native.merkle_root(native.sha256d(coinbase), bytes.fromhex("".join(branch)))
        words = bytes.fromhex(prev_hash)
        prev = b"".join(words[at : at + 4][::-1] for at in range(0, 32, 4))
        header = native.header(int(version, 16), prev, root, int(ntime, 16), int(nbits, 16), 0)
        target = target_from_difficulty(self._difficulty).to_bytes(32, "little")
        self.fresh = False
        return Work(job_id, extranonce2.hex(), ntime, header, target)

    def needs_no_more(self, wanted: int | None) -> bool:
        """Whether so many accepted shares are there if each that waits for its answer is one. None: there is no end."""
        if wanted is None:
            return False
        waiting = sum(method == "mining.submit" for method in self._requests.values())
        return self.accepted + waiting >= wanted

    def submit(self, work: Work, nonce: int) -> None:
        """Send a share."""
        params = [self._user, work.job_id, work.extranonce2_hex, work.ntime_hex, f"{nonce:08x}"]
        self._out.append(self._request("mining.submit", params))

    def _request(self, method: str, params: list[str]) -> bytes:
        request_id, self._next_id = self._next_id, self._next_id + 1
        self._requests[request_id] = method
        return json.dumps({"id": request_id, "method": method, "params": params}).encode() + b"\n"

    def _told(self, method: str, params: list[Any]) -> None:
        if method == "mining.notify":
            self._notify = params
            self.fresh = True
        elif method == "mining.set_difficulty":
            self._difficulty = Fraction(params[0])
        elif method == "client.reconnect":
            given = [*params, None, None, None]
            self.redirect = Redirect(str(given[0] or ""), int(given[1] or 0), float(given[2] or 0))

    def _answered(self, method: str, message: dict[str, Any]) -> None:
        result, error = message.get("result"), message.get("error")
        if method == "mining.subscribe":
            if error or not result:
                raise MinerError(f"the pool refuses to subscribe us: {error}")
            _, extranonce1, self._extranonce2_bytes = result
            self._extranonce1 = bytes.fromhex(extranonce1)
            self._out.append(self._request("mining.authorize", [self._user, self._password]))
        elif method == "mining.authorize":
            if not result:
                raise MinerError(f"the pool does not know the user {self._user!r}: {error}")
            self.authorized = True
        elif method == "mining.submit":
            if result:
                self.accepted += 1
            else:
                self.rejected.append(str(error[1]) if error else "refused")


def may_follow(host: str, to: str) -> bool:
    """Whether a pool may send us there: to its own host or one of its domain. The line is in the clear, and who can
    forge it would have our hashes. Source: cgminer `util.c`, parse_reconnect."""
    return not to or to == host or to.partition(".")[2] == host.partition(".")[2] != ""


def mine(
    host: str,
    port: int,
    user: str,
    password: str,
    *,
    rate_hps: float | None,
    shares: int | None,
    say: Callable[[str], None],
    stop: Callable[[], bool],
) -> None:
    """Mine until `stop()`, or until `shares` were accepted; reconnects for ever, and goes where the pool sends it
    within its domain. Raises MinerError.

    rate_hps: hashes per second at most; None for all that one core has.
    """
    accepted_before, wait_seconds = 0, 0.5
    while not stop():
        try:
            with socket.create_connection((host, port), timeout=10) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                say(f"connected to {host}:{port} as {user}")
                session = MinerSession(user, password)
                wanted = None if shares is None else shares - accepted_before
                try:
                    _pump(connection, session, rate_hps, wanted, say, stop)
                finally:
                    accepted_before += session.accepted
                if session.accepted:
                    wait_seconds = 0.5
            if session.redirect is not None and (there := _sent_to(host, port, session.redirect, say)):
                host, port = there
                time.sleep(min(session.redirect.wait_seconds, RECONNECT_SECONDS_MAX))
                continue
            if shares is not None and accepted_before >= shares:
                return
        except OSError as error:
            say(f"{host}:{port}: {error.strerror or error}; trying again in {wait_seconds:g} s")
        if not stop():
            time.sleep(wait_seconds)
            wait_seconds = min(RECONNECT_SECONDS_MAX, wait_seconds * 2)


def _sent_to(host: str, port: int, redirect: Redirect, say: Callable[[str], None]) -> tuple[str, int] | None:
    """Where to connect next, or None to stay with what we know."""
    to = (redirect.host or host, redirect.port or port)
    if not may_follow(host, redirect.host):
        say(f"the pool sends us to {to[0]}:{to[1]}, which is of another domain: not followed")
        return None
    say(f"the pool sends us to {to[0]}:{to[1]}")
    return to


def _pump(
    connection: socket.socket,
    session: MinerSession,
    rate_hps: float | None,
    wanted: int | None,
    say: Callable[[str], None],
    stop: Callable[[], bool],
) -> None:
    slice_nonces = SLICE_NONCES if rate_hps is None else max(1, min(SLICE_NONCES, int(rate_hps / 10)))
    work, nonce, told, search_at = None, 0, (0, 0), 0.0
    while not stop() and (wanted is None or session.accepted < wanted):
        if session.fresh or work is None or nonce >= NONCES:
            work, nonce = session.next_work(), 0
        now, pause = time.monotonic(), IDLE_SECONDS
        if work is not None and not session.needs_no_more(wanted):
            if now >= search_at:
                count = min(slice_nonces, NONCES - nonce)
                found = native.search(work.header, work.target, nonce, count)
                if found is not None:
                    session.submit(work, found)
                    count = found + 1 - nonce
                nonce += count
                search_at = now + count / rate_hps if rate_hps else 0.0
            pause = max(0.0, search_at - time.monotonic())
        if data := session.outgoing():
            connection.sendall(data)
        if select.select([connection], [], [], pause)[0]:
            data = connection.recv(READ_BYTES)
            if not data:
                say("the pool closed the connection")
                return
            session.receive(data)
            if session.redirect is not None:
                return
        if (session.accepted, len(session.rejected)) != told:
            told = (session.accepted, len(session.rejected))
            last = f" (last: {session.rejected[-1]})" if session.rejected else ""
            say(f"accepted {told[0]}, rejected {told[1]}{last}")
