"""Times as people write them: ISO 8601 with the offset from UTC said, or in a named zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pool.fleet.facts import FleetRefused

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc(time_ms: int) -> str:
    """A time for people and files, such as 2021-06-19T01:00:00Z; milliseconds only where there are any."""
    moment = _EPOCH + timedelta(milliseconds=time_ms)
    return moment.isoformat(timespec="milliseconds" if time_ms % 1000 else "seconds").replace("+00:00", "Z")


def parse_time(text: str) -> int:
    """Unix milliseconds of a time such as 2021-06-19T09:00+08:00. Raises FleetRefused, also without an offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise FleetRefused(f"time {text!r}: write it as 2021-06-19T09:00+08:00, or with Z for UTC") from error
    if moment.tzinfo is None:
        raise FleetRefused(f"time {text!r} has no offset from UTC: add it, such as +08:00, or Z")
    return (moment - _EPOCH) // timedelta(milliseconds=1)
