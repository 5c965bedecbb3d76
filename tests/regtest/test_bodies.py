"""pool.dashboard.bodies on sockets: what a kernel holds back, and what comes slowly."""

from __future__ import annotations

import http.client
import json
import socket
from collections import deque
from collections.abc import Iterator
from itertools import repeat

import pytest

from pool.dashboard.access.operations import BRIEF_BYTES_MAX, LARGE_BYTES_MAX
from tests.pool.dashboard.browser import Browser
from tests.regtest.reactor import on_reactor, reactor, start, wait_for

FILE = "/api/v1/fleets/import/site.csv"
LONG = b"x" * (LARGE_BYTES_MAX - 1)
FAR_TOO_LONG = 64 * 1024 * 1024
"""More than the kernel keeps for two sockets, so that it is never sent whole to somebody who does not read."""


@pytest.fixture
def browser() -> Browser:
    return Browser(reactor=reactor)


@pytest.fixture
def port(browser: Browser) -> Iterator[int]:
    """Of the operators' listener."""
    start()
    listening = on_reactor(lambda: reactor.listenTCP(0, browser.admin, interface="127.0.0.1"))
    yield listening.getHost().port

    async def stop() -> None:
        await listening.stopListening()

    wait_for(stop())


@pytest.fixture
def line(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as made:
        yield made


def head(length: int | None, token: str = "") -> bytes:
    lines = [f"POST {FILE} HTTP/1.1", "Host: pool.example", "Content-Type: text/csv"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += ["Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode()


def answer(line: socket.socket) -> tuple[int, bytes]:
    """What comes, until the other side ends it."""
    response = http.client.HTTPResponse(line)
    response.begin()
    return response.status, response.read()


def error(line: socket.socket) -> str:
    status, body = answer(line)
    assert status == 413
    return str(json.loads(body)["error"]["code"])


def test_nobody_is_answered_before_the_body_is_sent(line: socket.socket) -> None:
    line.sendall(head(FAR_TOO_LONG))
    assert error(line) == "too_long"


def test_nobody_who_sends_at_once_is_answered_too(line: socket.socket) -> None:
    line.sendall(head(len(LONG)) + LONG)
    assert error(line) == "too_long"
    assert line.recv(1) == b""


def test_nobody_sends_without_end(line: socket.socket) -> None:
    line.sendall(head(None))
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    line.sendall(piece)
    assert error(line) == "too_long"
    with pytest.raises(ConnectionError):  # thrown away, until the connection is cut
        deque(map(line.sendall, repeat(piece)), maxlen=0)


def test_a_body_that_comes_byte_by_byte_is_refused_at_the_first_that_is_too_much(line: socket.socket) -> None:
    line.sendall(head(None))
    for _ in range(BRIEF_BYTES_MAX // 8):
        line.sendall(b"8\r\n12345678\r\n")
    line.setblocking(False)
    with pytest.raises(BlockingIOError):
        line.recv(1)
    line.settimeout(30)
    line.sendall(b"1\r\n9\r\n")
    assert error(line) == "too_long"


@pytest.mark.parametrize("is_chunked", [False, True])
def test_who_may_order_is_heard_to_the_end(browser: Browser, line: socket.socket, *, is_chunked: bool) -> None:
    token = browser.credentials.make("token", "ci", "pool", "moves")
    line.sendall(head(None if is_chunked else len(LONG), token))
    for at in range(0, len(LONG), 100_000):
        part = LONG[at : at + 100_000]
        line.sendall(b"%x\r\n%b\r\n" % (len(part), part) if is_chunked else part)
    line.sendall(b"0\r\n\r\n" if is_chunked else b"")
    assert answer(line)[0] == 200
    assert browser.orders.given[-1].said == LONG.decode()
