"""/api/v1/moves and /api/v1/regions."""

from __future__ import annotations

from msgspec.structs import replace

from pool.dashboard.moves import MoveDetail
from pool.dashboard.ports import SourceUnavailable
from pool.fleet.report import MoveReport, machines, report
from tests.pool.dashboard.browser import Browser
from tests.pool.dashboard.fakes import FakeLive, live_view, stratum_role, worker
from tests.pool.fleet.moves import LOGINS, START_MS, fleet, running


class FakeMoves:
    """One move, or none that can be read."""

    def __init__(self, reason: str | None = None) -> None:
        self.reason = reason
        self.machines = tuple(machines(running(), fleet(), START_MS))

    async def every(self) -> tuple[MoveReport, ...]:
        if self.reason is not None:
            raise SourceUnavailable(self.reason)
        return (report(running(), fleet(), START_MS),)

    async def move(self, name: str) -> MoveDetail | None:
        if name != "out":
            return None
        [found] = await self.every()
        return MoveDetail(found, self.machines)


def test_all_moves_are_listed_with_their_counts() -> None:
    [row] = Browser(moves=FakeMoves()).ask("/api/v1/moves").json()["rows"]
    assert (row["name"], row["state"], row["counts"]["pending"]) == ("out", "running", len(LOGINS))
    assert row["target"] == {
        "site": "ekibastuz",
        "region": "kazakhstan",
        "host": "kazakhstan.pool.example",
        "port": 3333,
    }


def test_one_move_has_its_machines() -> None:
    detail = Browser(moves=FakeMoves()).ask("/api/v1/moves/out").json()
    assert [each["login"] for each in detail["machines"]] == LOGINS


def test_of_its_machines_those_that_wait_for_a_person_can_be_asked_for() -> None:
    moves = FakeMoves()
    moves.machines = (
        replace(moves.machines[0], is_late=True),
        replace(moves.machines[1], status="straggler"),
        replace(moves.machines[2], status="gone"),
        replace(moves.machines[3], status="arrived"),
        *moves.machines[4:],
    )
    detail = Browser(moves=moves).ask("/api/v1/moves/out?machines=waiting").json()
    assert [each["login"] for each in detail["machines"]] == LOGINS[:3]
    assert Browser(moves=moves).ask("/api/v1/moves/out?machines=some").status == 400


def test_one_that_is_not_there_is_not_found_nor_is_what_is_no_name() -> None:
    for name in ("in", "a%20b", "%2e%2e"):
        response = Browser(moves=FakeMoves()).ask(f"/api/v1/moves/{name}")
        assert (response.status, response.json()["error"]["code"]) == (404, "unknown_move")


def test_without_a_database_it_says_so() -> None:
    browser = Browser(moves=FakeMoves("The database is locked."))
    assert browser.ask("/api/v1/moves").json() == {"rows": None, "unavailable": {"database": "The database is locked."}}
    assert browser.ask("/api/v1/moves/out").status == 503


def test_a_pool_without_moves_has_none() -> None:
    assert Browser().ask("/api/v1/moves").json() == {"rows": [], "unavailable": {}}


def test_unknown_parameters_are_refused() -> None:
    assert Browser().ask("/api/v1/moves?colour=red").status == 400


def test_regions_have_their_endpoint_processes_and_sessions() -> None:
    view = live_view([worker("acct.rig-1")])
    roles = tuple(
        replace(stratum_role(name, sessions), region=region, endpoint=endpoint)
        for name, sessions, region, endpoint in (
            ("0", 3, "texas", "tx.pool.example:3333"),
            ("1", 4, "texas", ""),
            ("2", 1, "sichuan", ""),
        )
    )
    live = FakeLive(replace(view, roles=replace(view.roles, stratum=roles)))
    assert Browser(live).ask("/api/v1/regions").json()["rows"] == [
        {"region": "sichuan", "endpoint": "", "processes": 1, "sessions": 1},
        {"region": "texas", "endpoint": "tx.pool.example:3333", "processes": 2, "sessions": 7},
    ]
