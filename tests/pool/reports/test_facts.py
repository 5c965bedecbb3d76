"""pool.reports.facts, and pool.reports.cost."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool.fleet.kinds import Count
from pool.reports.cost import Missing, cost_sat
from pool.reports.facts import Epoch, Fleets, ReportRefused, Span, Work, error_bps, united, work_in
from tests.pool.reports.kazakhstan import DAY_MS, EPOCHS, LONG_AGO_MS, OFF_MS, ON_MS, facts, known

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: Span(*sorted(pair))), max_size=8)


class TestWork:
    def test_a_step_over_the_edge_counts_by_its_part(self) -> None:
        assert work_in([Work("a", 1, 0, 10, 1000)], Span(5, 20)) == 500

    def test_n_equal_shares_have_an_error_of_one_over_the_root_of_n(self) -> None:
        assert error_bps([Work("a", 1, 0, 10, 10_000 * 7, 7)], Span(0, 10)) == 100

    def test_the_error_of_two_steps_is_that_of_all_their_shares(self) -> None:
        halves = [Work("a", 1, 0, 10, 5_000 * 7, 7), Work("a", 1, 10, 20, 5_000 * 7, 7)]
        assert error_bps(halves, Span(0, 20)) == 100

    def test_without_a_share_or_its_size_there_is_no_error(self) -> None:
        assert error_bps([], Span(0, 10)) is None
        assert error_bps([Work("a", 1, 0, 10, 5, 0)], Span(0, 10)) is None


class TestUnited:
    @given(SPANS)
    def test_it_is_the_same_time_once(self, spans: list[Span]) -> None:
        found = united(spans)
        moments = [at for span in found for at in range(span.from_ms, span.to_ms)]
        assert moments == sorted({at for span in spans for at in range(span.from_ms, span.to_ms)})


class TestFleets:
    def test_a_batch_stands_where_its_newest_assignment_says(self) -> None:
        fleets = Fleets(known(ON_MS))
        assert [(stay.site, stay.to_ms) for stay in fleets.stays("bit/main/one")] == [
            ("ganzi", OFF_MS),
            ("almaty", None),
        ]

    def test_machine_time_is_cut_at_counts_and_at_the_move(self) -> None:
        count = Count(batch="bit/main/one", hashing=100, in_transit=220, reason="moved", valid_from_ms=OFF_MS)
        fleets = Fleets(known(ON_MS, [*facts(), count]))
        span = Span(OFF_MS - 1000, OFF_MS + 1000)
        assert fleets.hashing_ms("bit/main/one", span) == 420_000
        assert fleets.hashing_ms("bit/main/one", span, "ganzi") == 320_000
        assert fleets.hashing_ms("bit/main/one", span, "almaty") == 100_000

    def test_a_batch_that_nobody_assigned_stands_nowhere(self) -> None:
        fleets = Fleets(known(ON_MS, facts()[:-3]))
        assert list(fleets.stays("bit/main/one")) == []

    def test_what_was_recorded_later_is_not_known_before(self) -> None:
        assert Fleets(known(ON_MS, known_ms=LONG_AGO_MS - 1)).assignments == []


class TestCost:
    def test_each_difficulty_is_reckoned_for_itself(self) -> None:
        epochs = [Epoch(0, 10**12, 100), Epoch(1000, 10**12, 50)]
        # A second of 1 GH/s finds a thousandth of a block.
        assert cost_sat([Missing(Fraction(1000), Span(0, 2000))], epochs) == 100 + 50

    def test_machines_of_one_time_are_rounded_once(self) -> None:
        epochs = [Epoch(0, 10**12, 1)]
        assert cost_sat([Missing(Fraction(500), Span(0, 1000))], epochs) == 0
        assert cost_sat([Missing(Fraction(500), Span(0, 1000))] * 2, epochs) == 1

    def test_no_darkness_costs_nothing_though_nothing_is_known(self) -> None:
        assert cost_sat([], []) == 0

    def test_books_without_a_share_say_so(self) -> None:
        with pytest.raises(ReportRefused, match="no share is in them"):
            cost_sat([Missing(Fraction(1), Span(0, DAY_MS))], [])

    @given(st.lists(st.integers(1, 10**9), min_size=1, max_size=5), st.integers(1, 10**6))
    def test_a_whole_is_its_parts_but_for_less_than_a_satoshi_each(self, rates: list[int], seconds: int) -> None:
        start = EPOCHS[0].from_ms
        missing = [Missing(Fraction(rate), Span(start, start + seconds * 1000)) for rate in rates]
        parts = sum(cost_sat([each], EPOCHS) for each in missing)
        assert parts <= cost_sat(missing, EPOCHS) < parts + 2 * len(rates)
