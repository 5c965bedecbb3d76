"""A wallet on a chain in memory, which makes real transactions: what the payer must get right, without a node.

The chain is a list of blocks, each a set of transactions; a mempool beside it. Coins are P2WPKH outputs of ours.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from payout.outputs import fee_sat
from payout.payment import Place
from payout.payment_ports import Answer, Built, Sent, Tip, WalletWaits
from pool.bitcoin import transaction as transactions
from pool.bitcoin.psbt import unsigned_transaction
from pool.bitcoin.transaction import OutPoint, Output, Transaction, compact_size, serialise_outputs
from pool.ports import NodeUnavailable

parse_transaction = lru_cache(maxsize=10_000)(transactions.parse_transaction)

VERSION, LOCKTIME, SEQUENCE = b"\x02\0\0\0", bytes(4), b"\xfd\xff\xff\xff"


def script(name: str) -> bytes:
    """The script of somebody's address; addresses are names here."""
    return b"\x00\x14" + name.encode().ljust(20, b"\0")


OUR_CHANGE = b"\x00\x14" + b"change of ours".ljust(20, b"\0")


def unsigned(inputs: Sequence[OutPoint], outputs: Sequence[Output]) -> bytes:
    """A transaction without witness."""
    return VERSION + _body(inputs, outputs) + LOCKTIME


def signed(raw: bytes) -> bytes:
    """The same with a signature for each input."""
    transaction = parse_transaction(raw)
    spent = [each.spends for each in transaction.inputs]
    witness = b"\x02" + compact_size(71) + bytes(71) + compact_size(33) + bytes(33)
    return VERSION + b"\x00\x01" + _body(spent, transaction.outputs) + witness * len(spent) + LOCKTIME


def psbt_of(raw: bytes) -> str:
    """A PSBT of an unsigned transaction, with nothing else in it."""
    return base64.b64encode(b"psbt\xff\x01\x00" + compact_size(len(raw)) + raw + b"\x00").decode()


def _body(inputs: Sequence[OutPoint], outputs: Sequence[Output]) -> bytes:
    spends = b"".join(each.txid + each.vout.to_bytes(4, "little") + b"\x00" + SEQUENCE for each in inputs)
    return compact_size(len(inputs)) + spends + serialise_outputs(tuple(outputs))


