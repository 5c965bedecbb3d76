"""payout.follow: what the node says and does not say. The lives of blocks are in test_scenarios."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from payout.ledger import LedgerError
from payout.maturity import Life, State
from payout.watch_ports import Hold
from pool.ports import NodeUnavailable
from tests.payout.scene import POOL_SCRIPT, RULES, START_MS, Scene, block_hash, share


@pytest.fixture
def scene(sqlite: Engine) -> Scene:
    """A pool with the block B1 at height 100, which the chain has."""
    made = Scene(sqlite)
    made.take(share("alice", block="B1"))
    made.chain.tip = 99
    return made


class TestNode:
    def test_an_error_is_never_an_orphan(self, scene: Scene) -> None:
        scene.reach(100, B1=100)
        scene.chain.failure = NodeUnavailable("refused")
        with pytest.raises(NodeUnavailable, match="refused"):
            scene.reach(150, B1=0)
        scene.chain.failure = None
        assert scene.reach(150, B1=100) == []

    def test_a_node_that_is_still_syncing_decides_nothing(self, scene: Scene) -> None:
        scene.chain.synced = False
        with pytest.raises(NodeUnavailable, match="still syncing"):
            scene.reach(150)

    def test_a_node_below_the_known_height_decides_nothing(self, scene: Scene) -> None:
        scene.reach(120, B1=100)
        with pytest.raises(NodeUnavailable, match="at height 119, but 120 was seen before"):
            scene.reach(119, B1=0)

    def test_a_node_back_at_the_known_height_decides_again(self, scene: Scene) -> None:
        scene.reach(120, B1=100)
        assert scene.reach(120, B1=0) == []
        assert scene.reach(121) == ["B1: immature -> orphaned"]

    def test_a_block_that_the_node_cannot_show_waits(self, scene: Scene) -> None:
        scene.chain.pruned = True
        with pytest.raises(NodeUnavailable, match="is it pruned"):
            scene.reach(100, B1=100)
        scene.chain.pruned = False
        assert scene.reach(100) == ["B1: candidate -> immature"]

    def test_the_same_tip_is_not_asked_about_again(self, scene: Scene) -> None:
        scene.reach(100, B1=100)
        asked = scene.chain.asked
        scene.reach(100)
        assert scene.chain.asked - asked == 3  # synced, height and hash of the tip

    def test_a_new_candidate_at_the_same_tip_is_asked_about(self, scene: Scene) -> None:
        scene.reach(100, B1=100)
        scene.take(share("bob", block="B2", height=99))
        assert scene.reach(100, B2=99) == ["B2: candidate -> immature"]

    def test_another_block_at_the_same_height_is_a_new_tip(self, scene: Scene) -> None:
        scene.take(share("bob", block="B2"))
        scene.reach(100, B1=100)
        assert scene.reach(100, B2=100) == ["B2: candidate -> immature"]


class TestReward:
    def test_it_is_what_the_coinbase_pays(self, scene: Scene) -> None:
        scene.chain.reward_sat = 777
        scene.reach(100, B1=100)
        assert scene.balances()["asset:coinbase_immature"] == 777

    def test_a_block_that_pays_somebody_else_stops_everything(self, scene: Scene) -> None:
        scene.chain.script = b"else"
        with pytest.raises(LedgerError, match=r"block 0{60}3142: no output of the coinbase pays a script of the pool"):
            scene.reach(100, B1=100)
        assert scene.balances() == {}

    def test_several_scripts_may_be_the_pools(self, sqlite: Engine) -> None:
        scene = Scene(sqlite, replace(RULES, pool_scripts=frozenset({b"old", POOL_SCRIPT})))
        scene.take(share("alice", block="B1"))
        scene.chain.script = b"old"
        assert scene.reach(100, B1=100) == ["B1: candidate -> immature"]

    def test_a_block_that_pays_nothing_matures_without_money(self, scene: Scene) -> None:
        scene.chain.reward_sat = 0
        assert scene.reach(200, B1=100) == ["B1: candidate -> immature", "B1: immature -> mature"]
        assert scene.balances() == {}

    def test_a_block_is_followed_in_order_of_height(self, scene: Scene) -> None:
        scene.take(share("bob", block="B0", height=98))
        assert scene.reach(100, B1=100, B0=98) == ["B0: candidate -> immature", "B1: candidate -> immature"]


def test_a_second_writer_is_noticed(scene: Scene) -> None:
    scene.chain.tip, scene.chain.ours[100] = 200, block_hash("B1")
    steps = scene.accounting.follow(0)
    next(steps)
    with scene.ledger.write() as books:
        immature = books.blocks.open(200)[0]
        books.blocks.move(immature, replace(immature, state=State.ORPHANED))
    with pytest.raises(LedgerError, match="is there a second accounting process"):
        next(steps)


class TestHeld:
    """1.3: a block with absurd fees waits for a person; it is booked all the same."""

    @pytest.fixture
    def held(self, sqlite: Engine) -> Scene:
        scene = Scene(sqlite, replace(RULES, fee_hold_sat=99_999))  # the blocks of scenes have fees of 100,000
        scene.take(share("alice", block="B", height=100))
        scene.reach(100, B=100)
        return scene

    def life(self, scene: Scene) -> Life:
        with scene.ledger.read() as books:
            block = books.blocks.get(block_hash("B"))
        assert block is not None
        return block.life

    def test_it_is_credited_and_held(self, held: Scene) -> None:
        assert (self.life(held).state, self.life(held).is_held) == (State.IMMATURE, True)
        assert held.balances()["liab:alice:immature"] == -990_000
        with held.ledger.read() as books:
            [hold] = books.blocks.holds()
        assert hold.reason == "its transactions paid 100000 satoshi of fees, more than accounting.fee_hold_sat"

    def test_it_does_not_mature_before_it_is_released(self, held: Scene) -> None:
        assert held.reach(250) == []
        with held.ledger.write() as books:
            books.blocks.hold(Hold(block_hash("B"), START_MS, False, "the sender wants nothing back"))
            assert books.blocks.holds() == []
        assert held.reach(250) == ["B: immature -> mature"]
        assert held.balances()["liab:alice:available"] == -990_000

    def test_it_can_leave_the_chain_and_come_back_and_is_still_held(self, held: Scene) -> None:
        assert held.reach(105, B=0) == ["B: immature -> orphaned"]
        assert held.reach(106, B=100) == ["B: orphaned -> immature"]
        assert held.reach(300) == []
        assert self.life(held).is_held

    def test_as_much_as_is_allowed_is_not_held(self, sqlite: Engine) -> None:
        scene = Scene(sqlite, replace(RULES, fee_hold_sat=100_000))
        scene.take(share("alice", block="B", height=100))
        assert scene.reach(200, B=100) == ["B: candidate -> immature", "B: immature -> mature"]

    def test_what_is_so_already_is_refused(self, held: Scene) -> None:
        with pytest.raises(LedgerError, match="held already"), held.ledger.write() as books:
            books.blocks.hold(Hold(block_hash("B"), START_MS, True, "again"))
