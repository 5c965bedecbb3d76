"""payout.activity: what slices did, beside the line, on both databases."""

from __future__ import annotations

from msgspec.structs import replace
from sqlalchemy import Engine

from payout.accounts import Scheme
from payout.activity import Activity
from payout.scoring import work_of
from payout.store.activity import Counted, SqlActivity
from pool.store.sql import reading
from pool.work.share import Outcome
from tests.payout.scene import MINUTE_MS, START_MS, Scene, batch, share

DAY_MS = START_MS - START_MS % 86_400_000


def counts(**by_outcome: int) -> tuple[int, ...]:
    return tuple(by_outcome.get(each.name.lower(), 0) for each in Outcome)


def kept(scene: Scene) -> list[Counted]:
    with reading(scene.engine) as connection:
        return list(SqlActivity(connection).between(0, START_MS * 2))


def workers(scene: Scene) -> list[tuple[int, int, str]]:
    with reading(scene.engine) as connection:
        return SqlActivity(connection).workers(0, START_MS * 2)


def fleet(engine: Engine, scheme: Scheme = Scheme.PPLNS) -> tuple[Scene, int]:
    scene = Scene(engine)
    scene.account("bit", scheme)
    return scene, scene.slice("bit", None)


class TestCounts:
    def test_accepted_and_refused_shares_of_a_slice_are_counted_each_ten_seconds(self, engine: Engine) -> None:
        scene, number = fleet(engine)
        scene.take(share("bit", slice_id=number), share("bit", slice_id=number, outcome=Outcome.STALE))
        scene.take(share("bit", slice_id=number), share("bit", slice_id=number, outcome=Outcome.DUPLICATE))
        refused = share("bit", slice_id=number, outcome=Outcome.UNAUTHORIZED)
        scene.take(replace(refused, time_ms=START_MS + 19_999))
        scene.take(share("bit", slice_id=number, minute=1))
        assert kept(scene) == [
            Counted(number, START_MS, Activity(counts(accepted=2, stale=1, duplicate=1))),
            Counted(number, START_MS + 10_000, Activity(counts(unauthorized=1))),
            Counted(number, START_MS + MINUTE_MS, Activity(counts(accepted=1))),
        ]

    def test_a_time_has_the_steps_that_began_in_it(self, engine: Engine) -> None:
        scene, number = fleet(engine)
        for seconds in (0, 10, 20, 30):
            scene.take(replace(share("bit", slice_id=number), time_ms=START_MS + seconds * 1000))
        with reading(scene.engine) as connection:
            found = list(SqlActivity(connection).between(START_MS + 1, START_MS + 30_000))
        assert [each.from_ms - START_MS for each in found] == [10_000, 20_000]

    def test_shares_of_no_slice_are_not(self, engine: Engine) -> None:
        scene, _ = fleet(engine)
        scene.take(share("bit"), share("bit", outcome=Outcome.STALE))
        assert (kept(scene), workers(scene)) == ([], [])

    def test_a_batch_that_comes_again_counts_once(self, engine: Engine) -> None:
        scene, number = fleet(engine)
        again = batch([share("bit", slice_id=number), share("bit", slice_id=number, outcome=Outcome.STALE)])
        scene.accounting.take(again)
        scene.accounting.take(again)
        assert [each.activity.counts for each in kept(scene)] == [counts(accepted=1, stale=1)]

    def test_of_solo_the_work_is_kept_too_as_it_is_on_no_line(self, engine: Engine) -> None:
        scene, number = fleet(engine, Scheme.SOLO)
        scene.take(share("bit", "1/4", slice_id=number), share("bit", "1/2", slice_id=number))
        quarter, half = (work_of(share("bit", each)).share for each in ("1/4", "1/2"))
        [found] = kept(scene)
        assert found.activity == Activity(counts(accepted=2), quarter + half, quarter**2 + half**2)


class TestWorkers:
    def test_a_worker_is_kept_once_a_day_and_slice(self, engine: Engine) -> None:
        scene, number = fleet(engine)
        scene.take(*[share("bit", slice_id=number)] * 2)
        scene.take(share("bit", slice_id=number, minute=1), replace(share("bit", slice_id=number), worker=""))
        scene.take(share("bit", slice_id=number, minute=24 * 60))
        assert workers(scene) == [
            (number, DAY_MS, "bit"),
            (number, DAY_MS, "bit.rig"),
            (number, DAY_MS + 86_400_000, "bit.rig"),
        ]

    def test_one_whose_shares_are_refused_did_not_work(self, engine: Engine) -> None:
        scene, number = fleet(engine)
        scene.take(share("bit", slice_id=number, outcome=Outcome.STALE))
        assert workers(scene) == []
