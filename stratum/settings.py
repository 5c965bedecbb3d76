"""What an operator chooses of the stratum role."""

from __future__ import annotations

from msgspec import Struct

from stratum.difficulty import DifficultyBounds


class StratumSettings(Struct, frozen=True):
    """version_mask: bits a miner may roll, by default those of BIP-0320. never_banned: addresses and networks.
    unauthorized_per_address: connections without a worker that one address may have."""

    difficulty: DifficultyBounds
    version_mask: int = 0x1FFFE000
    never_banned: tuple[str, ...] = ()
    unauthorized_per_address: int = 16384
