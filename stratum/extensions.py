"""BIP-0310: what a miner may negotiate with mining.configure before it mines."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
from msgspec import Struct

from stratum.difficulty import parse_difficulty
from stratum.messages import Configure

_MASK: Final = re.compile(r"[0-9a-fA-F]{1,8}")


class VersionRolling(Struct, frozen=True):
    """What the miner asks: bits of the header version that it wants to roll, and how many of them it needs."""

    mask: int
    bits_min: int

    def granted(self, allowed: int, version: int) -> int:
        """Bits that may be rolled on jobs of this version: ours and the miner's, never one that the template sets; 0 if
        they are fewer than the miner needs.

        BIP-0310 replaces the masked bits, cgminer and ckpool OR them, esp-miner sends an XOR: the three agree only
        where the job's bits are zero.
        """
        mask = allowed & self.mask & ~version
        return mask if mask.bit_count() >= self.bits_min else 0


class Wishes(Struct, frozen=True):
    """What a mining.configure asks, as values. names: every extension it mentions, in its order."""

    names: tuple[str, ...]
    version_rolling: VersionRolling | None = None
    minimum_difficulty: float | None = None


def read_wishes(request: Configure) -> Wishes:
    """The extensions with their options; one with options that make no sense counts as not understood."""
    options = request.options
    names = tuple(dict.fromkeys(request.extensions))
    return Wishes(
        names=names,
        version_rolling=_version_rolling(options) if "version-rolling" in names else None,
        minimum_difficulty=parse_difficulty(options.get("minimum-difficulty.value"))
        if "minimum-difficulty" in names
        else None,
    )


def encode_answer(wishes: Wishes, mask: int, minimum_granted: bool) -> bytes:
    """Result of mining.configure: every extension asked for, true or false; unknown ones are no error."""
    known = {
        "version-rolling": mask != 0,
        "minimum-difficulty": minimum_granted,
        "subscribe-extranonce": True,
        "info": True,
    }
    answer: dict[str, bool | str] = {name: known.get(name, False) for name in wishes.names}
    if answer.get("version-rolling"):
        answer["version-rolling.mask"] = f"{mask:08x}"
    return msgspec.json.encode(answer)


def _version_rolling(options: dict[str, Any]) -> VersionRolling | None:
    mask = options.get("version-rolling.mask", "ffffffff")
    bits_min = options.get("version-rolling.min-bit-count", 0)
    if not isinstance(mask, str) or not _MASK.fullmatch(mask):
        return None
    if not isinstance(bits_min, int) or isinstance(bits_min, bool):
        return None
    return VersionRolling(int(mask, 16), bits_min)
