"""The benchmark of the web role, for a moment: a real role, a real Redis, a real database, a small fleet."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from tests.load import web
from tests.load.bench import main
from tests.load.fleet_statistics import SITES

WORKERS = 60
ROUNDS = 10
"""Redis changes each second: so many that not between all two questions of a round, which follow each other, it did."""


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(web, "REST_SECONDS", 0.5)
        patch.setattr(web, "IDLE_SECONDS", 0.1)
        arguments = ["web", "--workers", str(WORKERS), "--rounds", str(ROUNDS), "--idle-rounds", "2"]
        run = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert run.exit_code == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)["web"]
    return found


@pytest.mark.parametrize("question", web.ASKED)
def test_every_question_is_answered(report: dict[str, Any], question: str) -> None:
    assert 0 < report[question]["p50_ms"] <= report[question]["max_ms"]
    assert report[question]["bytes"] > 0


def test_the_groups_are_those_of_the_fleet_and_those_that_never_said_what_they_run(report: dict[str, Any]) -> None:
    assert report["groups"] == {"site": len(SITES), "rack": len(SITES), "firmware": 2 + 1}


def test_what_did_not_change_is_not_sent_again(report: dict[str, Any]) -> None:
    hits, _, rounds = report["etag_hits"].partition(" of ")
    assert int(rounds) == ROUNDS
    assert int(hits) >= 1


def test_an_export_has_every_worker(report: dict[str, Any]) -> None:
    assert report["export_csv"]["rows"] == WORKERS + 1
