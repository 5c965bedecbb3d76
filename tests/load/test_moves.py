"""The benchmark of a move: its figures, and all of it with few machines."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from tests.load.bench import main
from tests.load.moves import figures
from tests.pool.scenario.reports import ARRIVALS, report


def test_the_way_is_from_when_a_machine_was_told_until_its_first_share_there() -> None:
    heard = [replace(each, heard_s=(each.told_s or 0.0) + 0.5) for each in ARRIVALS]
    found = figures(replace(report(lost=["one"]), arrivals=tuple(heard)))
    assert (found["told"], found["told_last_s"]) == (4, 6.5)
    assert (found["arrived"], found["arrived_last_s"], found["stragglers"]) == (3, 9.0, 1)
    assert (found["on_the_way_p50_s"], found["on_the_way_max_s"]) == (2.0, 2.5)
    assert found["shares_lost"] == 1


def test_at_each_look_of_the_mover_a_wave_is_told_and_all_arrive() -> None:
    run = CliRunner().invoke(main, ["mover", "--machines=40", "--pace=50%/1s"], catch_exceptions=False)
    found = json.loads(run.stdout)["mover"]
    assert (found["told"], found["arrived"]) == (40, 40)
    assert found["cpu_seconds_of_a_look"].keys() == {"before", "while_told", "while_told_max", "after"}


@pytest.mark.timeout(300)
def test_all_machines_arrive_and_no_share_is_lost() -> None:
    run = CliRunner().invoke(main, ["move", "--machines=48", "--pace=50%/1s"], catch_exceptions=False)
    assert run.exit_code == 0, run.stderr
    found = json.loads(run.stdout)["move"]
    assert (found["told"], found["arrived"], found["stragglers"]) == (48, 48, 0)
    assert (found["shares_lost"], found["shares_doubled"], found["wrong"]) == (0, 0, [])
    assert found["told_last_s"] <= found["arrived_last_s"]
    assert {"stratum sichuan", "stratum kazakhstan", "accounting office"} <= set(found["cpu_seconds"])
