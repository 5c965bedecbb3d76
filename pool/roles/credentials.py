"""Credentials and the log of access for the dashboard, in threads of the web role."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from payout.ports import LedgerUnavailable
from pool.access.credential import Credential, Directory, Wish
from pool.access.log import Excerpt, Sought
from pool.access.password import matches
from pool.dashboard.ports import SourceUnavailable
from pool.dashboard.threads import InThread
from pool.roles.access import AccessBooks

T = TypeVar("T")


class ThreadedCredentials:
    """Satisfies pool.dashboard.access.ports.Credentials."""

    def __init__(self, books: AccessBooks, in_thread: InThread) -> None:
        self._books = books
        self._in_thread = in_thread

    async def directory(self) -> Directory:
        return await self._ask(self._books.directory)

    async def check_password(self, kept: str | None, password: str) -> bool:
        return await self._in_thread(lambda: matches(kept, password))

    async def log_in(self, by: Credential, who: str, origin: str) -> str:
        return await self._ask(lambda: self._books.log_in(by, who, origin))

    async def issue(self, wished: Wish, who: str, origin: str) -> tuple[int, str]:
        return await self._ask(lambda: self._books.issue(wished, who, origin))

    async def revoke(self, number: int, who: str, origin: str) -> Credential:
        return await self._ask(lambda: self._books.revoke(number, who, origin))

    async def record(self, who: str, action: str, target: str, origin: str, result: str) -> None:
        await self._ask(lambda: self._books.record(who, action, target, origin, result))

    async def entries(self, offset: int, count: int, sought: Sought) -> Excerpt:
        return await self._ask(lambda: self._books.entries(offset, count, sought))

    async def _ask(self, work: Callable[[], T]) -> T:
        answer: Awaitable[T] = self._in_thread(work)
        try:
            return await answer
        except LedgerUnavailable as unavailable:
            raise SourceUnavailable(str(unavailable)) from unavailable
