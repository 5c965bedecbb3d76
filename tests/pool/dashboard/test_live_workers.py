"""Rows of workers, made again of what changed; see also test_live."""

from __future__ import annotations

from msgspec import Struct

from pool.dashboard.live_workers import WorkerRows, counted
from tests.pool.dashboard.test_live import row


class Connection(Struct, frozen=True):
    account: str
    worker: str
    agent: str = "bmminer/2"
    difficulty: float | None = 2.0


def test_rows_are_in_the_order_in_which_people_count() -> None:
    found = WorkerRows().rows([row("a.rig-10"), row("a.rig-9")], [Connection("a", "rig-2")])
    assert [each.login for each in found] == ["a.rig-2", "a.rig-9", "a.rig-10"]


def test_a_machine_that_left_is_still_known_by_its_firmware() -> None:
    rows = WorkerRows()
    rows.rows([row("a.rig-1")], [Connection("a", "rig-1")])
    (gone,) = rows.rows([row("a.rig-1")], [])
    assert (gone.agent, gone.sessions) == ("bmminer/2", 0)


def test_one_that_left_the_table_is_forgotten() -> None:
    rows = WorkerRows()
    rows.rows([], [Connection("a", "rig-1")])
    assert rows.rows([], []) == ()
    (back,) = rows.rows([row("a.rig-1")], [])
    assert back.agent == ""


def test_other_firmware_takes_the_place_of_what_was() -> None:
    rows = WorkerRows()
    rows.rows([], [Connection("a", "rig-1")])
    (updated,) = rows.rows([], [Connection("a", "rig-1", "vnish/1")])
    assert updated.agent == "vnish/1"


def test_counts_of_refused_shares_follow_the_tally() -> None:
    rows = WorkerRows()
    first = row("a.rig-1")
    (before,) = rows.rows([first], [])
    (same,) = rows.rows([first], [])
    assert before.activity.rejected == same.activity.rejected == {"stale": 2}


def test_workers_are_counted_by_account() -> None:
    known, online = counted(WorkerRows().rows([row("a.rig-1"), row("b.rig-1")], [Connection("a", "rig-1")]))
    assert (dict(known), online["a"], online["b"]) == ({"a": 1, "b": 1}, 1, 0)
