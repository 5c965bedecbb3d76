"""Bans and floods on real sockets, over both endpoints."""

from __future__ import annotations

import pytest

from stratum.limits import ADDRESS_OFFENCES_MAX
from tests.stratum.scene import AUTHORIZE, SUBSCRIBE, request
from tests.transport.doors import Door, Options, line, opened

each_endpoint = pytest.mark.parametrize("endpoint", ["fast", "twisted"])


def offend(door: Door) -> None:
    with door.connect() as connection:
        connection.sendall(b'{"id":}\n')
        assert connection.recv(1) == b""


def knock(door: Door) -> None:
    """Connect and wait; a reset may come as early as that."""
    with door.connect() as connection:
        connection.recv(1)


@each_endpoint
def test_a_banned_address_is_reset_when_it_connects(endpoint: str) -> None:
    with opened(Options(endpoint=endpoint)) as door:
        for _ in range(ADDRESS_OFFENCES_MAX):
            offend(door)
        with pytest.raises(ConnectionResetError):
            knock(door)
        counters = door.ask("counters")
        assert (counters["banned_address"], counters["closed_address_banned"]) == (1, 1)


@each_endpoint
def test_a_flood_is_held_back_and_lost_nothing_of(endpoint: str) -> None:
    # So large that a slow machine, too, takes in more than a second's share of them within a second.
    pings, ping = 600, request("mining.ping", ["x" * 3_900], 9)
    with opened(Options(endpoint=endpoint)) as door, door.connect() as flooding, door.connect() as other:
        other.sendall(SUBSCRIBE + AUTHORIZE)  # who has not logged in is sent away after ten seconds
        flooding.sendall(SUBSCRIBE + AUTHORIZE)
        lines = flooding.makefile("rb")
        with lines:
            while b'"method":"mining.notify"' not in lines.readline():
                pass
            for _ in range(pings // 50):
                flooding.sendall(ping * 50)
                assert all(b'"pong"' in lines.readline() for _ in range(50))
        other.sendall(request("mining.ping", [], 3))
        while line(other)["id"] != 3:
            pass
        assert door.ask("counters")["throttled"] >= 1
