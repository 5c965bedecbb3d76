"""Log lines: JSON, one per event, whatever strangers put into names."""

from __future__ import annotations

import io
import json
from typing import Any

from twisted.logger import Logger, LogLevel

from pool.logs import JsonLines


def lines(**fields: object) -> list[dict[str, Any]]:
    out = io.StringIO()
    observer: Any = JsonLines(out, "stratum")
    level: Any = fields.pop("level", LogLevel.info)
    Logger(namespace="steppe", observer=observer).emit(level, None, **fields)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_an_event_is_one_line_with_its_name_and_fields() -> None:
    (line,) = lines(event="block_found", height=7)
    assert (line["event"], line["level"], line["role"], line["height"]) == ("block_found", "info", "stratum", 7)


def test_an_event_about_another_role_names_that_one() -> None:
    (line,) = lines(event="role_died", role="work")
    assert line["role"] == "work"


def test_a_line_break_in_a_name_does_not_break_the_line() -> None:
    (line,) = lines(event="authorized", worker='rig\n{"event": "payment"}\x1b[31m\u2028')
    assert line["worker"] == 'rig\n{"event": "payment"}\x1b[31m\u2028'


def test_bytes_are_written_as_hex() -> None:
    (line,) = lines(event="block_found", block_hash=b"\x00\xff")
    assert line["block_hash"] == "00ff"


def test_chatter_of_libraries_is_left_out() -> None:
    assert lines() == []


def test_a_failure_comes_with_its_traceback() -> None:
    out = io.StringIO()
    observer: Any = JsonLines(out, "work")
    log: Any = Logger(namespace="steppe", observer=observer)
    try:
        raise KeyError("gone")
    except KeyError:
        log.failure("", event="bug", where="here")
    line = json.loads(out.getvalue())
    assert (line["event"], line["level"]) == ("bug", "critical")
    assert "KeyError: 'gone'" in line["traceback"]
