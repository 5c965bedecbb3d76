"""pool.reports.windows."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pool.fleet.kinds import EventKind, SiteEvent
from pool.reports.facts import Span
from pool.reports.windows import Cause, Window, causes, windows
from tests.pool.reports.kazakhstan import LONG_AGO_MS

T = LONG_AGO_MS


def event(kind: EventKind, from_s: int, to_s: int | None = None, source: str = "grid") -> SiteEvent:
    end_ms = None if to_s is None else T + to_s * 1000
    return SiteEvent(
        site="s", kind=kind, announced_ms=T, source=source, valid_from_ms=T + from_s * 1000, valid_to_ms=end_ms
    )


class TestWindows:
    def test_sources_that_disagree_have_each_their_window(self) -> None:
        found = windows([event(EventKind.SUSPENSION, 9), event(EventKind.SUSPENSION, 21, source="press")], "s")
        assert [(each.from_ms - T, each.to_ms, each.source) for each in found] == [
            (9_000, None, "grid"),
            (21_000, None, "press"),
        ]

    def test_a_restoration_ends_what_went_before_it(self) -> None:
        told = [event(EventKind.SUSPENSION, 1), event(EventKind.RESTORATION, 5), event(EventKind.SUSPENSION, 7)]
        assert [(each.from_ms - T, each.to_ms and each.to_ms - T) for each in windows(told, "s")] == [
            (1_000, 5_000),
            (7_000, None),
        ]

    def test_another_site_has_none(self) -> None:
        assert windows([event(EventKind.CURTAILMENT, 1, 2)], "elsewhere") == []


class TestCauses:
    def test_a_move_goes_before_what_caused_it(self) -> None:
        told = [Window("s", Cause.SUSPENSION, 0, None, "")]
        assert [(each.cause, each.span) for each in causes(Span(0, 10), [Span(3, 10)], told)] == [
            (Cause.SUSPENSION, Span(0, 3)),
            (Cause.MOVE, Span(3, 10)),
        ]

    def test_what_nobody_announced_is_a_fault(self) -> None:
        told = [Window("s", Cause.CURTAILMENT, 4, 6, "")]
        assert [each.cause for each in causes(Span(0, 10), [], told)] == [Cause.FAULT, Cause.CURTAILMENT, Cause.FAULT]

    @given(
        st.integers(0, 50),
        st.integers(1, 50),
        st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100), st.sampled_from(list(Cause)[1:4])), max_size=6),
        st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=3),
    )
    def test_every_moment_in_the_dark_has_exactly_one_cause(
        self, start: int, length: int, told: list[tuple[int, int, Cause]], moves: list[tuple[int, int]]
    ) -> None:
        dark = Span(start, start + length)
        moving = [Span(*sorted(each)) for each in moves]
        named = [Window("s", cause, min(a, b), max(a, b), "") for a, b, cause in told]
        found = list(causes(dark, moving, named))
        assert [found[0].span.from_ms, found[-1].span.to_ms] == [dark.from_ms, dark.to_ms]
        assert all(one.span.to_ms == two.span.from_ms for one, two in pairwise(found))
        for each in found:
            for at in range(each.span.from_ms, each.span.to_ms):
                is_moving = any(span.from_ms <= at < span.to_ms for span in moving)
                reasons = [each.cause for each in named if each.from_ms <= at < (each.to_ms or 0)]
                right = Cause.MOVE if is_moving else min(reasons, key=list(Cause).index, default=Cause.FAULT)
                assert each.cause is right
