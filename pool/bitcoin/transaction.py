"""Transactions as bytes: what a coinbase needs to be written, and any transaction read back."""

from __future__ import annotations

from msgspec import Struct

from native import sha256d

_VERSION_BYTES = 4
_LOCKTIME_BYTES = 4
_TXID_BYTES = 32
_VOUT_BYTES = 4
_SEQUENCE_BYTES = 4
_VALUE_BYTES = 8

# Marker and flag between version and inputs of a transaction that has witnesses. Source: BIP-0144.
_SEGWIT_MARK = b"\x00\x01"

# The one witness of a coinbase, 32 bytes that nobody uses yet; its zeros are part of the commitment. Source: BIP-0141.
WITNESS_RESERVED_VALUE = bytes(32)


class Output(Struct, frozen=True):
    """An amount and the script that may spend it."""

    value_sat: int
    script: bytes


class OutPoint(Struct, frozen=True, order=True):
    """An output of a transaction, by its place. txid: wire order."""

    txid: bytes
    vout: int

    def __str__(self) -> str:
        return f"{self.txid[::-1].hex()}:{self.vout}"


class Input(Struct, frozen=True):
    """What a transaction spends. script: scriptSig, empty for native segwit. is_signed: it has a witness."""

    spends: OutPoint
    script: bytes
    is_signed: bool


class Transaction(Struct, frozen=True):
    """A transaction taken apart. txid: wire order. vbytes: its size as fees count it, rounded up (BIP-0141)."""

    txid: bytes
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    vbytes: int


def compact_size(number: int) -> bytes:
    """A length as the P2P format writes it. Source: Bitcoin Core, `WriteCompactSize` in `serialize.h`."""
    if number < 0xFD:
        return number.to_bytes(1, "little")
    if number <= 0xFFFF:
        return b"\xfd" + number.to_bytes(2, "little")
    if number <= 0xFFFF_FFFF:
        return b"\xfe" + number.to_bytes(4, "little")
    return b"\xff" + number.to_bytes(8, "little")


def serialise_outputs(outputs: tuple[Output, ...]) -> bytes:
    """The outputs of a transaction, their count in front."""
    return compact_size(len(outputs)) + b"".join(
        output.value_sat.to_bytes(_VALUE_BYTES, "little") + compact_size(len(output.script)) + output.script
        for output in outputs
    )


def txid(transaction: bytes) -> bytes:
    """The id of a transaction serialised without witness, 32 bytes, wire order."""
    return sha256d(transaction)


def with_coinbase_witness(coinbase: bytes) -> bytes:
    """A coinbase serialised without witness, as a block carries it that commits to witnesses. Source: BIP-0144."""
    version, body, locktime = (
        coinbase[:_VERSION_BYTES],
        coinbase[_VERSION_BYTES:-_LOCKTIME_BYTES],
        coinbase[-_LOCKTIME_BYTES:],
    )
    witness = b"\x01" + compact_size(len(WITNESS_RESERVED_VALUE)) + WITNESS_RESERVED_VALUE
    return version + _SEGWIT_MARK + body + witness + locktime


def parse_outputs(transaction: bytes) -> tuple[Output, ...]:
    """The outputs of a transaction, serialised with or without witness. Raises ValueError if it is none."""
    return parse_transaction(transaction).outputs


def parse_transaction(raw: bytes) -> Transaction:
    """A transaction, serialised with or without witness. Raises ValueError if it is none or more than one."""
    reader = ByteReader(raw)
    version = reader.take(_VERSION_BYTES)
    # No transaction of ours or of a block is without inputs: a zero in their place is the segwit marker.
    has_witness = raw[_VERSION_BYTES : _VERSION_BYTES + len(_SEGWIT_MARK)] == _SEGWIT_MARK
    if has_witness:
        reader.take(len(_SEGWIT_MARK))
    body_at = reader.offset
    spent = [_take_input(reader) for _ in range(reader.take_size())]
    outputs = tuple(
        Output(value_sat=int.from_bytes(reader.take(_VALUE_BYTES), "little"), script=reader.take(reader.take_size()))
        for _ in range(reader.take_size())
    )
    body = raw[body_at : reader.offset]
    witnessed = [_skip_witness(reader) if has_witness else False for _ in spent]
    locktime = reader.take(_LOCKTIME_BYTES)
    if reader.offset != len(raw):
        raise ValueError(f"{len(raw) - reader.offset} bytes follow the transaction")
    stripped = version + body + locktime
    return Transaction(
        txid=txid(stripped),
        inputs=tuple(
            Input(spends, script, is_signed) for (spends, script), is_signed in zip(spent, witnessed, strict=True)
        ),
        outputs=outputs,
        vbytes=-(-(3 * len(stripped) + len(raw)) // 4),
    )


def _take_input(reader: ByteReader) -> tuple[OutPoint, bytes]:
    spends = OutPoint(reader.take(_TXID_BYTES), int.from_bytes(reader.take(_VOUT_BYTES), "little"))
    script = reader.take(reader.take_size())
    reader.take(_SEQUENCE_BYTES)
    return spends, script


def _skip_witness(reader: ByteReader) -> bool:
    items = reader.take_size()
    for _ in range(items):
        reader.take(reader.take_size())
    return items > 0


class ByteReader:
    """Takes bytes from the front of a transaction."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.offset = 0

    def take(self, count: int) -> bytes:
        taken = self._data[self.offset : self.offset + count]
        if len(taken) != count:
            raise ValueError(f"a transaction of {len(self._data)} bytes ends in the middle of a field")
        self.offset += count
        return taken

    def take_size(self) -> int:
        first = self.take(1)[0]
        if first < 0xFD:
            return first
        return int.from_bytes(self.take(1 << first - 0xFC), "little")
