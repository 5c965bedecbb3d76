"""payout.store.slice_work, on both databases."""

from __future__ import annotations

from sqlalchemy import Engine

from payout.accounts import Scheme
from payout.order import SUMMED
from payout.rewards import UNIT
from payout.store.slice_work import StepUnits, step_units
from pool.store.sql import reading
from tests.payout.scene import MINUTE_MS, START_MS, Scene, share


def steps(engine: Engine, *marks: int) -> list[StepUnits]:
    with reading(engine) as connection:
        return list(step_units(connection, marks))


class TestStepUnits:
    def test_a_step_has_the_units_of_each_slice_and_the_size_of_its_shares(self, engine: Engine) -> None:
        scene = Scene(engine)
        scene.account("bit", Scheme.PPLNS)
        number = scene.slice("bit", None)
        scene.take(share("bit", "1/4", slice_id=number), share("bit", "1/4", slice_id=number), share("other", "1/2"))
        scene.take(share("other", "1/2", minute=1))
        first, second = steps(engine, START_MS, START_MS + MINUTE_MS, START_MS + 2 * MINUTE_MS)
        assert {key: round(units * 100 / UNIT) for key, units in first.units.items()} == {
            ("bit", number): 50,
            ("other", 0): 50,
        }
        assert {key: round(units * 100 / UNIT) for key, units in first.share_units.items()} == {
            ("bit", number): 25,
            ("other", 0): 50,
        }
        assert set(second.units) == {("other", 0)}

    def test_many_batches_are_the_sum_of_all_of_them(self, engine: Engine) -> None:
        scene = Scene(engine)
        for minute in range(SUMMED + 9):
            scene.take(share("bit", "1/4", minute=minute))
        one, few, rest = steps(
            engine,
            START_MS,
            START_MS + MINUTE_MS,
            START_MS + 5 * MINUTE_MS,
            START_MS + 999 * MINUTE_MS,
        )
        each = one.units["bit", 0]
        assert few.units["bit", 0] == 4 * each
        assert rest.units["bit", 0] == (SUMMED + 4) * each
        assert rest.share_units["bit", 0] == each

    def test_a_step_without_shares_is_there_and_empty(self, engine: Engine) -> None:
        (step,) = steps(engine, START_MS, START_MS + 1)
        assert (step.units, step.share_units) == ({}, {})
