"""Figures of reports as people read them."""

from __future__ import annotations

from pool.fleet.times import utc

_PREFIXES = ("G", "T", "P", "E", "Z")


def as_of(known_ms: int | None) -> tuple[tuple[str, str], ...]:
    """As of what was recorded by then, as a fact of the head; nothing for all."""
    return () if known_ms is None else (("As was known at", utc(known_ms)),)


def time_of(from_ms: int, to_ms: int) -> str:
    """A time, in words."""
    return f"{utc(from_ms)} to {utc(to_ms)}"


def error_of(bps: int | None) -> str:
    """One standard deviation behind a figure; nothing if it is not known."""
    return "" if bps is None else f" ±{percent(bps)}"


def percent(bps: int) -> str:
    """Basis points as percent."""
    return f"{bps // 100}.{bps % 100:02}%"


def hashrate(ghs: int) -> str:
    """A rate in four digits: more of it no shares know."""
    if not ghs:
        return "0 H/s"
    rest, power = float(f"{ghs:.4g}"), 0
    while rest >= 1000 and power < len(_PREFIXES) - 1:
        rest, power = rest / 1000, power + 1
    return f"{rest:.{max(0, 4 - len(str(int(rest))))}f} {_PREFIXES[power]}H/s"


def kilowatts(watts: int) -> str:
    """Power as contracts and meters write it, under a heading that has the unit."""
    return f"{watts / 1000:,.1f}"


def satoshis(amount_sat: int) -> str:
    """An amount."""
    return f"{amount_sat:,} sat"


def duration(seconds: int) -> str:
    """A time, in its two largest units."""
    days, rest = divmod(seconds, 86_400)
    hours, minutes = rest // 3600, rest % 3600 // 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest % 60} s" if minutes else f"{rest} s"
