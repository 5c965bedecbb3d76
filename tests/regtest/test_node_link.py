"""The link to a real node: templates, blocks, tips, and everything that may be wrong with the node."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from native import JobCheck, search, sha256d
from pool.bitcoin.network import NETWORKS
from pool.bitcoin.script import output_script
from pool.bitcoin.target import target_from_nbits
from pool.feed.addresses import client_endpoint, server_endpoint
from pool.feed.client import FeedClient
from pool.feed.server import FeedServer
from pool.node.bitcoind import BitcoindNode
from pool.node.chain import BitcoindChain
from pool.node.credentials import CookieFile, PasswordFile
from pool.node.private import PrivateChain, PrivateNode
from pool.node.rpc import BitcoindRpc, RpcSettings
from pool.node.workshop import Workshop, WorkshopSettings
from pool.ports import NodeUnavailable
from pool.roles.clock import SystemClock
from pool.work.block import assemble, body_of
from pool.work.candidate import Candidate
from pool.work.coinbase import Coinbase
from pool.work.job import Job
from pool.work.make_job import make_job, next_job_id
from pool.work.template import Template, parse_template
from tests.pool.node.blocks import block
from tests.regtest import reactor as twisted
from tests.regtest.conftest import StartNode
from tests.regtest.whole_pool import halt

EXTRANONCE1 = b"\x00\x00\x00\x01"
NONCES = 1 << 32
# Longer than anything here waits, so that nothing passes because of a refresh.
REFRESH_SECONDS = 120


class Linked:
    """A node, and how to reach it."""

    def __init__(self, node: PrivateNode, chain: PrivateChain) -> None:
        self.node = node
        self.network = NETWORKS[chain]
        self.settings = RpcSettings(node.url, CookieFile(node.cookie_file), self.network)
        self.rpc = BitcoindRpc(self.settings)
        self.chain = BitcoindChain(self.settings)
        self.coinbase = Coinbase(output_script(node.payout_address(), self.network), b"/steppe/")

    def close(self) -> None:
        self.rpc.close()
        self.chain.close()

    def template(self) -> Template:
        return parse_template(self.rpc.call_raw("getblocktemplate", {"rules": list(self.network.template_rules)}))

    def job(self, template: Template) -> Job:
        now_ms = SystemClock().time_ms()
        return make_job(template, self.coinbase, next_job_id(None, now_ms), now_ms, clean=True)

    def mine(self) -> tuple[Template, bytes, Any]:
        """Find and submit one block: its template, its hash and the node's answer."""
        template = self.template()
        found = winner(self.job(template))
        block = assemble(body_of(template), found.header, found.coinbase)
        return template, found.block_hash, self.rpc.submit(block.hex_pieces)


def winner(job: Job) -> Candidate:
    """Search until a share of the job is a block."""
    check = JobCheck(job.coinb1, job.coinb2, b"".join(job.branch), job.prev_hash, job.nbits)
    target = target_from_nbits(job.nbits).to_bytes(32, "little")
    for number in range(1 << 16):
        extranonce2 = number.to_bytes(8, "big")
        nonce = search(check.header(EXTRANONCE1, extranonce2, job.version, job.ntime, 0), target, 0, NONCES)
        if nonce is not None:
            header = check.header(EXTRANONCE1, extranonce2, job.version, job.ntime, nonce)
            coinbase = check.coinbase(EXTRANONCE1, extranonce2)
            return Candidate(job.job_id, sha256d(header), header, coinbase, "alice.rig", job.time_ms)
    raise AssertionError("no block in 2**48 hashes")


