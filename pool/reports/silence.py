"""Which machines are silent, and of which the plan says that they may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from pool.fleet.move import Move
from pool.fleet.travel import Traveller, is_in_transit, is_late
from pool.reports.windows import Window

PATIENCE_SHARES: Final = 21
"""A machine that hashes as before sends nothing for so many of its mean intervals once in a thousand million times."""


class Seen(Struct, frozen=True):
    """A machine as statistics have it. last_ms: its newest accepted share. interval_ms: between two of them on average,
    None if that is not known. is_connected: whether any stratum process has it."""

    login: str
    last_ms: int
    interval_ms: int | None
    is_connected: bool


def is_silent(seen: Seen, since_ms: int | None, watched_ms: int, now_ms: int, dark_ms: int) -> bool:
    """Whether a machine is dark. since_ms: its last share when it was found to be so before; then it is until it sends
    another. watched_ms: since when anybody looks: while the pool itself was away nobody could send. dark_ms: the
    shortest silence that counts."""
    if since_ms is not None:
        return seen.last_ms <= since_ms
    patience_ms = dark_ms
    if seen.is_connected and seen.interval_ms is not None:
        patience_ms = max(dark_ms, PATIENCE_SHARES * seen.interval_ms)
    return now_ms - max(seen.last_ms, watched_ms) >= patience_ms


def on_a_move(moves: Iterable[tuple[Move, Sequence[Traveller]]], now_ms: int) -> dict[str, str]:
    """By login, who may be silent for a move; also who is late: `relocation_late` is the alarm of these."""
    found: dict[str, str] = {}
    for move, travellers in moves:
        for each in travellers:
            if is_in_transit(move, each, now_ms):
                found[each.login] = "in transit"
            elif is_late(move, each, now_ms):
                found[each.login] = "late"
    return found


def without_power(windows: Mapping[str, Sequence[Window]], now_ms: int) -> dict[str, str]:
    """By site, the cause for which all its machines may be silent. Where sources disagree the earliest time counts: a
    false alarm in a suspension costs more than a late one."""
    found: dict[str, str] = {}
    for site, told in windows.items():
        for each in told:
            if each.from_ms <= now_ms and (each.to_ms is None or now_ms < each.to_ms):
                found.setdefault(site, each.cause.value)
    return found
