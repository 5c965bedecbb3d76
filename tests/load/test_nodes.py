"""The benchmark of several nodes, for a moment: the whole pool, two real nodes and a miner."""

from __future__ import annotations

import json

from click.testing import CliRunner

from tests.load.bench import main


def test_it_tells_how_soon_a_new_tip_is_at_a_miner_with_and_without_announcements() -> None:
    run = CliRunner().invoke(main, ["nodes", "--mode=tip", "--rounds=1"], catch_exceptions=False)
    assert run.exit_code == 0, run.stderr
    found = json.loads(run.stdout)["nodes_seconds"]
    assert set(found) == {"without_zmq", "with_zmq"}
    assert all(figures["tip"]["job"]["max"] > 0 for figures in found.values())