def eventually(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Whether the condition comes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False


def methods_called(node: PrivateNode) -> list[str]:
    """The calls that a node has logged, in their order, while it logs them."""
    log = node.cookie_file.with_name("debug.log").read_text(errors="replace")
    return re.findall(r"ThreadRPCServer method=(\w+)", log)


@pytest.fixture(scope="module", params=["regtest", "signet"])
def linked(request: pytest.FixtureRequest, bitcoind: StartNode) -> Iterator[Linked]:
    node = bitcoind(request.param)
    with closing(Linked(node, request.param)) as linked:
        yield linked
    node.stop()


@pytest.fixture(scope="module")
def regtest(regtest_node: PrivateNode) -> Iterator[Linked]:
    with closing(Linked(regtest_node, "regtest")) as linked:
        yield linked


class TestBlocks:
    def test_the_node_takes_our_first_blocks(self, linked: Linked) -> None:
        # BIP-0034 writes the heights up to 16 in another way.
        assert [linked.mine()[2] for _ in range(18)] == [None] * 18

    def test_our_block_is_the_tip(self, linked: Linked) -> None:
        template, block_hash, _ = linked.mine()
        assert linked.chain.hash_at(template.height) == block_hash
        assert linked.chain.tip_height() == template.height

    def test_its_coinbase_pays_us_all_that_it_may(self, linked: Linked) -> None:
        template, block_hash, _ = linked.mine()
        outputs = linked.chain.coinbase_outputs(block_hash)
        assert outputs is not None
        assert outputs[0] == (template.coinbase_value_sat, linked.coinbase.payout_script)

    def test_a_second_time_it_is_a_duplicate(self, linked: Linked) -> None:
        template = linked.template()
        found = winner(linked.job(template))
        pieces = assemble(body_of(template), found.header, found.coinbase).hex_pieces
        assert [linked.rpc.submit(pieces) for _ in range(2)] == [None, "duplicate"]

    def test_a_private_chain_counts_as_synced(self, linked: Linked) -> None:
        assert linked.chain.is_synced()

    def test_above_the_tip_there_is_no_block(self, linked: Linked) -> None:
        assert linked.chain.hash_at(1_000_000) is None
        assert linked.chain.coinbase_outputs(bytes(32)) is None

    def test_a_block_with_segwit_transactions_and_their_fees_is_taken(self, regtest: Linked) -> None:
        regtest.node.call("generatetoaddress", 101, regtest.node.payout_address())
        for kind in ("legacy", "p2sh-segwit", "bech32", "bech32m") * 2:
            regtest.node.call("sendtoaddress", regtest.node.call("getnewaddress", "", kind), 1)
        template, block_hash, answer = regtest.mine()
        outputs = regtest.chain.coinbase_outputs(block_hash)
        assert (answer, len(template.transactions)) == (None, 8)
        assert outputs is not None
        assert outputs[0][0] == 50_0000_0000 + template.fees_sat > 50_0000_0000


@pytest.fixture
def node(regtest: Linked) -> Iterator[BitcoindNode]:
    twisted.start()
    node = BitcoindNode(twisted.reactor, regtest.settings)
    twisted.on_reactor(node.start)
    yield node
    twisted.on_reactor(node.stop)


class TestNode:
    """`BitcoindNode` with a real reactor and its threads."""

    def test_the_tip_is_the_templates_previous_block(self, node: BitcoindNode) -> None:
        tip, template = twisted.wait_for(node.tip()), twisted.wait_for(node.block_template())
        assert (tip.block_hash, tip.height) == (template.prev_hash, template.height - 1)

    def test_each_block_adds_its_work(self, node: BitcoindNode, regtest: Linked) -> None:
        before = twisted.wait_for(node.tip())
        regtest.node.mine(3)
        # On regtest every other hash is a block.
        assert twisted.wait_for(node.tip()).work - before.work == 3 * 2

    def test_a_long_poll_ends_with_a_new_tip(self, node: BitcoindNode, regtest: Linked) -> None:
        before = twisted.wait_for(node.block_template())
        long_poll = twisted.begin(node.block_template(before.longpoll_id))
        assert not eventually(lambda: long_poll.called, seconds=0.3)
        regtest.node.mine(1)
        assert eventually(lambda: long_poll.called)
        assert twisted.result(long_poll).height == before.height + 1

    def test_a_long_poll_that_nothing_ended_in_its_time_gives_the_template_of_then(self, regtest: Linked) -> None:
        twisted.start()
        node = BitcoindNode(twisted.reactor, regtest.settings, long_poll_seconds=0.3)
        twisted.on_reactor(node.start)
        before = twisted.wait_for(node.block_template())
        after = twisted.wait_for(node.block_template(before.longpoll_id))
        twisted.on_reactor(node.stop)
        assert after.prev_hash == before.prev_hash

    def test_a_stop_does_not_wait_for_the_long_poll(self, regtest: Linked) -> None:
        twisted.start()
        node = BitcoindNode(twisted.reactor, regtest.settings)
        twisted.on_reactor(node.start)
        template = twisted.wait_for(node.block_template())
        long_poll = twisted.begin(node.block_template(template.longpoll_id))
        twisted.on_reactor(node.stop)
        # Had it waited, this would be a template.
        with pytest.raises(NodeUnavailable, match="was closed"):
            twisted.result(long_poll)

    def test_a_node_that_hangs_is_noticed_in_the_time_given(self, regtest: Linked) -> None:
        twisted.start()
        node = BitcoindNode(twisted.reactor, regtest.settings, question_seconds=3)
        twisted.on_reactor(node.start)
        twisted.wait_for(node.tip())
        halt(regtest.node.pid)
        try:
            with pytest.raises(NodeUnavailable, match="did not answer getblockchaininfo within 3 s"):
                twisted.wait_for(node.tip())
        finally:
            os.kill(regtest.node.pid, signal.SIGCONT)
            twisted.on_reactor(node.stop)

    def test_confirmations_tell_where_a_block_is(self, node: BitcoindNode, regtest: Linked) -> None:
        _, block_hash, _ = regtest.mine()
        in_chain = twisted.wait_for(node.confirmations(block_hash))
        regtest.node.call("invalidateblock", block_hash[::-1].hex())
        outside = twisted.wait_for(node.confirmations(block_hash))
        regtest.node.call("reconsiderblock", block_hash[::-1].hex())
        assert (in_chain, outside, twisted.wait_for(node.confirmations(bytes(32)))) == (1, -1, None)

    def test_a_block_is_the_next_call_of_a_connection_that_is_open(self, regtest: Linked) -> None:
        twisted.start()
        regtest.node.call("logging", ["rpc"])
        node = BitcoindNode(twisted.reactor, regtest.settings)
        twisted.on_reactor(node.start)
        try:
            assert eventually(lambda: "uptime" in methods_called(regtest.node))
            twisted.wait_for(node.submit_block(block(head=b"\x00")))
        finally:
            twisted.on_reactor(node.stop)
            regtest.node.call("logging", [], ["rpc"])
        called = methods_called(regtest.node)
        assert called[called.index("uptime") :][:2] == ["uptime", "submitblock"]

    def test_bytes_that_are_no_block_are_rejected_for_good(self, node: BitcoindNode) -> None:
        assert "Block decode failed" in str(twisted.wait_for(node.submit_block(block(head=b"\x00"))).reason)

    def test_a_coinbase_that_claims_too_much_is_rejected_with_the_nodes_reason(
        self, node: BitcoindNode, regtest: Linked
    ) -> None:
        template = regtest.template()
        greedy = msgspec.structs.replace(template, coinbase_value_sat=template.coinbase_value_sat + 1)
        found = winner(regtest.job(greedy))
        verdict = twisted.wait_for(node.submit_block(assemble(body_of(template), found.header, found.coinbase)))
        assert verdict.reason == "bad-cb-amount"


class TestProblems:
    """What an operator may get wrong; each text says what to do."""

    def call(self, settings: RpcSettings) -> None:
        with closing(BitcoindRpc(settings)) as rpc:
            rpc.call("getblockcount")

    def test_a_wrong_password(self, regtest: Linked, tmp_path: Path) -> None:
        (tmp_path / "password").write_text("guessed\n")
        wrong = PasswordFile("pool", tmp_path / "password")
        with pytest.raises(NodeUnavailable, match=r"refuses the user 'pool' with the password in .*password"):
            self.call(msgspec.structs.replace(regtest.settings, credentials=wrong))

    def test_a_cookie_of_another_node(self, regtest: Linked, tmp_path: Path) -> None:
        (tmp_path / ".cookie").write_text("__cookie__:" + "0" * 64)
        with pytest.raises(NodeUnavailable, match=r"refuses the cookie in .*cookie"):
            self.call(msgspec.structs.replace(regtest.settings, credentials=CookieFile(tmp_path / ".cookie")))

    def test_a_node_on_another_chain(self, regtest: Linked) -> None:
        with pytest.raises(NodeUnavailable, match="is on the chain 'regtest', the pool on 'main'"):
            self.call(msgspec.structs.replace(regtest.settings, network=NETWORKS["main"]))

    def test_a_port_where_nothing_listens(self, regtest: Linked) -> None:
        with pytest.raises(NodeUnavailable, match="nothing listens there"):
            self.call(msgspec.structs.replace(regtest.settings, url="http://127.0.0.1:1"))

    def test_a_method_that_the_node_does_not_know(self, regtest: Linked) -> None:
        with pytest.raises(NodeUnavailable, match=r"Method not found.*Bitcoin Knots 28 or newer"):
            regtest.rpc.call("getcoffee")

    def test_a_node_that_was_restarted_has_another_cookie(self, regtest: Linked) -> None:
        regtest.rpc.call("getblockcount")
        regtest.node.stop()
        regtest.node.start()
        assert regtest.rpc.call("getblockcount") >= 0


class WorkRole:
    """Workshop and feed on a real reactor, with a stratum role's end beside it."""

    def __init__(self, linked: Linked, folder: Path) -> None:
        self.folder = folder / "candidates"
        self.jobs: list[Job] = []
        self.node = BitcoindNode(twisted.reactor, linked.settings)
        self.feed = FeedServer(twisted.reactor)
        self.workshop = Workshop(
            [self.node],
            linked.coinbase,
            self.folder,
            WorkshopSettings(refresh_seconds=REFRESH_SECONDS),
            twisted.reactor,
            SystemClock(),
            self.feed.publish,
            deferToThread,
        )
        address = f"unix:{folder}/feed"
        endpoint = client_endpoint(twisted.reactor, address)
        self.client = FeedClient(address, endpoint, twisted.reactor, self.jobs.append, lambda up: None)
        self.server_endpoint = server_endpoint(twisted.reactor, address)

    async def start(self) -> None:
        self.node.start()
        await self.feed.listen(self.server_endpoint, self.workshop.take_candidate)
        Deferred.fromCoroutine(self.workshop.run())
        self.client.start()

    async def stop(self) -> None:
        await self.client.stop()
        self.workshop.stop()
        await self.feed.stop()
        self.node.stop()

    def verdicts(self) -> list[str]:
        return sorted(path.read_text() for path in self.folder.glob("*.verdict"))


@pytest.fixture
def work(regtest: Linked, tmp_path: Path) -> Iterator[WorkRole]:
    twisted.start()
    work = WorkRole(regtest, tmp_path)
    twisted.wait_for(work.start())
    assert eventually(lambda: bool(work.jobs))
    yield work
    twisted.wait_for(work.stop())


class TestWorkRole:
    def test_a_new_tip_reaches_the_stratum_role_without_waiting_for_the_refresh(
        self, work: WorkRole, regtest: Linked
    ) -> None:
        before = work.jobs[-1]
        regtest.node.mine(1)
        assert eventually(lambda: work.jobs[-1].height == before.height + 1)
        assert work.jobs[-1].clean

    def test_a_candidate_becomes_the_tip_and_its_verdict_is_on_disk(self, work: WorkRole, regtest: Linked) -> None:
        found = winner(work.jobs[-1])
        twisted.on_reactor(lambda: work.client.send(found))
        assert eventually(lambda: work.client.pending == 0)
        assert eventually(lambda: regtest.chain.hash_at(regtest.chain.tip_height()) == found.block_hash)
        assert eventually(lambda: len(work.verdicts()) == 1)
        assert '"accepted":true' in work.verdicts()[0]

    def test_a_block_found_while_the_node_was_away_is_accepted_when_it_is_back(
        self, work: WorkRole, regtest: Linked
    ) -> None:
        found = winner(work.jobs[-1])
        regtest.node.stop()
        twisted.on_reactor(lambda: work.client.send(found))
        assert eventually(lambda: work.client.pending == 0)
        assert (len(list(work.folder.glob("*.block"))), work.verdicts()) == (1, [])
        regtest.node.start()
        assert eventually(lambda: len(work.verdicts()) == 1)
        assert regtest.chain.hash_at(regtest.chain.tip_height()) == found.block_hash
