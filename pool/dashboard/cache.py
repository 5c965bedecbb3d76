"""One second of memory before the two ports: ten thousand page views cost one read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from payout.store.payout_reports import PayoutDetail, PayoutsPage
from pool.dashboard.ports import Books, Live, SourceUnavailable
from pool.dashboard.rows import AccountCredit, Block, BlockDetail, BookAccount, LiveView, Reject, Totals
from pool.ports import Clock

T = TypeVar("T")

FRESH_SECONDS = 1.0
"""How long an answer is given again. Half of the page's own interval of two seconds, so that it never sees the same
statistics twice in a row."""

PATIENCE_SECONDS = 5.0
"""How long a reader waits for a source. Longer than any healthy read, shorter than a person's patience."""

ENTRIES_MAX = 256
"""Different questions remembered at once. A page asks about five; the bound is against someone who walks through all
blocks."""


class _Entry:
    """One question: its last outcome, and who waits for the next."""

    __slots__ = ("fresh_until", "outcome", "reading", "reading_since", "waiting")

    def __init__(self) -> None:
        self.outcome: Any = None
        self.fresh_until = float("-inf")
        self.reading = False
        self.reading_since = 0.0
        self.waiting: list[Deferred[None]] = []


class Cache:
    """Shares one read among all who ask the same question within a second, failures included. reactor: an
    IReactorTime."""

    def __init__(self, clock: Clock, reactor: Any) -> None:
        self._clock = clock
        self._reactor = reactor
        self._entries: dict[Hashable, _Entry] = {}

    async def get(self, question: Hashable, read: Callable[[], Awaitable[T]]) -> T:
        """The answer of `read`, at most a second old. Raises what read raised, or SourceUnavailable when it takes too
        long; the late answer still serves the next reader."""
        entry = self._entry(question)
        now = self._clock.monotonic()
        if now >= entry.fresh_until:
            if not entry.reading:
                entry.reading, entry.reading_since = True, now
                Deferred.fromCoroutine(self._read(entry, read))
            if entry.reading:
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

    async def _read(self, entry: _Entry, read: Callable[[], Awaitable[T]]) -> None:
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
        return await self._cache.get("live", self._live.view)

    async def rejects(self, login: str) -> tuple[Reject, ...]:
        return await self._cache.get(("rejects", login), lambda: self._live.rejects(login))


class CachedBooks:
    """`Books` behind the cache."""

    def __init__(self, books: Books, cache: Cache) -> None:
        self._books = books
        self._cache = cache

    async def totals(self) -> Totals:
        return await self._cache.get("totals", self._books.totals)

    async def accounts(self) -> tuple[BookAccount, ...]:
        return await self._cache.get("accounts", self._books.accounts)

    async def account_credits(self, name: str, count: int) -> tuple[AccountCredit, ...]:
        question = ("account_credits", name, count)
        return await self._cache.get(question, lambda: self._books.account_credits(name, count))

    async def blocks(self, state: str | None, offset: int, count: int) -> tuple[Block, ...]:
        question = ("blocks", state, offset, count)
        return await self._cache.get(question, lambda: self._books.blocks(state, offset, count))

    async def block(self, hash_hex: str) -> BlockDetail | None:
        return await self._cache.get(("block", hash_hex), lambda: self._books.block(hash_hex))

    async def payouts(self, offset: int, count: int) -> PayoutsPage:
        return await self._cache.get(("payouts", offset, count), lambda: self._books.payouts(offset, count))

    async def payout(self, payout_id: int) -> PayoutDetail | None:
        return await self._cache.get(("payout", payout_id), lambda: self._books.payout(payout_id))
