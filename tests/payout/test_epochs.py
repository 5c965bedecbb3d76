"""payout.epochs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from payout.epochs import NetworkEpoch, changes, risen
from pool.work.runs import RunOfShares


def run(height: int, nbits: int, time_ms: int = 0) -> RunOfShares:
    return RunOfShares("a", 0, 1.0, nbits, height, 0, 1, time_ms, time_ms, time_ms)


def subsidy(height: int) -> int:
    return 50 if height < 10 else 25


def kept(batches: list[list[RunOfShares]]) -> list[NetworkEpoch]:
    """What is in the books after batches that were taken one by one."""
    found: list[NetworkEpoch] = []
    height = 0
    for runs in batches:
        found += changes(found[-1] if found else None, list(risen(runs, height, subsidy)))
        height = max([height, *(each.height for each in runs)])
    return found


def test_a_row_comes_with_each_change_of_difficulty_or_subsidy_and_no_other() -> None:
    rows = kept([[run(1, 7, 100), run(2, 7, 200)], [run(9, 8, 300), run(10, 8, 400), run(11, 8, 500)]])
    assert [(each.from_height, each.from_ms, each.nbits, each.subsidy_sat) for each in rows] == [
        (1, 100, 7, 50),
        (9, 300, 8, 50),
        (10, 400, 8, 25),
    ]


def test_a_share_that_is_late_changes_nothing() -> None:
    assert kept([[run(5, 7)], [run(4, 6)], [run(5, 6)]]) == kept([[run(5, 7)]])


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(1, 3)), min_size=1, max_size=20), st.data())
def test_it_does_not_depend_on_how_shares_came_in_batches(told: list[tuple[int, int]], data: st.DataObject) -> None:
    runs = [run(height, nbits, place) for place, (height, nbits) in enumerate(told)]
    cut = data.draw(st.integers(0, len(runs)))
    assert kept([runs]) == kept([runs[:cut], runs[cut:]]) == kept([[each] for each in runs])
