"""Addresses of the feed, good and bad."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import endpoints, testing

from pool.feed.addresses import client_endpoint, server_endpoint

# Twisted does not type its constructor.
MemoryReactor: Any = testing.MemoryReactor


class TestServer:
    def test_a_socket_is_for_the_pools_user_alone(self, tmp_path: Path) -> None:
        reactor = MemoryReactor()
        server_endpoint(reactor, f"unix:{tmp_path}/feed").listen(None)
        path, _, _, mode, _ = reactor.unixServers[0]
        assert (path, mode) == (f"{tmp_path}/feed", 0o600)

    @pytest.mark.parametrize(("host", "interface"), [("127.0.0.1", "127.0.0.1"), ("[::1]", "::1")])
    def test_a_port_is_opened_on_its_host_only(self, host: str, interface: str) -> None:
        reactor = MemoryReactor()
        server_endpoint(reactor, f"tcp:{host}:3334").listen(None)
        port, _, _, bound = reactor.tcpServers[0]
        assert (port, bound) == (3334, interface)

    def test_what_a_killed_process_left_is_removed(self, tmp_path: Path) -> None:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(tmp_path / "feed"))
        server_endpoint(MemoryReactor(), f"unix:{tmp_path}/feed")
        assert not (tmp_path / "feed").exists()

    def test_the_socket_of_a_living_process_is_not(self, tmp_path: Path) -> None:
        with socket.socket(socket.AF_UNIX) as alive:
            alive.bind(str(tmp_path / "feed"))
            alive.listen()
            with pytest.raises(OSError, match="another work role of this pool is running"):
                server_endpoint(MemoryReactor(), f"unix:{tmp_path}/feed")

    def test_a_file_that_is_no_socket_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "feed").write_text("mine")
        server_endpoint(MemoryReactor(), f"unix:{tmp_path}/feed")
        assert (tmp_path / "feed").read_text() == "mine"


class TestClient:
    def test_a_socket_is_connected_to(self) -> None:
        reactor = MemoryReactor()
        client_endpoint(reactor, "unix:/run/feed").connect(None)
        assert reactor.unixClients[0][0] == "/run/feed"

    @pytest.mark.parametrize("address", ["tcp:work.example:3334", "tcp:127.0.0.1:3334", "tcp:[2001:db8::1]:3334"])
    def test_a_host_is_found_by_name_or_number(self, address: str) -> None:
        assert isinstance(client_endpoint(MemoryReactor(), address), endpoints.HostnameEndpoint)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/run/feed",
        "unix:",
        "unix:/" + "x" * 107,
        "tcp:3334",
        "tcp:host:",
        "tcp:host:0",
        "tcp:host:65536",
        "tcp::3334",
        "tcp:::1:3334",
        "udp:host:3334",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"a feed is at|the path of a socket"):
        client_endpoint(MemoryReactor(), address)