class FakeWallet:
    """Satisfies payout.payment_ports.Wallet.

    failure: raised by every call while it is set. locked: signing waits. rate: the node's opinion. lose_answers: so
    many sends go out, but nobody hears of it. bad: addresses that the node does not take. foreign: a script that is
    paid in secret by whatever is built.
    """

    def __init__(self, coins_sat: Sequence[int] = ()) -> None:
        self.blocks: list[list[bytes]] = []
        self.mempool: dict[bytes, bytes] = {}
        self.known: dict[bytes, bytes] = {}
        self.aside: set[OutPoint] = set()
        self.failure: Exception | None = None
        self.locked = False
        self.watch_only = False
        self.rate: int | None = None
        self.lose_answers = 0
        self.bad: dict[str, str] = {}
        self.foreign: bytes | None = None
        self.sends = 0
        self.synced = True
        self._nonces = itertools.count()
        self.mine()
        self.fund(*coins_sat)

    # The chain, moved by tests.

    def fund(self, *coins_sat: int) -> None:
        """Coins of blocks of ours that have matured."""
        outputs = [Output(each, OUR_CHANGE) for each in coins_sat]
        if outputs:
            self.blocks.append([unsigned([OutPoint(bytes(32), next(self._nonces))], outputs)])

    def mine(self, count: int = 1) -> None:
        """Blocks with whatever is in the mempool."""
        for _ in range(count):
            self.blocks.append(list(self.mempool.values()))
            self.mempool.clear()

    def reorg(self, depth: int, *, forget: bool = False) -> None:
        """Other blocks in place of the newest, and one more; their transactions are in the mempool again, unless it
        forgets them."""
        gone = [raw for block in self.blocks[-depth:] for raw in block]
        self.blocks[-depth:] = [[unsigned([OutPoint(bytes(32), next(self._nonces))], [])] for _ in range(depth + 1)]
        if not forget:
            self.mempool.update({parse_transaction(raw).txid: raw for raw in gone})

    def forget_mempool(self) -> None:
        """As a crash of the node does."""
        self.mempool.clear()

    def paid_sat(self) -> dict[bytes, int]:
        """What the chain pays to each script that is not ours."""
        paid: dict[bytes, int] = {}
        for raw in (raw for block in self.blocks for raw in block):
            for output in parse_transaction(raw).outputs:
                if output.script != OUR_CHANGE:
                    paid[output.script] = paid.get(output.script, 0) + output.value_sat
        return paid

    # The port.

    def tip(self) -> Tip:
        self._answer()
        if not self.synced:
            raise NodeUnavailable("still syncing")
        return Tip(len(self.blocks), self._hash(len(self.blocks)))

    def fee_rate_sat_kvb(self, target_blocks: int) -> int | None:
        self._answer()
        return self.rate

    def address_refusals(self, addresses: Mapping[str, bytes]) -> dict[str, str]:
        self._answer()
        return {address: reason for address, reason in self.bad.items() if address in addresses}

    def build(self, outputs_sat: Mapping[str, int], fee_rate_sat_kvb: int) -> Built:
        self._answer()
        outputs = [Output(amount_sat, script(address)) for address, amount_sat in outputs_sat.items()]
        if self.foreign is not None:
            outputs.append(Output(1000, self.foreign))
        free = {
            spent: output.value_sat
            for spent, output in self._unspent(in_mempool=True).items()
            if spent not in self.aside and output.script == OUR_CHANGE and self._height(spent.txid)
        }
        return self._build([], outputs, free, fee_rate_sat_kvb)

    def build_replacement(self, txid: bytes, fee_rate_sat_kvb: int) -> Built:
        self._answer()
        if txid not in self.mempool:
            raise WalletWaits("it is not in the mempool")
        before = parse_transaction(self.mempool[txid])
        outputs = [output for output in before.outputs if output.script != OUR_CHANGE]
        inputs = [each.spends for each in before.inputs]
        return self._build(inputs, outputs, {}, fee_rate_sat_kvb)

    def build_cancel(self, spends: OutPoint, fee_rate_sat_kvb: int) -> Built:
        self._answer()
        value_sat = self._unspent(in_mempool=False)[spends].value_sat
        cost_sat = fee_sat(110, fee_rate_sat_kvb)
        return Built(psbt_of(unsigned([spends], [Output(value_sat - cost_sat, OUR_CHANGE)])), cost_sat)

    def sign(self, psbt: str) -> bytes | None:
        self._answer()
        if self.locked:
            raise WalletWaits("the wallet is locked")
        return None if self.watch_only else signed(unsigned_transaction(psbt))

    def finish(self, psbt: str) -> bytes | None:
        self._answer()
        return signed(unsigned_transaction(psbt)) if psbt.endswith("\n") else None

    def spent_by(self, inputs: Sequence[OutPoint], *, in_mempool: bool) -> dict[OutPoint, Output | None]:
        self._answer()
        unspent = self._unspent(in_mempool=in_mempool)
        return {each: unspent.get(each) for each in inputs}

    def ours(self, scripts: Collection[bytes]) -> frozenset[bytes]:
        self._answer()
        return frozenset({OUR_CHANGE} & set(scripts))

    def refusal(self, raw: bytes) -> str | None:
        self._answer()
        return self._refusal(parse_transaction(raw))

    def send(self, raw: bytes) -> Answer:
        self._answer()
        self.sends += 1
        transaction = parse_transaction(raw)
        if self._height(transaction.txid):
            return Answer(Sent.CONFIRMED, "already in utxo set")
        refusal = self._refusal(transaction)
        if refusal is not None:
            return Answer(Sent.ASK if "missing" in refusal else Sent.UNKNOWN, refusal)
        for conflict in self._conflicts(transaction):
            self.mempool.pop(conflict, None)
        self.mempool[transaction.txid] = self.known[transaction.txid] = raw
        if self.lose_answers:
            self.lose_answers -= 1
            raise NodeUnavailable("no answer in time")
        return Answer(Sent.TAKEN)

    def place(self, txid: bytes, block_hash: bytes | None = None) -> Place | None:
        self._answer()
        height = self._height(txid)
        if height:
            return Place(len(self.blocks) - height + 1, self._hash(height), height)
        if txid in self.mempool:
            return Place(0, in_mempool=True)
        if txid not in self.known:
            return None
        heights = [self._height(each) for each in self._conflicts(parse_transaction(self.known[txid]), in_chain=True)]
        return Place(-(len(self.blocks) - max(heights) + 1) if heights else 0)

    def transaction(self, txid: bytes) -> bytes | None:
        self._answer()
        in_chain = {parse_transaction(raw).txid: raw for block in self.blocks for raw in block}
        return (in_chain | self.mempool).get(txid)

    def set_aside(self, claimed: Collection[OutPoint]) -> None:
        self._answer()
        self.aside = set(claimed)

    def confirmed_sat(self, claimed: Collection[OutPoint]) -> int:
        self._answer()
        ours = (each for each in self._unspent(in_mempool=False).values() if each.script == OUR_CHANGE)
        return sum(each.value_sat for each in ours)

    def _answer(self) -> None:
        if self.failure is not None:
            raise self.failure

    def _build(
        self, inputs: list[OutPoint], outputs: list[Output], free: dict[OutPoint, int], fee_rate_sat_kvb: int
    ) -> Built:
        unspent = self._unspent(in_mempool=False)
        chosen, wanted_sat = list(inputs), sum(output.value_sat for output in outputs)
        for spent in [None, *sorted(free)]:
            chosen += [spent] if spent else []
            raw = unsigned(chosen, [*outputs, Output(0, OUR_CHANGE)])
            cost_sat = fee_sat(len(raw) + 27 * len(chosen) + 1, fee_rate_sat_kvb)
            change_sat = sum(unspent[each].value_sat for each in chosen) - wanted_sat - cost_sat
            if chosen and change_sat >= 294:
                self.aside |= set(chosen)
                return Built(psbt_of(unsigned(chosen, [*outputs, Output(change_sat, OUR_CHANGE)])), cost_sat)
        raise WalletWaits("Insufficient funds")

    def _unspent(self, *, in_mempool: bool) -> dict[OutPoint, Output]:
        found: dict[OutPoint, Output] = {}
        chain = [parse_transaction(raw) for block in self.blocks for raw in block]
        waiting = [parse_transaction(raw) for raw in self.mempool.values()] if in_mempool else []
        for each in chain:
            found |= {OutPoint(each.txid, vout): output for vout, output in enumerate(each.outputs)}
        for each in chain + waiting:
            for spent in each.inputs:
                found.pop(spent.spends, None)
        return found

    def _refusal(self, transaction: Transaction) -> str | None:
        unspent = self._unspent(in_mempool=False)
        spent = [each.spends for each in transaction.inputs]
        if not all(each in unspent for each in spent):
            return "bad-txns-inputs-missingorspent"
        paid = sum(unspent[each].value_sat for each in spent) - sum(each.value_sat for each in transaction.outputs)
        for conflict in self._conflicts(transaction):
            other = parse_transaction(self.mempool[conflict])
            if conflict != transaction.txid and paid <= self._fee(other):
                return "insufficient fee, rejecting replacement"
        return None

    def _fee(self, transaction: Transaction) -> int:
        unspent = self._unspent(in_mempool=False)
        spent_sat = sum(unspent[each.spends].value_sat for each in transaction.inputs)
        return spent_sat - sum(each.value_sat for each in transaction.outputs)

    def _conflicts(self, transaction: Transaction, *, in_chain: bool = False) -> list[bytes]:
        spent = {each.spends for each in transaction.inputs}
        raws = [raw for block in self.blocks for raw in block] if in_chain else list(self.mempool.values())
        others = [parse_transaction(raw) for raw in raws]
        return [each.txid for each in others if spent & {one.spends for one in each.inputs}]

    def _height(self, txid: bytes) -> int:
        for height, block in enumerate(self.blocks, 1):
            if any(parse_transaction(raw).txid == txid for raw in block):
                return height
        return 0

    def _hash(self, height: int) -> bytes:
        block = b"".join(parse_transaction(raw).txid for raw in self.blocks[height - 1])
        return (height.to_bytes(4, "big") + block).ljust(32, b"\0")[:32]
