"""The table says what must not be overlooked."""

from __future__ import annotations

from msgspec.structs import replace

from tests.chaos.oracle import Verdict
from tests.chaos.outages import Outage
from tests.chaos.report import LINES_MAX, Report, as_json, as_table

VERDICT = Verdict(9, 8, 1, [], [], 3, 2, 1, 1, [], [])
REPORT = Report(
    seed=7,
    chain="regtest",
    database="sqlite",
    seconds=61.4,
    folder="somewhere",
    faults=[Outage("kill work", 2, 0.5, 1.25, 3, 0.4), Outage("redis full", 1, 0.1, 0.1, 0, 0.0)],
    verdict=VERDICT,
    rebuilt=25,
)


def test_a_good_run_has_its_figures() -> None:
    text = as_table(REPORT)
    assert REPORT.is_good
    assert "seed 7, regtest, sqlite, 61 s" in text
    assert "kill work                    2             0.5 s     1.2 s             3     0.4 s" in text
    assert "shares  sent 9, acknowledged 8, lost 0, doubled 0, counted without an answer 1" in text
    assert "blocks  found 3, in the chain 2, beaten 1 (1 of them after they were credited), lost 0" in text
    assert "books   wrong 0; computed again from 25 records of the journals" in text


def test_only_kills_count_as_kills() -> None:
    assert REPORT.kills == 2
    assert replace(REPORT, faults=[Outage("kill two", 3, 0, 0, 0, 0)]).kills == 6


def test_what_was_lost_is_named_with_the_seed_and_the_folder() -> None:
    report = replace(REPORT, verdict=replace(VERDICT, lost=["share 01"]))
    assert not report.is_good
    assert "share 01" in as_table(report)
    assert "Everything is left in somewhere; the same faults again: --seed 7" in as_table(report)


def test_a_run_that_could_not_go_on_is_not_good() -> None:
    report = replace(REPORT, verdict=None, problem="it hangs")
    assert not report.is_good
    assert "It could not go on: it hangs" in as_table(report)


def test_a_flood_of_what_is_wrong_is_cut_off_in_the_table_and_whole_in_the_json() -> None:
    report = replace(REPORT, verdict=replace(VERDICT, wrong=[f"row {number}" for number in range(LINES_MAX + 5)]))
    assert "... and 5 more" in as_table(report)
    assert f"row {LINES_MAX + 4}" in as_json(report)
