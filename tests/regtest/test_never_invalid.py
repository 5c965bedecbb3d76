"""No block of ours is invalid: proposals, sigops and weight at the limit, and thousands of blocks that a node takes.

With STEPPE_BLOCKS the long run has so many blocks instead of a few; 10,000 take an hour and a half.
"""

from __future__ import annotations

import os
import random
import re
from collections import deque
from collections.abc import Iterator
from contextlib import closing

import msgspec
import pytest

from native import sha256d
from pool.bitcoin.amount import COIN
from pool.bitcoin.network import REGTEST
from pool.bitcoin.script import output_script
from pool.bitcoin.transaction import Output, compact_size, serialise_outputs
from pool.node import answers
from pool.node.private import PrivateNode
from pool.work.block import assemble, body_of
from pool.work.coinbase import Coinbase
from pool.work.limits import block_cost, fitted
from pool.work.template import Template, TemplateTransaction
from tests.regtest.conftest import StartNode
from tests.regtest.test_node_link import Linked, winner

# The first blocks, whose coinbases anybody may spend; so many of these are spent before what is left of them.
COINBASES, SPENDABLE = 160, 50
BLOCKS = int(os.environ.get("STEPPE_BLOCKS", "8"))
SEED = 20260808

# Anybody may spend it, so no wallet has to sign.
OP_TRUE = b"\x51"
OP_NOP = b"\x61"
# The same, long enough that a transaction of one such output is relayed.
LONG_OP_TRUE = OP_NOP * 10 + OP_TRUE
# Of a multisig without keys: twenty signature checks as a block counts them, each of which costs four.
CHECKMULTISIG = b"\xae"
CHECKMULTISIG_SIGOPS = 80
# A transaction with more is not relayed. Source: Bitcoin Core, `MAX_STANDARD_TX_SIGOPS_COST`.
RELAYED_SIGOPS_MAX = 16_000
FEE_SAT = 100_000
RULES = REGTEST.template_rules


class Limit(Linked):
    """A node that relays anything and keeps the least room for a coinbase, with coins for whoever takes them."""

    def __init__(self, node: PrivateNode) -> None:
        super().__init__(node, "regtest")
        # An old address type, whose script costs sigops.
        legacy = node.call("getnewaddress", "", "legacy")
        self.coinbase = self.legacy = Coinbase(output_script(legacy, REGTEST), b"/steppe/")
        node.mine(COINBASES)
        self._spent = 0
        self._rests: deque[tuple[str, int, int]] = deque()

    def coin(self) -> tuple[str, int, int]:
        """What was not spent yet: transaction, output and what that holds."""
        if self._spent < SPENDABLE:
            self._spent += 1
            block = self.node.call("getblock", self.node.call("getblockhash", self._spent), 2)
            coinbase = block["tx"][0]
            return str(coinbase["txid"]), 0, int(coinbase["vout"][0]["value"] * COIN)
        # The rest that has waited longest, if it is in a block: else a chain of transactions grows in the mempool.
        while not self.node.call("gettxout", *self._rests[0][:2], False):
            self.node.mine(1)
        return self._rests.popleft()

    def send(self, outputs: list[Output]) -> str:
        """A transaction with these outputs, which pays the rest of a coin back and some fee, into the mempool."""
        spent_txid, place, held_sat = self.coin()
        rest_sat = held_sat - sum(output.value_sat for output in outputs) - FEE_SAT
        raw = spend(spent_txid, place, [*outputs, Output(rest_sat, LONG_OP_TRUE)])
        txid = str(self.node.call("sendrawtransaction", raw.hex(), 0, 1))
        self._rests.append((txid, len(outputs), rest_sat))
        return txid

    def answer(self, template: Template) -> str | None:
        """The node's word to a block of this template."""
        found = winner(self.job(template))
        reason = self.rpc.submit(assemble(body_of(template), found.header, found.coinbase).hex_pieces)
        return None if reason is None else str(reason)

    def proposed(self, template: Template) -> str | None:
        """The node's word to the proposal of such a block."""
        return answers.propose(self.rpc, RULES, self.job(template), template).reason


def spend(txid: str, place: int, outputs: list[Output]) -> bytes:
    """A transaction without witness that spends an output which OP_TRUE locks."""
    spent = bytes.fromhex(txid)[::-1] + place.to_bytes(4, "little")
    body = compact_size(1) + spent + compact_size(0) + b"\xff" * 4 + serialise_outputs(tuple(outputs))
    return (2).to_bytes(4, "little") + body + bytes(4)


