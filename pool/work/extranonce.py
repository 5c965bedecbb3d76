"""The space that the sessions of a pool share out among themselves in the coinbase."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

# extranonce1 is ours, one per session; extranonce2 the miner's, in the size that every known firmware takes.
EXTRANONCE1_BYTES = 4
EXTRANONCE2_BYTES = 8

RANGES = 256
_HALF_BITS = 12
_HALF = (1 << _HALF_BITS) - 1
RANGE_SIZE = 1 << 2 * _HALF_BITS

# Values that are set aside at once. A restart skips what is left of them: after 4096 restarts, or 16 million sessions,
# the range begins anew, by which time no job of then is alive.
STRIDE = 4096


class ExtranoncesExhausted(Exception):
    """Every value of the range is held by a live session."""


def keyed_permutation(key: bytes) -> Callable[[int], int]:
    """A permutation of the counters of a range that only the key's holder knows: four Feistel rounds (Luby and
    Rackoff)."""

    def permute(counter: int) -> int:
        left, right = counter >> _HALF_BITS, counter & _HALF
        for round_number in range(4):
            data = bytes([round_number]) + right.to_bytes(2, "big")
            digest = hmac.new(key, data, hashlib.sha256).digest()
            left, right = right, left ^ (int.from_bytes(digest[:2], "big") & _HALF)
        return left << _HALF_BITS | right

    return permute


class ExtranonceRange:
    """One process's extranonce1 values: its range in the first byte, a 24-bit counter behind it.

    range_id: 0 to 255, one per stratum process of the pool, on whatever machine. reserved: the first counter that no
    earlier run can have used, or 0. reserve: called with the counter below which everything may be used from now on;
    returns when that is safe from a crash. scramble: a permutation of the counters that nobody can guess, so that
    nobody can hash for a session to come.
    """

    def __init__(
        self, range_id: int, reserved: int, reserve: Callable[[int], None], scramble: Callable[[int], int] = int
    ) -> None:
        if not 0 <= range_id < RANGES:
            raise ValueError(f"an extranonce range is from 0 to {RANGES - 1}: {range_id}")
        if not 0 <= reserved < RANGE_SIZE:
            raise ValueError(f"a reserved extranonce counter is from 0 to {RANGE_SIZE - 1}: {reserved}")
        self._prefix = bytes([range_id])
        self._next = self._reserved = reserved
        self._reserve = reserve
        self._scramble = scramble
        self._held: set[bytes] = set()

    def take(self) -> bytes:
        """Four bytes that no live session holds, nor had one shortly before a restart.

        Raises ExtranoncesExhausted, and what `reserve` raises.
        """
        if len(self._held) == RANGE_SIZE:
            raise ExtranoncesExhausted
        while True:
            extranonce1 = self._step()
            if extranonce1 not in self._held:
                self._held.add(extranonce1)
                return extranonce1

    def hold(self, extranonce1: bytes) -> bool:
        """Give a session that comes back the value it had; False if it is none of ours or another session holds it."""
        if len(extranonce1) != EXTRANONCE1_BYTES or extranonce1[:1] != self._prefix or extranonce1 in self._held:
            return False
        self._held.add(extranonce1)
        return True

    def release(self, extranonce1: bytes) -> None:
        """Its session is gone; the value comes back when the counter has gone round."""
        self._held.discard(extranonce1)

    def _step(self) -> bytes:
        if self._next == self._reserved:
            reserved = (self._reserved + STRIDE) % RANGE_SIZE
            self._reserve(reserved)
            self._reserved = reserved
        counter, self._next = self._next, (self._next + 1) % RANGE_SIZE
        return self._prefix + self._scramble(counter).to_bytes(EXTRANONCE1_BYTES - 1, "big")
