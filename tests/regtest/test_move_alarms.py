"""pool/roles/mover.py on real SQL and a real Redis: who is late, and who strayed."""

from __future__ import annotations

import pytest

from pool.fleet.move import MoveRefused, Step
from tests.regtest.moving import LOGINS, Scene, engine, running, scene, server
from tests.stratum.scene import logged

__all__ = ["engine", "scene", "server"]


class TestAlarms:
    def test_machines_on_the_way_are_silent_and_late_ones_are_not(self, scene: Scene) -> None:
        running(scene).pass_seconds(12)
        scene.go(*LOGINS[:5])
        scene.at["sichuan"].clear()
        scene.beat()
        scene.pass_seconds(2)
        with logged() as said:
            scene.clock.advance(3600)
            scene.pass_seconds(1)
            assert [each for each in said if each["event"] == "relocation_late"] == []
            scene.clock.advance(60)
            scene.pass_seconds(2)
        [late] = [each for each in said if each["event"] == "relocation_late"]
        assert (late["move"], late["late"], late["racks"]) == ("out", 1, ["sc-r2"])

    def test_a_worker_that_comes_on_elsewhere_without_a_move_is_flagged(self, scene: Scene) -> None:
        scene.pass_seconds(1)
        with logged() as said:
            scene.go(LOGINS[0])
            scene.pass_seconds(3)
        assert [each["login"] for each in said if each["event"] == "worker_strayed"] == [LOGINS[0]]
        [stray] = scene.dispatch.strays()
        assert (stray.login, stray.from_region, stray.to_region) == (LOGINS[0], "sichuan", "kazakhstan")
        assert len(scene.dispatch.confirm("acme", "ann")) == 1
        assert scene.dispatch.strays() == []
        with pytest.raises(MoveRefused, match="no worker of acme waits"):
            scene.dispatch.confirm("acme", "ann")

    def test_one_that_comes_on_elsewhere_while_it_still_mines_here_is_flagged_once(self, scene: Scene) -> None:
        scene.pass_seconds(1)
        scene.at["kazakhstan"].add(LOGINS[0])
        scene.beat()
        scene.pass_seconds(5)
        assert [each.login for each in scene.dispatch.strays()] == [LOGINS[0]]
        scene.dispatch.confirm("acme", "ann")
        scene.pass_seconds(5)
        assert scene.dispatch.strays() == []

    def test_a_machine_of_a_move_is_not_flagged(self, scene: Scene) -> None:
        running(scene).pass_seconds(3)
        scene.go(LOGINS[0])
        scene.pass_seconds(3)
        assert scene.dispatch.strays() == []

    def test_nor_one_that_arrives_after_its_move_was_closed(self, scene: Scene) -> None:
        running(scene).pass_seconds(3)
        scene.dispatch.step("out", Step.CLOSE, "ann", "", force=True)
        scene.go(LOGINS[0])
        scene.pass_seconds(3)
        assert scene.dispatch.strays() == []
