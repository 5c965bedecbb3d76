"""The benchmark of a block's way, for a moment: the real parts, two nodes that are sockets."""

from __future__ import annotations

import json

from click.testing import CliRunner

from tests.load.bench import main


def test_every_block_reaches_the_kernel_before_a_node_and_a_node_at_last() -> None:
    run = CliRunner().invoke(main, ["block-path", "--rounds", "3", "--nodes", "2"], catch_exceptions=False)
    assert run.exit_code == 0, run.stderr
    for figures in json.loads(run.stdout)["block_path"].values():
        assert 0 < figures["kernel_ms"]["first"] < figures["first_node_ms"]["first"] <= figures["last_node_ms"]["first"]
        assert figures["disk_ms"]["first"] > figures["kernel_ms"]["first"]
