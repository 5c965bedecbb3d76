"""What differs between the Bitcoin networks."""

from __future__ import annotations

from msgspec import Struct

from pool.bitcoin.amount import HALVING_INTERVAL


class BlockAt(Struct, frozen=True):
    """A block by its place in a chain. block_hash: wire order."""

    height: int
    block_hash: bytes


def block_at(height: int, hash_hex: str) -> BlockAt:
    """The same from the hash as people read it."""
    return BlockAt(height, bytes.fromhex(hash_hex)[::-1])


class Network(Struct, frozen=True):
    """One network.

    name: as in `chain` of Bitcoin Core's `getblockchaininfo`. address_network: the name of its address formats in
    BDK's `Network`. halving_interval: in blocks. template_rules: what `getblocktemplate` must be told that we
    understand (BIP-0009, BIP-0145, BIP-0325). is_test: the node offers templates before it has synced, and its tip may
    be old. checkpoints: blocks that everybody's chain has. has_steady_blocks: they come every ten minutes on
    average, and not only when somebody wants one. period_blocks: within so many, nBits and version of the next block
    are those of the last; None where they cannot be told beforehand (blocks of least difficulty, or signed).
    Source: Bitcoin Core, `kernel/chainparams.cpp` and `chainparamsbase.cpp`, also for the checkpoints, but for 961632.
    """

    name: str
    address_network: str
    default_rpc_port: int
    halving_interval: int = HALVING_INTERVAL
    template_rules: tuple[str, ...] = ("segwit",)
    is_test: bool = False
    checkpoints: tuple[BlockAt, ...] = ()
    has_steady_blocks: bool = False
    period_blocks: int | None = None


MAIN = Network(
    name="main",
    address_network="BITCOIN",
    default_rpc_port=8332,
    checkpoints=(
        block_at(0, "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"),
        block_at(481_824, "0000000000000000001c8018d9cb3b742ef25114f27563e3fc4a1902167f9893"),
        block_at(840_000, "0000000000000000000320283a032748cef8227873ff4872689bf23f1cda83a5"),
        block_at(938_343, "00000000000000000000ccebd6d74d9194d8dcdc1d177c478e094bfad51ba5ac"),
        # The first block that nodes with BIP-0110 refuse. The hash is what independent block explorers and copies of
        # the headers of August 2026 agree on.
        block_at(961_632, "00000000000000000000d1e01392faa65ceeaed307f0a3159144b84146ff24ba"),
    ),
    has_steady_blocks=True,
    period_blocks=2016,
)
TESTNET4 = Network(
    name="testnet4",
    address_network="TESTNET4",
    default_rpc_port=48332,
    is_test=True,
    checkpoints=(
        block_at(0, "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043"),
        block_at(91_000, "000000000000000180a58e7fa3b0db84b5ea76377524894f53660d93ac839d9b"),
    ),
    has_steady_blocks=True,
)
SIGNET = Network(
    name="signet",
    address_network="SIGNET",
    default_rpc_port=38332,
    template_rules=("segwit", "signet"),
    is_test=True,
    # The same for every signet; what follows depends on its challenge.
    checkpoints=(block_at(0, "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6"),),
)
REGTEST = Network(
    name="regtest",
    address_network="REGTEST",
    default_rpc_port=18443,
    halving_interval=150,
    is_test=True,
    checkpoints=(block_at(0, "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"),),
    period_blocks=144,
)

NETWORKS = {network.name: network for network in (MAIN, TESTNET4, SIGNET, REGTEST)}
