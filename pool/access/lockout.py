"""Who failed to log in too often, and has to wait: by address and by name, for longer each time, never for good.

A name is locked for strangers only: from an address where it was right before, it stays open, so nobody can keep an
operator out by failing in his name. And who has the pool's own machine needs no password: `steppe operator link`.
"""

from __future__ import annotations

import ipaddress

from msgspec import Struct

FREE_FAILURES = 5
"""Failures before the first wait."""

WAIT_SECONDS = 30.0
WAIT_SECONDS_MAX = 900.0
"""The first wait, twice as long with each failure after it, and the longest."""

FORGET_SECONDS = 3600.0
"""So long after the last failure it is forgotten."""

KEYS_MAX = 4096
"""Addresses and names remembered at once; the one that failed the longest ago is forgotten first."""


class _Failures(Struct):
    count: int = 0
    last: float = 0.0
    until: float = 0.0


class Lockout:
    """Times are seconds of a clock that only goes forward."""

    def __init__(self) -> None:
        self._failures: dict[str, _Failures] = {}
        self._known: dict[tuple[str, str], None] = {}

    def wait_seconds(self, address: str, name: str, now: float) -> float:
        """How long this address must wait before it may try this name; not positive: not at all. name: empty for who
        names nobody."""
        keys = [_address(address)]
        if name and (keys[0], name) not in self._known:
            keys.append(f"name {name}")
        found = (self._failures.get(key) for key in keys)
        return max((each.until - now for each in found if each is not None), default=0.0)

    def failed(self, address: str, name: str, now: float) -> bool:
        """It was wrong. Returns whether that began a wait."""
        keys = [_address(address), *([f"name {name}"] if name else [])]
        waits = [self._count(key, now) for key in keys]  # each counts, also after the first that waits
        return any(waits)

    def succeeded(self, address: str, name: str) -> None:
        """It was right."""
        where = _address(address)
        self._failures.pop(where, None)
        self._failures.pop(f"name {name}", None)
        self._known.pop((where, name), None)
        self._known[where, name] = None
        while len(self._known) > KEYS_MAX:
            del self._known[next(iter(self._known))]

    def _count(self, key: str, now: float) -> bool:
        row = self._failures.pop(key, None)
        if row is None or now - row.last > FORGET_SECONDS:
            row = _Failures()
        row.count, row.last = row.count + 1, now
        self._failures[key] = row
        while len(self._failures) > KEYS_MAX:
            del self._failures[next(iter(self._failures))]
        over = row.count - FREE_FAILURES
        if over < 0:
            return False
        row.until = now + min(WAIT_SECONDS * 2.0 ** min(over, 16), WAIT_SECONDS_MAX)
        return True


def _address(text: str) -> str:
    """An address, or for IPv6 the /64 that one subscriber has."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return f"address {text}"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return f"address {address.ipv4_mapped}"
        return f"address {ipaddress.ip_network((address, 64), strict=False)}"
    return f"address {address}"
