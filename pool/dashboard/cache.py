"""One second of memory before the two ports: ten thousand page views cost one read, and hardly anybody waits for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from payout.solvency import Solvency
from payout.statement import Statement
from payout.store.luck import GroupReport
from payout.store.payout_reports import PayoutDetail, PayoutsPage
from pool.dashboard.ports import Books, Fleets, Live, SourceUnavailable
from pool.dashboard.rows import AccountCredit, Block, BlockDetail, BookAccount, LiveView, Reject, Totals
from pool.fleet.register import Register
from pool.ports import Clock
from pool.stats.history import Rings

T = TypeVar("T")

FRESH_SECONDS = 1.0
"""How long an answer is given again. Half of the page's own interval of two seconds, so that it never sees the same
statistics twice in a row."""

PATIENCE_SECONDS = 5.0
"""How long a reader waits for a source. Longer than any healthy read, shorter than a person's patience."""

WARM_SECONDS = 60.0
"""What is kept warm is read again each second until nobody has asked for so long. A page asks each two seconds, a
scraper each fifteen or thirty."""

STALE_SECONDS = 3.0
"""So old an answer may be, of what is kept warm, that is given while the next is read."""

ENTRIES_MAX = 256
"""Different questions remembered at once. A page asks about five; the bound is against someone who walks through all
blocks."""


class _Entry:
    """One question: its last outcome, and who waits for the next."""

    __slots__ = ("asked", "fresh_until", "outcome", "reading", "reading_since", "timed", "waiting")

    def __init__(self) -> None:
        self.asked = 0.0
        self.outcome: Any = None
        self.fresh_until = float("-inf")
        self.reading = False
        self.reading_since = 0.0
        self.timed = False
        self.waiting: list[Deferred[None]] = []


class Cache:
    """Shares one read among all who ask the same question within a second, failures included. reactor: an
    IReactorTime."""

    def __init__(self, clock: Clock, reactor: Any) -> None:
        self._clock = clock
        self._reactor = reactor
        self._entries: dict[Hashable, _Entry] = {}

    async def get(self, question: Hashable, read: Callable[[], Awaitable[T]], *, warm: bool = False) -> T:
        """The answer of `read`, at most a second old. Raises what read raised, or SourceUnavailable when it takes too
        long; the late answer still serves the next reader.

        warm: read it again by itself while it is asked for, so that nobody waits; an answer may then be as old as a
        read takes longer, up to STALE_SECONDS.
        """
        entry = self._entry(question)
        now = entry.asked = self._clock.monotonic()
        if now >= entry.fresh_until:
            self._begin(entry, read, warm)
            if entry.reading and not (warm and now < entry.fresh_until - FRESH_SECONDS + STALE_SECONDS):
                await self._wait(entry, now)
        if isinstance(entry.outcome, Exception):
            raise entry.outcome
        outcome: T = entry.outcome
        return outcome

    def _entry(self, question: Hashable) -> _Entry:
        entry = self._entries.pop(question, None)
        if entry is None:
            entry = _Entry()
            if len(self._entries) >= ENTRIES_MAX:
                del self._entries[next(iter(self._entries))]
        self._entries[question] = entry  # the last place: the first is the one that nobody asked for the longest
        return entry

    async def _wait(self, entry: _Entry, now: float) -> None:
        if now - entry.reading_since >= PATIENCE_SECONDS:
            raise _too_slow()  # at once: whoever comes now need not find out by waiting too
        waiter: Deferred[None] = Deferred()
        waiter.addTimeout(PATIENCE_SECONDS, self._reactor, onTimeoutCancel=_give_up)
        entry.waiting.append(waiter)
        await waiter

    def _begin(self, entry: _Entry, read: Callable[[], Awaitable[T]], warm: bool) -> None:
        if not entry.reading:
            entry.reading, entry.reading_since = True, self._clock.monotonic()
            Deferred.fromCoroutine(self._read(entry, read, warm))

    def _again(self, entry: _Entry, read: Callable[[], Awaitable[T]]) -> None:
        entry.timed = False
        if self._clock.monotonic() - entry.asked < WARM_SECONDS:
            self._begin(entry, read, warm=True)

    async def _read(self, entry: _Entry, read: Callable[[], Awaitable[T]], warm: bool) -> None:
        try:
            entry.outcome = await read()
        except Exception as error:  # noqa: BLE001 - every reader raises it again
            entry.outcome = error
        entry.fresh_until = self._clock.monotonic() + FRESH_SECONDS
        entry.reading = False
        waiting, entry.waiting = entry.waiting, []
        for waiter in waiting:
            if not waiter.called:
                waiter.callback(None)
        if warm and not entry.timed:
            entry.timed = True
            self._reactor.callLater(FRESH_SECONDS, self._again, entry, read)


def _too_slow() -> SourceUnavailable:
    return SourceUnavailable(f"no answer within {PATIENCE_SECONDS:.0f} s: overloaded or hanging; see its log")


def _give_up(_result: object, _seconds: float) -> None:
    raise _too_slow()


class CachedLive:
    """`Live` behind the cache."""

    def __init__(self, live: Live, cache: Cache) -> None:
        self._live = live
        self._cache = cache

    async def view(self) -> LiveView:
        return await self._cache.get("live", self._live.view, warm=True)

    async def history(self) -> Rings:
        return await self._cache.get("history", self._live.history)

    async def rejects(self, login: str) -> tuple[Reject, ...]:
        return await self._cache.get(("rejects", login), lambda: self._live.rejects(login))


class CachedFleets:
    """`Fleets` behind the cache."""

    def __init__(self, fleets: Fleets, cache: Cache) -> None:
        self._fleets = fleets
        self._cache = cache

    async def register(self) -> Register:
        return await self._cache.get("fleets", self._fleets.register, warm=True)


class CachedBooks:
    """`Books` behind the cache."""

    def __init__(self, books: Books, cache: Cache) -> None:
        self._books = books
        self._cache = cache

    async def totals(self) -> Totals:
        return await self._cache.get("totals", self._books.totals, warm=True)

    async def accounts(self) -> tuple[BookAccount, ...]:
        return await self._cache.get("accounts", self._books.accounts, warm=True)

    async def account_credits(self, name: str, count: int) -> tuple[AccountCredit, ...]:
        question = ("account_credits", name, count)
        return await self._cache.get(question, lambda: self._books.account_credits(name, count))

    async def blocks(self, state: str | None, offset: int, count: int) -> tuple[Block, ...]:
        question = ("blocks", state, offset, count)
        return await self._cache.get(question, lambda: self._books.blocks(state, offset, count))

    async def block(self, hash_hex: str) -> BlockDetail | None:
        return await self._cache.get(("block", hash_hex), lambda: self._books.block(hash_hex))

    async def statement(self, name: str, from_ms: int, to_ms: int, last_row: int | None, changes_max: int) -> Statement:
        # Not kept: one may have megabytes, hardly anybody asks for the same, and its end is now.
        return await self._books.statement(name, from_ms, to_ms, last_row, changes_max)

    async def solvency(self) -> Solvency:
        return await self._cache.get("solvency", self._books.solvency)

    async def payouts(self, offset: int, count: int) -> PayoutsPage:
        return await self._cache.get(("payouts", offset, count), lambda: self._books.payouts(offset, count))

    async def luck(self) -> tuple[GroupReport, ...]:
        return await self._cache.get("luck", self._books.luck)

    async def payout(self, payout_id: int) -> PayoutDetail | None:
        return await self._cache.get(("payout", payout_id), lambda: self._books.payout(payout_id))
