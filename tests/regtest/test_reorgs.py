"""The life of a block against a real node that changes its mind, one to six blocks deep; and blocks nobody told of."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from payout.accounting import Accounting
from payout.audit import audit
from payout.ledger import reverse
from payout.maturity import SPENDABLE_CONFIRMATIONS, State
from payout.strays import GRACE_MS
from payout.watch_ports import Hold
from pool.bitcoin.network import REGTEST
from pool.bitcoin.script import output_script
from pool.node.chain import BitcoindChain
from pool.node.credentials import CookieFile
from pool.node.private import PrivateNode
from pool.node.rpc import RpcSettings
from pool.ports import NodeUnavailable
from tests.payout.conftest import engine, postgresql_books, sqlite, sqlite_file
from tests.payout.scene import RULES, START_MS, Scene, share
from tests.regtest.conftest import StartNode

__all__ = ["engine", "postgresql_books", "sqlite", "sqlite_file"]


@pytest.fixture(scope="module")
def node(bitcoind: StartNode) -> Iterator[PrivateNode]:
    started = bitcoind("regtest")
    yield started
    started.stop()


class Books(Scene):
    """Books that follow a real node, whose tip may be above anything that these have seen."""

    def __init__(self, engine: Engine, node: PrivateNode, fee_hold_sat: int = 0) -> None:
        self.node = node
        scripts_hex = [f"0014{os.urandom(20).hex()}" for _ in range(2)]
        self.addresses = [str(node.call("decodescript", script)["address"]) for script in scripts_hex]
        scripts = frozenset(output_script(address, REGTEST) for address in self.addresses)
        rules = replace(RULES, pool_scripts=scripts, fee_hold_sat=fee_hold_sat, subsidy_sat=lambda height: 0)
        super().__init__(engine, rules)
        real = BitcoindChain(RpcSettings(node.url, CookieFile(node.cookie_file), REGTEST))
        self.real = real
        self.accounting = Accounting(self.ledger, real, rules)

    def close(self) -> None:
        self.real.close()

    def mine(self, blocks: int) -> list[str]:
        """Blocks of somebody else, none of which was there before: the node would refuse what it calls invalid."""
        return list(self.node.call("generatetodescriptor", blocks, f"raw(08{os.urandom(8).hex()})"))

    def find(self, *, told: bool = True, address: int = 0) -> str:
        """A block of ours on the tip. told: whether its share comes into the books. Its hash in hex."""
        [hash_hex] = self.node.call("generatetoaddress", 1, self.addresses[address])
        if told:
            found = replace(share("alice"), block_hash=bytes.fromhex(hash_hex)[::-1], height=self.height())
            self.take(share("bob"), found)
        return str(hash_hex)

    def height(self) -> int:
        return int(self.node.call("getblockcount"))

    def follow(self) -> list[str]:
        return [f"{step.before.state} -> {step.after.state}" for step in self.accounting.follow(START_MS)]

    def strays(self, time_ms: int) -> list[str]:
        return [stray.hash_hex for stray in self.accounting.scan(time_ms, is_behind=False)]

    def life(self, hash_hex: str) -> tuple[State, int]:
        with self.ledger.read() as books:
            block = books.blocks.get(bytes.fromhex(hash_hex)[::-1])
        assert block is not None
        return block.life.state, block.life.flips

    def is_sound(self) -> bool:
        with self.ledger.read() as books:
            return audit(books) == ()


@pytest.fixture
def books(engine: Engine, node: PrivateNode) -> Iterator[Books]:
    made = Books(engine, node)
    yield made
    made.close()


@pytest.mark.parametrize("depth", range(1, 7))
def test_a_block_that_is_taken_out_of_the_chain_and_comes_back_is_credited_reversed_and_credited_again(
    books: Books, node: PrivateNode, depth: int
) -> None:
    """depth: how many blocks the node takes back, ours the lowest of them."""
    ours = books.find()
    books.mine(depth - 1)
    assert books.follow() == ["candidate -> immature"]
    credited = books.rows()[-1].posting

    node.call("invalidateblock", ours)
    theirs = books.mine(depth)[0]
    while _depth(books, theirs) < 6:
        assert books.follow() == []  # less than six deep decides nothing
        books.mine(1)
    assert books.follow() == ["immature -> orphaned"]
    assert books.life(ours) == (State.ORPHANED, 0)
    assert books.rows()[-1].posting.entries == reverse(credited, "", "", 0).entries
    assert books.balances() == {}

    node.call("reconsiderblock", ours)
    highest = books.height()
    node.call("invalidateblock", theirs)
    if books.height() < highest:
        with pytest.raises(NodeUnavailable, match="was seen before"):
            books.follow()
    books.mine(highest + 1 - books.height())
    assert books.follow() == ["orphaned -> immature"]
    assert books.life(ours) == (State.IMMATURE, 1)
    again = books.rows()[-1].posting
    assert (again.key, again.entries) == (f"{credited.key}:1", credited.entries)

    books.mine(SPENDABLE_CONFIRMATIONS - _depth(books, ours))
    assert books.follow() == ["immature -> mature"]
    assert [row.posting.kind for row in books.rows()] == [
        "block.immature",
        "block.orphaned",
        "block.immature",
        "block.mature",
    ]
    assert books.is_sound()


def _depth(books: Books, hash_hex: str) -> int:
    return int(books.node.call("getblockheader", hash_hex)["confirmations"])


def test_a_block_that_never_was_in_the_chain_is_dead_and_may_yet_live(books: Books, node: PrivateNode) -> None:
    ours = books.find()
    node.call("invalidateblock", ours)
    theirs = books.mine(6)[0]
    assert books.follow() == ["candidate -> dead"]
    assert books.rows() == []
    node.call("reconsiderblock", ours)
    node.call("invalidateblock", theirs)
    books.mine(7)
    assert books.follow() == ["dead -> immature"]
    assert books.life(ours) == (State.IMMATURE, 0)
    assert books.is_sound()


def test_two_blocks_of_ours_at_one_height_are_paid_once(books: Books, node: PrivateNode) -> None:
    first = books.find()
    assert books.follow() == ["candidate -> immature"]
    node.call("invalidateblock", first)
    second = books.find(address=1)
    books.mine(5)
    assert sorted(books.follow()) == ["candidate -> immature", "immature -> orphaned"]
    assert (books.life(first)[0], books.life(second)[0]) == (State.ORPHANED, State.IMMATURE)
    assert books.is_sound()


def test_a_block_with_a_fee_outlier_waits_for_a_person(engine: Engine, node: PrivateNode) -> None:
    books = Books(engine, node, fee_hold_sat=1)
    ours = books.find()
    assert books.follow() == ["candidate -> immature"]
    books.mine(120)
    assert books.follow() == []
    with books.ledger.write() as written:
        written.blocks.hold(Hold(bytes.fromhex(ours)[::-1], START_MS, False, "nobody wants it back"))
    assert books.follow() == ["immature -> mature"]
    books.close()


def test_a_block_that_pays_us_and_that_nobody_told_of_is_found(books: Books, node: PrivateNode) -> None:
    assert books.strays(0) == []
    known, unknown = books.find(), books.find(told=False)
    assert books.strays(1) == []
    assert books.strays(1 + GRACE_MS) == [unknown]
    assert known != unknown
    with books.ledger.read() as read:
        assert [finding.invariant for finding in audit(read)] == [8]
    node.call("invalidateblock", unknown)
    books.mine(6)
    assert books.strays(2 + GRACE_MS) == []
    assert books.is_sound()
