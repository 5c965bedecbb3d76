"""Who is shut out for a while: first only a session ends, then a worker is refused, then an address.

An offence is what no honest miner does. Whoever brought an accepted share within the hour is never shut out, neither
worker nor address: so one bad machine costs a farm behind one address nothing but that machine's session. Stale shares,
TLS hellos, other bytes that are no JSON, and coming back in a loop are no offences. A ban is short, doubles when it did
not help, and ends by itself. Knows no clock: `now` is monotonic seconds.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, TypeVar

from msgspec import Struct

from stratum.limits import (
    ADDRESS_OFFENCES_MAX,
    BAN_MEMORY_SECONDS,
    BAN_SECONDS,
    BAN_SECONDS_MAX,
    GOOD_SECONDS,
    OFFENCE_SECONDS,
    OFFENDERS_MAX,
    WORKER_OFFENCES_MAX,
)
from stratum.sources import Sources

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Key = tuple[str, str | None]
"""An origin, and a login there; None for all of the origin. A login alone would let anyone get another's banned."""

# As many as fit a pool several times over: workers and addresses that mined within the hour.
_GOOD_MAX: Final = 4 * OFFENDERS_MAX


class Ban(Struct, frozen=True):
    """A new ban. login: whose; None for the whole origin."""

    origin: str
    login: str | None
    seconds: float


class _Offender:
    """What one key did lately."""

    __slots__ = ("bans", "offences", "since", "until")

    def __init__(self, now: float) -> None:
        self.offences = 0
        self.since = now
        self.bans = 0
        self.until = now


def origin_of(address: str) -> str:
    """What a ban of an address is about: an address of IPv4, or the /64 of one of IPv6, of which a host has all."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network((address, 64), strict=False))
    except ValueError:
        return address


class Bans:
    """Offences and bans by key. never: origins in these networks are never banned. Its memory is bounded: who was
    quiet longest is forgotten first."""

    def __init__(self, never: Sources) -> None:
        self._never = never
        self._offenders: OrderedDict[Key, _Offender] = OrderedDict()
        self._good: OrderedDict[Key, float] = OrderedDict()

    def until(self, origin: str, login: str | None, now: float) -> float | None:
        """When the ban of exactly this key ends; None if there is none. Ask for the origin, then for its login."""
        offender = self._offenders.get((origin, login))
        return offender.until if offender is not None and offender.until > now else None

    def proved_good(self, origin: str, login: str, now: float) -> None:
        """A share of it was accepted."""
        for key in ((origin, login), (origin, None)):
            _put(self._good, key, now + GOOD_SECONDS, _GOOD_MAX)
            self._offenders.pop(key, None)

    def offended(self, address: str, login: str | None, now: float, is_good: Callable[[Key], bool]) -> list[Ban]:
        """Count an offence of a session; returns the bans that follow from it.

        login: the session's one worker, None if it has none or several. is_good: whether a live session of that key
        has an accepted share; asked only when a ban is due.
        """
        if address in self._never:
            return []
        origin = origin_of(address)
        keys: list[tuple[Key, int]] = [((origin, None), ADDRESS_OFFENCES_MAX)]
        if login is not None:
            keys.insert(0, ((origin, login), WORKER_OFFENCES_MAX))
        return [ban for key, limit in keys if (ban := self._count(key, limit, now, is_good)) is not None]

    def _count(self, key: Key, limit: int, now: float, is_good: Callable[[Key], bool]) -> Ban | None:
        offender = self._offenders.get(key)
        if offender is None or now - max(offender.since, offender.until) > BAN_MEMORY_SECONDS:
            offender = _Offender(now)
        _put(self._offenders, key, offender, OFFENDERS_MAX)
        if now - offender.since > OFFENCE_SECONDS:
            offender.since, offender.offences = now, 0
        offender.offences += 1
        if offender.offences < limit or offender.until > now:
            return None
        offender.since, offender.offences = now, 0
        if self._good.get(key, now) > now or is_good(key):
            return None
        seconds = min(BAN_SECONDS * 2.0**offender.bans, BAN_SECONDS_MAX)
        offender.bans += 1
        offender.until = now + seconds
        return Ban(key[0], key[1], seconds)


def _put(table: OrderedDict[K, V], key: K, value: V, size_max: int) -> None:
    """Keep it as the newest; the oldest makes room."""
    table[key] = value
    table.move_to_end(key)
    if len(table) > size_max:
        table.popitem(last=False)
