"""native.Totals: what workers, accounts and all have sent, second by second; both twins say the same."""

from __future__ import annotations

import json
import math
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from native import sums, sums_reference, totals, totals_reference
from tests.native.test_sums import packed, share

SECOND = 1_700_000_000
WINDOWS = (60, 300, 3600, 86400)


def weigh(difficulty: float, nbits: int) -> tuple[int, int, float]:
    """Works of more than 64 bits."""
    work = int(difficulty * 2**60) + nbits
    return work, work * work, difficulty / 3


def named(account: str, worker: str) -> str:
    return f"{account}.{worker}"


class Fold:
    """Totals of one twin, and the sums of the same. rows: to go on from."""

    def __init__(self, number: int, *rows: Any) -> None:
        self.sums: Any = (sums, sums_reference)[number].SecondSums()
        twin: ModuleType = (totals, totals_reference)[number]
        self.totals: Any = twin.Totals(weigh, named, WINDOWS, *rows)

    def second(self, *shares: list[Any]) -> None:
        """These shares, and they are all of their second."""
        self.open(*shares)
        self.totals.take(self.sums)
        self.sums.clear()

    def open(self, *shares: list[Any]) -> None:
        """These shares; more of their second may come."""
        payload, count = packed(*shares)
        assert self.sums.add(payload, count, 0) == count

    def rows(self) -> Any:
        return self.totals.rows(self.sums)

    def changes(self) -> Any:
        return self.totals.changes(self.sums)


@pytest.fixture(params=[0, 1], ids=["compiled", "reference"])
def fold(request: pytest.FixtureRequest) -> Fold:
    return Fold(request.param)


def at(seconds: float, worker: str = "rig1", **changes: Any) -> list[Any]:
    return share(worker, int((SECOND + seconds) * 1000), **changes)


class TestRows:
    def test_a_row_has_all_that_its_worker_sent(self, fold: Fold) -> None:
        fold.second(at(0), at(0.5, difficulty=2.0), at(0.7, outcome=1, block_hash=bytes(32)))
        work, squares = weigh(64.0, 7)[0] + weigh(2.0, 7)[0], weigh(64.0, 7)[1] + weigh(2.0, 7)[1]
        rate = (SECOND, SECOND, (float(work),) * 4, (float(squares),) * 4)
        counts = (2, 1, 0, 0, 0, 0, 0, 0, 0, 0)
        first_ms = SECOND * 1000
        row = (first_ms, first_ms + 700, rate, first_ms + 500, counts, work, 1, 64 / 3 + 2 / 3, 2.0)
        assert fold.rows()[0] == {"alice.rig1": row}

    def test_sums_decay_by_the_seconds_between(self, fold: Fold) -> None:
        fold.second(at(0))
        fold.second(at(30))
        rate = fold.rows()[0]["alice.rig1"][2]
        work = float(weigh(64.0, 7)[0])
        assert rate[2] == tuple(work * math.exp(-30 / window) + work for window in WINDOWS)

    def test_a_clock_that_is_set_back_takes_nothing_away(self, fold: Fold) -> None:
        fold.second(at(0))
        fold.second(at(-30))
        work = 2 * float(weigh(64.0, 7)[0])
        assert fold.rows()[0]["alice.rig1"][2][:3] == (SECOND - 30, SECOND - 30, (work,) * 4)

    def test_a_refused_share_moves_no_estimate(self, fold: Fold) -> None:
        fold.second(at(0))
        before = fold.rows()[0]["alice.rig1"]
        fold.second(at(60, outcome=3))
        after = fold.rows()[0]["alice.rig1"]
        assert (after[2], after[3], after[8]) == (before[2], before[3], before[8])

    def test_workers_add_up_to_accounts_and_these_to_all(self, fold: Fold) -> None:
        fold.second(at(0, "a"), at(0, "b"), at(0, "c", account="bob"))
        _, accounts, everyone = fold.rows()
        assert [accounts[name][4][0] for name in ("alice", "bob")] == [2, 1]
        assert everyone[4][0] == 3

    def test_of_shares_as_new_the_difficulty_of_the_last_worker_is_the_accounts(self, fold: Fold) -> None:
        fold.second(at(0.2, "a", difficulty=1.0), at(0.2, "b", difficulty=2.0), at(0.1, "c", difficulty=3.0))
        assert fold.rows()[1]["alice"][8] == 2.0

    def test_the_open_second_shows_and_is_not_added_yet(self, fold: Fold) -> None:
        fold.second(at(0))
        fold.open(at(1))
        assert [fold.rows()[0]["alice.rig1"][4][0] for _ in range(2)] == [2, 2]

    def test_before_the_first_share_there_is_nobody(self, fold: Fold) -> None:
        assert fold.rows() == ({}, {}, None)

    def test_there_are_four_windows(self) -> None:
        for twin in (totals, totals_reference):
            with pytest.raises(ValueError, match="must be 4 windows"):
                twin.Totals(weigh, named, (60,))

    def test_work_of_any_size_is_exact(self) -> None:
        # A share may be worth 2**256 hashes, and a journal has many of them.
        def heavy(difficulty: float, nbits: int) -> tuple[int, int, float]:
            work = 2**256 - int(difficulty)
            return work, work * work, difficulty

        for twin, records in ((totals, sums), (totals_reference, sums_reference)):
            second = records.SecondSums()
            of_all = twin.Totals(heavy, named, WINDOWS)
            payload, count = packed(at(0, difficulty=1.0), at(0, difficulty=2.0), at(0, "b", difficulty=3.0))
            second.add(payload, count, 0)
            of_all.take(second)
            _, accounts, everyone = of_all.rows(records.SecondSums())
            assert accounts["alice"][5] == everyone[5] == 3 * 2**256 - 6
            assert everyone[2][3][0] == float(sum((2**256 - each) ** 2 for each in (1, 2, 3)))

    def test_floats_are_summed_without_an_error(self, fold: Fold) -> None:
        shares = [at(0, f"rig{number}", difficulty=difficulty) for number, difficulty in enumerate([1e15, 1.0, 1e-9])]
        fold.second(*shares, *shares)
        expected = math.fsum(2 * (difficulty / 3) for difficulty in (1e15, 1.0, 1e-9))
        assert fold.rows()[1]["alice"][7] == expected


