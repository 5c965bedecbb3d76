"""Logs as JSON lines, so that no name from a stranger can break a line or forge one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, TextIO

from twisted.logger import LogEvent, LogLevel, formatEvent, globalLogBeginner

# Fields of twisted.logger's own that say nothing to an operator; all of them start with `log_`.
_PRIVATE = "log_"
# Twisted tells of each listening port and connection at this level; ours are events of our own.
_FOREIGN_LEVEL_MIN = LogLevel.warn


class JsonLines:
    """Writes one line per event: time, level, role, event, then the event's own fields."""

    def __init__(self, out: TextIO, role: str) -> None:
        self._out = out
        self._role = role

    def __call__(self, event: LogEvent) -> None:
        ours = "event" in event
        if not ours and event["log_level"] < _FOREIGN_LEVEL_MIN:
            return
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(event["log_time"], UTC).isoformat(timespec="milliseconds"),
            "level": event["log_level"].name,
            # An event may tell of another role than the one that logs it.
            "role": event.get("role", self._role),
            "event": event.get("event", "foreign"),
        }
        if not ours:
            line["message"] = formatEvent(event)
        line.update((key, _plain(value)) for key, value in event.items() if _shown(key))
        if "log_failure" in event:
            line["traceback"] = event["log_failure"].getTraceback()
        self._out.write(json.dumps(line, ensure_ascii=True, default=str) + "\n")
        self._out.flush()


def begin(out: TextIO, role: str) -> None:
    """Send every event of this process to `out`."""
    # Any: the observer is a plain callable; zope's interfaces mean nothing to a type checker.
    observers: Any = [JsonLines(out, role)]
    globalLogBeginner.beginLoggingTo(observers, redirectStandardIO=False)


def _shown(key: str) -> bool:
    return not key.startswith(_PRIVATE) and key not in ("event", "role", "format", "isError", "message_parts")


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (str, int, float, bool, type(None), list, dict, tuple)):
        return value
    return str(value)