@pytest.fixture(scope="module")
def permissive(bitcoind: StartNode) -> Iterator[Limit]:
    node = bitcoind("regtest")
    node.stop()
    # What the node keeps for a coinbase is near what ours needs; the rest lets odd transactions in.
    node.start("-acceptnonstdtxn=1", "-blockreservedweight=2000", "-blockmaxweight=4000000", "-bytespersigop=1")
    with closing(Limit(node)) as limited:
        yield limited
    node.stop()


@pytest.fixture
def limit(permissive: Limit) -> Iterator[Limit]:
    yield permissive
    while permissive.node.call("getmempoolinfo")["size"]:
        permissive.node.mine(1)
    permissive.coinbase = permissive.legacy


def at_the_sigops_limit(limit: Limit) -> Template:
    """The node's template with one more transaction than it put in: 80,000 sigops without the coinbase."""
    per_transaction = RELAYED_SIGOPS_MAX // CHECKMULTISIG_SIGOPS
    for _ in range(5):
        limit.send([Output(1_000, CHECKMULTISIG)] * per_transaction)
    offered = limit.template()
    known = {transaction.txid for transaction in offered.transactions}
    entries = limit.node.call("getrawmempool")
    left = [txid for txid in entries if bytes.fromhex(txid)[::-1] not in known]
    more = tuple(wire(limit, txid) for txid in left)
    transactions = offered.transactions + more
    whole = msgspec.structs.replace(
        offered,
        transactions=transactions,
        coinbase_value_sat=offered.coinbase_value_sat + sum(each.fee_sat for each in more),
    )
    # With every transaction kept, this only makes the commitment anew.
    return whole.first(len(transactions))


def wire(limit: Limit, txid: str) -> TemplateTransaction:
    raw = bytes.fromhex(limit.node.call("getrawtransaction", txid))
    txid_bytes = bytes.fromhex(txid)[::-1]
    return TemplateTransaction(
        data=raw,
        txid=txid_bytes,
        wtxid=txid_bytes,
        fee_sat=int(limit.node.call("getmempoolentry", txid)["fees"]["base"] * COIN),
        sigops=RELAYED_SIGOPS_MAX,
        weight=4 * len(raw),
    )


class TestSigops:
    """Blocks 783426 and 784121, April 2023: 80,003 sigops of 80,000, refused with `bad-blk-sigops`."""

    def test_four_too_many_are_refused_and_one_transaction_less_is_taken(self, limit: Limit) -> None:
        crowded = at_the_sigops_limit(limit)
        assert block_cost(crowded, limit.coinbase).sigops == 80_004
        assert limit.proposed(crowded) == "bad-blk-sigops"
        chosen = fitted(crowded, limit.coinbase)
        assert len(chosen.transactions) == len(crowded.transactions) - 1
        assert (limit.proposed(chosen), limit.answer(chosen)) == (None, None)

    def test_a_coinbase_that_costs_none_has_room_for_all(self, limit: Limit) -> None:
        crowded = at_the_sigops_limit(limit)
        limit.coinbase = Coinbase(output_script(limit.node.payout_address(), REGTEST), b"/steppe/")
        assert fitted(crowded, limit.coinbase) == crowded
        assert (limit.proposed(crowded), limit.answer(crowded)) == (None, None)


class TestWeight:
    def test_a_block_at_the_limit_is_taken_and_one_beyond_it_is_not(self, limit: Limit) -> None:
        for _ in range(10):
            limit.send([Output(1_000, OP_TRUE)] * 9_900)
        offered = limit.template()
        cost = block_cost(offered, limit.coinbase)
        assert 3_600_000 < cost.weight <= 4_000_000
        # The room that is left, filled with outputs of one more transaction to within a few bytes, is ours to the last.
        room = offered.weight_max - cost.weight
        filler = filled(limit, room)
        full = with_one_more(offered, filler)
        assert 4_000_000 - block_cost(full, limit.coinbase).weight < 64
        assert fitted(full, limit.coinbase) == full
        over = with_one_more(offered, filled(limit, room + 400))
        assert block_cost(over, limit.coinbase).weight > 4_000_000
        assert limit.proposed(over) == "bad-blk-length"
        assert fitted(over, limit.coinbase).transactions == offered.transactions
        assert (limit.proposed(full), limit.answer(full)) == (None, None)


