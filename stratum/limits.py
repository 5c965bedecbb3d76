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

EARLY_BYTES_MAX: Final = 16 * 1024
"""Received before the subscription and kept until then, in case another process has the session; who sends more is not
passed on. The longest handshake seen has some 800 bytes."""

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

READ_BYTES_MAX: Final = 1024 * 1024
"""Read of one session within a second; then it waits for the next, by TCP's own means. Some 8,000 shares, of which a
proxy in front of a rack sends a few hundred; a flood costs a tenth of a core."""

BAD_SHARES_MAX: Final = 500
"""Refused shares of one session within BAD_SHARES_SECONDS without an accepted one between, late ones not counted; then
it is ended. A working machine has a few, one that gets its header wrong sends nothing else."""

LATE_SHARES_MAX: Final = 5000
"""The same of shares that are stale or for a job we do not know. After a new block or a restart of ours even a proxy in
front of a thousand machines has some hundreds of them; without a limit they would be a free way to fill our disk."""

BAD_SHARES_SECONDS: Final = 60.0

WORKER_OFFENCES_MAX: Final = 5
"""Sessions of one worker at one address that ended for an offence within OFFENCE_SECONDS, until it is refused."""

ADDRESS_OFFENCES_MAX: Final = 20
"""The same of a whole address, or of an IPv6 /64: several bad workers' worth."""

OFFENCE_SECONDS: Final = 600.0

GOOD_SECONDS: Final = 3600.0
"""Who had a share accepted within this time is not banned: vardiff's slowest miner has hundreds in it."""

BAN_SECONDS: Final = 60.0
"""The first ban; each further one is twice as long."""

BAN_SECONDS_MAX: Final = 900.0
"""A machine that is switched on for the first time behind a banned address waits no longer than that."""

BAN_MEMORY_SECONDS: Final = 6 * 3600.0
"""Without an offence for this long, the next ban is a first one again."""

OFFENDERS_MAX: Final = 16384
"""Workers and addresses whose offences are remembered, some 3 MiB; who was quiet longest is forgotten first."""

AGENT_CHARACTERS_MAX: Final = 128
"""Of a user agent, for people to read; LuxOS, which names its boards, takes about a hundred."""

JOB_ID_CHARACTERS_MAX: Final = 64
"""Of a job id that a miner names and we do not know, kept for the record; ours are shorter."""


class CloseReason(enum.StrEnum):
    """Why we ended a connection; counted as `closed_` and this."""

    ADDRESS_BANNED = enum.auto()
    TOO_MANY_UNAUTHORIZED = enum.auto()
    NO_FIRST_BYTES = enum.auto()
    BAD_PROXY_HEADER = enum.auto()
    TLS_NOT_OFFERED = enum.auto()
    TLS_FAILED = enum.auto()
    NOT_JSON = enum.auto()
    LINE_TOO_LONG = enum.auto()
    TOO_DEEP = enum.auto()
    MALFORMED_MESSAGE = enum.auto()
    TOO_MANY_MESSAGES = enum.auto()
    TOO_MANY_BAD_SHARES = enum.auto()
    NOT_AUTHORIZED_IN_TIME = enum.auto()
    SLOW_READER = enum.auto()
    RESUMED_ELSEWHERE = enum.auto()
    PASSED_ON = enum.auto()
    JOURNAL_FAILED = enum.auto()
    BUG = enum.auto()
    DRAINED = enum.auto()
    REDIRECTED = enum.auto()
    NO_WORK = enum.auto()
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
