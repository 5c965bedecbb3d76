"""How a log event is written; for `pool.events` and the modules beside it, whose functions are the events."""

from __future__ import annotations

from typing import Any, Final

from twisted.logger import Logger, LogLevel

log: Final = Logger(namespace="steppe")

INFO: Final[Any] = LogLevel.info
WARNING: Final[Any] = LogLevel.warn
ERROR: Final[Any] = LogLevel.error
CRITICAL: Final[Any] = LogLevel.critical


def emit(level: Any, event: str, **fields: object) -> None:
    """An event with its fields, at one of the levels above."""
    log.emit(level, None, event=event, **fields)
