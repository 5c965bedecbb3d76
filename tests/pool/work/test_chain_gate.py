"""Majority, minority or unknown: the table of cases, with chains that are lists of names."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pool.bitcoin.network import BlockAt
from pool.work.chain_gate import Chain, ChainFacts, ChainVerdict, GateRules, heights_to_ask, judge, of_the_pool

NOW = 1_800_000_000
RULES = GateRules((BlockAt(0, b"genesis"),), tip_age_seconds_max=10_800)
COMMON = [b"genesis", b"1", b"2", b"3"]
# One is mined by nearly everybody, the other by those with another rule.
MANY = [*COMMON, b"4", b"5", b"6", b"7", b"8"]
FEW = [*COMMON, b"4'", b"5'", b"6'", b"7'"]
RACING = [*MANY[:-1], b"8'"]

MAJORITY, MINORITY, UNKNOWN = Chain.MAJORITY, Chain.MINORITY, Chain.UNKNOWN


def node(chain: Sequence[bytes], refused: tuple[BlockAt, ...] = (), age_seconds: int = 600) -> ChainFacts:
    """A node that shows all of its chain; a block of work each."""
    return ChainFacts(
        height=len(chain) - 1,
        tip=chain[-1],
        work=len(chain),
        tip_time=NOW - age_seconds,
        hashes=dict(enumerate(chain)),
        refused=refused,
    )


def verdicts(
    *facts: ChainFacts | None, rules: GateRules = RULES, before: Sequence[ChainVerdict | None] | None = None
) -> list[ChainVerdict]:
    return list(judge(facts, rules, NOW, before or [None] * len(facts)))


def chains(*facts: ChainFacts | None, rules: GateRules = RULES) -> list[Chain]:
    return [each.chain for each in verdicts(*facts, rules=rules)]


REFUSED = BlockAt(4, b"4")
AT_THE_SPLIT = node(COMMON, refused=(REFUSED,))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ((node(MANY),), [UNKNOWN]),
        ((None,), [UNKNOWN]),
        ((node(MANY), node(MANY)), [MAJORITY, MAJORITY]),
        ((node(MANY), None), [UNKNOWN, UNKNOWN]),
        ((node(MANY), node(MANY), None), [MAJORITY, MAJORITY, UNKNOWN]),
        # Behind, but on the same chain.
        ((node(MANY), node(MANY[:4])), [MAJORITY, MAJORITY]),
        # Two blocks at a height are ordinary.
        ((node(MANY), node(RACING)), [MAJORITY, MAJORITY]),
        ((node(MANY[:-1]), node(RACING)), [MAJORITY, MAJORITY]),
        # A split, whichever is asked first.
        ((node(MANY), node(FEW)), [MAJORITY, MINORITY]),
        ((node(FEW), node(MANY)), [MINORITY, MAJORITY]),
        # Two of three on the minority do not make it the majority: work does.
        ((node(FEW), node(FEW), node(MANY)), [MINORITY, MINORITY, MAJORITY]),
        # As much work on both sides: nobody knows yet.
        ((node(MANY[:-1]), node(FEW)), [UNKNOWN, UNKNOWN]),
        # BIP-0110, August 2026: the first block is refused, the chain behind it is only one block longer.
        ((node(MANY[:5]), AT_THE_SPLIT), [MAJORITY, MINORITY]),
        ((AT_THE_SPLIT, node(MANY[:5])), [MINORITY, MAJORITY]),
        # A block that nobody else has either is nobody's loss.
        ((node(MANY), node(MANY, refused=(BlockAt(8, b"8'"),))), [MAJORITY, MAJORITY]),
        # The stricter node is the one with more work.
        ((node(MANY, refused=(BlockAt(5, b"5'"),)), node(FEW[:6])), [MAJORITY, MINORITY]),
        # A chain that begins elsewhere.
        ((node([b"other", b"1"]),), [MINORITY]),
        ((node([b"other", *MANY]), node(MANY)), [MINORITY, UNKNOWN]),
        # A tip that is too old to be what miners work on.
        ((node(MANY, age_seconds=10_801),), [MINORITY]),
        ((node(MANY, age_seconds=10_800),), [UNKNOWN]),
        ((node(MANY, age_seconds=-7_200),), [UNKNOWN]),
        # Two blocks deep is young: there is nothing deeper to compare.
        ((node(COMMON[:2]), node([b"genesis", b"1'"])), [MAJORITY, MAJORITY]),
    ],
)
def test_the_verdicts_of_nodes(facts: tuple[ChainFacts | None, ...], expected: list[Chain]) -> None:
    assert chains(*facts) == expected


class TestCheckpoints:
    PINNED = GateRules((*RULES.checkpoints, BlockAt(4, b"4")), None)

    def test_one_node_alone_on_the_minority_is_told_by_a_checkpoint_behind_the_split(self) -> None:
        assert chains(node(FEW), rules=self.PINNED) == [MINORITY]

    def test_the_reason_names_both_blocks(self) -> None:
        [verdict] = verdicts(node(FEW), rules=self.PINNED)
        assert verdict.reason == "its block 4 is 2734, and that of the checkpoint 34"

    def test_a_node_below_a_checkpoint_is_not_mined_on(self) -> None:
        [verdict] = verdicts(node(COMMON), rules=self.PINNED)
        assert (verdict.chain, "still syncs" in verdict.reason) == (MINORITY, True)

    def test_a_checkpoint_outweighs_work(self) -> None:
        few = GateRules((BlockAt(4, b"4'"),), None)
        assert chains(node(MANY), node(FEW), rules=few) == [MINORITY, UNKNOWN]

    def test_without_a_limit_a_tip_may_be_any_age(self) -> None:
        assert chains(node(MANY, age_seconds=10**9), rules=GateRules((), None)) == [UNKNOWN]


class TestAfterwards:
    """A verdict by comparison, when the other node is away."""

    def found(self) -> list[ChainVerdict]:
        return verdicts(node(MANY), node(FEW))

    def test_a_node_that_was_on_the_minority_stays_there(self) -> None:
        after = verdicts(None, node([*FEW, b"8'", b"9'", b"10'"]), before=self.found())
        assert [each.chain for each in after] == [UNKNOWN, MINORITY]

    def test_until_it_has_the_block_that_it_missed(self) -> None:
        assert [each.chain for each in verdicts(None, node(MANY), before=self.found())] == [UNKNOWN, UNKNOWN]

    def test_or_another_node_agrees_with_it(self) -> None:
        after = verdicts(node(FEW), node(FEW), before=self.found())
        assert [each.chain for each in after] == [MAJORITY, MAJORITY]

    def test_a_node_that_was_on_the_majority_alone_is_unknown(self) -> None:
        assert [each.chain for each in verdicts(node(MANY), None, before=self.found())] == [UNKNOWN, UNKNOWN]


class TestHeights:
    def test_one_node_is_asked_for_the_checkpoints_only(self) -> None:
        assert heights_to_ask([node(MANY)], RULES, [None]) == (0,)

    def test_two_are_compared_some_blocks_below_their_tips(self) -> None:
        assert heights_to_ask([node(MANY), node(FEW)], RULES, [None, None]) == (0, 5, 6)

    def test_all_are_asked_where_one_refuses_a_block(self) -> None:
        assert heights_to_ask([node(MANY[:5]), AT_THE_SPLIT], RULES, [None, None]) == (0, 1, 2, 4)

    def test_a_node_is_asked_for_the_block_that_it_missed(self) -> None:
        before = [None, ChainVerdict(MINORITY, "", BlockAt(6, b"6"))]
        assert heights_to_ask([None, node(FEW)], RULES, before) == (0, 6)

    def test_a_chain_of_one_block_is_compared_there(self) -> None:
        assert heights_to_ask([node(MANY[:1]), node(MANY[:1])], RULES, [None, None]) == (0,)


class TestPool:
    @pytest.mark.parametrize(
        ("nodes", "pool"),
        [([MAJORITY, MINORITY], MAJORITY), ([MINORITY, UNKNOWN], UNKNOWN), ([MINORITY, MINORITY], MINORITY)],
    )
    def test_the_best_node_counts(self, nodes: list[Chain], pool: Chain) -> None:
        assert of_the_pool([ChainVerdict(each, "") for each in nodes]).chain is pool
