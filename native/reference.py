"""The share check in plain Python: slow, readable, and the definition of `native.compiled`.

All bytes are in wire order; a hash or a target read as a number is little-endian.
"""

from hashlib import sha256
from operator import index
from typing import Final

from native.compact import target_from_nbits
from native.verdict import Verdict

SHA256_IMPLEMENTATION: Final[str] = "hashlib"

# Both extranonces together: they lie in the coinbase's script, which may have 100 bytes (Bitcoin Core,
# `CheckTransaction` in `tx_check.cpp`).
EXTRANONCES_BYTES_MAX: Final = 100


def sha256d(data: bytes) -> bytes:
    """SHA-256 of the SHA-256: 32 bytes."""
    return sha256(sha256(data).digest()).digest()


def merkle_root(txid: bytes, branch: bytes) -> bytes:
    """The root above a block's first transaction.

    txid: 32 bytes. branch: its 32-byte siblings joined, deepest first; empty if it is the only transaction.
    Raises ValueError on other lengths. Source: Stratum v1 mining.notify, "merkle_branch".
    """
    _require_32(txid, "txid")
    _require_branch(branch)
    node = txid
    for start in range(0, len(branch), 32):
        node = sha256d(node + branch[start : start + 32])
    return node


def header(version: int, prev_hash: bytes, root: bytes, ntime: int, nbits: int, nonce: int) -> bytes:
    """The 80 bytes that are hashed.

    The integers are unsigned 32-bit, the version too (Bitcoin Core reads the same bits as signed); the hashes
    are 32 bytes. Raises ValueError otherwise. Source: Bitcoin Core, `CBlockHeader`.
    """
    _require_32(prev_hash, "prev_hash")
    _require_32(root, "root")
    return (
        _uint32(version, "version")
        + prev_hash
        + root
        + _uint32(ntime, "ntime")
        + _uint32(nbits, "nbits")
        + _uint32(nonce, "nonce")
    )


def meets_target(digest: bytes, target: bytes) -> bool:
    """Whether the digest, as a number, is at most the target; both 32 bytes, else ValueError."""
    _require_32(digest, "digest")
    _require_32(target, "target")
    return int.from_bytes(digest, "little") <= int.from_bytes(target, "little")


def search(header: bytes, target: bytes, first_nonce: int, count: int) -> int | None:
    """The first of `count` nonces from `first_nonce` on with which the header meets the target, or None.

    header: 80 bytes, of which the last four do not matter, or the 76 before the nonce. target: 32 bytes.
    Raises ValueError on other lengths, or if the range leaves 0 to 2**32 - 1. Cannot be interrupted: ask for
    a fraction of a second's worth at a time.
    """
    if len(header) not in (76, 80):
        raise ValueError("header must be 76 or 80 bytes")
    _require_32(target, "target")
    first_nonce, count = index(first_nonce), index(count)
    if first_nonce < 0 or count < 0 or first_nonce + count > 1 << 32:
        raise ValueError("nonces must be from 0 to 2**32 - 1")
    for nonce in range(first_nonce, first_nonce + count):
        if meets_target(sha256d(header[:76] + nonce.to_bytes(4, "little")), target):
            return nonce
    return None


class JobCheck:
    """Judges every submission for one job; shared by all sessions.

    coinb1, coinb2: the coinbase before and after the extranonces, without witness. branch: as in
    `merkle_root`. prev_hash: 32 bytes. nbits: the block target. Raises ValueError on wrong lengths and on an
    nBits that no block may carry (`native.compact`).
    """

    __slots__ = ("_branch", "_coinb1", "_coinb2", "_nbits", "_prev_hash", "_target")

    def __init__(self, coinb1: bytes, coinb2: bytes, branch: bytes, prev_hash: bytes, nbits: int) -> None:
        _require_branch(branch)
        _require_32(prev_hash, "prev_hash")
        self._coinb1 = coinb1
        self._coinb2 = coinb2
        self._branch = branch
        self._prev_hash = prev_hash
        self._nbits = nbits
        self._target = target_from_nbits(nbits)

    def check(
        self, extranonce1: bytes, extranonce2: bytes, version: int, ntime: int, nonce: int, share_target: bytes
    ) -> tuple[Verdict, bytes]:
        """The verdict on a submission, and its hash (32 bytes).

        share_target: 32 bytes. Raises ValueError on another length, if an integer does not fit in 32 unsigned
        bits, or if the extranonces have more than 100 bytes together. Whether each has the length agreed with
        the session, and whether version and ntime are allowed, is the caller's to judge.
        """
        _require_32(share_target, "share_target")
        digest = sha256d(self.header(extranonce1, extranonce2, version, ntime, nonce))
        if meets_target(digest, self._target):
            return Verdict.BLOCK, digest
        if meets_target(digest, share_target):
            return Verdict.SHARE, digest
        return Verdict.LOW, digest

    def header(self, extranonce1: bytes, extranonce2: bytes, version: int, ntime: int, nonce: int) -> bytes:
        """The 80 bytes of a submission's header, for a block; raises ValueError as `check` does."""
        root = merkle_root(sha256d(self.coinbase(extranonce1, extranonce2)), self._branch)
        return header(version, self._prev_hash, root, ntime, self._nbits, nonce)

    def coinbase(self, extranonce1: bytes, extranonce2: bytes) -> bytes:
        """The coinbase transaction of a submission, without witness: its hash is the txid.

        Raises ValueError if the extranonces have more than 100 bytes together.
        """
        if len(extranonce1) + len(extranonce2) > EXTRANONCES_BYTES_MAX:
            raise ValueError("extranonces must be 100 bytes at most")
        return self._coinb1 + extranonce1 + extranonce2 + self._coinb2


def _uint32(value: int, name: str) -> bytes:
    number = index(value)
    if not 0 <= number < 1 << 32:
        raise ValueError(f"{name} must be from 0 to 2**32 - 1")
    return number.to_bytes(4, "little")


def _require_32(value: bytes, name: str) -> None:
    if len(value) != 32:
        raise ValueError(f"{name} must be 32 bytes")


def _require_branch(branch: bytes) -> None:
    if len(branch) % 32:
        raise ValueError("branch must be a multiple of 32 bytes")
