"""TLS on real sockets, over both endpoints, on the port that serves the clear too."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest

from tests.certificates import NAME, write_pair
from tests.stratum.scene import AUTHORIZE, SUBSCRIBE
from tests.stratum.test_proxy import v2
from tests.transport.doors import Options, line, opened

each_endpoint = pytest.mark.parametrize("endpoint", ["fast", "twisted"])


def secured(connection: socket.socket, certificate: Path, version: ssl.TLSVersion | None = None) -> ssl.SSLSocket:
    """The same over TLS, the certificate checked."""
    context = ssl.create_default_context(cafile=str(certificate))
    if version is not None:
        context.maximum_version = version
    return context.wrap_socket(connection, server_hostname=NAME)


@each_endpoint
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_miner_over_tls_is_served(endpoint: str, version: ssl.TLSVersion, tmp_path: Path) -> None:
    pem, key = write_pair(tmp_path)
    options = Options(endpoint=endpoint, tls=(str(pem), str(key)))
    with opened(options) as door, secured(door.connect(), pem, version) as connection:
        connection.sendall(SUBSCRIBE + AUTHORIZE)
        assert [line(connection)["id"] for _ in range(2)] == [1, 2]


@each_endpoint
def test_beside_one_in_the_clear(endpoint: str, tmp_path: Path) -> None:
    pem, key = write_pair(tmp_path)
    options = Options(endpoint=endpoint, tls=(str(pem), str(key)))
    with opened(options) as door, door.connect() as clear, secured(door.connect(), pem) as connection:
        connection.sendall(SUBSCRIBE)
        clear.sendall(SUBSCRIBE)
        assert line(connection)["id"] == line(clear)["id"] == 1


@each_endpoint
def test_behind_a_proxy(endpoint: str, tmp_path: Path) -> None:
    pem, key = write_pair(tmp_path)
    options = Options(endpoint=endpoint, tls=(str(pem), str(key)), proxy_from=("127.0.0.1",))
    with opened(options) as door:
        raw = door.connect()
        raw.sendall(v2("203.0.113.7"))
        with secured(raw, pem) as connection:
            connection.sendall(SUBSCRIBE + AUTHORIZE)
            assert line(connection)["id"] == 1
            assert line(connection)["id"] == 2
            assert door.ask("addresses") == ["203.0.113.7"]


@each_endpoint
def test_a_new_certificate_serves_new_connections_and_leaves_the_open_ones(endpoint: str, tmp_path: Path) -> None:
    pem, key = write_pair(tmp_path, serial=1)
    with opened(Options(endpoint=endpoint, tls=(str(pem), str(key)))) as door, secured(door.connect(), pem) as old:
        old.sendall(SUBSCRIBE)
        write_pair(tmp_path, serial=2)
        assert door.ask("reload") is True
        with secured(door.connect(), pem) as new:
            certificate = new.getpeercert()
            assert certificate is not None
            assert int(str(certificate["serialNumber"]), 16) == 2
        assert line(old)["id"] == 1


@each_endpoint
def test_a_miner_that_does_not_trust_the_certificate_ends_its_own_connection_only(
    endpoint: str, tmp_path: Path
) -> None:
    pem, key = write_pair(tmp_path)
    with opened(Options(endpoint=endpoint, tls=(str(pem), str(key)))) as door:
        with pytest.raises(ssl.SSLCertVerificationError):
            ssl.create_default_context().wrap_socket(door.connect(), server_hostname=NAME)
        with secured(door.connect(), pem) as connection:
            connection.sendall(SUBSCRIBE)
            assert line(connection)["id"] == 1


@each_endpoint
def test_without_a_certificate_a_hello_is_reset_and_the_clear_is_served(endpoint: str) -> None:
    with opened(Options(endpoint=endpoint)) as door:
        with pytest.raises(ConnectionResetError):
            ssl.create_default_context().wrap_socket(door.connect(), server_hostname=NAME)
        with door.connect() as connection:
            connection.sendall(SUBSCRIBE)
            assert line(connection)["id"] == 1
