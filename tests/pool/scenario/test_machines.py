"""pool.scenario.machines: a machine's connection, without a socket."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

import native
from pool.scenario.live_move import Options
from pool.scenario.machines import Machine, Machines, MachineSession
from pool.scenario.two_regions import Endpoint
from tests.pool.test_miner import NOTIFY

HOME = Endpoint("127.0.0.1", 3333)
NOW = 1000.0
EASIEST = 2e-10  # one hash in two is a share, so a search ends at once


def ready(**options: Any) -> MachineSession:
    session = MachineSession("bit.sc-r01-01", **options)
    for message in (
        {"id": 1, "result": [[["mining.notify", "s"]], "a1b2c3d4", 8], "error": None},
        {"id": 2, "result": True, "error": None},
        {"id": None, "method": "mining.set_difficulty", "params": [EASIEST]},
        NOTIFY,
    ):
        tell(session, message)
    session.outgoing()
    return session


def tell(session: MachineSession, message: dict[str, Any]) -> None:
    session.receive(json.dumps(message).encode() + b"\n")


def mined(session: MachineSession) -> dict[str, Any]:
    session.mine()
    [line] = session.outgoing().splitlines()
    return dict(json.loads(line))


def test_it_submits_a_share_of_its_own_work_and_remembers_its_hash() -> None:
    session = ready()
    work = MachineSession.next_work(ready())
    assert work is not None
    request = mined(session)
    assert request["params"][0] == "bit.sc-r01-01"
    tell(session, {"id": request["id"], "result": True, "error": None})
    nonce = int(request["params"][4], 16)
    share = native.sha256d(work.header[:76] + nonce.to_bytes(4, "little"))
    assert session.answers == [(share, "")]
    assert int.from_bytes(share, "little") <= int.from_bytes(work.target, "little")


def test_a_refused_share_keeps_the_reason() -> None:
    session = ready()
    tell(session, {"id": mined(session)["id"], "result": None, "error": [21, "stale", None]})
    assert [reason for _, reason in session.answers] == ["stale"]


def test_a_share_without_an_answer_is_open() -> None:
    session = ready()
    first, second = mined(session), mined(session)
    assert session.open_claims == 2
    tell(session, {"id": second["id"], "result": True, "error": None})
    assert session.open_claims == 1
    tell(session, {"id": first["id"], "result": True, "error": None})
    assert session.open_claims == 0


def test_it_hears_where_it_is_sent() -> None:
    session = ready()
    tell(session, {"id": None, "method": "client.reconnect", "params": ["127.0.0.1", 3334, 0]})
    assert session.sent_to == Endpoint("127.0.0.1", 3334)


def test_without_a_job_it_sends_nothing() -> None:
    session = MachineSession("bit.sc-r01-01")
    session.outgoing()
    session.mine()
    assert session.outgoing() == b""


def test_what_its_chips_do_not_report_is_not_sent_however_easy_the_pools_target_is() -> None:
    chip_target = (1 << 248) - 1
    session = ready(chip_target=chip_target)
    for _ in range(4):
        mined(session)
    assert session.open_claims == 4
    assert all(int.from_bytes(share, "little") <= chip_target for share in session._claims.values())


class TestFirstShares:
    """Those after which a machine is known at another endpoint."""

    def machine(self, first_seconds: float | None) -> tuple[Machines, Machine]:
        machines = Machines(HOME, ["bit.sc-r01-01"], set(), 3600.0, 1, first_seconds=first_seconds)
        [machine] = machines.all
        machine.session = ready()
        return machines, machine

    def test_one_that_was_sent_elsewhere_sends_its_first_one_soon(self) -> None:
        machines, machine = self.machine(first_seconds=0.0)
        machine.times_told = 1
        machines.act(machine, NOW)
        assert machine.session.open_claims == 1
        machines.act(machine, NOW)
        assert machine.session.open_claims == 1

    def test_one_whose_power_comes_on_does_not(self) -> None:
        machines, machine = self.machine(first_seconds=0.0)
        machines.act(machine, NOW)
        assert machine.session.open_claims == 0
        assert machine.mine_at is not None
        assert machine.mine_at > NOW

    def test_nor_one_that_has_no_such_haste(self) -> None:
        machines, machine = self.machine(first_seconds=None)
        machine.times_told = 1
        machines.act(machine, NOW)
        assert machine.session.open_claims == 0

    @pytest.mark.parametrize(("first_seconds", "is_soon"), [(0.0, True), (None, False)])
    def test_after_a_refused_one_another_comes_as_soon(self, first_seconds: float | None, is_soon: bool) -> None:
        machines, machine = self.machine(first_seconds)
        number = mined(machine.session)["id"]
        machine.mine_at = math.inf
        refused = {"id": number, "result": None, "error": [21, "stale", None]}
        machines.hear(machine, json.dumps(refused).encode() + b"\n")
        assert (machine.mine_at < math.inf) == is_soon
        assert [each.reason for each in machines.answers()] == ["stale"]


@pytest.mark.parametrize(("machines", "percent", "deaf"), [(24, 5, 1), (320, 5, 16), (16, 5, 1), (320, 0, 0)])
def test_so_many_machines_are_deaf(machines: int, percent: int, deaf: int) -> None:
    assert Options(machines, Path("out"), 1, "10%/6s", None, percent).deaf == deaf


@pytest.mark.parametrize(("machines", "neighbours"), [(320, 16), (24, 1), (16, 1)])
def test_so_many_of_another_account_mine_beside_them(machines: int, neighbours: int) -> None:
    assert Options(machines, Path("out"), 1, "10%/6s", None).neighbours == neighbours
