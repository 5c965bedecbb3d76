"""What accounting asks of the chain; synchronous."""

from __future__ import annotations

from typing import Any

from pool.bitcoin.transaction import parse_outputs
from pool.node.rpc import OUT_OF_RANGE, UNKNOWN_BLOCK, BitcoindRpc, RpcRefusal, RpcSettings
from pool.ports import BlockHeader, NodeUnavailable


class BitcoindChain:
    """The chain as one node sees it. Every method raises NodeUnavailable. For one thread."""

    def __init__(self, settings: RpcSettings, rpc: BitcoindRpc | None = None) -> None:
        self._rpc = rpc or BitcoindRpc(settings)
        self._is_test = settings.network.is_test

    def close(self) -> None:
        """Close the connection; a later question opens another one."""
        self._rpc.close()

    def tip_height(self) -> int:
        """Height of the active chain's last block."""
        return int(self._rpc.call("getblockcount"))

    def hash_at(self, height: int) -> bytes | None:
        """Hash of the active chain's block at this height, wire order; None above the tip."""
        try:
            return _hash(self._rpc.call("getblockhash", height))
        except RpcRefusal as error:
            if error.code != OUT_OF_RANGE:
                raise
            return None

    def coinbase_outputs(self, block_hash: bytes) -> tuple[tuple[int, bytes], ...] | None:
        """Satoshis and script of each output of a block's coinbase; None if the node does not know the block.

        Read from the raw transaction, so there is no rounding, and no download of the whole block.
        """
        block_hex = block_hash[::-1].hex()
        try:
            coinbase_txid = self._rpc.call("getblock", block_hex, 1)["tx"][0]
            raw = bytes.fromhex(self._rpc.call("getrawtransaction", coinbase_txid, False, block_hex))
            return tuple((output.value_sat, output.script) for output in parse_outputs(raw))
        except RpcRefusal as error:
            if error.code != UNKNOWN_BLOCK:
                raise
            return None
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise NodeUnavailable(f"the node shows no coinbase of block {block_hex}: {error!r}") from error

    def header(self, block_hash: bytes) -> BlockHeader | None:
        """The header of a block; None if the node does not know it."""
        found = self._of_block("getblockheader", block_hash)
        if found is None:
            return None
        # The first block of a chain has none before it.
        prev_hash = _hash(found["previousblockhash"]) if found["height"] else bytes(32)
        return BlockHeader(block_hash, prev_hash, found["height"], found["time"], found["mediantime"])

    def fees_sat(self, block_hash: bytes) -> int | None:
        """The transaction fees of a block; None if the node does not know it. A node that prunes cannot say."""
        found = self._of_block("getblockstats", block_hash, ["totalfee"])
        return None if found is None else int(found["totalfee"])

    def _of_block(self, method: str, block_hash: bytes, *more: object) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._rpc.call(method, block_hash[::-1].hex(), *more)
        except RpcRefusal as error:
            if error.code != UNKNOWN_BLOCK:
                raise
            return None
        return found

    def is_synced(self) -> bool:
        """Whether the tip is the network's. On test chains, whose last block may be old, whether all known headers have
        their blocks."""
        info: dict[str, Any] = self._rpc.call("getblockchaininfo")
        if self._is_test:
            return bool(info["blocks"] == info["headers"])
        return not info["initialblockdownload"]


def _hash(hash_hex: str) -> bytes:
    return bytes.fromhex(hash_hex)[::-1]
