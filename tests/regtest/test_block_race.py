"""Two blocks at one height on two real nodes: ours is stood by, wins or loses, and its verdict says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from pool.node.fate import FINAL_DEPTH
from pool.work.candidate import Candidate
from tests.regtest import reactor as twisted
from tests.regtest.several import Peer, Work
from tests.regtest.test_node_link import winner
from tests.regtest.whole_pool import eventually


@pytest.fixture(scope="module")
def peers(bitcoind_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Peer, Peer]]:
    ours, theirs = (Peer(bitcoind_program, tmp_path_factory.mktemp(name)) for name in ("ours", "theirs"))
    ours.node.mine(3)
    theirs.connect(ours)
    yield ours, theirs
    for peer in (ours, theirs):
        peer.node.stop()


@pytest.fixture
def work(peers: tuple[Peer, Peer], tmp_path: Path) -> Iterator[Work]:
    """On our node alone."""
    work = Work(peers[:1], tmp_path)
    work.start()
    yield work
    work.stop()


def hand_in(work: Work, found: Candidate) -> None:
    twisted.on_reactor(lambda: Deferred.fromCoroutine(work.workshop.take_candidate(found)))


def verdict(folder: Path, found: Candidate) -> dict[str, Any] | None:
    [*files] = folder.glob(f"candidates/*-{found.block_hash[::-1].hex()}.verdict")
    return json.loads(files[0].read_text()) if files else None


def test_a_late_share_of_a_former_tip_is_a_block_all_the_same_and_our_node_stands_by_it(
    work: Work, peers: tuple[Peer, Peer], tmp_path: Path
) -> None:
    ours, _ = peers
    found = winner(work.jobs[-1])
    [other] = ours.node.mine(1)
    eventually("miners have the other block's job", lambda: work.has_job_on(other))
    hand_in(work, found)
    eventually("our node stands by ours", lambda: ours.tip() == found.block_hash[::-1].hex())
    eventually("miners build on it", lambda: work.has_job_on(found.block_hash[::-1].hex()))
    eventually("its verdict is written", lambda: verdict(tmp_path, found))
    ours.node.mine(1)


def test_a_race_that_is_lost_is_no_refusal_and_settled_when_six_blocks_lie_on_the_other(
    work: Work, peers: tuple[Peer, Peer], tmp_path: Path
) -> None:
    ours, theirs = peers
    eventually("both have one tip", lambda: ours.tip() == theirs.tip())
    eventually("miners work on it", lambda: work.has_job_on(ours.tip()))
    ours.cut_off()
    found = winner(work.jobs[-1])
    hand_in(work, found)
    eventually("it is in our chain", lambda: (verdict(tmp_path, found) or {}).get("accepted"))
    theirs.node.mine(1 + FINAL_DEPTH)
    ours.node.call("setnetworkactive", True)
    theirs.connect(ours)
    settled = eventually("it is settled", lambda: _final(verdict(tmp_path, found)))
    assert not settled["accepted"]
    assert twisted.on_reactor(work.workshop.status).blocks_refused == 0


def _final(found: dict[str, Any] | None) -> dict[str, Any] | None:
    return found if found is not None and found["final"] else None
