"""What an operator chooses of the stratum role."""

from __future__ import annotations

from msgspec import Struct

from stratum.difficulty import DifficultyBounds


class StratumSettings(Struct, frozen=True):
    """version_mask: bits a miner may roll, by default those of BIP-0320."""

    difficulty: DifficultyBounds
    version_mask: int = 0x1FFFE000
