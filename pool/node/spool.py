"""Block candidates on disk: the truth of what we found, from before the first `submitblock` until for ever.

For each block the folder has `HEIGHT-HASH.block`, the whole block in hex, so that a person can hand it to any node with
`bitcoin-cli -stdin submitblock < FILE`; and, once it is known, `HEIGHT-HASH.verdict` with what became of it.

Megabytes take too long to write while a block waits for its node. So at first a block is two files: `.head`, a few
hundred bytes of its own, and `.transactions`, a second name of the file that its job left. With these the kernel has it
whole, and it survives kill -9; the `.block` is written behind its back, surely on the disk, and takes their place.
"""

from __future__ import annotations

import binascii
import contextlib
import re
from pathlib import Path

import msgspec
from msgspec import Struct

from native import sha256d
from pool.node.durable import UNFINISHED, sync_folder, write_durably
from pool.node.reserve import Reserve, is_full
from pool.work.block import HEADER_BYTES, Block, body
from pool.work.candidate import Candidate

_BLOCK = ".block"
_HEAD = ".head"
_TRANSACTIONS = ".transactions"
_VERDICT = ".verdict"
_UNBUILDABLE = ".unbuildable"
# The last byte of a block's file: without it the file is not whole.
_END = b"\n"
_NAME = re.compile(r"(\d{1,10})-([0-9a-f]{64})\.(block|head|verdict)\Z")


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
    """What became of a block.

    accepted: it is in the chain. reason: the word of the node that has the say, if it said one. time_ms: when we learnt
    it. answers: each node's last one. final: whether it will not be looked at any more.
    """

    accepted: bool
    reason: str | None
    time_ms: int
    answers: dict[str, str] = {}
    final: bool = True


class _Head(Struct):
    """The `.head` file. checksum: CRC-32 of the transactions, without which a power cut could pass for a block."""

    head_hex: str
    count: int
    checksum: int


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
        for transactions in folder.glob(f"*{_TRANSACTIONS}"):
            if not transactions.with_suffix(_HEAD).exists():
                transactions.unlink(missing_ok=True)
        # Asked for each candidate, and there may be thousands of files.
        self._durable = {found.block_hash for found in self._found(_BLOCK)}

    def note(self, block: Block, transactions_file: Path) -> None:
        """Hand a block to the kernel, in a moment. transactions_file: holds its body's transactions, if it is there.

        On return the block survives the death of this process; `keep` is to follow at once.
        """
        spooled = spooled_of(block)
        link = self._path(spooled, _TRANSACTIONS)
        link.unlink(missing_ok=True)
        try:
            link.hardlink_to(transactions_file)
        except FileNotFoundError:
            # The job is so young that its transactions are still being written, or could not be.
            link.write_bytes(block.body.transactions)
        head = _Head(block.head.hex(), block.body.count, block.body.checksum)
        path = self._path(spooled, _HEAD)
        unfinished = path.with_name(path.name + UNFINISHED)
        unfinished.write_bytes(msgspec.json.encode(head) + b"\n")
        unfinished.rename(path)

    def keep(self, block: Block) -> None:
        """Put a block on the disk; on return it is there for good. May take a while: for a thread."""
        spooled = spooled_of(block)
        self._write(self._path(spooled, _BLOCK), *block.hex_pieces, b"\n")
        self._durable.add(block.block_hash)
        # The head last: without it the transactions are nothing.
        for suffix in (_HEAD, _TRANSACTIONS):
            self._path(spooled, suffix).unlink(missing_ok=True)

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

    def reopen(self, spooled: SpooledBlock) -> None:
        """Forget what became of a block: it fell out of the chain."""
        self._path(spooled, _VERDICT).unlink(missing_ok=True)
        sync_folder(self._folder)

    def holds(self, block_hash: bytes) -> bool:
        """Whether the block is on the disk for good, settled or not. block_hash: wire order."""
        return block_hash in self._durable

    def distrust(self, spooled: SpooledBlock) -> None:
        """What is on the disk cannot be read: whoever still has the candidate may bring it again."""
        self._durable.discard(spooled.block_hash)

    def settled(self, spooled: SpooledBlock) -> Settled | None:
        """What became of a block, as far as that is known."""
        try:
            return msgspec.json.decode(self._path(spooled, _VERDICT).read_bytes(), type=Settled)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError as error:
            raise SpoolDamaged(
                f"{self._path(spooled, _VERDICT)}: {error}; remove it: the node is asked again"
            ) from error

    def pending(self) -> tuple[SpooledBlock, ...]:
        """Blocks whose fate could still change, lowest first."""
        found = self._found(_BLOCK) | self._found(_HEAD)
        return tuple(sorted((each for each in found if not self._is_final(each)), key=lambda each: each.height))

    def read(self, spooled: SpooledBlock) -> Block:
        """A block. Raises SpoolDamaged if a file is another's or broken, OSError if it cannot be read."""
        path = self._path(spooled, _BLOCK)
        try:
            text = path.read_bytes()
            if not text.endswith(_END):
                raise SpoolDamaged(f"{path} is cut off")
            block = _whole(spooled, binascii.unhexlify(text.strip()))
        except FileNotFoundError:
            path = self._path(spooled, _HEAD)
            block = self._joined(spooled, path)
        except ValueError as error:
            raise SpoolDamaged(f"{path} is no block in hex: {error}") from error
        if sha256d(block.head[:HEADER_BYTES]) != spooled.block_hash:
            raise SpoolDamaged(f"{path} holds another block than its name says")
        return block

    def _write(self, path: Path, *pieces: bytes) -> None:
        try:
            write_durably(path, *pieces)
        except OSError as error:
            if not is_full(error):
                raise
            with contextlib.suppress(OSError):  # it holds what room there was
                path.with_name(path.name + UNFINISHED).unlink(missing_ok=True)
            if not self.reserve.write(path, *pieces):
                raise

    def _joined(self, spooled: SpooledBlock, path: Path) -> Block:
        """What a kill left between `note` and `keep`."""
        try:
            head = msgspec.json.decode(path.read_bytes(), type=_Head)
            transactions = self._path(spooled, _TRANSACTIONS).read_bytes()
            block = Block(
                spooled.block_hash, bytes.fromhex(head.head_hex), body(spooled.height, (), head.count, transactions)
            )
        except ValueError as error:  # msgspec's among them
            raise SpoolDamaged(f"{path} is no head of a block: {error}") from error
        if block.body.checksum != head.checksum:
            raise SpoolDamaged(f"{path}: the transactions beside it are not the block's; the machine stopped too soon")
        return block

    def _found(self, suffix: str) -> set[SpooledBlock]:
        matches = (_NAME.match(path.name) for path in self._folder.glob(f"*{suffix}"))
        return {SpooledBlock(int(match[1]), bytes.fromhex(match[2])[::-1]) for match in matches if match}

    def _is_final(self, spooled: SpooledBlock) -> bool:
        try:
            settled = self.settled(spooled)
        except SpoolDamaged:
            return False  # to the node again, which says `duplicate`
        return settled is not None and settled.final

    def _path(self, spooled: SpooledBlock, suffix: str) -> Path:
        return self._folder / (spooled.name + suffix)


def spooled_of(block: Block) -> SpooledBlock:
    """How the spool calls a block."""
    return SpooledBlock(block.height, block.block_hash)


def _whole(spooled: SpooledBlock, data: bytes) -> Block:
    """A block that is only to be submitted: all of it is head."""
    return Block(spooled.block_hash, data, body(spooled.height, (), 0, b""))
