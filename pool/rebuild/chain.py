"""What the ledger says of its blocks beside what the chain says now."""

from __future__ import annotations

from collections.abc import Iterable

from payout.crediting import paid_to_pool
from payout.ledger import LedgerError
from payout.maturity import ORPHAN_DEPTH, State
from payout.ports import BookedBlock, Chain
from pool.ports import NodeUnavailable
from pool.rebuild.comparison import Check


def compare_with_chain(blocks: Iterable[BookedBlock], chain: Chain, scripts: frozenset[bytes]) -> Check:
    """Whether the states and rewards of blocks are the chain's.

    A state may be behind: it is wrong only if the chain contradicts it. scripts: what the pool's coinbases pay.
    """
    check = Check("blocks, with the chain")
    elsewhere = 0
    for block in blocks:
        try:
            said, is_ours = _said(block, chain, scripts)
        except NodeUnavailable as error:
            check.note = f"not compared any further: {error}"
            return check
        elsewhere += not is_ours
        check.pair(block.life.hash_hex, f"{block.life.state}, {block.reward_sat} sat", said)
    if elsewhere:
        check.note = f"{elsewhere} do not pay the payout address of today: their reward is the ledger's"
    return check


def _said(block: BookedBlock, chain: Chain, scripts: frozenset[bytes]) -> tuple[str, bool]:
    """What the chain says, and whether the block pays these scripts."""
    life = block.life
    state: str = life.state
    active = chain.hash_at(life.height)
    in_chain = active == life.block_hash
    buried = active is not None and chain.tip_height() - life.height + 1 >= ORPHAN_DEPTH
    if life.state in (State.IMMATURE, State.MATURE) and not in_chain and buried:
        state = "not in the chain"
    if life.state in (State.ORPHANED, State.DEAD) and in_chain:
        state = "in the chain"
    reward_sat = block.reward_sat
    outputs = chain.coinbase_outputs(life.block_hash) if in_chain and reward_sat is not None else None
    if outputs is not None:
        try:
            reward_sat = paid_to_pool(outputs, scripts)
        except LedgerError:
            return f"{state}, {reward_sat} sat", False
    return f"{state}, {reward_sat} sat", True
