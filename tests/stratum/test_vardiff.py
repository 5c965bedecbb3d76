"""stratum.vardiff: what is asked for, and how simulated miners fare with it."""

from __future__ import annotations

import math
from random import Random
from statistics import median

import pytest
from msgspec import Struct

from native import Flow
from stratum.difficulty import DifficultyBounds, SessionDifficulty
from stratum.vardiff import AVERAGED, BURST_SHARES, DECIDING_WANTED, DESCENT, SILENT_AT_FIRST, Pace
from tests.stratum.scene import MAINNET_NBITS

WANTED = 0.1  # shares a second, 6 a minute


def begun(difficulty: float = 1000.0) -> Pace:
    pace = Pace(WANTED, Flow())
    pace.next_difficulty(difficulty, 0.0)
    return pace


def mine(pace: Pace, shares_per_look: int, looks: int, difficulty: float = 1000.0) -> float | None:
    """A look each ten seconds; the last answer."""
    asked = None
    for look in range(1, looks + 1):
        for _ in range(shares_per_look):
            pace.flow.take(difficulty)
        asked = pace.next_difficulty(difficulty, 10.0 * look)
    return asked


class TestPace:
    def test_who_keeps_the_pace_is_left_alone(self) -> None:
        assert mine(begun(), 1, 1000) is None

    def test_before_there_is_enough_to_tell_nothing_changes(self) -> None:
        assert mine(begun(), 2, 23) is None

    def test_twice_the_pace_is_twice_the_difficulty(self) -> None:
        assert mine(begun(), 2, 24) == pytest.approx(2000)

    def test_a_burst_is_answered_at_once_with_what_it_says(self) -> None:
        pace = begun()
        for _ in range(200):
            pace.flow.take(1000.0)
        assert pace.next_difficulty(1000.0, 1.0) == pytest.approx(200 / WANTED * 1000)

    def test_the_share_that_makes_it_a_burst_calls_for_a_look_once(self) -> None:
        pace = begun()
        assert [pace.flow.take(1000.0) for _ in range(BURST_SHARES + 2)].count(True) == 1

    def test_after_the_look_it_may_call_again(self) -> None:
        pace = begun()
        for _ in range(2):
            assert any(pace.flow.take(1000.0) for _ in range(BURST_SHARES))
            pace.next_difficulty(1000.0, 1.0)

    def test_shares_of_the_former_difficulty_count_as_what_they_are(self) -> None:
        pace = begun(1000.0)
        pace.next_difficulty(1_000_000.0, 10.0)
        for _ in range(500):
            pace.flow.take(1000.0)
        assert pace.next_difficulty(1_000_000.0, 11.0) is None

    def test_without_any_share_it_gets_easier_by_steps(self) -> None:
        pace, difficulty = begun(), 1000.0
        seconds = SILENT_AT_FIRST / WANTED
        for step in range(1, 5):
            assert pace.next_difficulty(difficulty, (step - 1) * seconds + seconds - 1) is None
            assert pace.next_difficulty(difficulty, step * seconds) == difficulty / DESCENT
            difficulty /= DESCENT
            pace.next_difficulty(difficulty, step * seconds)

    def test_who_falls_silent_after_shares_gets_easier_ones_too(self) -> None:
        pace = begun()
        mine(pace, 1, 600)
        silent = [pace.next_difficulty(1000.0, 6000.0 + seconds) for seconds in range(10, 1000, 10)]
        first = next(asked for asked in silent if asked is not None)
        assert first < 1000.0

    def test_two_looks_at_one_time_do_no_harm(self) -> None:
        pace = begun()
        pace.flow.take(1000.0)
        assert pace.next_difficulty(1000.0, 0.0) is None

    @pytest.mark.parametrize("per_minute", [1.0, 6.0, 60.0])
    def test_all_is_measured_in_wanted_shares(self, per_minute: float) -> None:
        wanted = per_minute / 60
        pace = Pace(wanted, Flow())
        pace.next_difficulty(1.0, 0.0)
        asked = [
            pace.next_difficulty(1.0, look / wanted)
            for look in range(1, int(AVERAGED) * 10)
            for _ in [pace.flow.take(1.0), pace.flow.take(1.0)]
        ]
        assert next(look for look, each in enumerate(asked) if each is not None) in (
            2 * int(DECIDING_WANTED) - 2,
            2 * int(DECIDING_WANTED) - 1,
            2 * int(DECIDING_WANTED),
        )


class Told(Struct, frozen=True):
    """A difficulty that a simulated miner was told, in parts of the one that gives the wanted rate."""

    second: int
    ratio: float


