"""What the server needs of the outside world."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pool.work.job import Job
from pool.work.share import Share
from stratum.difficulty import DifficultyBounds
from stratum.session import Session


class Extranonces(Protocol):
    """Where a session gets its extranonce1: no two live sessions of the pool hold the same."""

    def take(self) -> bytes:
        """EXTRANONCE1_BYTES that no live session holds."""

    def hold(self, extranonce1: bytes) -> bool:
        """Give a session that comes back the value it had; False if it is none of ours or another session holds it."""

    def release(self, extranonce1: bytes) -> None:
        """The session that held it is gone."""


class FoundBlocks(Protocol):
    """Where the share of a block is safe from the death of this process until the journal has it. Does not raise."""

    def note(self, share: Share, job: Job) -> None:
        """A block is on its way to the nodes."""

    def settle(self, block_hash: bytes) -> None:
        """The journal has its share. block_hash: wire order."""


class Timers(Protocol):
    """What the server needs of a reactor."""

    def callLater(self, delay: float, callable: Callable[..., object], *args: object) -> object:  # noqa: N802 - Twisted's name
        """Twisted's `IReactorTime.callLater`."""

    def soon(self, callable: Callable[[], object]) -> object:
        """Call it at the end of this turn, when all that has come meanwhile is read. It does not raise."""


class Link(Protocol):
    """A connection, as its Twisted protocol offers it."""

    session: Session
    remote_address: str
    read_since: int
    """In which second, as the warden counts them, its session's `flow.read_bytes` began."""

    bounds: DifficultyBounds
    """Of its port's difficulty."""

    def flush(self) -> None:
        """Write what the session has outgoing, in one piece."""

    def spare_handle(self) -> int | None:
        """The socket's file descriptor, for another process to go on with; None if that cannot be: over TLS, or while
        something is not written yet."""

    def close(self) -> None:
        """End the connection once everything is written."""

    def abort(self) -> None:
        """Reset the connection now."""

    def pause(self) -> None:
        """Read nothing more until resumed as often as paused."""

    def resume(self) -> None:
        """Read again."""


class Neighbours(Protocol):
    """The other stratum processes of this machine."""

    def pass_on(self, link: Link, extranonce1: bytes, early: bytes) -> bool:
        """Give a connection to the process that this extranonce1 is of, with all that was received over it so far, in
        the same turn in which it is closed here. What came before the subscription is answered. False if that cannot
        be."""
