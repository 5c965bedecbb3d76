"""Moments as people write them, all in UTC, and as the ledger keeps them: Unix milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def parse_instant(text: str, *, needs_zone: bool = False) -> int:
    """Unix milliseconds of `2026-11-28`, `2026-11-28T09:30`, or such a number itself; without a zone it is UTC.

    needs_zone: a time has to say its zone, where a mistake of hours would cost somebody money. Raises ValueError with
    what may be given.
    """
    if text.isascii() and text.isdigit() and len(text) >= 12:  # a year has four digits, such a number twelve or more
        return _checked(int(text), text)
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        if needs_zone:
            raise ValueError(f"{text!r} is not a time such as 2026-12-01T00:00Z") from None
        raise _unreadable(text) from None
    if parsed.tzinfo is None:
        if needs_zone:
            raise ValueError(f"{text!r} does not say its zone, as 2026-12-01T00:00Z does")
        parsed = parsed.replace(tzinfo=UTC)
    return _checked((parsed - _EPOCH) // _MILLISECOND, text)


def format_instant(time_ms: int) -> str:
    """`2026-11-28 09:30:00.250 UTC`; whole seconds without a fraction."""
    moment = _EPOCH + timedelta(milliseconds=time_ms)
    fraction = f".{time_ms % 1000:03}" if time_ms % 1000 else ""
    return f"{moment.isoformat(' ', 'seconds')[:19]}{fraction} UTC"


def _checked(time_ms: int, text: str) -> int:
    if not 0 <= time_ms < 253_402_300_800_000:  # the year 10000
        raise _unreadable(text)
    return time_ms


def _unreadable(text: str) -> ValueError:
    return ValueError(
        f"{text!r} is no time: give a date (2026-11-28), date and time (2026-11-28T09:30), both in UTC, "
        "or Unix milliseconds"
    )
