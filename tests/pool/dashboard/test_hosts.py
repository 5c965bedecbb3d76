"""Who the operators' listener answers, by the `Host` of a request."""

from __future__ import annotations

import pytest

from pool.dashboard.answers import Refusal
from pool.dashboard.hosts import Hosts
from tests.pool.dashboard.browser import Browser

HOSTS = Hosts(["Ops.Pool.Example", "10.9.8.7"])


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8081",
        "127.0.0.53",
        "[::1]:8081",
        "localhost:8081",
        "LOCALHOST",
        "192.168.0.5:8081",
        "ops.pool.example",
        "ops.pool.example.:443",
        "10.9.8.7:8081",
    ],
)
def test_its_own_addresses_and_names_are_answered(host: str) -> None:
    HOSTS.check([host], "192.168.0.5")


@pytest.mark.parametrize(
    "said",
    [
        ["evil.example"],
        ["127.0.0.1.evil.example:8081"],
        ["localhost.evil.example"],
        ["ops.pool.example.evil.example"],
        ["192.168.0.6:8081"],
        ["0x7f.1"],
        ["[fe80::1]:8081"],
        ["evil.example@127.0.0.1"],
        [""],
        [],
        ["127.0.0.1", "evil.example"],
    ],
)
def test_anything_else_is_refused_with_what_to_do(said: list[str]) -> None:
    with pytest.raises(Refusal, match=r"no name of the operators' listener") as refused:
        HOSTS.check(said, "192.168.0.5")
    assert b"web.admin_hosts" in refused.value.answer().body


def test_a_listener_of_both_families_knows_its_ipv4_address() -> None:
    HOSTS.check(["192.168.0.5:8081"], "::ffff:192.168.0.5")


def test_with_a_strangers_name_nothing_at_all_is_shown_there_and_the_page_for_everybody_is_as_ever() -> None:
    browser = Browser()
    for target in ("/", "/metrics", "/readyz", "/api/v1/pool", "/api/v1/events", "/nothing"):
        request = f"GET {target} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode()
        refused = browser.send(request, browser.admin)
        assert (refused.status, refused.json()["error"]["code"]) == (421, "wrong_host"), target
    assert browser.send(b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n").status == 200


def test_an_order_under_a_strangers_name_is_not_carried_out() -> None:
    browser = Browser()
    request = b"POST /api/v1/payouts/stop HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 2\r\n\r\n{}"
    assert browser.send(request, browser.admin).status == 421
    assert browser.orders.given == []
