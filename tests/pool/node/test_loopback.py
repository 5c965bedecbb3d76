"""Ports for what demos and tests start; pool/node/loopback.py."""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pool.node import loopback
from pool.node.loopback import free_port, is_free


@contextlib.contextmanager
def taken(port: int) -> Iterator[None]:
    """Within: somebody listens there."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", port))
        server.listen()
        yield


class TestFreePort:
    def test_nobody_is_there(self) -> None:
        port = free_port()
        assert is_free(port)
        with taken(port):
            assert not is_free(port)

    def test_no_connection_gets_it_by_itself(self) -> None:
        first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
        assert not [port for port in (free_port() for _ in range(50)) if first <= port <= last]

    def test_none_is_given_twice(self) -> None:
        given = [free_port() for _ in range(200)]
        assert len(set(given)) == len(given)

    def test_one_that_is_taken_meanwhile_is_left_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        port = free_port()
        monkeypatch.setattr(loopback, "_numbers", iter([port - loopback.FIRST, port - loopback.FIRST + 1]))
        with taken(port):
            assert free_port() == port + 1

    def test_when_all_are_taken_it_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        port = free_port()
        monkeypatch.setattr(loopback, "_numbers", iter([port - loopback.FIRST]))
        with taken(port), pytest.raises(OSError, match="are taken; end some of their programs"):
            free_port()

    def test_two_processes_begin_elsewhere(self) -> None:
        asked = "from pool.node.loopback import free_port; print(free_port())"
        first, second = (subprocess.check_output([sys.executable, "-c", asked]) for _ in range(2))
        assert first != second
