"""What paying to a script costs, and what is too little to pay. Source: docs/payouts.md 3.6."""

from __future__ import annotations

from msgspec import Struct

from payout.accounts import AccountRefused

DUST_TIMES_MIN = 100
COST_TIMES_MIN = 20
"""An output below a hundred times dust, or twenty times what it costs, is a waste of fees."""

VBYTES_PER_KVB = 1000


class OutputKind(Struct, frozen=True):
    """A kind of output script.

    dust_sat: below it nodes do not relay it, at Bitcoin Core's 3 sat/vB. vbytes: of the output in a transaction.
    """

    name: str
    dust_sat: int
    vbytes: int


P2PKH = OutputKind("P2PKH", 546, 34)
P2SH = OutputKind("P2SH", 540, 32)
P2WPKH = OutputKind("P2WPKH", 294, 31)
P2WSH = OutputKind("P2WSH", 330, 43)
P2TR = OutputKind("P2TR", 330, 43)


_SHAPES = (
    (P2PKH, b"\x76\xa9\x14", 20, b"\x88\xac"),
    (P2SH, b"\xa9\x14", 20, b"\x87"),
    (P2WPKH, b"\x00\x14", 20, b""),
    (P2WSH, b"\x00\x20", 32, b""),
    (P2TR, b"\x51\x20", 32, b""),
)
"""Beginning, bytes of hash or key, and end of each. Source: Bitcoin Core, `solver.cpp`."""


def output_kind(script: bytes) -> OutputKind:
    """The kind of a script. Raises AccountRefused for one that the pool does not pay."""
    for kind, begin, middle, end in _SHAPES:
        if len(script) == len(begin) + middle + len(end) and script.startswith(begin) and script.endswith(end):
            return kind
    raise AccountRefused(f"only {', '.join(kind.name for kind, *_ in _SHAPES)} are paid, not a script of another kind")


def is_native_segwit(script: bytes) -> bool:
    """Whether spending it leaves the scriptSig empty, so that a transaction has its id before it is signed."""
    return len(script) in (22, 34) and script[:2] in (b"\x00\x14", b"\x00\x20", b"\x51\x20")


def fee_sat(vbytes: int, fee_rate_sat_kvb: int) -> int:
    """What so many vbytes cost, rounded up."""
    return -(-vbytes * fee_rate_sat_kvb // VBYTES_PER_KVB)


def payout_min_sat(kind: OutputKind, fee_rate_sat_kvb: int) -> int:
    """The least that is worth an output of this kind at a fee rate."""
    return max(DUST_TIMES_MIN * kind.dust_sat, COST_TIMES_MIN * fee_sat(kind.vbytes, fee_rate_sat_kvb))