class TestChanges:
    def test_a_row_is_told_once(self, fold: Fold) -> None:
        fold.second(at(0))
        assert [list(fold.changes()[0]) for _ in range(2)] == [["alice.rig1"], []]

    def test_of_an_open_second_too_also_when_it_is_over(self, fold: Fold) -> None:
        fold.open(at(0))
        told = [list(fold.changes()[0])]
        fold.totals.take(fold.sums)
        fold.sums.clear()
        assert [*told, list(fold.changes()[0])] == [["alice.rig1"], []]

    def test_again_when_more_of_the_second_came(self, fold: Fold) -> None:
        fold.open(at(0))
        fold.changes()
        fold.open(at(0))
        assert fold.changes()[0]["alice.rig1"][4][0] == 2

    def test_what_it_goes_on_from_is_told_already(self) -> None:
        for number in range(2):
            fold = Fold(number)
            fold.second(at(0, "a"), at(0, "b", account="bob"))
            again = Fold(number, *fold.rows())
            again.second(at(1, "a"))
            workers, accounts, _ = again.changes()
            assert (list(workers), list(accounts)) == (["alice.a"], ["alice"])


class TestForget:
    def test_who_is_silent_is_dropped_and_stays_in_its_account(self, fold: Fold) -> None:
        fold.second(at(0, "gone"))
        fold.second(at(10, "here"))
        assert fold.totals.forget((SECOND + 5) * 1000) == ["alice.gone"]
        workers, accounts, _ = fold.rows()
        assert (list(workers), accounts["alice"][4][0]) == (["alice.here"], 2)

    def test_who_comes_back_begins_anew(self, fold: Fold) -> None:
        fold.second(at(0))
        fold.changes()
        fold.totals.forget((SECOND + 5) * 1000)
        fold.second(at(10))
        assert fold.changes()[0]["alice.rig1"][4][0] == 1


shares = st.builds(
    at,
    st.floats(0, 0.999),
    st.sampled_from(["", "a", "b"]),
    account=st.sampled_from(["alice", "bob"]),
    outcome=st.sampled_from([0, 0, 1, 9]),
    difficulty=st.floats(1e-9, 1e15),
    nbits=st.integers(0, 9),
    block_hash=st.none() | st.just(bytes(32)),
)
steps = st.lists(
    st.tuples(st.integers(-5, 100_000), st.lists(shares, min_size=1, max_size=6), st.sampled_from("ocf ")), max_size=8
)


def plain(found: Any) -> str:
    """Every bit of it; the order of the rows means nothing, and a named tuple is one like any other."""
    workers, accounts, everyone = found
    return json.dumps([workers, accounts, everyone], sort_keys=True)


class TestTwins:
    @given(steps, st.integers(0, 8))
    def test_on_any_seconds_however_looked_at_and_put_down(self, steps: list[Any], put_down: int) -> None:
        both = [Fold(0), Fold(1)]
        second = 0
        for number, (step, records, look) in enumerate(steps):
            second += step
            moved = [[kind, time_ms + second * 1000, *rest] for kind, time_ms, *rest in records]
            for fold in both:
                fold.open(*moved)
            if look == "o":
                assert plain(both[0].rows()) == plain(both[1].rows())
            elif look == "c":
                assert plain(both[0].changes()) == plain(both[1].changes())
            for fold in both:
                fold.totals.take(fold.sums)
                fold.sums.clear()
            if look == "f":
                oldest_ms = moved[0][1] - 50_000_000
                assert both[0].totals.forget(oldest_ms) == both[1].totals.forget(oldest_ms)
            if number == put_down:
                both = [Fold(place, *fold.rows()) for place, fold in enumerate(both)]
        assert plain(both[0].changes()) == plain(both[1].changes())
        assert plain(both[0].rows()) == plain(both[1].rows())
