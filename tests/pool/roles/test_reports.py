"""pool.roles.reports: reports out of real books, on both databases."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from payout.accounts import Scheme
from payout.store.epochs import SqlEpochs
from pool.bitcoin.target import share_work
from pool.reports.facts import ReportRefused, Span
from pool.reports.relocation import Marks
from pool.roles.reports import HOUR_MS, Reports, steps
from pool.store.darkness import SqlDarkness
from pool.store.sql import reading, writing
from pool.work.share import Outcome
from tests.payout.conftest import engine, postgresql_books, sqlite, sqlite_file
from tests.payout.scene import MINUTE_MS, NETWORK, START_MS, Scene, job, share

__all__ = ["engine", "postgresql_books", "sqlite", "sqlite_file"]

QUARTER = share_work(0.25, NETWORK)
MARKS = Marks(START_MS, START_MS + MINUTE_MS, START_MS + 2 * MINUTE_MS, START_MS + 3 * MINUTE_MS)
NOW_MS = START_MS + 60 * MINUTE_MS


@pytest.fixture
def scene(engine: Engine) -> Scene:
    """Two slices of an account, one after the other, and somebody else."""
    made = Scene(engine)
    made.account("host", Scheme.PPLNS)
    made.account("bit", Scheme.PPLNS)
    old, new = made.slice("bit", "net 1000 host"), made.slice("bit", None, minute=2)
    made.take(share("bit", slice_id=old), share("other"), share("bit", slice_id=old))
    made.take(share("other", minute=1))
    made.take(share("bit", slice_id=new, minute=2, block="B1"))
    made.reach(100, B1=100)
    return made


class TestRelocation:
    def test_the_work_of_each_phase_is_that_of_its_shares_to_the_hash(self, scene: Scene) -> None:
        report = Reports(scene.engine, NOW_MS).fleet_relocation("bit/f", MARKS)
        assert [phase.sites[0].work for phase in report.phases] == [str(2 * QUARTER), "0", str(QUARTER)]

    def test_every_party_has_what_the_ledger_has(self, scene: Scene) -> None:
        report = Reports(scene.engine, NOW_MS).fleet_relocation("bit/f", MARKS)
        told = {each.party: each.amount_sat for each in report.phases[2].earned}
        balances = scene.balances()
        assert told == {name: -balances[f"liab:{name}:immature"] for name in ("bit", "host")}
        assert all(each.pending_sat == each.amount_sat for each in report.phases[2].earned)

    def test_pay_per_share_is_divided_as_it_was_posted(self, engine: Engine) -> None:
        scene = Scene(engine)
        for name, scheme in (("host", Scheme.PPLNS), ("kz", Scheme.FPPS)):
            scene.account(name, scheme)
        number = scene.slice("kz", "net 500 host")
        scene.take(*[share("kz", "1/3", slice_id=number)] * 4, share("kz", "1/3"))
        scene.take(job(1))
        scene.end_day([100_000] * 8)
        balances = scene.balances()
        marks = replace(MARKS, from_ms=START_MS - START_MS % 86_400_000)
        earned = Reports(engine, NOW_MS).fleet_relocation("kz", marks).phases[0].earned
        assert {each.party: each.amount_sat for each in earned} == {
            name: -balances[f"liab:{name}:available"] for name in ("host", "kz")
        }

    def test_darkness_is_read_for_the_accounts_machines_alone(self, scene: Scene) -> None:
        with writing(scene.engine) as connection:
            SqlDarkness(connection).begin({"bit.worker-1": START_MS, "other.worker-1": START_MS})
            SqlDarkness(connection).end({"bit.worker-1": START_MS + 30_000})
        report = Reports(scene.engine, NOW_MS).fleet_relocation("bit", MARKS)
        assert [(each.login, each.dark_seconds) for each in report.machines] == [("bit.worker-1", 30)]

    def test_a_fleet_on_solo_hashes_at_its_site_like_others(self, engine: Engine) -> None:
        scene = Scene(engine)
        scene.account("bit", Scheme.SOLO)
        number = scene.slice("bit", None)
        scene.take(*[share("bit", slice_id=number)] * 4)
        scene.take(*[share("bit", slice_id=number, minute=2)] * 9)
        phases = Reports(engine, NOW_MS).fleet_relocation("bit/f", MARKS).phases
        assert [phase.sites[0].work for phase in phases] == [str(4 * QUARTER), "0", str(9 * QUARTER)]
        assert [phase.sites[0].error_bps for phase in phases] == [5_000, None, 3_334]

    def test_refused_shares_are_those_of_the_journal(self, scene: Scene) -> None:
        scene.take(share("bit", outcome=Outcome.STALE), share("bit", slice_id=1, minute=1, outcome=Outcome.STALE))
        phases = Reports(scene.engine, NOW_MS).fleet_relocation("bit/f", MARKS).phases
        assert [each.rejects and (each.rejects.accepted, each.rejects.refused) for each in phases] == [
            (2, 0),
            (0, 1),
            (1, 0),
        ]

    def test_an_unknown_move_is_refused(self, scene: Scene) -> None:
        with pytest.raises(ReportRefused, match="there is no move out"):
            Reports(scene.engine, NOW_MS).relocation("out")


class TestEpochs:
    def test_difficulty_and_subsidy_are_kept_once_they_change(self, scene: Scene) -> None:
        scene.take(replace(share("bit", minute=3, height=101), nbits=0x1D00FFFE), share("bit", minute=4, height=100))
        with reading(scene.engine) as connection:
            rows = SqlEpochs(connection).every()
        assert [(each.from_height, each.from_ms, each.nbits) for each in rows] == [
            (100, START_MS, NETWORK),
            (101, START_MS + 3 * MINUTE_MS, 0x1D00FFFE),
        ]


class TestSteps:
    def test_a_short_time_is_cut_at_full_hours_and_at_marks(self) -> None:
        assert steps(Span(HOUR_MS // 2, 2 * HOUR_MS), [HOUR_MS + 5]) == [
            HOUR_MS // 2,
            HOUR_MS,
            HOUR_MS + 5,
            2 * HOUR_MS,
        ]

    def test_a_long_time_has_longer_steps(self) -> None:
        assert steps(Span(0, 1000 * HOUR_MS), [])[:3] == [0, 3 * HOUR_MS, 6 * HOUR_MS]
