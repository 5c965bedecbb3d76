"""Transactions as bytes: what a coinbase needs to be written, and read back from a block."""

from __future__ import annotations

from msgspec import Struct

from native import sha256d

_VERSION_BYTES = 4
_LOCKTIME_BYTES = 4
_OUTPOINT_BYTES = 36
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
    reader = _Reader(transaction)
    reader.take(_VERSION_BYTES)
    inputs = reader.take_size()
    if inputs == 0:
        # No transaction of a block is without inputs: this zero is the segwit marker, the flag follows.
        reader.take(1)
        inputs = reader.take_size()
    for _ in range(inputs):
        reader.take(_OUTPOINT_BYTES)
        reader.take(reader.take_size() + _SEQUENCE_BYTES)
    return tuple(
        Output(value_sat=int.from_bytes(reader.take(_VALUE_BYTES), "little"), script=reader.take(reader.take_size()))
        for _ in range(reader.take_size())
    )


class _Reader:
    """Takes bytes from the front of a transaction."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._offset = 0

    def take(self, count: int) -> bytes:
        taken = self._data[self._offset : self._offset + count]
        if len(taken) != count:
            raise ValueError(f"a transaction of {len(self._data)} bytes ends in the middle of a field")
        self._offset += count
        return taken

    def take_size(self) -> int:
        first = self.take(1)[0]
        if first < 0xFD:
            return first
        return int.from_bytes(self.take(1 << first - 0xFC), "little")
