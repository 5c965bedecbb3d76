"""When a site has no power, as it was announced, and which cause a machine's darkness has."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

from pool.fleet.kinds import EventKind, SiteEvent
from pool.reports.facts import Span


class Cause(enum.StrEnum):
    """Why a machine was dark. Of several that are true the first counts: a machine that was carried off because of a
    suspension is on a move."""

    MOVE = "move"
    SUSPENSION = "suspension"
    CLOSURE = "closure"
    CURTAILMENT = "curtailment"
    FAULT = "fault"


_CAUSES = {
    EventKind.SUSPENSION: Cause.SUSPENSION,
    EventKind.CLOSURE: Cause.CLOSURE,
    EventKind.CURTAILMENT: Cause.CURTAILMENT,
}


class Window(Struct, frozen=True):
    """A site without power, or with less, by what was announced. to_ms: None while no end is known. source: who says
    so."""

    site: str
    cause: Cause
    from_ms: int
    to_ms: int | None
    source: str


def windows(events: Iterable[SiteEvent], site: str) -> list[Window]:
    """Those of a site, in their order; where sources disagree each has its own. What was restored is over."""
    here = [each for each in events if each.site == site]
    restored_ms = sorted(each.valid_from_ms for each in here if each.kind is EventKind.RESTORATION)
    found = []
    for each in here:
        if each.kind not in _CAUSES:
            continue
        ends = [ms for ms in restored_ms if ms > each.valid_from_ms][:1]
        ends += [each.valid_to_ms] if each.valid_to_ms is not None else []
        window = Window(site, _CAUSES[each.kind], each.valid_from_ms, min(ends, default=None), each.source)
        found.append(window)
    return sorted(found, key=lambda each: (each.from_ms, each.cause, each.source))


class Stretch(Struct, frozen=True):
    """A part of a machine's darkness with its cause."""

    cause: Cause
    span: Span


def causes(dark: Span, moving: Sequence[Span], told: Sequence[Window]) -> Iterator[Stretch]:
    """A time in the dark cut where its cause changes. moving: when the machine was on its way. told: of its site."""
    reasons = [(Cause.MOVE, span.from_ms, span.to_ms) for span in moving]
    reasons += [(each.cause, each.from_ms, dark.to_ms if each.to_ms is None else each.to_ms) for each in told]
    order = list(Cause)
    reasons.sort(key=lambda reason: order.index(reason[0]))
    cuts = {dark.from_ms, dark.to_ms}
    cuts |= {ms for _, from_ms, to_ms in reasons for ms in (from_ms, to_ms) if dark.from_ms < ms < dark.to_ms}
    edges = sorted(cuts)
    before: Stretch | None = None
    for from_ms, to_ms in pairwise(edges):
        cause = next((each for each, start, end in reasons if start <= from_ms < end), Cause.FAULT)
        if before is not None and before.cause is cause:
            before = Stretch(cause, Span(before.span.from_ms, to_ms))
            continue
        if before is not None:
            yield before
        before = Stretch(cause, Span(from_ms, to_ms))
    if before is not None:
        yield before
