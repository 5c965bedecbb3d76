"""The coinbase transaction as two halves round the extranonce."""

from __future__ import annotations

from msgspec import Struct

from pool.bitcoin.script import push, push_height
from pool.bitcoin.transaction import Output, compact_size, serialise_outputs
from pool.work.extranonce import EXTRANONCE1_BYTES, EXTRANONCE2_BYTES
from pool.work.template import Template

# Bound of consensus for the script of a coinbase. Source: Bitcoin Core, `CheckTransaction`, "bad-cb-length".
SCRIPT_BYTES_MAX = 100

_HEIGHT_PUSH_BYTES_MAX = 5
# A job id, and the mark of a variant (pool.work.variant).
SALT_BYTES_MAX = 8 + 4
EXTRANONCE_BYTES = EXTRANONCE1_BYTES + EXTRANONCE2_BYTES
_PUSH_OPCODE_BYTES = 1

# What is left for the tag in the worst case. With it the whole transaction has at most 241 bytes when it pays one
# script of today's address types: some ESP32 firmware cuts at 255 (NerdMiner_v2, `utils.cpp`).
TAG_BYTES_MAX = (
    SCRIPT_BYTES_MAX
    - _HEIGHT_PUSH_BYTES_MAX
    - (_PUSH_OPCODE_BYTES + SALT_BYTES_MAX)
    - (_PUSH_OPCODE_BYTES + EXTRANONCE_BYTES)
    - _PUSH_OPCODE_BYTES
)

_VERSION = (2).to_bytes(4, "little")
_NO_OUTPOINT = bytes(32) + b"\xff" * 4
_SEQUENCE = b"\xff" * 4
_LOCKTIME = bytes(4)


class Coinbase(Struct, frozen=True):
    """What the operator decides of a coinbase: the script that takes the reward, and a tag for people (up to 68
    bytes)."""

    payout_script: bytes
    tag: bytes = b""

    def __post_init__(self) -> None:
        if not self.payout_script:
            raise ValueError("a coinbase pays a script, not an empty one: anybody could take it")
        if len(self.tag) > TAG_BYTES_MAX:
            raise ValueError(f"a coinbase tag has at most {TAG_BYTES_MAX} bytes, not {len(self.tag)}")


def halves(coinbase: Coinbase, template: Template, salt: bytes) -> tuple[bytes, bytes]:
    """The transaction without witness, before and behind the extranonce (12 bytes).

    salt: 1 to 12 bytes that no other job has, so that two jobs of one template share no header. The height is the first
    push (BIP-0034) and stands in the first half, all outputs in the second: some firmware shows both.

    Everything in the script is pushed. Bare bytes would be read as opcodes, and their sigops count against the block's
    limit: a random extranonce could make a block invalid (Bitcoin Core, `GetLegacySigOpCount`, "bad-blk-sigops").
    """
    if len(salt) > SALT_BYTES_MAX:
        raise ValueError(f"a salt has at most {SALT_BYTES_MAX} bytes, not {len(salt)}")
    tag = push(coinbase.tag) if coinbase.tag else b""
    script = push_height(template.height) + tag + push(salt) + bytes([EXTRANONCE_BYTES])
    outputs = (
        Output(value_sat=template.coinbase_value_sat, script=coinbase.payout_script),
        Output(value_sat=0, script=template.witness_commitment),
    )
    first = _VERSION + compact_size(1) + _NO_OUTPOINT + compact_size(len(script) + EXTRANONCE_BYTES) + script
    return first, _SEQUENCE + serialise_outputs(outputs) + _LOCKTIME
