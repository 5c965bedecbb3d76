"""Which node gives the work, rule by rule."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pool.node.choice import (
    LAG_SECONDS,
    NOT_ASKED,
    RETURN_SECONDS,
    SLOW_SECONDS,
    TEMPLATE_SLOW_SECONDS,
    Choice,
    Report,
    State,
    choose,
    undecided,
)
from pool.ports import ChainTip


def tip(height: int, branch: int = 0, *, work: int | None = None, is_syncing: bool = False) -> ChainTip:
    return ChainTip(bytes([branch, height]) * 16, height, height if work is None else work, is_syncing)


def at(height: int, branch: int = 0, waited_seconds: float = 0.0, template_waited_seconds: float = 0.0) -> Report:
    """A node that is well, with this tip."""
    return Report(tip(height, branch), None, waited_seconds, template_waited_seconds)


def down(problem: str = "nothing listens there") -> Report:
    return Report(tip(1), problem)


class Pool:
    """Choices one after the other."""

    def __init__(self, nodes: int = 2) -> None:
        self.now = 100.0
        self.choice = undecided(nodes)

    def see(self, *reports: Report, after: float = 0.5) -> int | None:
        """Which node is chosen after these reports."""
        self.now += after
        self.choice = choose(reports, self.choice, self.now)
        return self.choice.index

    def state(self, node: int) -> State:
        return self.choice.standings[node].state


class TestPreference:
    def test_before_a_node_was_asked_none_is_chosen(self) -> None:
        pool = Pool()
        assert pool.see(Report(), Report()) is None
        assert pool.choice.standings[0].reason == NOT_ASKED

    def test_of_two_on_the_same_tip_the_first_is_chosen(self) -> None:
        assert Pool().see(at(5), at(5)) == 0

    def test_the_second_is_chosen_while_the_first_has_not_answered_yet(self) -> None:
        assert Pool().see(Report(), at(5)) == 1

    def test_a_node_that_is_asked_for_the_first_time_need_not_wait(self) -> None:
        pool = Pool()
        pool.see(Report(), at(5))
        assert pool.see(at(5), at(5)) == 0


class TestHighestTip:
    def test_the_highest_tip_wins_over_preference(self) -> None:
        assert Pool().see(at(5), at(6)) == 1

    def test_height_is_nothing_work_is_all(self) -> None:
        weak = Report(tip(9, 1, work=7), None)
        assert Pool().see(weak, Report(tip(8, 2, work=8), None)) == 1

    def test_the_preferred_node_is_back_at_once_when_it_has_the_block_within_the_lag(self) -> None:
        pool = Pool()
        pool.see(at(5), at(5))
        assert [pool.see(at(5), at(6)), pool.see(at(6), at(6), after=1)] == [1, 0]

    def test_of_two_tips_of_the_same_work_the_one_held_stays(self) -> None:
        pool = Pool()
        pool.see(at(5), at(6, 1))
        assert pool.see(at(6, 2), at(6, 1)) == 1

    def test_the_tip_held_stays_held_by_the_preferred_node_too(self) -> None:
        pool = Pool()
        pool.see(at(6, 1), at(5))
        assert pool.see(at(6, 1), at(6, 2)) == 0

    def test_if_all_who_have_it_are_away_one_of_the_same_work_is_taken(self) -> None:
        pool = Pool()
        pool.see(at(6, 1), at(5))
        assert pool.see(down(), at(6, 2)) == 1

    def test_a_reorganisation_to_more_work_is_followed(self) -> None:
        pool = Pool()
        pool.see(at(6, 1), at(6, 1))
        assert pool.see(at(7, 2), at(6, 1)) == 0


class TestNeverLower:
    def test_when_the_only_one_with_the_highest_tip_is_away_nobody_is_chosen(self) -> None:
        pool = Pool()
        pool.see(at(6), at(5))
        assert pool.see(down(), at(5)) is None

    def test_however_long_it_takes(self) -> None:
        pool = Pool()
        pool.see(at(6), at(5))
        assert pool.see(down(), at(5), after=86_400) is None

    def test_when_the_other_has_caught_up_it_is_chosen(self) -> None:
        pool = Pool()
        pool.see(at(6), at(5))
        pool.see(down(), at(5))
        assert pool.see(down(), at(6)) == 1

    def test_a_node_that_was_away_and_comes_back_lower_is_waited_for(self) -> None:
        pool = Pool(1)
        pool.see(at(6))
        pool.see(down())
        assert [pool.see(at(4)), pool.see(at(5)), pool.see(at(6))] == [None, None, 0]

    def test_a_node_that_leaves_the_tip_for_less_work_found_it_invalid(self) -> None:
        pool = Pool(1)
        pool.see(at(6))
        assert pool.see(at(5)) == 0

    def test_if_another_still_has_it_that_one_is_chosen(self) -> None:
        pool = Pool()
        pool.see(at(6), at(6))
        assert pool.see(at(5), at(6)) == 1

    @given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9), st.booleans(), st.booleans()), max_size=30))
    def test_no_lower_tip_is_ever_held_but_by_a_node_that_took_it_back(
        self, history: list[tuple[int, int, bool, bool]]
    ) -> None:
        choice, before = undecided(2), None
        for number, (first, second, first_down, second_down) in enumerate(history):
            reports = [down() if first_down else at(first), down() if second_down else at(second)]
            after = choose(reports, choice, float(number))
            if choice.held is not None and after.held is not None and after.held.work < choice.held.work:
                assert _took_back(choice, reports)
            choice, before = after, choice
            assert after.index is None or after.held == reports[after.index].tip
        assert before is None or before.held is None or choice.held is not None


def _took_back(choice: Choice, reports: list[Report]) -> bool:
    return any(
        was.tip == choice.held and report.usable_tip is not None and report.usable_tip.work < was.tip.work
        for was, report in zip(choice.standings, reports, strict=True)
        if was.tip is not None
    )


class TestDown:
    def test_a_node_that_cannot_be_asked_is_not_chosen(self) -> None:
        pool = Pool()
        pool.see(at(5), at(5))
        assert (pool.see(down(), at(5)), pool.state(0)) == (1, State.DOWN)

    def test_its_reason_is_its_problem(self) -> None:
        pool = Pool()
        pool.see(down("it is starting: wait a moment"), at(5))
        assert pool.choice.standings[0].reason == "it is starting: wait a moment"

    def test_a_node_whose_chain_is_refused_is_not_chosen_whatever_its_work(self) -> None:
        refused = Report(tip(9), None, refusal="its chain misses a checkpoint")
        pool = Pool()
        assert (pool.see(refused, at(5)), pool.choice.standings[0].reason) == (1, "its chain misses a checkpoint")

    def test_with_all_down_none_is_chosen(self) -> None:
        assert Pool().see(down(), down()) is None


class TestSyncing:
    def test_a_node_that_syncs_is_not_chosen_however_high(self) -> None:
        pool = Pool()
        assert pool.see(Report(tip(9, is_syncing=True), None), at(5)) == 1
        assert pool.state(0) is State.SYNCING


class TestSlow:
    def test_a_slow_node_is_set_aside(self) -> None:
        pool = Pool()
        assert (pool.see(at(5, waited_seconds=SLOW_SECONDS + 0.1), at(5)), pool.state(0)) == (1, State.SLOW)

    def test_so_is_one_that_is_slow_with_templates(self) -> None:
        pool = Pool()
        assert pool.see(at(5, template_waited_seconds=TEMPLATE_SLOW_SECONDS + 0.1), at(5)) == 1

    def test_a_slow_node_is_better_than_none(self) -> None:
        pool = Pool()
        assert pool.see(at(5, waited_seconds=SLOW_SECONDS + 0.1), down()) == 0

    def test_a_slow_node_with_the_highest_tip_is_better_than_a_quick_one_without(self) -> None:
        pool = Pool()
        assert pool.see(at(6, waited_seconds=SLOW_SECONDS + 0.1), at(5)) == 0


class TestLagging:
    def test_a_node_that_is_behind_for_some_seconds_lags(self) -> None:
        pool = Pool()
        pool.see(at(5), at(6))
        pool.see(at(5), at(6), after=LAG_SECONDS - 0.1)
        before = pool.state(0)
        pool.see(at(5), at(6), after=0.2)
        assert (before, pool.state(0)) == (State.GOOD, State.LAGGING)

    def test_it_is_taken_back_when_it_was_well_for_a_while(self) -> None:
        pool = Pool()
        pool.see(at(5), at(6))
        pool.see(at(5), at(6), after=LAG_SECONDS)
        pool.see(at(6), at(6))
        assert (pool.see(at(6), at(6), after=RETURN_SECONDS - 0.1), pool.state(0)) == (1, State.RETURNING)
        assert (pool.see(at(6), at(6), after=0.2), pool.state(0)) == (0, State.GOOD)


class TestReturn:
    def test_a_node_that_comes_and_goes_is_not_taken_back(self) -> None:
        pool = Pool()
        pool.see(at(5), at(5))
        chosen = []
        for _ in range(10):
            chosen += [pool.see(down(), at(5)), pool.see(at(5), at(5), after=RETURN_SECONDS / 2)]
        assert set(chosen) == {1}

    def test_if_the_other_fails_it_is_taken_back_at_once(self) -> None:
        pool = Pool()
        pool.see(at(5), at(5))
        pool.see(down(), at(5))
        pool.see(at(5), at(5))
        assert pool.see(at(5), down()) == 0

    def test_a_node_alone_is_chosen_at_once(self) -> None:
        pool = Pool(1)
        pool.see(at(5))
        pool.see(down())
        assert pool.see(at(5)) == 0
