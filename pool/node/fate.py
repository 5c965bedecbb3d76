"""What becomes of a block of ours: what each answer of a node means, and what all nodes together say. Pure.

Source: BIP-0022; Bitcoin Core, `submitblock` and `BIP22ValidationResult` in `rpc/mining.cpp`, reject reasons in
`validation.cpp`.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from typing import Final

from msgspec import Struct

FINAL_DEPTH: Final = 6
"""Blocks on top of ours, or of another one at its height, after which its fate will not turn any more."""


class Answer(enum.Enum):
    """What a node's answer to `submitblock` means for us there."""

    TAKEN = "taken"
    """The node has it, and found it valid."""
    ASIDE = "aside"
    """The node has it, but not in its best chain, or has not looked at it yet: the chain decides."""
    LATER = "later"
    """The node cannot take it yet: it lacks the block before, its clock is behind, or it was not reached."""
    REFUSED = "refused"
    """The node will never take it."""


_ANSWERS: Final[Mapping[str | None, Answer]] = {
    None: Answer.TAKEN,
    # The second copy of what another node or an earlier try of ours brought. datum_gateway took it for a refusal.
    "duplicate": Answer.TAKEN,
    "inconclusive": Answer.ASIDE,
    "duplicate-inconclusive": Answer.ASIDE,
    # The node lost the block before in a crash, or never had it; its peers give it back.
    "prev-blk-not-found": Answer.LATER,
    "time-too-new": Answer.LATER,
    # Valid by itself, and yet not taken: what Bitcoin Core says when it does not know better.
    "valid?": Answer.ASIDE,
}


def meaning(reason: str | None) -> Answer:
    """Of an answer to `submitblock`. All that is not listed refuses: `rejected`, `high-hash`, `bad-...`,
    `duplicate-invalid`, `stale-...`, `time-too-old`, and what a future node may say."""
    return _ANSWERS.get(reason, Answer.REFUSED)


class View(Struct, frozen=True):
    """What one node says of a block.

    answer, reason: to the last `submitblock`; None before the first. confirmations: 1 in the tip, more below it, -1
    outside the active chain, None if unknown there. tip_height: None while the node cannot be asked.
    """

    answer: Answer | None = None
    reason: str | None = None
    confirmations: int | None = None
    tip_height: int | None = None

    @property
    def text(self) -> str:
        """The answer, for people."""
        return "no answer yet" if self.answer is None else self.reason or "accepted"

    @property
    def problem(self) -> str | None:
        """Why the block is not in this node's chain, for people; None if it is, or if the node refused it."""
        if (self.confirmations or 0) > 0 or self.answer is Answer.REFUSED:
            return None
        return f"the node says {self.text!r}, and the block is not in its chain"


class Fate(enum.Enum):
    """What all nodes together say."""

    OPEN = "open"
    """Nothing is decided."""
    IN_CHAIN = "in_chain"
    """It is in the chain, and could still fall out of it."""
    DEEP = "deep"
    """It is in the chain for good."""
    LOST = "lost"
    """Another block at its height is buried: a lost race."""
    REFUSED = "refused"
    """Every node refuses it."""

    @property
    def is_final(self) -> bool:
        return self in (Fate.DEEP, Fate.LOST, Fate.REFUSED)


def decide(height: int, views: Collection[View], before: Fate = Fate.OPEN) -> Fate:
    """The fate of a block at `height`, which was `before`.

    Of the nodes that can be asked, and have come as far, the one with the highest tip has the say, among equals one
    that has the block in its chain: of two blocks at one height nothing is decided against ours. It is not lost while
    any node has it in its chain, and while there is no such node everything stays as it was.
    """
    told = [view for view in views if view.tip_height is not None and view.tip_height >= height]
    if told:
        best = max(told, key=lambda view: (view.tip_height or 0, view.confirmations or 0))
        confirmations = best.confirmations or 0
        if confirmations > 0:
            return Fate.DEEP if confirmations > FINAL_DEPTH else Fate.IN_CHAIN
        if (best.tip_height or 0) >= height + FINAL_DEPTH and not any((view.confirmations or 0) > 0 for view in told):
            return Fate.LOST
    if views and all(view.answer is Answer.REFUSED for view in views):
        return Fate.REFUSED
    return Fate.OPEN if told else before


def is_wanting(view: View) -> bool:
    """Whether the block is to be offered to the node: it does not know it, or could not take it yet. That a node knows
    it off its chain is not enough: of a peer it may have had the header alone."""
    if view.answer is Answer.REFUSED or (view.confirmations or 0) > 0:
        return False
    return view.confirmations is None or view.answer is Answer.LATER


def is_tied(height: int, view: View) -> bool:
    """Whether the node has the block, beside another one at the same height that it saw first."""
    has_it = view.answer in (Answer.TAKEN, Answer.ASIDE)
    return has_it and view.confirmations == -1 and view.tip_height == height
