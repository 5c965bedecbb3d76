"""Two real nodes: one is killed, hangs, is cut off, lags, announces nothing; and what becomes of the work."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pool.node.bitcoind import BitcoindNode
from pool.node.credentials import CookieFile
from pool.node.loopback import free_port
from pool.node.rpc import RpcSettings
from tests.pool.node.captured import captured_events, names
from tests.regtest import reactor as twisted
from tests.regtest.several import REGTEST, Peer, Work
from tests.regtest.whole_pool import eventually


@pytest.fixture(scope="module")
def peers(bitcoind_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Peer, Peer]]:
    a, b = (Peer(bitcoind_program, tmp_path_factory.mktemp(name)) for name in "ab")
    a.node.mine(3)
    b.connect(a)
    yield a, b
    for peer in (a, b):
        peer.node.stop()


@pytest.fixture
def work(peers: tuple[Peer, Peer], tmp_path: Path) -> Iterator[Work]:
    work = Work(peers, tmp_path)
    work.start()
    eventually("both nodes are well", lambda: [status.state for status in work.status()] == ["good", "good"])
    eventually("the preferred one gives the work", lambda: work.chosen() == peers[0].name)
    yield work
    work.stop()


class TestNodeAway:
    def test_a_killed_node_is_replaced_and_taken_back_when_it_is_well(
        self, work: Work, peers: tuple[Peer, Peer]
    ) -> None:
        a, b = peers
        a.node.kill()
        eventually("the next node gives the work", lambda: work.chosen() == b.name)
        assert work.state(a) == "down"
        [tip] = b.node.mine(1)
        eventually("its new tip reaches the miners", lambda: work.has_job_on(tip))
        a.start()
        b.connect(a)
        eventually("the preferred node is taken back", lambda: work.chosen() == a.name)

    def test_so_is_a_stopped_one(self, work: Work, peers: tuple[Peer, Peer]) -> None:
        a, b = peers
        os.kill(a.node.pid, signal.SIGSTOP)
        try:
            eventually("the next node gives the work", lambda: work.chosen() == b.name)
            [tip] = b.node.mine(1)
            eventually("its new tip reaches the miners", lambda: work.has_job_on(tip))
        finally:
            os.kill(a.node.pid, signal.SIGCONT)
        eventually("the preferred node is taken back", lambda: work.chosen() == a.name)
        assert work.has_job_on(tip)


class TestHighestTip:
    def test_a_node_that_is_cut_off_lags_and_comes_back(self, work: Work, peers: tuple[Peer, Peer]) -> None:
        a, b = peers
        a.cut_off()
        [tip] = b.node.mine(1)
        eventually("the other's tip reaches the miners", lambda: work.has_job_on(tip))
        eventually("the one that is cut off lags", lambda: work.state(a) == "lagging")
        a.node.call("setnetworkactive", True)
        b.connect(a)
        eventually("it is taken back", lambda: work.chosen() == a.name)
        assert work.has_job_on(tip)

    def test_of_two_branches_the_one_with_more_work_is_mined(self, work: Work, peers: tuple[Peer, Peer]) -> None:
        a, b = peers
        a.cut_off()
        [ours] = a.node.mine(1)
        eventually("the preferred node's block reaches the miners", lambda: work.has_job_on(ours))
        b.node.mine(1)
        tip = b.node.mine(1)[0]
        eventually("the other branch is higher", lambda: work.has_job_on(tip))
        a.node.call("setnetworkactive", True)
        b.connect(a)
        eventually("the preferred node has followed it", lambda: work.state(a) == "good" and work.chosen() == a.name)
        heights = [job.height for job in work.jobs]
        assert heights == sorted(heights)

    def test_when_the_only_one_with_the_highest_tip_dies_no_lower_one_is_mined(
        self, work: Work, peers: tuple[Peer, Peer]
    ) -> None:
        a, b = peers
        a.cut_off()
        [ours] = a.node.mine(1)
        eventually("the preferred node's block reaches the miners", lambda: work.has_job_on(ours))
        a.node.kill()
        eventually("no node is left", lambda: work.problem() is not None)
        assert "no node has the highest tip any more" in str(work.problem())
        assert work.has_job_on(ours)
        tip = b.node.mine(2)[-1]
        eventually("the other has caught up", lambda: work.has_job_on(tip))
        a.start()
        b.connect(a)

    def test_a_block_that_the_node_finds_invalid_is_left(self, peers: tuple[Peer, Peer], tmp_path: Path) -> None:
        _, b = peers
        work = Work([b], tmp_path)
        work.start()
        below = b.tip()
        [tip] = b.node.mine(1)
        eventually("it reaches the miners", lambda: work.has_job_on(tip))
        b.node.call("invalidateblock", tip)
        eventually("it is left", lambda: work.has_job_on(below))
        b.node.call("reconsiderblock", tip)
        eventually("it is mined again", lambda: work.has_job_on(tip))
        work.stop()


class TestAnnouncements:
    def test_a_new_block_is_heard_with_its_hash(self, peers: tuple[Peer, Peer]) -> None:
        a, _ = peers
        twisted.start()
        heard: list[bytes] = []
        settings = RpcSettings(a.node.url, CookieFile(a.node.cookie_file), REGTEST)
        node = BitcoindNode(twisted.reactor, settings, announcements=a.zmq)
        assert node.subscribe(heard.append)
        twisted.on_reactor(node.start)
        # A subscription takes its time, and what came before it is not heard.
        mined: list[str] = []

        def is_heard() -> bool:
            mined.extend(a.node.mine(1))
            return bool(heard)

        eventually("a block is heard", is_heard)
        twisted.on_reactor(node.stop)
        assert heard[-1][::-1].hex() in mined

    def test_they_bring_a_new_tip_where_nobody_polls(self, peers: tuple[Peer, Peer], tmp_path: Path) -> None:
        a, b = peers
        # Only the first node is long-polled; it is cut off, and the other has the new block.
        work = Work(peers, tmp_path, zmq=(a.zmq, b.zmq), poll_seconds=60)
        work.start()
        a.cut_off()
        tip = ""

        def is_mined_on() -> bool:
            nonlocal tip
            [tip] = b.node.mine(1)
            return _within_a_second(lambda: work.has_job_on(tip))

        eventually("a tip reaches the miners within a second", is_mined_on, seconds=50)
        a.node.call("setnetworkactive", True)
        b.connect(a)
        work.stop()

    def test_without_them_a_new_tip_reaches_miners_all_the_same_and_the_silence_is_told(
        self, peers: tuple[Peer, Peer], tmp_path: Path
    ) -> None:
        nobody = f"tcp://127.0.0.1:{free_port()}"
        work = Work(peers, tmp_path, zmq=(nobody, nobody))
        work.start()
        with captured_events() as events:
            [tip] = peers[0].node.mine(1)
            eventually("the new tip reaches the miners", lambda: work.has_job_on(tip))
            eventually("the silence is told", lambda: all(status.is_silent for status in work.status()))
        assert names(events).count("node_announces_nothing") == 2
        work.stop()


def _within_a_second(condition: Callable[[], bool]) -> bool:
    try:
        eventually("", condition, seconds=1)
    except AssertionError:
        return False
    return True
