"""Work on a new tip before the node has put a template together: a block with nothing but its coinbase."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from pool.bitcoin.amount import subsidy
from pool.bitcoin.network import Network
from pool.work.template import Template


class TipHeader(Struct, frozen=True):
    """What a node tells of its new tip. block_hash: wire order. median_time: of eleven blocks, Unix seconds."""

    block_hash: bytes
    height: int
    nbits: int
    median_time: int


def empty_template(tip: TipHeader, last: Template, network: Network, time: int) -> Template | None:
    """The template of an empty block on a tip that the node has validated; None unless all of it is certain.

    last: the node's newest template, of a lower tip. time: Unix seconds of the node's clock. nBits and version are
    those of the last block as long as the period is the same; a signet's block wants a signature of its own.
    """
    height, period = tip.height + 1, network.period_blocks
    if period is None or height % period == 0:
        return None
    if last.height // period != height // period or last.nbits != tip.nbits or last.height > height:
        return None
    emptied = last.first(0)
    return msgspec.structs.replace(
        emptied,
        prev_hash=tip.block_hash,
        height=height,
        time=max(time, tip.median_time + 1),
        time_min=tip.median_time + 1,
        coinbase_value_sat=subsidy(height, network.halving_interval),
        longpoll_id="",
    )
