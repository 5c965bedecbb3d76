"""stratum.sources."""

from __future__ import annotations

import pytest

from stratum.sources import Sources, canonical

LISTED = Sources(["203.0.113.7", "10.0.0.0/8", "2001:db8::/32"])


@pytest.mark.parametrize("address", ["203.0.113.7", "10.255.0.1", "2001:db8::7", "::ffff:10.0.0.1"])
def test_an_address_of_the_list_is_in_it(address: str) -> None:
    assert address in LISTED


@pytest.mark.parametrize("address", ["203.0.113.8", "11.0.0.1", "2001:db9::7", "::1", "unknown", "", "10.0.0.1.2"])
def test_others_are_not(address: str) -> None:
    assert address not in LISTED


def test_nobody_is_in_an_empty_list() -> None:
    assert "203.0.113.7" not in Sources([])


@pytest.mark.parametrize("entry", ["10.0.0.1/8", "localhost", "10.0.0.0/33", ""])
def test_what_is_no_network_is_refused_by_name(entry: str) -> None:
    with pytest.raises(ValueError, match=f"'{entry}'|{entry} has host bits"):
        Sources([entry])


@pytest.mark.parametrize(
    ("address", "known_as"),
    [
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("::ffff:0:1", "::ffff:0:1"),
        ("64:ff9b::ffff:1.2.3.4", "64:ff9b::ffff:1.2.3.4"),
    ],
)
def test_an_address_of_ipv4_has_one_name(address: str, known_as: str) -> None:
    assert canonical(address) == known_as
