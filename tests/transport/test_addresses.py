"""IPv4, IPv6 and the PROXY protocol on real sockets, over both endpoints."""

from __future__ import annotations

import pytest

from pool.node.loopback import free_port
from tests.stratum.scene import AUTHORIZE, SUBSCRIBE
from tests.stratum.test_proxy import v2
from tests.transport.doors import Options, line, needs_ipv6, opened

each_endpoint = pytest.mark.parametrize("endpoint", ["fast", "twisted"])


@each_endpoint
def test_a_miner_behind_a_proxy_is_known_by_its_own_address(endpoint: str) -> None:
    with opened(Options(endpoint=endpoint, proxy_from=("127.0.0.0/8",))) as door, door.connect() as connection:
        connection.sendall(v2("2001:db8::7", tlvs=b"\x04\x00\x01\x00") + SUBSCRIBE + AUTHORIZE)
        assert [line(connection)["id"] for _ in range(2)] == [1, 2]
        assert door.ask("addresses") == ["2001:db8::7"]


@each_endpoint
def test_a_header_of_a_stranger_ends_its_connection(endpoint: str) -> None:
    with opened(Options(endpoint=endpoint, proxy_from=("10.0.0.0/8",))) as door, door.connect() as connection:
        connection.sendall(b"PROXY TCP4 203.0.113.7 192.0.2.1 1 2\r\n")
        assert connection.recv(1) == b""
        assert door.ask("counters")["closed_not_json"] == 1


@each_endpoint
def test_a_proxy_without_a_header_is_reset(endpoint: str) -> None:
    with opened(Options(endpoint=endpoint, proxy_from=("127.0.0.1",))) as door, door.connect() as connection:
        connection.sendall(SUBSCRIBE)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


@needs_ipv6
@each_endpoint
def test_a_miner_over_ipv6_is_served(endpoint: str) -> None:
    with opened(Options(listen=("[::1]:0",), endpoint=endpoint)) as door, door.connect("::1") as connection:
        connection.sendall(SUBSCRIBE + AUTHORIZE)
        assert [line(connection)["id"] for _ in range(2)] == [1, 2]
        assert door.ask("addresses") == ["::1"]


@needs_ipv6
@each_endpoint
def test_both_families_may_have_the_same_port(endpoint: str) -> None:
    port = free_port()
    options = Options(listen=(f"0.0.0.0:{port}", f"[::]:{port}"), endpoint=endpoint)
    with opened(options) as door, door.connect("127.0.0.1", 0) as old, door.connect("::1", 1) as new:
        for connection in (old, new):
            connection.sendall(SUBSCRIBE + AUTHORIZE)
            assert line(connection)["id"] == 1
            assert line(connection)["id"] == 2
        assert sorted(door.ask("addresses")) == ["127.0.0.1", "::1"]
