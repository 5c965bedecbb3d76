"""The networks by name."""

from __future__ import annotations

import bdkpython
import pytest

from pool.bitcoin.network import NETWORKS


def test_each_network_is_found_by_the_name_the_node_gives_it() -> None:
    assert {name: network.name for name, network in NETWORKS.items()} == {
        name: name for name in ("main", "testnet4", "signet", "regtest")
    }


@pytest.mark.parametrize("name", NETWORKS)
def test_the_address_library_knows_each_network(name: str) -> None:
    assert NETWORKS[name].address_network in bdkpython.Network.__members__


def test_only_signet_asks_for_the_signet_rule() -> None:
    assert [name for name, network in NETWORKS.items() if "signet" in network.template_rules] == ["signet"]


def test_every_network_asks_for_segwit() -> None:
    assert all("segwit" in network.template_rules for network in NETWORKS.values())