class Simulation:
    """A miner of a steady hashrate: the server's looks, its jobs each 30 seconds, and nothing else."""

    def __init__(self, hashrate_hps: float, seed: int, start: float = 65536.0, suggested: float | None = None) -> None:
        self.told: list[Told] = []
        self.shares_per_second_max = 0
        self._random = Random(seed)
        self._hashrate_hps = hashrate_hps
        self._right = hashrate_hps / 2**32 / WANTED
        self._difficulty = SessionDifficulty(DifficultyBounds(start, 0.0001, 1e12))
        if suggested is not None:
            self._difficulty.suggest(suggested)
        self._pace = Pace(WANTED, Flow())
        self._second = self._number = 0
        self._urgent = False
        self._issue()

    def run(self, minutes: int) -> Simulation:
        for _ in range(minutes * 60):
            self._second += 1
            shares = self._shares(self._hashrate_hps / self.difficulty / 2**32)
            self.shares_per_second_max = max(shares, self.shares_per_second_max)
            burst = False
            for _ in range(shares):
                burst |= self._pace.flow.take(self.difficulty)
            if burst or self._second % 10 == 3:
                self._look()
            if self._urgent or self._second % 30 == 0:
                self._issue()
        return self

    @property
    def difficulty(self) -> float:
        assert self._difficulty.current is not None
        return self._difficulty.current

    def settled_at(self) -> int:
        """Since when the miner finds between half and two and a half times as many shares as wanted."""
        outside = [later.second for told, later in zip(self.told, self.told[1:], strict=False) if not fits(told)]
        return max(outside, default=0) if fits(self.told[-1]) else self._second

    def _look(self) -> None:
        before = self.difficulty
        wanted = self._pace.next_difficulty(before, float(self._second))
        if wanted is not None and self._difficulty.adapt(wanted, MAINNET_NBITS):
            self._urgent = not before / 3 < wanted < before * 3

    def _issue(self) -> None:
        self._urgent = False
        self._number += 1
        changed = self._difficulty.announce(self._number, MAINNET_NBITS, 1)
        if changed is not None:
            self.told.append(Told(self._second, changed / self._right))
        if self._number == 1:
            self._pace.next_difficulty(self.difficulty, 0.0)

    def _shares(self, expected: float) -> int:
        """Poisson's distribution; what a serial line carries at most."""
        if expected > 30:
            return min(2000, round(self._random.gauss(expected, math.sqrt(expected))))
        shares, left = 0, math.exp(-expected)
        chance = self._random.random()
        while chance > left:
            chance *= self._random.random()
            shares += 1
        return shares


def fits(told: Told) -> bool:
    return 0.4 <= told.ratio <= 2.0


SEEDS = range(8)


class TestMiners:
    """From a port's difficulty of 65536 to six shares a minute."""

    @pytest.mark.parametrize("seed", SEEDS)
    def test_400_terahashes_are_there_within_a_minute(self, seed: int) -> None:
        assert Simulation(400e12, seed).run(60).settled_at() <= 60

    @pytest.mark.parametrize("seed", SEEDS)
    def test_one_terahash_within_three_quarters_of_an_hour(self, seed: int) -> None:
        assert Simulation(1e12, seed).run(60).settled_at() <= 2700

    def test_and_mostly_within_six_minutes(self) -> None:
        assert median([Simulation(1e12, seed).run(60).settled_at() for seed in range(32)]) <= 360

    @pytest.mark.parametrize("seed", SEEDS)
    def test_a_nerdminer_that_suggests_its_difficulty_at_once(self, seed: int) -> None:
        assert Simulation(70e3, seed, suggested=0.00015).run(60).settled_at() == 0

    @pytest.mark.parametrize("seed", SEEDS)
    def test_and_one_that_does_not_within_an_hour(self, seed: int) -> None:
        assert Simulation(70e3, seed).run(90).settled_at() <= 3600

    @pytest.mark.parametrize("seed", SEEDS)
    def test_a_farms_proxy_at_the_lowest_difficulty_floods_us_for_seconds_only(self, seed: int) -> None:
        miner = Simulation(1e15, seed, start=0.0001).run(60)
        assert miner.settled_at() <= 15

    @pytest.mark.parametrize("hashrate_hps", [70e3, 1e12, 400e12])
    def test_then_it_stays(self, hashrate_hps: float) -> None:
        hours, changes = 0, 0
        for seed in SEEDS:
            start = max(0.00017, float(round(hashrate_hps / 2**32 / WANTED)))
            miner = Simulation(hashrate_hps, seed, start=start).run(300)
            hours += 5
            changes += len(miner.told) - 1
            assert all(fits(told) for told in miner.told)
        assert changes <= hours / 10

    def test_the_ports_bounds_hold(self) -> None:
        difficulty = SessionDifficulty(DifficultyBounds(64.0, 32.0, 128.0))
        difficulty.announce(1, MAINNET_NBITS, 1)
        for number, wanted, told in ((2, 1e9, 128.0), (3, 1e-9, 32.0)):
            assert difficulty.adapt(wanted, MAINNET_NBITS)
            assert difficulty.announce(number, MAINNET_NBITS, 1) == told
