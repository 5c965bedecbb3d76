"""FPPS by days: which blocks a day has, what fee rate they give, and what that adds to the shares of the day.

A block is of the UTC day that its header's time lies in. Source: docs/payouts.md 1.7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from msgspec import Struct

from payout.ledger import PPS_RESERVE, Posting, available, posting
from payout.maturity import ORPHAN_DEPTH
from payout.ports import Basis, Books, DayChain, FeeDay, SliceEarning
from payout.pps import DayBlock, FeeRate, fee_rate_of, less_fee, settle
from payout.slices import divide_earned
from pool.ports import BlockHeader, NodeUnavailable

DAY_MS = 86_400_000

_DAY_SECONDS = 86_400
# At each step, since a node reads a whole block for its fees: for so long nothing else is booked.
_FEES_AT_ONCE = 4
_HEADERS_AT_ONCE = 50


class Settled(Struct, frozen=True):
    """A day that went into the ledger. accounts: how many were paid for it."""

    day: FeeDay
    accounts: int


def day_of(time_ms: int) -> int:
    """When the UTC day of a time began."""
    return time_ms - time_ms % DAY_MS


def day_name(day_ms: int) -> str:
    """A day as it stands in keys."""
    return datetime.fromtimestamp(day_ms // 1000, UTC).date().isoformat()


def bonuses(books: Books, day: FeeDay) -> tuple[list[Posting], dict[str, int]]:
    """What the fees of a day come to: the postings, and what each account carries on."""
    rate = fee_rate_of(day.blocks)
    bonus_psat: dict[str, int] = {}
    for account, fee_bps, base_psat in books.fee_days.bases(day.day_ms):
        bonus_psat[account] = bonus_psat.get(account, 0) + less_fee(rate.bonus_psat(base_psat), fee_bps)
    before_psat = books.fee_days.carries_psat()
    carries_psat: dict[str, int] = {}
    postings: list[Posting] = []
    for account in sorted(bonus_psat):
        paid_sat, carries_psat[account] = settle(before_psat.get(account, 0) + bonus_psat[account])
        if paid_sat:
            key = f"fpps:{day_name(day.day_ms)}:{account}"
            amounts_sat = {PPS_RESERVE: paid_sat}
            for party, part_sat in _parts(books, account, day.day_ms, rate, bonus_psat[account], paid_sat).items():
                amounts_sat[available(party)] = -part_sat
            postings.append(posting(key, "fpps", account, day.day_ms + DAY_MS, amounts_sat))
    return postings, carries_psat


def _parts(books: Books, account: str, day_ms: int, rate: FeeRate, bonus_psat: int, paid_sat: int) -> dict[str, int]:
    """Who has what of an account's bonus."""
    weights = slice_bonuses(rate, books.slices.earned(Basis.FEES, account, day_ms))
    return divide_earned(books.slices, account, weights, bonus_psat, paid_sat)


def slice_bonuses(rate: FeeRate, earned: Iterable[tuple[SliceEarning, int]]) -> dict[int, int]:
    """What the fees of a day come to for each slice, in picosatoshi. earned: their gross earnings per share."""
    weights: dict[int, int] = {}
    for each, base_psat in earned:
        more_psat = less_fee(rate.bonus_psat(base_psat), each.fee_bps)
        weights[each.slice_id] = weights.get(each.slice_id, 0) + more_psat
    return weights


def settle_day(books: Books, day: FeeDay) -> Settled:
    """Put a day into the ledger."""
    postings, carries_psat = bonuses(books, day)
    books.journal.post(postings)
    books.fee_days.settle(day, carries_psat)
    return Settled(day, len(postings))


class _Walk(Struct):
    """On the way back from a block behind the day to its beginning. cursor: the next block to look at."""

    day_ms: int
    top: BlockHeader
    cursor: bytes
    blocks: list[DayBlock]


class DayReader:
    """Reads the blocks of a day, a few at each step, so that nobody waits for it.

    The way goes from hash to hash, so that all of it is one chain; at its end that chain must still be the active one.
    """

    def __init__(self, chain: DayChain, subsidy_sat: Callable[[int], int]) -> None:
        self._chain = chain
        self._subsidy_sat = subsidy_sat
        self._walk: _Walk | None = None
        self._too_early: tuple[int, bytes | None] | None = None

    def step(self, day_ms: int) -> FeeDay | None:
        """The day, once it is whole and six blocks deep and all of it is read. Raises NodeUnavailable."""
        if self._walk is None or self._walk.day_ms != day_ms:
            self._walk = self._begin(day_ms)
        walk = self._walk
        if walk is None:
            return None
        if not self._read(walk):
            return None
        self._walk = None
        if self._chain.hash_at(walk.top.height) != walk.top.block_hash:
            return None  # another chain meanwhile: once more
        return FeeDay(day_ms, tuple(reversed(walk.blocks)))

    def _begin(self, day_ms: int) -> _Walk | None:
        """From the newest block that no reorg is expected to reach, if no block above it can be of the day."""
        top_hash = self._chain.hash_at(self._chain.tip_height() - ORPHAN_DEPTH + 1)
        if top_hash is None or (day_ms, top_hash) == self._too_early:
            return None
        top = self._header(top_hash)
        # Consensus: the time of a block is above the median of the eleven before it.
        if top.median_time_s * 1000 < day_ms + DAY_MS:
            self._too_early = day_ms, top_hash
            return None
        return _Walk(day_ms, top, top_hash, [])

    def _read(self, walk: _Walk) -> bool:
        """Some blocks further; whether the beginning is reached."""
        begin_s = walk.day_ms // 1000
        fees_read = 0
        for _ in range(_HEADERS_AT_ONCE):
            header = self._header(walk.cursor)
            if begin_s <= header.time_s < begin_s + _DAY_SECONDS:
                if fees_read == _FEES_AT_ONCE:
                    return False
                fees_read += 1
                walk.blocks.append(self._day_block(header))
            # A block may run ahead of the median of those before it by hours, but not by a day.
            if header.height == 0 or header.median_time_s < begin_s - _DAY_SECONDS:
                return True
            walk.cursor = header.prev_hash
        return False

    def _day_block(self, header: BlockHeader) -> DayBlock:
        fees_sat = self._chain.fees_sat(header.block_hash)
        if fees_sat is None:
            raise self._unknown(header.block_hash)
        return DayBlock(header.height, fees_sat, self._subsidy_sat(header.height), header.block_hash)

    def _header(self, block_hash: bytes) -> BlockHeader:
        header = self._chain.header(block_hash)
        if header is None:
            raise self._unknown(block_hash)
        return header

    def _unknown(self, block_hash: bytes) -> NodeUnavailable:
        self._walk = None
        return NodeUnavailable(
            f"the node does not know block {block_hash[::-1].hex()} any more: the day's fees are read once more"
        )
