"""One stratum process in the whole pool has an extranonce range: a second one is refused, whichever region it is in.

Two with the same range would give the same work to miners of both, and overwrite each other's sign of life. The claim
stands in Redis. While that is away nobody is refused: mining goes on, and it is made up for later.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall, deferLater
from twisted.internet.threads import deferToThread

from pool.ports import StoreUnavailable
from pool.roles.twisted_role import CannotStart
from pool.store.redis_ranges import Claim

T = TypeVar("T")

RENEW_SECONDS: Final = 1.0
LIFE_SECONDS: Final = 6.0
"""A claim that is not renewed for so long is nobody's: its process is dead or cut off."""

_TRY_SECONDS: Final = 0.5


_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Ranges(Protocol):
    """What is used of `RedisRanges`. Every method blocks and raises StoreUnavailable."""

    def take(self, number: int, claim: Claim, life_ms: int, ended: Claim | None = None) -> Claim: ...
    def release(self, number: int, claim: Claim) -> None: ...


class InThread(Protocol):
    """Runs a function elsewhere: `twisted.internet.threads.deferToThread`."""

    def __call__(self, work: Callable[[], T], /) -> Deferred[T]: ...


def claim_of(holder: str, region: str, frontend: str) -> Claim:
    """The claim of a process with that journal."""
    boot = _BOOT_ID.read_text(encoding="utf-8").strip() if _BOOT_ID.exists() else ""
    return Claim(holder, region, f"{boot}/{frontend}")


class RangeClaim:
    """The claim of this process, from `begin` to `stop`. has_ended: whether a holder's process is gone, if it was one
    of this machine."""

    def __init__(
        self,
        ranges: Ranges,
        number: int,
        claim: Claim,
        has_ended: Callable[[str], bool],
        reactor: Any,
        in_thread: InThread = deferToThread,
    ) -> None:
        self._ranges = ranges
        self._number = number
        self._claim = claim
        self._has_ended = has_ended
        self._reactor = reactor
        self._in_thread = in_thread
        self._loop = LoopingCall(lambda: Deferred.fromCoroutine(self._renew()))
        self._loop.clock = reactor
        self._lost: Deferred[str] = Deferred()

    async def begin(self) -> None:
        """Take the range, after that of a process which has died has faded. Raises CannotStart if another one has
        it."""
        tries = int(LIFE_SECONDS / _TRY_SECONDS) + 2
        for left in reversed(range(tries)):
            other = await self._take()
            if other is None:
                break
            if not left:
                raise CannotStart(self._refusal(other))
            await deferLater(self._reactor, _TRY_SECONDS)
        self._loop.start(RENEW_SECONDS, now=False)

    async def hold(self) -> None:
        """Return never. Raises CannotStart when another process has the range, after a time without Redis."""
        raise CannotStart(await self._lost)

    async def stop(self) -> None:
        """Give it back."""
        if self._loop.running:
            self._loop.stop()
        try:
            await self._in_thread(lambda: self._ranges.release(self._number, self._claim))
        except StoreUnavailable:
            return  # it fades

    async def _renew(self) -> None:
        other = await self._take()
        if other is not None and not self._lost.called:
            self._lost.callback(self._refusal(other))

    async def _take(self) -> Claim | None:
        """Who else has the range; None if it is ours, or nobody can be asked."""
        life_ms = int(LIFE_SECONDS * 1000)

        def take() -> Claim:
            found = self._ranges.take(self._number, self._claim, life_ms)
            # Hosts may have one name, and folders be copied, so only who had this very journal can be told dead by it.
            if found != self._claim and found.place == self._claim.place and self._has_ended(found.holder):
                return self._ranges.take(self._number, self._claim, life_ms, found)
            return found

        try:
            found = await self._in_thread(take)
        except StoreUnavailable:  # the sign of life says so, once
            return None
        return None if found == self._claim else found

    def _refusal(self, other: Claim) -> str:
        host, pid, _ = other.holder.split(":")
        return (
            f"stratum.extranonce_range {self._number} is taken by process {pid} on {host}, of region {other.region}: "
            "both would give their miners the same work; give each stratum process of all regions a number of its own"
        )
