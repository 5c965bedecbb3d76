"""pool.dashboard.bodies: how much of a body is taken, from whom, and when it is refused."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport

from pool.access.credential import Directory
from pool.dashboard.access.operations import BRIEF_BYTES_MAX, LARGE_BYTES_MAX
from pool.dashboard.bodies import BODY_SECONDS, LINGER_SECONDS
from tests.pool.dashboard.access.fakes import FakeCredentials
from tests.pool.dashboard.browser import PEER, Browser, Response, healthy, parse
from tests.pool.dashboard.fakes import FakeClock

_StringTransport: Any = StringTransport  # untyped
MANY = b"x" * 100_000
FILE = "/api/v1/fleets/import/site.csv"


class Line:
    """A connection to the operators' listener, or the public one."""

    def __init__(self, browser: Browser, *, is_admin: bool = True) -> None:
        self.browser = browser
        self.transport = _StringTransport(peerAddress=PEER)
        self.protocol = (browser.admin if is_admin else browser.site).buildProtocol(PEER)
        self.protocol.makeConnection(self.transport)

    def begin(self, path: str, length: int | None, **headers: str) -> None:
        """The head of a POST. length: None for chunks."""
        lines = [f"POST {path} HTTP/1.1", "Host: pool.example", "Content-Type: text/csv"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += ["Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"]
        self.send("\r\n".join([*lines, "", ""]).encode())

    def send(self, data: bytes) -> None:
        self.protocol.dataReceived(data)

    def chunk(self, data: bytes) -> None:
        self.send(b"%x\r\n%b\r\n" % (len(data), data))

    @property
    def answer(self) -> Response | None:
        """What has come back."""
        return parse(self.transport.value()) if self.transport.value() else None

    @property
    def has_answer(self) -> bool:
        return bool(self.transport.value())

    @property
    def is_read(self) -> bool:
        return bool(self.transport.producerState == "producing")


def code(line: Line) -> tuple[int, str]:
    answer = line.answer
    assert answer is not None
    return answer.status, answer.json()["error"]["code"]


def token(browser: Browser, *rights: str, scope: str = "pool") -> str:
    return f"Bearer {browser.credentials.make('token', 'ci', scope, *rights)}"


class TestNobody:
    @pytest.mark.parametrize("is_admin", [True, False])
    def test_a_body_that_says_it_is_long_is_refused_before_it_comes(self, *, is_admin: bool) -> None:
        line = Line(healthy(), is_admin=is_admin)
        line.begin(FILE, BRIEF_BYTES_MAX + 1)
        assert code(line) == (413, "too_long")
        assert line.answer is not None
        assert line.answer.headers["connection"] == "close"
        assert "8 KiB" in line.answer.json()["error"]["hint"]

    def test_a_body_in_chunks_is_refused_when_it_has_become_too_long(self) -> None:
        line = Line(healthy())
        line.begin(FILE, None)
        line.chunk(b"x" * BRIEF_BYTES_MAX)
        assert line.answer is None
        line.chunk(b"x")
        assert code(line) == (413, "too_long")

    def test_what_comes_after_a_refusal_is_thrown_away_and_ends_the_connection(self) -> None:
        line = Line(healthy())
        line.begin(FILE, len(MANY))
        line.send(MANY[:-1])
        assert not line.transport.disconnecting
        line.send(MANY[-1:])
        assert line.transport.disconnecting
        assert line.transport.value().count(b"HTTP/1.1") == 1

    def test_whoever_sends_on_after_a_refusal_is_cut_off(self) -> None:
        line = Line(healthy())
        line.begin(FILE, None)
        line.chunk(MANY)
        line.browser.reactor.advance(LINGER_SECONDS - 1)
        line.chunk(MANY)
        assert not line.transport.disconnecting
        line.browser.reactor.advance(1)
        assert line.transport.disconnected

    def test_a_body_as_long_as_a_login_is_taken_however_it_comes(self) -> None:
        line = Line(healthy())
        line.begin("/api/v1/session", None)
        line.chunk(b"x" * BRIEF_BYTES_MAX)
        line.send(b"0\r\n\r\n")
        assert code(line) == (415, "wrong_content_type")

    def test_a_body_that_takes_too_long_ends_the_connection(self) -> None:
        line = Line(healthy())
        line.begin("/api/v1/session", 10)
        for _ in range(9):
            line.send(b"x")
            line.browser.reactor.advance(BODY_SECONDS / 10)
        assert not line.transport.disconnected
        line.browser.reactor.advance(BODY_SECONDS / 10)
        assert line.transport.disconnected

    def test_a_refused_body_is_not_asked_for(self) -> None:
        line = Line(healthy())
        line.begin(FILE, len(MANY), Expect="100-continue")
        assert b"100 Continue" not in line.transport.value()


class TestWhoMayOrder:
    def test_a_long_body_is_taken_whole(self) -> None:
        browser = healthy()
        line = Line(browser)
        line.begin(FILE, None, Authorization=token(browser, "moves"))
        for _ in range(20):
            line.chunk(MANY)
        line.send(b"0\r\n\r\n")
        assert line.answer is not None
        assert line.answer.status == 200
        assert browser.orders.given[-1].said == (MANY * 20).decode()

    @pytest.mark.parametrize("length", [LARGE_BYTES_MAX + 1, None])
    def test_one_longer_than_any_order_is_refused(self, length: int | None) -> None:
        browser = healthy()
        line = Line(browser)
        line.begin(FILE, length, Authorization=token(browser, "moves"))
        if length is None:
            for _ in range(LARGE_BYTES_MAX // len(MANY) + 1):
                line.chunk(MANY)
        assert code(line) == (413, "too_long")
        assert browser.orders.given == []

    @pytest.mark.parametrize(
        ("rights", "scope", "is_admin"), [((), "pool", True), ((), "account:bob", True), (("moves",), "pool", False)]
    )
    def test_a_token_that_only_reads_and_one_at_the_public_listener_send_little(
        self, rights: tuple[str, ...], scope: str, *, is_admin: bool
    ) -> None:
        browser = healthy()
        line = Line(browser, is_admin=is_admin)
        line.begin(FILE, len(MANY), Authorization=token(browser, *rights, scope=scope))
        assert code(line) == (413, "too_long")

    def test_a_token_that_does_not_hold_is_told_so_before_its_body_comes(self) -> None:
        line = Line(healthy())
        line.begin(FILE, len(MANY), Authorization="Bearer steppe-token-wrong")
        assert code(line) == (401, "bad_token")


class SlowCredentials(FakeCredentials):
    """Answers when it is told to."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.reading: Deferred[Directory] = Deferred()

    async def directory(self) -> Directory:
        return await self.reading


class TestWhileItIsNotKnownWhoAsks:
    def line(self, length: int) -> tuple[Line, SlowCredentials]:
        credentials = SlowCredentials(FakeClock())
        browser = Browser(credentials=credentials)
        line = Line(browser)
        line.begin(FILE, length, Authorization=token(browser, "moves"))
        return line, credentials

    def test_nothing_is_read(self) -> None:
        line, credentials = self.line(len(MANY))
        assert (line.is_read, line.answer) == (False, None)
        credentials.reading.callback(Directory(credentials.rows))
        assert line.is_read

    def test_a_body_that_was_read_already_waits(self) -> None:
        line, credentials = self.line(len(MANY))
        line.send(MANY)
        assert not line.has_answer
        credentials.reading.callback(Directory(credentials.rows))
        assert line.answer is not None
        assert line.answer.status == 200

    def test_a_body_of_nobody_that_was_read_already_is_refused(self) -> None:
        line, credentials = self.line(len(MANY))
        line.send(MANY)
        credentials.reading.callback(Directory([]))
        assert code(line) == (401, "bad_token")
        assert line.transport.disconnecting

    def test_whoever_leaves_is_forgotten(self) -> None:
        line, credentials = self.line(len(MANY))
        line.protocol.connectionLost(None)
        credentials.reading.callback(Directory(credentials.rows))
        assert (line.answer, line.browser.reactor.getDelayedCalls()) == (None, [])
