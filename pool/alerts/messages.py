"""Messages as people and programs read them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pool.alerts.channel import Message

SUBJECT_CHARACTERS_MAX = 150


def one_line(text: str) -> str:
    """Whatever it says, on one line and in one direction: nobody forges another line of a message."""
    return "".join(each if each.isprintable() else "?" for each in text)


def subject(pool: str, message: Message) -> str:
    """What is worst, and how much more there is."""
    told = [*(alert.title for alert in message.raised), *(notice.title for notice in message.notices)]
    if told:
        mark = f"{message.severity.upper()}: " if message.raised else ""
        more = len(told) - 1 + len(message.resolved)
    else:
        told, mark, more = [alert.title for alert in message.resolved], "over: ", len(message.resolved) - 1
    text = f"[{pool}] {mark}{told[0]}" + (f" (and {more} more)" if more else "")
    return one_line(text)[:SUBJECT_CHARACTERS_MAX]


def text(pool: str, message: Message) -> str:
    """All of it, for people."""
    return "\n".join(_lines(pool, message)) + "\n"


def _lines(pool: str, message: Message) -> Iterator[str]:
    for alert in message.raised:
        yield one_line(f"{alert.severity.upper()}  {alert.title}")
        yield one_line(f"    {alert.text}")
        if alert.mend:
            yield one_line(f"    Mend: {alert.mend}")
        yield ""
    for notice in message.notices:
        yield one_line(notice.title)
        yield one_line(f"    {notice.text}")
        yield ""
    for alert in message.resolved:
        yield one_line(f"OVER  {alert.title}")
    if message.resolved:
        yield ""
    yield f"{pool}; `steppe maintenance on --minutes N` silences these messages for a time, but for blocks and money."


def payload(pool: str, chain: str, message: Message) -> bytes:
    """All of it as JSON, for programs; the same bytes for the same news."""
    return msgspec.json.encode(
        {
            "pool": pool,
            "chain": chain,
            "severity": message.severity,
            "raised": message.raised,
            "resolved": message.resolved,
            "notices": [{"title": notice.title, "text": notice.text} for notice in message.notices],
        }
    )
