"""The whole work role when its preferred node refuses the block that everybody else builds on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.regtest import reactor as twisted
from tests.regtest.several import Peer, Work
from tests.regtest.whole_pool import eventually

# Longer than two rounds of the gate.
QUIET_SECONDS = 12


@pytest.fixture
def peers(bitcoind_program: Path, tmp_path: Path) -> Iterator[tuple[Peer, Peer]]:
    a, b = (Peer(bitcoind_program, tmp_path / name) for name in "ab")
    a.node.mine(5)
    b.connect(a)
    yield a, b
    for peer in (a, b):
        peer.node.stop()


def test_a_node_that_goes_off_by_itself_is_left_and_never_mined_on(peers: tuple[Peer, Peer], tmp_path: Path) -> None:
    """Block 961632, August 2026."""
    knots, core = peers
    work = Work(peers, tmp_path)
    work.start()
    [refused] = core.node.mine(1)
    eventually("both have the block", lambda: knots.tip() == refused)
    knots.node.call("invalidateblock", refused)
    eventually("the preferred node is left", lambda: work.state(knots) == "down" and work.chosen() == core.name)
    eventually("miners work on the chain of the majority", lambda: work.has_job_on(refused))
    verdict = next(status for status in work.status() if status.name == knots.name)
    assert "its chain is minority" in str(verdict.reason)

    # Even alone, and longer than what the others had, it is nobody's chain.
    core.node.kill()
    knots.node.call("generatetoaddress", 5, knots.node.payout_address())
    before = len(work.jobs)
    time.sleep(QUIET_SECONDS)
    assert [job.height for job in work.jobs[before:]] == []
    assert twisted.on_reactor(work.workshop.status).nodes[0].state == "down"
    work.stop()


def test_each_job_is_shown_to_its_node(peers: tuple[Peer, Peer], tmp_path: Path) -> None:
    work = Work(peers, tmp_path)
    work.start()
    peers[0].node.mine(1)
    eventually("the node has looked at two", lambda: twisted.on_reactor(work.workshop.status).proposals.looked_at >= 2)
    assert twisted.on_reactor(work.workshop.status).proposals.refused == 0
    work.stop()
