"""Block candidates on disk: the truth of what we found, from before the first `submitblock` until for ever.

For each block the folder has `HEIGHT-HASH.block`, the whole block in hex, so that a person can hand it to any node with
`bitcoin-cli -stdin submitblock < FILE`; and, once that is known, `HEIGHT-HASH.verdict` with what became of it.
"""

from __future__ import annotations

import binascii
import contextlib
import re
from pathlib import Path

import msgspec
from msgspec import Struct

from native import sha256d
from pool.node.durable import UNFINISHED, write_durably
from pool.node.reserve import Reserve, is_full
from pool.work.block import HEADER_BYTES
from pool.work.candidate import Candidate

_BLOCK = ".block"
_VERDICT = ".verdict"
_UNBUILDABLE = ".unbuildable"
_NAME = re.compile(r"(\d{1,10})-([0-9a-f]{64})\.block\Z")


class SpoolDamaged(Exception):
    """A file of the spool is not what its name says."""


class SpooledBlock(Struct, frozen=True):
    """A block in the spool. block_hash: wire order."""

    height: int
    block_hash: bytes

    @property
    def hash_hex(self) -> str:
        return self.block_hash[::-1].hex()

    @property
    def name(self) -> str:
        return f"{self.height}-{self.hash_hex}"


class Settled(Struct, frozen=True):
    """What became of a block. reason: the node's word, if it said one. time_ms: when we learnt it."""

    accepted: bool
    reason: str | None
    time_ms: int


class CandidateSpool:
    """The folder of candidates. Methods that write raise OSError; what they wrote is then whole or not there.

    reserve_parts: how many blocks can be kept when the disk is full.
    """

    def __init__(self, folder: Path, reserve_parts: int = 0) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        for unfinished in folder.glob(f"*{UNFINISHED}"):
            with contextlib.suppress(FileNotFoundError):
                unfinished.unlink()
        self.reserve = Reserve(folder, reserve_parts)
        self.reserve.fill()

    def put(self, spooled: SpooledBlock, block: bytes) -> None:
        """Keep a block; on return it is on the disk."""
        self._write(self._path(spooled, _BLOCK), binascii.hexlify(block) + b"\n")

    def put_unbuildable(self, candidate: Candidate, reason: str) -> None:
        """Keep what there is of a candidate that cannot become a block, for a person to look at."""
        content = {
            "reason": reason,
            "job_id": candidate.job_id,
            "login": candidate.login,
            "time_ms": candidate.time_ms,
            "header_hex": candidate.header.hex(),
            "coinbase_hex": candidate.coinbase.hex(),
        }
        name = candidate.block_hash[::-1].hex() + _UNBUILDABLE
        self._write(self._folder / name, msgspec.json.encode(content) + b"\n")

    def settle(self, spooled: SpooledBlock, settled: Settled) -> None:
        """Keep what became of a block."""
        write_durably(self._path(spooled, _VERDICT), msgspec.json.encode(settled) + b"\n")

    def holds(self, block_hash: bytes) -> bool:
        """Whether the block is on disk, settled or not. block_hash: wire order."""
        return any(self._folder.glob(f"*-{block_hash[::-1].hex()}{_BLOCK}"))

    def settled(self, spooled: SpooledBlock) -> Settled | None:
        """What became of a block, if that is known."""
        try:
            return msgspec.json.decode(self._path(spooled, _VERDICT).read_bytes(), type=Settled)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError as error:
            raise SpoolDamaged(
                f"{self._path(spooled, _VERDICT)}: {error}; remove it: the node is asked again"
            ) from error

    def pending(self) -> tuple[SpooledBlock, ...]:
        """Blocks whose fate is not known, lowest first."""
        matches = (_NAME.match(path.name) for path in self._folder.glob(f"*{_BLOCK}"))
        blocks = [SpooledBlock(int(match[1]), bytes.fromhex(match[2])[::-1]) for match in matches if match]
        return tuple(sorted((each for each in blocks if not self._is_settled(each)), key=lambda each: each.height))

    def read(self, spooled: SpooledBlock) -> bytes:
        """The whole block. Raises SpoolDamaged if the file is another's or broken, OSError if it cannot be read."""
        path = self._path(spooled, _BLOCK)
        try:
            block = binascii.unhexlify(path.read_bytes().strip())
        except ValueError as error:
            raise SpoolDamaged(f"{path} is no block in hex: {error}") from error
        if sha256d(block[:HEADER_BYTES]) != spooled.block_hash:
            raise SpoolDamaged(f"{path} holds another block than its name says")
        return block

    def _write(self, path: Path, data: bytes) -> None:
        try:
            write_durably(path, data)
        except OSError as error:
            if not is_full(error):
                raise
            with contextlib.suppress(OSError):  # it holds what room there was
                path.with_name(path.name + UNFINISHED).unlink(missing_ok=True)
            if not self.reserve.write(path, data):
                raise

    def _is_settled(self, spooled: SpooledBlock) -> bool:
        return self._path(spooled, _VERDICT).exists()

    def _path(self, spooled: SpooledBlock, suffix: str) -> Path:
        return self._folder / (spooled.name + suffix)
