"""The oracle finds what it is there to find; a run in which all is well proves nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from payout.accounts import Scheme, Stake
from payout.maturity import Life, State
from payout.ports import BookedBlock, FoundBlock
from payout.rewards import Credit
from pool.node.spool import Settled
from tests.chaos.evidence import Booked, Chain, Evidence, Journaled
from tests.chaos.memory import Sent
from tests.chaos.oracle import Verdict, judge

SHARE, OTHER, BLOCK, RIVAL = (bytes([number]) * 32 for number in range(1, 5))
HEX = SHARE.hex()
PLACE, NEXT = ("journal", 1), ("journal", 2)
REWARD_SAT = 5_000_000_000
STAKE = Stake("alice", 0, Scheme.PPLNS, 100)


def sent(share: bytes = SHARE, acknowledged: int = 1, is_block: bool = False) -> Sent:
    return Sent(share, "job", "alice.rig", is_block, acknowledged)


def journaled(share: bytes = SHARE, place: tuple[str, int] = PLACE, block: bool = False) -> Journaled:
    return Journaled(place, share, True, share if block else None, 7)


def booked(place: tuple[str, int] = PLACE) -> Booked:
    return Booked(place, "alice", 7)


def block_in_books(state: State = State.IMMATURE, gross_sat: int = REWARD_SAT) -> BookedBlock:
    found = FoundBlock(BLOCK, 5, 0, "alice", "rig", "journal", 1, "accepted", 7, str(Fraction(8)), "distribute")
    return BookedBlock(found, Life(BLOCK, 5, state), REWARD_SAT, 0, (Credit(STAKE, 7, gross_sat, 0),))


class Run(Struct, frozen=True):
    """A run in which all went well with one share, and what went otherwise."""

    shares: Sequence[Sent] = (sent(),)
    journal: Sequence[Journaled] = (journaled(),)
    booked: Sequence[Booked] = (booked(),)
    blocks: Sequence[BookedBlock] = ()
    spool: dict[bytes, Settled | None] = {}
    paid_sat: dict[bytes, int] = {}
    elsewhere: frozenset[bytes] = frozenset()
    findings: Sequence[str] = ()

    def verdict(self) -> Verdict:
        chain = Chain({0: RIVAL}, self.paid_sat, self.elsewhere)
        return judge(
            self.shares,
            Evidence(list(self.journal), list(self.booked), list(self.blocks), self.spool, chain, list(self.findings)),
        )


class TestShares:
    def test_one_that_was_acknowledged_and_is_booked_once_is_good(self) -> None:
        verdict = Run().verdict()
        assert verdict.is_good
        assert (verdict.sent, verdict.acknowledged, verdict.unacknowledged) == (1, 1, 0)

    def test_one_that_was_acknowledged_and_is_nowhere_is_lost(self) -> None:
        verdict = Run(journal=(), booked=()).verdict()
        assert verdict.lost == [f"share {HEX} of alice.rig, job job: nowhere"]
        assert not verdict.is_good

    def test_one_that_is_in_a_journal_and_not_in_the_books_is_lost(self) -> None:
        [lost] = Run(booked=()).verdict().lost
        assert lost.endswith("in a journal at [('journal', 1)], not in the books")

    def test_one_that_was_refused_in_its_journal_is_lost(self) -> None:
        assert Run(journal=(replace(journaled(), accepted=False),), booked=()).verdict().lost

    def test_one_that_is_booked_twice_is_doubled(self) -> None:
        [doubled] = Run(booked=(booked(), booked())).verdict().doubled
        assert doubled.endswith("2 times in the books")

    def test_one_that_two_records_accept_is_doubled(self) -> None:
        run = Run(journal=(journaled(), journaled(place=NEXT)), booked=(booked(), booked(NEXT)))
        assert len(run.verdict().doubled) == 1

    def test_one_that_was_never_acknowledged_may_count_once_but_not_twice(self) -> None:
        once = Run(shares=(sent(acknowledged=0),)).verdict()
        assert once.is_good
        assert once.unacknowledged == 1
        assert Run(shares=(sent(acknowledged=0),), booked=(booked(), booked())).verdict().doubled

    def test_one_that_was_never_acknowledged_need_not_count(self) -> None:
        assert Run(shares=(sent(acknowledged=0),), journal=(), booked=()).verdict().is_good


class TestBooks:
    def test_a_share_of_no_journal_is_wrong(self) -> None:
        [wrong] = Run(booked=(booked(), booked(NEXT))).verdict().wrong
        assert wrong == "('journal', 2) is in the books and no accepted share of a journal"

    def test_a_share_that_no_miner_sent_is_wrong(self) -> None:
        run = Run(journal=(journaled(), journaled(OTHER, NEXT)), booked=(booked(), booked(NEXT)))
        assert run.verdict().wrong == ["('journal', 2) is a share that no miner sent"]

    def test_a_share_that_counts_for_another_account_is_wrong(self) -> None:
        [wrong] = Run(booked=(replace(booked(), account="bob"),)).verdict().wrong
        assert wrong == "('journal', 1) is booked for bob, and alice.rig sent it"

    def test_a_share_of_another_worth_is_wrong(self) -> None:
        [wrong] = Run(booked=(replace(booked(), units=8),)).verdict().wrong
        assert wrong == "('journal', 1) counts 8 in the books, 7 by its record"

    def test_a_share_without_its_job_is_wrong(self) -> None:
        assert "the job of ('journal', 1) is not in its journal before it" in (
            Run(journal=(replace(journaled(), hash=None),)).verdict().wrong
        )

    def test_a_record_that_names_another_block_than_its_own_is_wrong(self) -> None:
        run = Run(journal=(replace(journaled(), block_hash=BLOCK),), elsewhere=frozenset({BLOCK}))
        assert run.verdict().wrong == ["('journal', 1) is not the block that its record says"]

    def test_what_the_audit_finds_is_wrong(self) -> None:
        assert Run(findings=("invariant 1: broken",)).verdict().wrong == ["invariant 1: broken"]


class TestBlocks:
    FOUND = Run(
        shares=(sent(BLOCK, is_block=True),),
        journal=(journaled(BLOCK, block=True),),
        blocks=(block_in_books(),),
        paid_sat={BLOCK: REWARD_SAT},
    )

    def test_one_in_the_chain_and_the_books_is_good(self) -> None:
        verdict = self.FOUND.verdict()
        assert verdict.is_good
        assert (verdict.blocks, verdict.in_chain, verdict.raced) == (1, 1, 0)

    def test_one_that_was_tried_and_beaten_is_good(self) -> None:
        tried = {BLOCK: Settled(False, "inconclusive", 0, {"node": "inconclusive"})}
        verdict = replace(self.FOUND, paid_sat={}, blocks=(block_in_books(State.DEAD),), spool=tried).verdict()
        assert verdict.is_good
        assert (verdict.in_chain, verdict.raced, verdict.reversed) == (0, 1, 0)

    def test_one_that_was_credited_and_then_beaten_is_counted(self) -> None:
        tried = {BLOCK: Settled(False, None, 0, {"node": "accepted"})}
        verdict = replace(self.FOUND, paid_sat={}, blocks=(block_in_books(State.ORPHANED),), spool=tried).verdict()
        assert verdict.is_good
        assert (verdict.raced, verdict.reversed) == (1, 1)

    def test_one_that_was_never_tried_is_lost(self) -> None:
        [lost] = replace(self.FOUND, paid_sat={}, blocks=(block_in_books(State.DEAD),)).verdict().blocks_lost
        assert lost == f"block {BLOCK.hex()}: never tried: no node knows it, and it is not on disk"

    def test_one_that_nobody_decided_is_lost(self) -> None:
        run = replace(self.FOUND, paid_sat={}, blocks=(block_in_books(State.DEAD),), spool={BLOCK: None})
        assert run.verdict().blocks_lost

    def test_one_that_a_node_called_bad_is_lost(self) -> None:
        bad = {BLOCK: Settled(False, "bad-txnmrklroot", 0, {"node": "bad-txnmrklroot"})}
        [lost] = replace(self.FOUND, paid_sat={}, blocks=(block_in_books(State.DEAD),), spool=bad).verdict().blocks_lost
        assert lost.endswith("refused: {'node': 'bad-txnmrklroot'}")

    def test_one_that_is_said_to_be_in_the_chain_and_is_not_is_lost(self) -> None:
        said = {BLOCK: Settled(True, None, 0, {"node": "accepted"})}
        run = replace(self.FOUND, paid_sat={}, blocks=(block_in_books(State.DEAD),), spool=said)
        assert run.verdict().blocks_lost

    def test_one_whose_share_was_not_acknowledged_is_looked_for_too_if_it_is_in_a_journal(self) -> None:
        run = replace(self.FOUND, shares=(sent(BLOCK, 0, is_block=True),), paid_sat={}, blocks=())
        assert run.verdict().blocks_lost

    def test_one_that_pays_the_pool_and_is_not_in_the_books_is_wrong(self) -> None:
        [wrong] = replace(self.FOUND, blocks=()).verdict().wrong
        assert wrong.endswith("pays the pool; in the books it is not there")

    def test_one_that_is_credited_and_not_in_the_chain_is_wrong(self) -> None:
        [wrong] = replace(self.FOUND, paid_sat={}, elsewhere=frozenset({BLOCK})).verdict().wrong
        assert wrong.endswith("is immature in the books, and not in the chain")

    def test_one_with_another_reward_than_its_coinbase_pays_is_wrong(self) -> None:
        [wrong] = replace(self.FOUND, paid_sat={BLOCK: 1}).verdict().wrong
        assert wrong.endswith("pays 1 satoshi, and the books say 5000000000")

    def test_one_whose_credits_do_not_sum_to_its_reward_is_wrong(self) -> None:
        [wrong] = replace(self.FOUND, blocks=(block_in_books(gross_sat=REWARD_SAT - 1),)).verdict().wrong
        assert wrong.endswith("do not sum to the 5000000000 satoshi that it pays")
