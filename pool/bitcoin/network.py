"""What differs between the Bitcoin networks."""

from __future__ import annotations

from msgspec import Struct

from pool.bitcoin.amount import HALVING_INTERVAL


class Network(Struct, frozen=True):
    """One network.

    name: as in `chain` of Bitcoin Core's `getblockchaininfo`. address_network: the name of its address formats in
    BDK's `Network`. halving_interval: in blocks. template_rules: what `getblocktemplate` must be told that we
    understand (BIP-0009, BIP-0145, BIP-0325). is_test: the node offers templates before it has synced, and its tip may
    be old. Source: Bitcoin Core, `kernel/chainparams.cpp` and `chainparamsbase.cpp`.
    """

    name: str
    address_network: str
    default_rpc_port: int
    halving_interval: int = HALVING_INTERVAL
    template_rules: tuple[str, ...] = ("segwit",)
    is_test: bool = False


MAIN = Network(name="main", address_network="BITCOIN", default_rpc_port=8332)
TESTNET4 = Network(name="testnet4", address_network="TESTNET4", default_rpc_port=48332, is_test=True)
SIGNET = Network(
    name="signet",
    address_network="SIGNET",
    default_rpc_port=38332,
    template_rules=("segwit", "signet"),
    is_test=True,
)
REGTEST = Network(name="regtest", address_network="REGTEST", default_rpc_port=18443, halving_interval=150, is_test=True)

NETWORKS = {network.name: network for network in (MAIN, TESTNET4, SIGNET, REGTEST)}
