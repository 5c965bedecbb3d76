"""The table of workers of this moment."""

from __future__ import annotations

from pool.dashboard.machines import Known, Machines
from pool.fleet.kinds import Assignment
from pool.fleet.register import Register
from tests.pool.dashboard.fakes import NOW_MS, FakeClock, FakeFleets, FakeLive, live_view, worker
from tests.pool.dashboard.running import result_of

AT = Assignment(
    account="bit", pattern="*", fleet="bit/main", site="almaty", slice_id=1, row_id=1, valid_from_ms=NOW_MS - 1000
)


class Bench:
    def __init__(self) -> None:
        self.live = FakeLive(live_view([worker("bit.kz-1")]))
        self.fleets = FakeFleets(Register([AT]))
        self.clock = FakeClock()
        self.machines = Machines(self.live, self.fleets, self.clock)

    def now(self) -> Known:
        return result_of(self.machines.now())

    def site(self) -> str:
        table = self.now().table
        assert table is not None
        found = table.one("bit.kz-1")
        assert found is not None
        return found.site


def test_the_same_moment_is_one_table() -> None:
    bench = Bench()
    assert bench.now().table is bench.now().table


def test_other_statistics_are_another_table() -> None:
    bench = Bench()
    before = bench.now().table
    bench.live.content = live_view([worker("bit.kz-1"), worker("bit.kz-2")])
    assert bench.now().table is not before


def test_other_fleets_are_seen_at_once() -> None:
    bench = Bench()
    assert bench.site() == "almaty"
    bench.fleets.known = Register()
    assert bench.site() == ""


def test_while_the_database_is_away_machines_stand_where_they_stood() -> None:
    bench = Bench()
    assert bench.site() == "almaty"
    bench.fleets.reason = "The database is locked."
    assert bench.site() == "almaty"
    assert bench.now().fleets.reason == "The database is locked."


def test_an_assignment_ends_at_its_time() -> None:
    bench = Bench()
    ends = Assignment(
        account="bit", pattern="*", fleet="bit/main", site="almaty", slice_id=1, row_id=1, valid_from_ms=NOW_MS - 1000,
        valid_to_ms=NOW_MS + 1,
    )  # fmt: skip
    bench.fleets.known = Register([ends])
    assert bench.site() == "almaty"
    bench.clock.now_ms += 1
    assert bench.site() == ""


def test_without_statistics_there_is_no_table_and_the_reason() -> None:
    bench = Bench()
    bench.live.reason = "Redis is not running."
    assert (bench.now().table, bench.now().live.reason) == (None, "Redis is not running.")
