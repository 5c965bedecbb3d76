"""The hashes of accepted shares in plain Python: the definition of `native.seen`."""

from __future__ import annotations

from typing import Final

REMEMBERED_BYTES: Final = 12
"""Of a hash: enough that two never meet by chance. They are its first in wire order, which no miner can choose."""


class SeenHashes:
    """Which hashes were there before: by it a share is known that comes again. It only forgets what it is told to.

    Hashes are 32 bytes in wire order; raises ValueError on other lengths. In the compiled twin a hash takes 12 to 32
    bytes of memory, 16 to 24 most of the time.
    """

    def __init__(self) -> None:
        self._hashes: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._hashes)

    def add(self, digest: bytes) -> bool:
        """Remember a hash. Returns whether it is new."""
        remembered = _remembered(digest)
        if remembered in self._hashes:
            return False
        self._hashes.add(remembered)
        return True

    def discard(self, digest: bytes) -> None:
        """Forget a hash, if it is there."""
        self._hashes.discard(_remembered(digest))


def _remembered(digest: bytes) -> bytes:
    if len(digest) != 32:
        raise ValueError("digest must be 32 bytes")
    return digest[:REMEMBERED_BYTES]
