"""A node's block template as a value, checked at the door."""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct

from pool.bitcoin.merkle import witness_commitment
from pool.bitcoin.script import witness_commitment_script
from pool.bitcoin.target import target_from_nbits

# Rules with `!` in front that we build blocks by; any other one changes what a block must look like (BIP-0009).
KNOWN_MANDATORY_RULES = frozenset({"segwit", "signet"})

# Of a block. Source: Bitcoin Core, `consensus/consensus.h`.
WEIGHT_MAX = 4_000_000
SIGOPS_MAX = 80_000
# What a byte without witness weighs, and a signature check outside of one costs. Source: BIP-0141.
WITNESS_SCALE = 4

_Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
_Hex = Annotated[str, Meta(min_length=2)]
_Count = Annotated[int, Meta(ge=0, le=2**32 - 1)]
_Limit = Annotated[int, Meta(ge=1, le=2**32 - 1)]
_Seconds = Annotated[int, Meta(ge=0, le=2**32 - 1)]
_Satoshis = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class TemplateError(ValueError):
    """The node's template cannot be mined on; the text names the field."""


class TemplateTransaction(Struct, frozen=True, array_like=True):
    """A transaction that the node put into its template.

    data: serialised with its witness. txid, wtxid: 32 bytes, wire order. sigops: their cost (BIP-0141). weight: in
    weight units.
    """

    data: bytes
    txid: bytes
    wtxid: bytes
    fee_sat: int
    sigops: int
    weight: int


class Template(Struct, frozen=True, array_like=True):
    """A block as the node would have it, without coinbase and proof of work.

    prev_hash: wire order. time, time_min: Unix seconds of the node's clock, and the earliest it takes.
    coinbase_value_sat: subsidy and fees, the most that the coinbase may claim. witness_commitment: the whole output
    script. longpoll_id: opaque; another one means another template. weight_max (weight units) and sigops_max (their
    cost): of the whole block. Source: BIP-0022, BIP-0023, BIP-0145.

    The work role keeps templates on disk for a while: append fields only.
    """

    version: int
    prev_hash: bytes
    height: int
    nbits: int
    time: int
    time_min: int
    coinbase_value_sat: int
    witness_commitment: bytes
    longpoll_id: str
    transactions: tuple[TemplateTransaction, ...]
    weight_max: int = WEIGHT_MAX
    sigops_max: int = SIGOPS_MAX

    @property
    def fees_sat(self) -> int:
        return sum(transaction.fee_sat for transaction in self.transactions)

    def first(self, count: int) -> Template:
        """The same template with its first transactions only; none loses a parent, which stands before its children."""
        kept = self.transactions[:count]
        dropped_sat = sum(transaction.fee_sat for transaction in self.transactions[count:])
        ours = _commitment(kept)
        return msgspec.structs.replace(
            self,
            transactions=kept,
            coinbase_value_sat=self.coinbase_value_sat - dropped_sat,
            witness_commitment=ours + self.witness_commitment[len(ours) :],
        )

    def aged(self, seconds: int) -> Template:
        """The same template as the node would date it that much later."""
        return msgspec.structs.replace(self, time=self.time + seconds)


class _WireTransaction(Struct):
    """A transaction as `getblocktemplate` gives it; `hash` is the wtxid."""

    data: _Hex
    txid: _Hash
    hash: _Hash
    fee: _Satoshis
    sigops: _Count
    weight: _Count


class _WireTemplate(Struct):
    """The fields of `getblocktemplate` that a block depends on. All are required: a missing one cannot be guessed."""

    version: Annotated[int, Meta(ge=-(2**31), le=2**32 - 1)]
    rules: list[str]
    previousblockhash: _Hash
    transactions: list[_WireTransaction]
    coinbasevalue: _Satoshis
    longpollid: Annotated[str, Meta(min_length=1, max_length=256)]
    mintime: _Seconds
    curtime: _Seconds
    bits: Annotated[str, Meta(pattern=r"^[0-9a-f]{8}\Z")]
    height: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    default_witness_commitment: _Hex
    weightlimit: _Limit
    sigoplimit: _Limit


_WIRE = msgspec.json.Decoder(_WireTemplate)


def parse_template(result: bytes | Raw) -> Template:
    """The template in an answer to `getblocktemplate`, which is JSON.

    Raises TemplateError: a field is missing or wrong, a rule is mandatory that we do not know, the fees exceed the
    coinbase's value, or the commitment is not to the witnesses of these transactions.
    """
    try:
        wire = _WIRE.decode(result)
    except msgspec.DecodeError as error:
        raise TemplateError(f"getblocktemplate: {error}") from error
    unknown = [rule for rule in wire.rules if rule.startswith("!") and rule[1:] not in KNOWN_MANDATORY_RULES]
    if unknown:
        raise TemplateError(
            f"getblocktemplate: rules: {', '.join(unknown)} is mandatory and unknown to this version of the pool"
        )
    if wire.curtime < wire.mintime:
        raise TemplateError("getblocktemplate: curtime is before mintime")
    template = Template(
        version=wire.version & 0xFFFF_FFFF,
        prev_hash=_hash(wire.previousblockhash),
        height=wire.height,
        nbits=_nbits(wire.bits),
        time=wire.curtime,
        time_min=wire.mintime,
        coinbase_value_sat=wire.coinbasevalue,
        witness_commitment=_bytes(wire.default_witness_commitment, "default_witness_commitment"),
        longpoll_id=wire.longpollid,
        transactions=tuple(_transaction(each, index) for index, each in enumerate(wire.transactions)),
        weight_max=wire.weightlimit,
        sigops_max=wire.sigoplimit,
    )
    if template.fees_sat > template.coinbase_value_sat:
        raise TemplateError("getblocktemplate: coinbasevalue is less than the fees of the transactions")
    _check_commitment(template)
    return template


def _check_commitment(template: Template) -> None:
    """A wrong commitment costs a block, so it is built again from the wtxids.

    A signet's commitment may go on behind the 38 bytes of BIP-0141 (BIP-0325).
    """
    ours = _commitment(template.transactions)
    if not template.witness_commitment.startswith(ours):
        raise TemplateError(
            "getblocktemplate: default_witness_commitment is not the one of these transactions: "
            f"{template.witness_commitment.hex()} should begin with {ours.hex()}"
        )


def _commitment(transactions: Sequence[TemplateTransaction]) -> bytes:
    return witness_commitment_script(witness_commitment([each.wtxid for each in transactions]))


def _transaction(wire: _WireTransaction, index: int) -> TemplateTransaction:
    return TemplateTransaction(
        data=_bytes(wire.data, f"transactions[{index}].data"),
        txid=_hash(wire.txid),
        wtxid=_hash(wire.hash),
        fee_sat=wire.fee,
        sigops=wire.sigops,
        weight=wire.weight,
    )


def _nbits(bits_hex: str) -> int:
    nbits = int(bits_hex, 16)
    try:
        target_from_nbits(nbits)
    except ValueError as error:
        raise TemplateError(f"getblocktemplate: bits: {error}") from error
    return nbits


def _hash(hash_hex: str) -> bytes:
    """Wire order of a hash that JSON-RPC shows reversed."""
    return bytes.fromhex(hash_hex)[::-1]


def _bytes(data_hex: str, field: str) -> bytes:
    try:
        # Unlike bytes.fromhex it refuses white space.
        return binascii.unhexlify(data_hex)
    except ValueError as error:
        raise TemplateError(f"getblocktemplate: {field}: {error}") from error
