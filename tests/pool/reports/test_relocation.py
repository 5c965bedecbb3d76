"""pool.reports.relocation: the vectors P21 and P22, and a whole move."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from payout.earnings import BLOCK, Earning
from pool.fleet.facts import Fact
from pool.fleet.kinds import Assignment, Batch, Count
from pool.reports.downtime import Journey
from pool.reports.facts import Counted, Dark, ReportRefused, Work
from pool.reports.relocation import Marks, Relocation, marks_of, relocation
from pool.reports.relocation_paper import relocation_paper
from tests.pool.reports.kazakhstan import (
    DAY_MS,
    LOGINS,
    LONG_AGO_MS,
    NEW,
    OFF_MS,
    OLD,
    ON_MS,
    facts,
    known,
    move,
    travellers,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "payout_vectors.json"
NOW_MS = ON_MS + 2 * DAY_MS
# 18.2 PH/s of work in a day.
DAY_WORK = 18_200_000 * 10**9 * 86_400


def vector(name: str) -> dict[str, Any]:
    every: list[dict[str, Any]] = json.loads(VECTORS.read_bytes())["vectors"]
    return next(each for each in every if each["id"] == name)


class TestP22:
    @pytest.fixture
    def report(self) -> Relocation:
        """The three batches, each on its own slice, of which the last day was measured."""
        told: list[Fact] = [each for each in facts() if not isinstance(each, Batch | Count | Assignment)]
        works = []
        since: dict[str, Any] = {"valid_from_ms": LONG_AGO_MS}
        for number, given in enumerate(vector("P22")["in"]["batches"], 1):
            name = f"bit/main/{given['batch'].replace('+', '-')}"
            machines, online = given["machines"], given["machines_online"]
            nominal_ghs = int(given["nominal_ghs"])
            told += [
                Batch(name=name, model="S17", machines=machines, nominal_ghs=nominal_ghs, **since),
                Count(batch=name, hashing=online, installed=machines - online, **since),
                Assignment(account="bit", pattern=f"b{number}-*", fleet="bit/main", site="almaty", batch=name, **since),
            ]
            end_ms = ON_MS + given["seconds"] * 1000
            works.append(Work("bit", number, ON_MS, end_ms, int(given["work"]), 10**15))
        marks = Marks(OFF_MS - DAY_MS, OFF_MS, ON_MS, ON_MS + DAY_MS)
        return relocation(known(NOW_MS, told, works=works), "bit/main", "bit", "bit/main", marks, [])

    def test_every_batch_has_the_figures_of_the_vector(self, report: Relocation) -> None:
        expected = vector("P22")["out"]["batches"]
        names = ["bit/main/kz-1", "bit/main/kz-2-3", "bit/main/purchase-2021-07-28"]
        assert [each.batch for each in report.batches] == names
        for each, figures in zip(report.batches, expected, strict=True):
            said = {name: getattr(each, name) for name in figures}
            assert {name: str(value) for name, value in said.items()} == {
                name: str(value) for name, value in figures.items()
            }

    def test_the_site_has_the_sum_of_them(self, report: Relocation) -> None:
        (site,) = report.phases[2].sites
        assert (site.site, site.measured_ghs) == ("almaty", 17_000_000 + 79_901_120)
        assert site.nominal_ghs == 18_200_000 + 102_300_000 + 165_000_000
        assert site.expected_ghs == 17_290_000 + 82_500_000


def story(**more: Any) -> Relocation:
    """The 320 machines: a week in Sichuan, eight days on the road, two days in Kazakhstan."""
    works = [
        Work("bit", OLD, OFF_MS - day * DAY_MS, OFF_MS - (day - 1) * DAY_MS, DAY_WORK, 10**15) for day in range(1, 8)
    ]
    works += [Work("bit", NEW, ON_MS + day * DAY_MS, ON_MS + (day + 1) * DAY_MS, DAY_WORK, 10**15) for day in range(2)]
    found = known(NOW_MS, works=works, **{name: each for name, each in more.items() if name != "arrived"})
    journey = Journey(move(), travellers(more.get("arrived")))
    marks = marks_of(journey, found.darks, NOW_MS, None, None)
    return relocation(found, "out", "bit", "", marks, [journey], is_of_one=True)


class TestMove:
    def test_what_was_not_earned_is_the_vector_p21_to_the_satoshi(self) -> None:
        report = story()
        assert [(each.cause, each.machines, each.cost_sat) for each in report.lost] == [("move", 320, 88_489_355)]
        assert report.lost[0].machine_seconds == 320 * 666_000
        assert vector("P21")["out"]["sat"][1] == 88_489_355

    def test_machines_are_rounded_down_one_by_one(self) -> None:
        report = story()
        assert {each.cost_sat for each in report.machines} == {88_489_355 // 320}
        assert report.lost_sat - 320 < sum(each.cost_sat for each in report.machines) <= report.lost_sat

    def test_hashrate_is_told_by_site_before_during_and_after(self) -> None:
        report = story()
        told = {(phase.name, site.site): site.measured_ghs for phase in report.phases for site in phase.sites}
        assert told == {
            ("before", "almaty"): 0,
            ("before", "ganzi"): 18_200_000,
            ("during", "almaty"): 0,
            ("during", "ganzi"): 0,
            ("after", "almaty"): 18_200_000,
            ("after", "ganzi"): 0,
        }

    def test_planned_and_actual_times_are_side_by_side(self) -> None:
        report = story()
        assert (report.planned_off_ms, report.actual_off_ms) == (OFF_MS, OFF_MS)
        assert (report.planned_on_ms, report.actual_on_ms) == (ON_MS, ON_MS)
        assert (report.machines_sent, report.machines_arrived, report.machines_missing) == (320, 320, 0)

    def test_a_machine_that_never_arrived_is_missing_late_and_dark_until_now(self) -> None:
        report = story(arrived={LOGINS[7]: None})
        assert (report.actual_on_ms, report.machines_missing) == (None, 1)
        assert report.late_ms == NOW_MS - ON_MS
        longest = report.machines[0]
        assert (longest.login, longest.rack, longest.status) == (LOGINS[7], "sc-r00", "gone, late")
        assert longest.dark_seconds == (NOW_MS - OFF_MS) // 1000
        assert report.move is not None
        assert report.move.racks[0].gone == (LOGINS[7],)

    def test_while_a_machine_is_missing_its_batch_is_told_all_the_same(self) -> None:
        report = story(arrived={LOGINS[7]: None})
        assert [(each.batch, each.measured_ghs) for each in report.batches] == [("bit/main/one", 18_200_000)]

    def test_shares_of_the_old_site_that_still_pay_are_the_tail(self) -> None:
        earned = [
            Earning("bit", OLD, "ganzi", ON_MS + 1, BLOCK, 7, True),
            Earning("bit", NEW, "kz-partner", ON_MS + 1, BLOCK, 20, False),
            Earning("bit", OLD, "ganzi", OFF_MS - 1, BLOCK, 5, True),
        ]
        phases = {phase.name: phase.earned for phase in story(earned=earned).phases}
        assert [(each.party, each.amount_sat, each.tail_sat) for each in phases["before"]] == [("ganzi", 5, 0)]
        assert [(each.party, each.amount_sat, each.pending_sat, each.tail_sat) for each in phases["after"]] == [
            ("ganzi", 7, 0, 7),
            ("kz-partner", 20, 20, 0),
        ]

    def test_a_machine_that_fails_at_the_new_site_is_a_fault_and_no_move(self) -> None:
        dark = Dark(LOGINS[0], ON_MS + DAY_MS, ON_MS + DAY_MS + 3_600_000)
        found = {each.cause: each for each in story(darks=[dark]).lost}
        assert (found["fault"].machines, found["fault"].machine_seconds) == (1, 3600)
        assert found["move"].cost_sat == 88_489_355

    def test_its_last_share_says_more_than_when_it_was_missed(self) -> None:
        dark = Dark(LOGINS[0], OFF_MS - 60_000, ON_MS)
        found = {each.cause: each for each in story(darks=[dark]).lost}
        assert set(found) == {"move"}
        assert found["move"].machine_seconds == 320 * 666_000 + 60

    def test_a_planned_move_that_covers_a_fleet_is_the_cause_of_its_darkness(self) -> None:
        marks = Marks(OFF_MS - DAY_MS, OFF_MS, ON_MS, ON_MS + DAY_MS)
        journeys = [Journey(move(), travellers())]
        report = relocation(known(NOW_MS), "bit/main", "bit", "bit/main", marks, journeys)
        assert [(each.cause, each.machines, each.cost_sat) for each in report.lost] == [("move", 320, 88_489_355)]
        assert (report.moves, report.planned_off_ms, report.planned_on_ms) == (("out",), OFF_MS, ON_MS)
        assert (report.actual_on_ms, report.machines_sent, report.machines_arrived) == (ON_MS, 320, 320)
        assert ("Moves", "out: 320 sent, 320 arrived, 0 missing") in relocation_paper(report).facts

    def test_a_move_of_another_fleet_is_none_of_this_one(self) -> None:
        others = [replace(each, login=f"bit.tx-{number}") for number, each in enumerate(travellers())]
        marks = Marks(OFF_MS - DAY_MS, OFF_MS, ON_MS, ON_MS + DAY_MS)
        report = relocation(known(NOW_MS), "bit/main", "bit", "bit/main", marks, [Journey(move(), others)])
        assert (report.moves, report.machines_sent, report.lost) == ((), 0, ())

    def test_without_a_plan_the_report_says_so_and_names_the_other_causes(self) -> None:
        marks = Marks(OFF_MS - DAY_MS, OFF_MS, ON_MS, ON_MS + DAY_MS)
        darks = [Dark(LOGINS[0], OFF_MS - 60_000, ON_MS)]
        report = relocation(known(NOW_MS, darks=darks), "bit/main", "bit", "bit/main", marks, [])
        assert [each.cause for each in report.lost] == ["suspension", "fault"]
        told = dict(relocation_paper(report).facts)
        assert told["Moves"].startswith("none was planned for these machines")
        assert not {"Power off", "Back on"} & set(told)

    def test_refused_and_stale_shares_are_told_before_during_and_after(self) -> None:
        counted = [
            Counted(OLD, OFF_MS - 60_000, 990, {"stale": 8, "low_difficulty": 2}),
            Counted(OLD, OFF_MS, 0, {"stale": 3}),
            Counted(NEW, ON_MS, 500, {}),
            Counted(99, ON_MS, 7, {"stale": 7}),
        ]
        report = story(counted=counted)
        told = {
            (phase.name, site.site): (site.rejects.accepted, site.rejects.reasons)
            for phase in report.phases
            for site in phase.sites
            if site.rejects is not None and site.rejects.refused_rate is not None
        }
        assert told == {
            ("before", "ganzi"): (990, {"stale": 8, "low_difficulty": 2}),
            ("during", "ganzi"): (0, {"stale": 3}),
            ("after", "almaty"): (500, {}),
        }
        rows = next(each.rows for each in relocation_paper(report).tables if each.title.startswith("Refused"))
        why = "stale 8, low difficulty 2"
        assert ("before", "ganzi", "990", "10", "1.00% ±0.33%", "8", "0.80% ±0.30%", why) in rows

    def test_books_that_did_not_keep_them_say_nothing_of_refused_shares(self) -> None:
        report = story()
        assert [phase.rejects for phase in report.phases] == [None] * 3
        assert not [each for each in relocation_paper(report).tables if each.title.startswith("Refused")]

    def test_times_that_do_not_follow_each_other_are_refused(self) -> None:
        with pytest.raises(ReportRefused, match="must follow each other"):
            relocation(known(NOW_MS), "bit", "bit", "", Marks(5, 4, 6, 7), [])

    def test_a_time_of_which_no_difficulty_is_known_is_refused(self) -> None:
        with pytest.raises(ReportRefused, match="only from 2021-07"):
            story(epochs=known(0).epochs[1:])


class TestSlices:
    def test_machines_that_came_to_the_same_site_from_elsewhere_are_not_of_the_move(self) -> None:
        since: dict[str, Any] = {"valid_from_ms": LONG_AGO_MS}
        told = [
            *facts(),
            Batch(name="bit/main/two", model="S17", machines=10, nominal_ghs=100, **since),
            Assignment(
                account="bit",
                pattern="b2-*",
                fleet="bit/main",
                site="almaty",
                batch="bit/main/two",
                valid_from_ms=OFF_MS + 1,
            ),
        ]
        works = [
            Work("bit", NEW, ON_MS, ON_MS + DAY_MS, DAY_WORK),
            Work("bit", NEW + 1, ON_MS, ON_MS + DAY_MS, DAY_WORK),
        ]
        found = known(ON_MS + DAY_MS, told, works=works)
        journey = Journey(move(), travellers())
        report = relocation(
            found, "out", "bit", "", marks_of(journey, [], ON_MS + DAY_MS, None, None), [journey], is_of_one=True
        )
        assert report.phases[2].measured_ghs == 18_200_000
        assert [each.batch for each in report.batches] == ["bit/main/one"]

    def test_a_sliver_of_time_is_no_step_of_the_picture(self) -> None:
        cuts = [(0, 100), (101, 200), (200, 202), (202, 300), (300, 301)]  # none had a share in the first sliver
        works = [Work("bit", OLD, OFF_MS + a, OFF_MS + b, 10**9 * (b - a)) for a, b in cuts]
        marks = Marks(OFF_MS, OFF_MS, OFF_MS, OFF_MS + 302)
        report = relocation(known(NOW_MS, works=works), "bit", "bit", "", marks, [])
        assert [(each.from_ms - OFF_MS, each.ghs) for each in report.steps] == [(0, 990), (101, 1000), (200, 1000)]

    def test_the_picture_says_that_nothing_was_done_between_two_steps(self) -> None:
        works = [Work("bit", OLD, OFF_MS + at, OFF_MS + at + 10, 10 * 10**9) for at in (0, 20)]
        report = relocation(
            known(NOW_MS, works=works), "bit", "bit", "", Marks(OFF_MS, OFF_MS, OFF_MS, OFF_MS + 30), []
        )
        assert [(each.from_ms - OFF_MS, each.ghs) for each in report.steps] == [(0, 1000), (10, 0), (20, 1000)]
