"""`steppe move`: what it says and refuses, on books without a Redis or with moves that are kept."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from pool import config_file
from pool.roles.database import open_database
from pool.store.moves import SqlMoves
from pool.store.sql import writing
from tests.pool.fleet.moves import LOGINS, PLAN
from tests.pool.test_cli import config, steppe

__all__ = ["config"]

PLAN_WORDS = ["move", "plan", "out", "--account", "acme", "--from", "a", "--to", "b", "--pace", "20/min"]


@pytest.fixture
def planned(config: Path) -> Path:
    """A file whose books have a move, planned for an hour from now."""
    out("move", "list", "-c", config)  # which makes the books
    now_ms = int(time.time() * 1000)
    plan = replace(PLAN, deadline_ms=now_ms + 3_600_000, planned_on_ms=now_ms + 3_600_000)
    engine = open_database(config_file.load(config))
    with writing(engine) as connection:
        SqlMoves(connection).add("out", plan, LOGINS, "ann", now_ms)
    engine.dispose()
    return config


def out(*arguments: str | Path) -> str:
    result = steppe(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


def refusal(*arguments: str | Path) -> str:
    result = steppe(*arguments)
    assert result.exit_code != 0
    return result.output


class TestOrders:
    def test_a_move_is_started_paused_and_rolled_back(self, planned: Path) -> None:
        said = [out("move", step, "out", "-c", planned) for step in ("start", "pause", "resume", "rollback")]
        assert said == [f"move out: {state}\n" for state in ("running", "paused", "running", "rolling_back")]

    def test_what_cannot_be_is_refused_with_what_can(self, planned: Path) -> None:
        assert "it can only start or rollback" in refusal("move", "pause", "out", "-c", planned)
        assert "there is no move in" in refusal("move", "start", "in", "-c", planned)

    def test_a_dry_run_of_a_start_lists_everyone_and_starts_nothing(self, planned: Path) -> None:
        lines = out("move", "start", "out", "--dry-run", "-c", planned).splitlines()
        assert [line.split("\t")[2] for line in lines[:-1]] == LOGINS
        assert lines[0].endswith("client.reconnect kazakhstan.pool.example 3333 0")
        assert json.loads(out("move", "show", "out", "--json", "-c", planned))["state"] == "planned"

    def test_a_dry_run_of_a_rollback_lists_who_would_come_back(self, planned: Path) -> None:
        assert out("move", "rollback", "out", "--dry-run", "-c", planned).startswith("move out: 0 machines")

    def test_the_same_key_is_one_order(self, planned: Path) -> None:
        for _ in range(2):
            out("move", "start", "out", "--key", "ticket 7", "--reason", "the notice", "-c", planned)
        [event] = json.loads(out("move", "show", "out", "--json", "-c", planned))["events"]
        assert (event["key"], event["reason"]) == ("ticket 7", "the notice")

    def test_a_close_with_machines_on_the_way_wants_force(self, planned: Path) -> None:
        out("move", "start", "out", "-c", planned)
        assert "have not arrived" in refusal("move", "close", "out", "-c", planned)
        assert out("move", "close", "out", "--force", "-c", planned) == "move out: closed\n"


class TestShow:
    def test_it_has_a_line_for_each_rack_and_with_machines_for_each_of_them(self, planned: Path) -> None:
        lines = out("move", "show", "out", "--machines", "-c", planned).splitlines()
        assert "rack sc-r10\t4 pending" in lines
        assert f"{LOGINS[0]}\tpending\ttold -\tarrived -" in lines

    def test_a_list_has_a_line_for_each_move(self, planned: Path) -> None:
        assert out("move", "list", "-c", planned) == "out\tplanned\tganzi -> ekibastuz\t12 machines: 12 pending\n"


class TestPlan:
    @pytest.mark.parametrize(
        ("deadline", "says"),
        [
            ("2027-01-01T09:00", "does not say its zone, as 2026-12-01T00:00Z does"),
            ("soon", "is not a time such as 2026-12-01T00:00Z"),
        ],
    )
    def test_a_time_without_a_zone_or_that_is_none_is_refused(self, config: Path, deadline: str, says: str) -> None:
        assert says in refusal(*PLAN_WORDS, "--deadline", deadline, "-c", config)

    def test_without_redis_nothing_is_planned(self, config: Path) -> None:
        assert "Redis" in refusal(*PLAN_WORDS, "--deadline", "2099-01-01T00:00Z", "-c", config)


class TestStrays:
    def test_nobody_strayed(self, config: Path) -> None:
        assert out("move", "strays", "-c", config) == "0 workers\n"
        assert "no worker of acme waits to be confirmed" in refusal("move", "confirm", "acme", "-c", config)

    def test_who_did_is_listed_and_confirmed(self, config: Path) -> None:
        out("move", "list", "-c", config)
        engine = open_database(config_file.load(config))
        with writing(engine) as connection:
            SqlMoves(connection).flag([("acme.rig1", "sichuan", "texas")], 1_700_000_000_000)
        engine.dispose()
        assert "acme.rig1\tfrom sichuan to texas\t2023-11-14T22:13:20Z" in out("move", "strays", "-c", config)
        assert out("move", "confirm", "acme", "-c", config) == "acme: 1 workers confirmed\n"
