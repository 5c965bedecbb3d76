"""What the miners remember of a run: the truth that the pool's books are held against."""

from __future__ import annotations

import threading

from msgspec import Struct


class Sent(Struct):
    """One share as its miner knows it. hash: of its header, wire order. is_block: it meets the network's target.

    acknowledged: how often the pool said `true` to it. refused: what else it said, in order.
    """

    hash: bytes
    job_id: str
    login: str
    is_block: bool
    acknowledged: int = 0
    refused: list[str] = []

    @property
    def account(self) -> str:
        """Who is paid for it."""
        return self.login.partition(".")[0]


class Absence(Struct, frozen=True):
    """A miner had no session, or no job in it, from one moment to another of the monotonic clock."""

    login: str
    since: float
    until: float


class Memory:
    """Written by the thread of the miners, read by others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shares: dict[bytes, Sent] = {}
        self._acknowledged_at: list[float] = []
        self._absences: list[Absence] = []

    def sent(self, share_hash: bytes, job_id: str, login: str, is_block: bool) -> None:
        """A share leaves for the pool; perhaps again."""
        with self._lock:
            self._shares.setdefault(share_hash, Sent(share_hash, job_id, login, is_block))

    def acknowledged(self, share_hash: bytes, now: float) -> None:
        """The pool said `true` to it."""
        with self._lock:
            self._shares[share_hash].acknowledged += 1
            self._acknowledged_at.append(now)

    def refused(self, share_hash: bytes, reason: str) -> None:
        """The pool said something else."""
        with self._lock:
            self._shares[share_hash].refused.append(reason)

    def was_away(self, absence: Absence) -> None:
        """A miner is back at work."""
        with self._lock:
            self._absences.append(absence)

    def shares(self) -> list[Sent]:
        """All shares, in the order in which they were first sent."""
        with self._lock:
            return list(self._shares.values())

    def acknowledged_at(self) -> list[float]:
        """When the pool said `true`, rising."""
        with self._lock:
            return list(self._acknowledged_at)

    def absences(self) -> list[Absence]:
        """When miners were away, by the end of it."""
        with self._lock:
            return list(self._absences)
