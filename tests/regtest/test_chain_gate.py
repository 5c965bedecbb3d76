"""The chain gate on real nodes that part: two chains, a block that one of them refuses, and the way back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.internet.defer import Deferred

from pool.bitcoin.network import NETWORKS, REGTEST, BlockAt
from pool.node.bitcoind import BitcoindNode
from pool.node.chain_watch import ChainWatch, GateSettings
from pool.node.credentials import CookieFile
from pool.node.private import PrivateNode
from pool.node.rpc import RpcSettings
from pool.roles.clock import SystemClock
from pool.work.chain_gate import Chain, GateRules
from tests.regtest import reactor as twisted
from tests.regtest.conftest import StartNode
from tests.regtest.test_node_link import eventually

RULES = GateRules(REGTEST.checkpoints, None)
MAJORITY, MINORITY, UNKNOWN = Chain.MAJORITY, Chain.MINORITY, Chain.UNKNOWN
# The goal.
SECONDS = 30.0


class Pair:
    """Two nodes that know of each other's blocks only what the test hands over."""

    def __init__(self, first: PrivateNode, second: PrivateNode) -> None:
        self.first, self.second = first, second

    def share(self, blocks: int) -> None:
        """Find blocks that both have."""
        for block_hash in self.first.mine(blocks):
            self.hand_over(block_hash, self.first, self.second)

    def mine_apart(self, blocks: int) -> list[str]:
        """Find blocks that only the second has; with the first one's script they would be the first one's blocks."""
        return list(self.second.call("generatetoaddress", blocks, self.second.payout_address()))

    def hand_over(self, block_hash: str, giver: PrivateNode, taker: PrivateNode) -> None:
        taker.call("submitblock", giver.call("getblock", block_hash, 0))


@pytest.fixture(scope="module")
def pair(bitcoind: StartNode) -> Iterator[Pair]:
    pair = Pair(bitcoind("regtest"), bitcoind("regtest"))
    pair.share(12)
    yield pair
    pair.first.stop()
    pair.second.stop()


def linked(node: PrivateNode) -> BitcoindNode:
    return BitcoindNode(twisted.reactor, RpcSettings(node.url, CookieFile(node.cookie_file), NETWORKS["regtest"]))


class Gate:
    """The chain gate on real nodes and a real reactor."""

    def __init__(self, *nodes: PrivateNode, rules: GateRules = RULES) -> None:
        self.nodes = [linked(node) for node in nodes]
        self.watch = ChainWatch(self.nodes, GateSettings(rules), twisted.reactor, SystemClock(), on_change=lambda: None)
        twisted.start()
        twisted.on_reactor(self._start)

    def _start(self) -> None:
        for node in self.nodes:
            node.start()
        self._run = Deferred.fromCoroutine(self.watch.run())
        self._run.addErrback(lambda failure: None)

    def stop(self) -> None:
        twisted.on_reactor(self._run.cancel)
        for node in self.nodes:
            twisted.on_reactor(node.stop)

    def becomes(self, *chains: Chain) -> bool:
        def are() -> bool:
            return [verdict and verdict.chain for verdict in self.watch.verdicts] == list(chains)

        return eventually(are, SECONDS)


@pytest.fixture
def gate(pair: Pair) -> Iterator[Gate]:
    gate = Gate(pair.first, pair.second)
    yield gate
    gate.stop()


def test_two_nodes_of_one_mind_are_the_majority(gate: Gate) -> None:
    assert gate.becomes(MAJORITY, MAJORITY)


def test_a_node_with_a_longer_chain_of_its_own_makes_the_other_the_minority_and_back(pair: Pair, gate: Gate) -> None:
    assert gate.becomes(MAJORITY, MAJORITY)
    pair.first.mine(4)
    longer = pair.mine_apart(5)
    assert gate.becomes(MINORITY, MAJORITY)
    assert "does not have" in str(gate.watch.refusal(0))
    for block_hash in longer:
        pair.hand_over(block_hash, pair.second, pair.first)
    assert gate.becomes(MAJORITY, MAJORITY)


def test_a_node_that_refuses_the_block_of_the_majority_is_found_out_at_its_first_block(pair: Pair, gate: Gate) -> None:
    """Block 961632, August 2026: nodes with BIP-0110 refused it and stayed behind, healthy to look at."""
    assert gate.becomes(MAJORITY, MAJORITY)
    [refused] = pair.first.mine(1)
    pair.hand_over(refused, pair.first, pair.second)
    pair.second.call("invalidateblock", refused)
    assert gate.becomes(MAJORITY, MINORITY)
    pair.second.call("reconsiderblock", refused)
    assert gate.becomes(MAJORITY, MAJORITY)


def test_it_stays_the_minority_when_the_other_node_is_away_and_its_chain_grows(pair: Pair) -> None:
    gate = Gate(pair.first, pair.second)
    pair.first.mine(5)
    pair.mine_apart(4)
    assert gate.becomes(MAJORITY, MINORITY)
    pair.first.stop()
    pair.mine_apart(4)
    # First the one that is silent keeps its verdict for a while, then nothing is known of it.
    assert eventually(lambda: not gate.watch.is_judged(0), 2 * SECONDS)
    assert gate.becomes(UNKNOWN, MINORITY)
    pair.first.start()
    for number in range(1, pair.second.call("getblockcount") + 1):
        pair.hand_over(pair.second.call("getblockhash", number), pair.second, pair.first)
    assert gate.becomes(MAJORITY, MAJORITY)
    gate.stop()


def test_one_node_alone_is_unknown(pair: Pair) -> None:
    gate = Gate(pair.first)
    assert gate.becomes(UNKNOWN)
    assert gate.watch.refusal(0) is None
    gate.stop()


def test_one_node_alone_is_told_by_a_checkpoint(pair: Pair) -> None:
    other = GateRules((*RULES.checkpoints, BlockAt(5, bytes(32))), None)
    gate = Gate(pair.first, rules=other)
    assert gate.becomes(MINORITY)
    assert "its block 5 is" in str(gate.watch.refusal(0))
    gate.stop()


@pytest.mark.parametrize("chain", ["regtest", "signet"])
def test_the_genesis_blocks_of_the_private_chains_are_the_pinned_ones(bitcoind: StartNode, chain: str) -> None:
    node = bitcoind("signet" if chain == "signet" else "regtest")
    pinned = NETWORKS[chain].checkpoints[0]
    assert node.call("getblockhash", pinned.height) == pinned.block_hash[::-1].hex()
    node.stop()
