"""payout.withholding. The probabilities themselves are in the vector P23."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payout.luck import BANDS, Group, Kind, Tally
from payout.rewards import UNIT
from payout.withholding import ALPHA, CHECKPOINT_FIRST, Verdict, checkpoint_of, due, judge_group, judge_luck

THOUSANDTH = Fraction(1, 1000)


def test_seven_expected_blocks_without_one_are_flagged() -> None:
    assert judge_luck(Fraction(7), 0, THOUSANDTH).flagged


def test_among_a_thousand_groups_seven_are_ordinary() -> None:
    assert not judge_luck(Fraction(7), 0, THOUSANDTH, groups=1000).flagged


def test_among_a_thousand_groups_fourteen_are_flagged() -> None:
    assert judge_luck(Fraction(14), 0, THOUSANDTH, groups=1000).flagged


def test_more_blocks_than_expected_are_never_flagged() -> None:
    assert judge_luck(Fraction(1), 40, THOUSANDTH).probability > Decimal("0.9999")


def test_it_is_never_more_than_certain() -> None:
    assert judge_luck(Fraction(0), 5, THOUSANDTH).probability == 1


def test_a_long_history_does_not_underflow() -> None:
    assert judge_luck(Fraction(10_000), 0, THOUSANDTH).probability > 0


@pytest.mark.parametrize(
    ("expected", "found", "groups"), [(Fraction(-1), 0, 1), (Fraction(1), -1, 1), (Fraction(1), 0, 0)]
)
def test_a_judge_group_nothing_is_refused(expected: Fraction, found: int, groups: int) -> None:
    with pytest.raises(ValueError, match="no test"):
        judge_luck(expected, found, THOUSANDTH, groups)


def poisson(random: Random, mean: float) -> int:
    """A number of rare events, by the time between them."""
    count, at = 0, random.expovariate(1.0)
    while at < mean:
        count, at = count + 1, at + random.expovariate(1.0)
    return count


def machines(random: Random, expected_blocks: int, *, withheld: float = 0.0, credited: float = 1.0) -> Tally:
    """What a group finds: a part of its blocks is withheld; it is credited for more work than it did."""
    units = round(expected_blocks * UNIT * credited)
    found = [poisson(random, expected_blocks * (1 - withheld))]
    found += [poisson(random, expected_blocks * 2 ** (band - 1)) for band in range(1, BANDS)]
    return Tally((units,) * BANDS, tuple(found))


def groups(count: int) -> list[Group]:
    return [Group(Kind.ACCOUNT, f"a{number}") for number in range(count)]


class TestCheckpoints:
    def test_they_are_5_10_20_and_so_on(self) -> None:
        passed = [checkpoint_of(Fraction(blocks, 10)) for blocks in (0, 49, 50, 99, 100, 199, 200, 20_479, 20_480)]
        assert passed == [0, 0, 5, 5, 10, 10, 20, 1280, 1280]

    def test_a_group_is_tested_once_at_each(self) -> None:
        group = Group(Kind.FIRMWARE, "x")
        tally = Tally((7 * UNIT,) * BANDS, (7,) * BANDS)
        [found] = due({group: tally}, {})
        assert (found.checkpoint, found.groups, found.verdict) == (5, 1, Verdict.LUCK)
        assert list(due({group: tally}, {group: 5})) == []
        assert list(due({group: Tally((UNIT * 4,) * BANDS)}, {})) == []

    def test_only_groups_that_passed_one_count_for_how_many_are_tested(self) -> None:
        one, two, small = groups(3)
        full = Tally((5 * UNIT,) * BANDS, (5,) * BANDS)
        tests = list(due({one: full, two: full, small: Tally((UNIT,) * BANDS)}, {one: 5}))
        assert [(each.group, each.groups) for each in tests] == [(two, 2)]


class TestTell:
    """P23 and docs/payouts.md 5.1: whose fault it is that blocks are missing."""

    @pytest.mark.parametrize("seed", range(5))
    def test_who_withholds_every_block_is_found_at_ten_expected_ones(self, seed: int) -> None:
        found = judge_group(groups(1)[0], machines(Random(seed), 10, withheld=1.0), 10, 1)
        assert (found.verdict, found.is_flagged) == (Verdict.WITHHELD, True)

    @pytest.mark.parametrize("seed", range(5))
    def test_who_withholds_half_of_them_among_many_is_found_at_160(self, seed: int) -> None:
        assert (
            judge_group(groups(1)[0], machines(Random(seed), 160, withheld=0.5), 160, 100).verdict is Verdict.WITHHELD
        )

    @pytest.mark.parametrize("seed", range(5))
    def test_work_that_was_credited_twice_is_no_fault_of_the_machines(self, seed: int) -> None:
        assert judge_group(groups(1)[0], machines(Random(seed), 40, credited=2.5), 80, 10).verdict is Verdict.ACCOUNTING

    def test_without_other_hashes_to_compare_with_nobody_can_tell(self) -> None:
        tally = Tally((20 * UNIT, *[0] * (BANDS - 1)), (0,) * BANDS)
        assert judge_group(groups(1)[0], tally, 20, 1).verdict is Verdict.UNCLEAR

    def test_if_only_some_bands_lack_hashes_nobody_can_tell(self) -> None:
        full = machines(Random(1), 20)
        tally = Tally(full.units, (0, 0, 0, *full.found[3:]))
        assert judge_group(groups(1)[0], tally, 20, 1).verdict is Verdict.UNCLEAR


class TestFalseAlarms:
    """The chance of one at a checkpoint, over all groups, is at most ALPHA."""

    @given(st.integers(0, 8), st.integers(1, 10_000))
    def test_what_is_flagged_is_as_rare_as_promised(self, doubled: int, count: int) -> None:
        expected = Fraction(CHECKPOINT_FIRST << doubled)
        most = max(
            (found for found in range(int(expected)) if judge_luck(expected, found, ALPHA, count).flagged), default=-1
        )
        if most >= 0:
            assert Fraction(judge_luck(expected, most, ALPHA, count).probability) * count < ALPHA

    def judge_group_ten_thousand_honest_groups_none_is_suspected(self) -> None:
        random = Random(20261128)
        count = 10_000
        found = [poisson(random, 10.0) for _ in range(count)]
        flagged = sum(judge_luck(Fraction(10), blocks, ALPHA, count).flagged for blocks in found)
        assert flagged == 0

    def test_tested_alone_so_many_are_suspected_as_the_chance_says(self) -> None:
        random = Random(20261128)
        found = [poisson(random, 20.0) for _ in range(20_000)]
        flagged = sum(judge_luck(Fraction(20), blocks, ALPHA).flagged for blocks in found)
        assert 0 < flagged <= 2 * 20
