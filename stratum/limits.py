"""What one connection may cost. Each limit says why that number; all are checked before the costly step they guard."""

from __future__ import annotations

import enum
from typing import Final

LINE_BYTES_MAX: Final = 4096
"""A request without its newline. The longest honest one seen is a `mining.subscribe` of some 300 bytes; Spiral-Pool
allows 16 KiB, ckpool 1 KiB."""

BRACKETS_MAX: Final = 16
"""Opening brackets in a line: no value can be nested deeper than that. `mining.configure` has four."""

MESSAGES_BEFORE_AUTHORIZE_MAX: Final = 20
"""The longest handshake seen (NerdQAxe) has five messages before the authorize reply."""

FIRST_BYTES_SECONDS: Final = 10.0
"""Time from connect to a miner's own first bytes, behind its PROXY header and TLS handshake if there are such: as long
again as it then has to authorize."""

TLS_HANDSHAKE_BYTES_MAX: Final = 32 * 1024
"""What a miner may send before its TLS handshake is done: a ClientHello has some 500 bytes, 2 KiB with post-quantum
keys, and without client certificates little follows."""

AUTHORIZE_SECONDS: Final = 10.0
"""Time from the first bytes to the first authorized worker, as in Spiral-Pool; the slowest client seen (NerdMiner)
sleeps 0.2 s between its requests."""

CLOSE_SECONDS: Final = 10.0
"""Time for a closed connection's last replies to leave; then it is reset."""

WRITE_BUFFER_BYTES_MAX: Final = 64 * 1024
"""Unsent bytes of one connection, on top of the kernel's own buffer: some twenty jobs, so ten minutes of not reading.
Twisted's transports have the same number built in (`FileDescriptor.bufferSize`)."""

WORKERS_MAX: Final = 1024
"""Workers authorized on one connection; a proxy in front of a rack has some hundreds."""

UNSETTLED_SHARES_MAX: Final = 4096
"""Judged shares that wait for the journal, over all sessions; above it, who sends is not read from. Two seconds of
10,352 machines."""

AGENT_CHARACTERS_MAX: Final = 64
"""Of a user agent, for people to read; as long as a worker's name may be."""

JOB_ID_CHARACTERS_MAX: Final = 64
"""Of a job id that a miner names and we do not know, kept for the record; ours are shorter."""


class CloseReason(enum.StrEnum):
    """Why we ended a connection; counted as `closed_` and this."""

    NO_FIRST_BYTES = enum.auto()
    BAD_PROXY_HEADER = enum.auto()
    TLS_NOT_OFFERED = enum.auto()
    TLS_FAILED = enum.auto()
    NOT_JSON = enum.auto()
    LINE_TOO_LONG = enum.auto()
    TOO_DEEP = enum.auto()
    MALFORMED_MESSAGE = enum.auto()
    TOO_MANY_MESSAGES = enum.auto()
    NOT_AUTHORIZED_IN_TIME = enum.auto()
    SLOW_READER = enum.auto()
    RESUMED_ELSEWHERE = enum.auto()
    JOURNAL_FAILED = enum.auto()
    BUG = enum.auto()
    SHUTDOWN = enum.auto()


def line_violation(line: bytes) -> CloseReason | None:
    """What is wrong with a line, or with the beginning of one, before it is parsed.

    A whole line gets the verdict that its shortest wrong beginning got, so that it does not matter how TCP cut it. A
    TLS ClientHello (bfgminer begins each connection with one) is seen by its first byte.
    """
    start = line if len(line) <= LINE_BYTES_MAX else line[: LINE_BYTES_MAX + 1]
    if not start.startswith(b"{"):
        start = start.lstrip(b" \t\r")
        if start and not start.startswith(b"{"):
            return CloseReason.NOT_JSON
    if start.count(b"{") + start.count(b"[") > BRACKETS_MAX:
        return CloseReason.TOO_DEEP
    if len(line) > LINE_BYTES_MAX:
        return CloseReason.LINE_TOO_LONG
    return None
