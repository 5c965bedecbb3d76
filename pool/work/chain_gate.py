"""Which node is on the chain that the rest of the world mines, and why we think so.

A node on a minority chain looks healthy: it has peers, a tip and templates. Three things can tell: blocks that
everybody is known to have (checkpoints), the age of the tip, and another node. Decision 0041.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence

from msgspec import Struct

from pool.bitcoin.network import BlockAt

# Two blocks at the same height are ordinary, and so is a chain of two that loses to another; three are not.
RACE_BLOCKS = 2


class Chain(enum.Enum):
    """Whose chain a node is on. UNKNOWN is not MINORITY: nothing speaks against it, and no other node for it."""

    MAJORITY = "majority"
    MINORITY = "minority"
    UNKNOWN = "unknown"


class ChainFacts(Struct, frozen=True):
    """What a node says of its active chain.

    tip: hash, wire order. work: expected hashes of the whole chain. tip_time: of the header, Unix seconds. hashes: by
    height, of those that were asked for. refused: tips of branches that the node calls invalid.
    """

    height: int
    tip: bytes
    work: int
    tip_time: int
    hashes: Mapping[int, bytes] = {}
    refused: tuple[BlockAt, ...] = ()

    def has(self, block: BlockAt) -> bool:
        """Whether the block is in its chain, as far as was asked."""
        return self.hashes.get(block.height) == block.block_hash


class ChainVerdict(Struct, frozen=True):
    """What is thought of one node. reason: for people. missed: a block of the majority that it does not have, while it
    is known by another node's chain."""

    chain: Chain
    reason: str
    missed: BlockAt | None = None


class GateRules(Struct, frozen=True):
    """What nodes are measured by. checkpoints: of network and operator. tip_age_seconds_max: None for any."""

    checkpoints: tuple[BlockAt, ...]
    tip_age_seconds_max: int | None


def heights_to_ask(
    facts: Sequence[ChainFacts | None], rules: GateRules, before: Sequence[ChainVerdict | None]
) -> tuple[int, ...]:
    """Where the nodes' chains have to be compared."""
    known = [each for each in facts if each is not None]
    heights = {block.height for block in rules.checkpoints}
    heights |= {block.height for each in known for block in each.refused}
    heights |= {each.missed.height for each in before if each is not None and each.missed is not None}
    if len(known) > 1:
        heights |= {max(0, each.height - RACE_BLOCKS) for each in known}
    return tuple(sorted(heights))


def judge(
    facts: Sequence[ChainFacts | None], rules: GateRules, now: int, before: Sequence[ChainVerdict | None]
) -> tuple[ChainVerdict, ...]:
    """A verdict for each node.

    facts: with the hashes at `heights_to_ask`; None for a node that does not answer. now: Unix seconds. before: the
    verdicts of last time: a node that was found on a minority stays there while no other node can speak for it.
    """
    verdicts = [_by_itself(each, rules, now) for each in facts]
    standing = {
        index: each for index, each in enumerate(facts) if each is not None and verdicts[index].chain is Chain.UNKNOWN
    }
    if len(standing) == 1:
        for index, each in standing.items():
            verdicts[index] = _alone(each, before[index], verdicts[index])
    elif standing:
        best = max(standing, key=lambda index: standing[index].work)
        for index, verdict in _compared(standing, best).items():
            verdicts[index] = verdict
    return tuple(verdicts)


def of_the_pool(verdicts: Sequence[ChainVerdict]) -> ChainVerdict:
    """The best verdict of all nodes: the pool works on that node."""
    order = (Chain.MAJORITY, Chain.UNKNOWN, Chain.MINORITY)
    return min(verdicts, key=lambda each: order.index(each.chain))


def _by_itself(facts: ChainFacts | None, rules: GateRules, now: int) -> ChainVerdict:
    """What checkpoints and the tip's age say; UNKNOWN if nothing."""
    if facts is None:
        return ChainVerdict(Chain.UNKNOWN, "it does not say what its chain is")
    for block in rules.checkpoints:
        if facts.height < block.height:
            return ChainVerdict(
                Chain.MINORITY,
                f"it has {facts.height} blocks, and the chain had {block.height} long ago: it still syncs",
            )
        found = facts.hashes.get(block.height)
        if found is not None and found != block.block_hash:
            return ChainVerdict(
                Chain.MINORITY,
                f"its block {block.height} is {_hex(found)}, and that of the checkpoint {_hex(block.block_hash)}",
            )
    age_seconds = now - facts.tip_time
    if rules.tip_age_seconds_max is not None and age_seconds > rules.tip_age_seconds_max:
        return ChainVerdict(
            Chain.MINORITY,
            f"its newest block {facts.height} is {age_seconds // 60} minutes old: miners work on another chain, the "
            "node is cut off, or this machine's clock is wrong",
        )
    return ChainVerdict(Chain.UNKNOWN, "it passes the checkpoints, and there is no other node to compare it with")


def _alone(facts: ChainFacts, before: ChainVerdict | None, otherwise: ChainVerdict) -> ChainVerdict:
    if before is None or before.missed is None or facts.has(before.missed):
        return otherwise
    return before


def _compared(standing: Mapping[int, ChainFacts], best: int) -> dict[int, ChainVerdict]:
    """The chain with the most work is the majority's; with as much on both sides nobody knows yet."""
    ours = standing[best]
    missed = {index: _missed(ours, each) for index, each in standing.items() if index != best}
    verdicts = {}
    for index, each in standing.items():
        block = missed.get(index)
        if block is not None and each.work < ours.work:
            verdicts[index] = ChainVerdict(
                Chain.MINORITY,
                f"its chain of {each.height} blocks has less work than another node's of {ours.height}, whose block "
                f"{block.height}, {_hex(block.block_hash)}, it does not have",
                block,
            )
        else:
            verdicts[index] = ChainVerdict(Chain.MAJORITY, f"its {each.height:,} blocks agree with another node's")
    tied = [index for index, block in missed.items() if block is not None and standing[index].work == ours.work]
    if tied:
        undecided = ChainVerdict(Chain.UNKNOWN, "nodes are on different chains that have as much work")
        verdicts |= {index: undecided for index, each in verdicts.items() if each.chain is Chain.MAJORITY}
    elif all(each.chain is Chain.MINORITY for index, each in verdicts.items() if index != best):
        verdicts[best] = ChainVerdict(Chain.MAJORITY, "its chain has more work than every other node's")
    return verdicts


def _missed(best: ChainFacts, other: ChainFacts) -> BlockAt | None:
    """A block of the best chain that the other one refuses, or lacks for more than a race between two blocks."""
    for block in other.refused:
        if best.has(block):
            return block
    heights = [block.height for block in best.refused if other.has(block)]
    heights.append(max(0, min(best.height, other.height) - RACE_BLOCKS))
    for height in heights:
        ours, theirs = best.hashes.get(height), other.hashes.get(height)
        if ours is not None and theirs is not None and ours != theirs:
            return BlockAt(height, ours)
    return None


def _hex(block_hash: bytes) -> str:
    return block_hash[::-1].hex()