def filled(limit: Limit, weight: int) -> TemplateTransaction:
    """A transaction of at most this weight, and nearly."""
    txid, place, held_sat = limit.coin()

    def made(outputs: int, nops: int) -> bytes:
        last = Output(held_sat - FEE_SAT - outputs, OP_NOP * nops + OP_TRUE)
        return spend(txid, place, [*[Output(1, OP_TRUE)] * outputs, last])

    # An output more or less is ten bytes; what is missing for one goes into the last one's script.
    missing_bytes = weight // 4 - len(made(300, 0))
    raw = made(300 + missing_bytes // 10, missing_bytes % 10)
    name = sha256d(raw)
    return TemplateTransaction(data=raw, txid=name, wtxid=name, fee_sat=FEE_SAT, sigops=0, weight=4 * len(raw))


def with_one_more(offered: Template, transaction: TemplateTransaction) -> Template:
    transactions = (*offered.transactions, transaction)
    value_sat = offered.coinbase_value_sat + transaction.fee_sat
    return msgspec.structs.replace(offered, transactions=transactions, coinbase_value_sat=value_sat).first(
        len(transactions)
    )


class TestCoinbaseValue:
    def test_one_satoshi_more_than_the_template_says_is_found_by_the_proposal(self, limit: Limit) -> None:
        """Block 584802, July 2019: the coinbase claimed what it was not allowed, and the block was lost."""
        template = limit.template()
        greedy = msgspec.structs.replace(template, coinbase_value_sat=template.coinbase_value_sat + 1)
        assert (limit.proposed(template), limit.proposed(greedy)) == (None, "bad-cb-amount")

    def test_a_template_of_a_tip_that_is_gone_is_overtaken_and_not_refused(self, limit: Limit) -> None:
        template = limit.template()
        limit.node.mine(1)
        assert limit.proposed(template) == "inconclusive-not-best-prevblk"


class TestOrder:
    def test_a_child_never_stands_before_its_parent_whatever_is_left_out(self, limit: Limit) -> None:
        """Block 809478, September 2023: sorted by fee, a child came before its parent."""
        txid, place, held_sat = limit.coin()
        for generation in range(1, 13):
            # The richer the younger: a pool that sorts would turn them round.
            held_sat -= FEE_SAT * generation
            raw = spend(txid, place, [Output(held_sat, LONG_OP_TRUE)])
            txid, place = limit.node.call("sendrawtransaction", raw.hex(), 0), 0
        template = limit.template()
        assert len(template.transactions) == 12
        assert [limit.proposed(template.first(count)) for count in range(13)] == [None] * 13


def addresses_of_strangers(node: PrivateNode) -> list[str]:
    """Twenty of each type that the wallet does not look for: a wallet of a hundred thousand coins takes seconds to
    choose among them."""
    key = re.search(r"tpub\w+", str(node.call("listdescriptors")))
    assert key is not None
    found = []
    for script in ("pkh({})", "sh(wpkh({}))", "wpkh({})", "tr({})"):
        descriptor = node.call("getdescriptorinfo", script.format(f"{key[0]}/7/*"))["descriptor"]
        found += node.call("deriveaddresses", descriptor, [0, 19])
    return found


def test_every_one_of_many_blocks_is_taken(limit: Limit) -> None:
    """Blocks with segwit transactions, 1 to 500 outputs, many sigops, and now and then room for only some of it."""
    chance = random.Random(SEED)
    node = limit.node
    node.call("generatetoaddress", 110, node.payout_address())
    # Small coins for the wallet, or it runs into its limit of unconfirmed ancestors.
    node.call("send", {node.call("getnewaddress", "", "bech32"): 5 for _ in range(40)})
    strangers = addresses_of_strangers(node)
    refused = []
    for _ in range(BLOCKS):
        for _ in range(chance.randrange(4)):
            node.call("send", dict.fromkeys(chance.sample(strangers, chance.randrange(1, 20)), 0.0001))
        if chance.random() < 0.25:
            sigops_outputs = chance.randrange(1, 200)
            limit.send([Output(1_000, CHECKMULTISIG)] * sigops_outputs)
        if chance.random() < 0.25:
            limit.send([Output(1_000, OP_TRUE)] * chance.randrange(1, 500))
        template = limit.template()
        room = msgspec.structs.replace(template, weight_max=chance.choice((4_000_000, 4_000_000, 20_000, 8_000)))
        chosen = msgspec.structs.replace(fitted(room, limit.coinbase), weight_max=template.weight_max)
        words = (limit.proposed(chosen), limit.answer(chosen))
        if words != (None, None):
            refused.append((template.height, *words))
    assert refused == []
