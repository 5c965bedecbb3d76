"""The compact form of a target (nBits); read once per job, so both twins share this one."""

from typing import Final

SIGN_BIT: Final = 0x00800000
MANTISSA_MASK: Final = 0x007FFFFF


def target_from_nbits(nbits: int) -> bytes:
    """The 32 bytes, little-endian, of the target that nBits stands for.

    Raises ValueError if nBits is not an unsigned 32-bit integer, or if its target is zero, negative or above
    2**256 - 1: no hash may be judged by such a target. Source: Bitcoin Core, `arith_uint256::SetCompact` and
    `DeriveTarget` in `pow.cpp`.
    """
    if not 0 <= nbits < 1 << 32:
        raise ValueError("nbits must be from 0 to 2**32 - 1")
    exponent = nbits >> 24
    mantissa = nbits & MANTISSA_MASK
    # The exponent counts the bytes of the number, of which the mantissa holds the first three.
    target = mantissa << 8 * (exponent - 3) if exponent > 3 else mantissa >> 8 * (3 - exponent)
    if target == 0:
        raise ValueError(f"nbits 0x{nbits:08x} is a target of zero")
    if nbits & SIGN_BIT:
        raise ValueError(f"nbits 0x{nbits:08x} is a negative target")
    if target >= 1 << 256:
        raise ValueError(f"nbits 0x{nbits:08x} is a target above 2**256 - 1")
    return target.to_bytes(32, "little")
