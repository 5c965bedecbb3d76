"""The endpoints that explain: the figures and words of `steppe explain`."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from msgspec import Struct

from payout.explain.balance import BalanceExplained
from payout.explain.payment import PayoutExplained
from pool.dashboard.answers import Answer, Refusal, encoded
from pool.dashboard.api import Arguments
from pool.dashboard.cache import Cache
from pool.dashboard.ports import SourceUnavailable
from pool.dashboard.query import Parameters, bad_parameter
from pool.explain.reject import RejectExplained
from pool.explain.shares import SPAN_MS_DEFAULT, SPAN_MS_MAX, SharesListed
from pool.explain.words import CreditFigures, Figures, words

F = TypeVar("F", bound=Figures)
T = TypeVar("T")

_ACCOUNT = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_CREDIT = re.compile(r"[A-Za-z0-9:_-]{1,140}", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)
_LOGIN = re.compile(r"[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_.:-]{1,64})?", re.ASCII)
_SHARE = re.compile(r"[0-9a-z]{16}:[1-9][0-9]{0,18}", re.ASCII)


class NotExplained(Exception):
    """There is nothing of that id, or not for who asks. The text says what ids look like."""


class Explaining(Protocol):
    """Where explanations come from. Every method raises NotExplained and SourceUnavailable."""

    async def credit(self, credit_id: str) -> CreditFigures:
        """A credit by its id, as payout.store.explained.CREDIT_IDS says."""

    async def payout(self, number: int, account: str | None) -> PayoutExplained:
        """A payout; account: only its line."""

    async def balance(self, account: str) -> BalanceExplained:
        """What an account has."""

    async def share(self, share_id: str) -> RejectExplained:
        """A share by journal and number."""

    async def shares(self, login: str, from_ms: int, to_ms: int) -> SharesListed:
        """The shares of a worker from one moment up to before another."""


class NoExplaining:
    """Satisfies Explaining where there are no books."""

    async def credit(self, credit_id: str) -> CreditFigures:
        raise SourceUnavailable(f"there are no books to explain {credit_id} by")

    async def payout(self, number: int, account: str | None) -> PayoutExplained:
        raise SourceUnavailable(f"there are no books to explain payout {number} by")

    async def balance(self, account: str) -> BalanceExplained:
        raise SourceUnavailable(f"there are no books to explain the balance of {account} by")

    async def share(self, share_id: str) -> RejectExplained:
        raise SourceUnavailable(f"there are no journals to explain {share_id} by")

    async def shares(self, login: str, from_ms: int, to_ms: int) -> SharesListed:
        raise SourceUnavailable(f"there are no journals with shares of {login}")


class CachedExplaining:
    """`Explaining` behind the cache."""

    def __init__(self, explaining: Explaining, cache: Cache) -> None:
        self._explaining = explaining
        self._cache = cache

    async def credit(self, credit_id: str) -> CreditFigures:
        return await self._cache.get(("explain credit", credit_id), lambda: self._explaining.credit(credit_id))

    async def payout(self, number: int, account: str | None) -> PayoutExplained:
        return await self._cache.get(
            ("explain payout", number, account), lambda: self._explaining.payout(number, account)
        )

    async def balance(self, account: str) -> BalanceExplained:
        return await self._cache.get(("explain balance", account), lambda: self._explaining.balance(account))

    async def share(self, share_id: str) -> RejectExplained:
        return await self._cache.get(("explain share", share_id), lambda: self._explaining.share(share_id))

    async def shares(self, login: str, from_ms: int, to_ms: int) -> SharesListed:
        return await self._cache.get(
            ("explain shares", login, from_ms, to_ms), lambda: self._explaining.shares(login, from_ms, to_ms)
        )


class CreditTold(Struct, frozen=True):
    """A credit explained. words: the same for people, line by line; so below."""

    figures: CreditFigures
    words: tuple[str, ...]


class PayoutTold(Struct, frozen=True):
    """A payout explained."""

    figures: PayoutExplained
    words: tuple[str, ...]


class BalanceTold(Struct, frozen=True):
    """A balance explained."""

    figures: BalanceExplained
    words: tuple[str, ...]


class RejectTold(Struct, frozen=True):
    """A share explained."""

    figures: RejectExplained
    words: tuple[str, ...]


class ExplainApi:
    """The answers below /api/v1/explain."""

    def __init__(self, explaining: Explaining) -> None:
        self._explaining = explaining

    async def credit(self, credit_id: str, arguments: Arguments) -> Answer:
        """How a credit came about."""
        Parameters(arguments, ())
        _check(_CREDIT, credit_id, "a credit is BLOCK:ACCOUNT, pps:ACCOUNT:PERIOD or fpps:DAY:ACCOUNT")
        return await _told(CreditTold, self._explaining.credit(credit_id))

    async def payout(self, number: str, arguments: Arguments) -> Answer:
        """Who is paid by a payout, how far it is and who bore its fee."""
        account = Parameters(arguments, ("account",)).text("account") or None
        _check(_NUMBER, number, "payouts are numbered from 1")
        return await _told(PayoutTold, self._explaining.payout(int(number), account))

    async def balance(self, account: str, arguments: Arguments) -> Answer:
        """How a balance came about, and where each part of it is."""
        Parameters(arguments, ())
        _check(_ACCOUNT, account, "an account has up to 64 letters, digits, _ and -")
        return await _told(BalanceTold, self._explaining.balance(account))

    async def share(self, share_id: str, arguments: Arguments) -> Answer:
        """Why a share was refused."""
        Parameters(arguments, ())
        _check(_SHARE, share_id, "a share is JOURNAL:NUMBER, as /api/v1/workers/LOGIN lists them")
        return await _told(RejectTold, self._explaining.share(share_id))

    async def shares(self, login: str, arguments: Arguments) -> Answer:
        """The shares of a worker in a short time."""
        parameters = Parameters(arguments, ("from", "to"))
        from_ms = parameters.instant("from", -1)
        if from_ms < 0:
            raise bad_parameter("from", "is missing", "Give the time of the share, as 2026-12-01T09:00Z.")
        to_ms = parameters.instant("to", from_ms + SPAN_MS_DEFAULT)
        if not from_ms < to_ms <= from_ms + SPAN_MS_MAX:
            raise bad_parameter("to", "is too early or too late", "At most ten minutes after from.")
        _check(_LOGIN, login, "a login is ACCOUNT.WORKER")
        return encoded(await _found(self._explaining.shares(login, from_ms, to_ms)))


async def _told(kind: Callable[[F, tuple[str, ...]], Struct], explained: Awaitable[F]) -> Answer:
    figures = await _found(explained)
    return encoded(kind(figures, tuple(words(figures))))


async def _found(explained: Awaitable[T]) -> T:
    try:
        return await explained
    except NotExplained as error:
        raise _unknown(str(error)) from error
    except SourceUnavailable as error:
        message = f"This cannot be answered now. database: {error}"
        raise Refusal(503, "unavailable", message, "Try again in a few seconds.") from error


def _check(form: re.Pattern[str], name: str, looks: str) -> None:
    if not form.fullmatch(name):
        raise _unknown(f"{name[:80]!r} is none: {looks}")


def _unknown(text: str) -> Refusal:
    return Refusal(404, "unknown", f"There is nothing to explain: {text}.", "The tables list what there is.")
