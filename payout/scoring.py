"""From the shares of a journal to what they are worth."""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct

from payout.ledger import LedgerError
from payout.pps import Price, price
from payout.rewards import unit_score
from pool.bitcoin.target import share_work, target_from_nbits, work_from_target
from pool.work.runs import RunOfShares
from pool.work.share import Share


class Work(Struct, frozen=True):
    """Expected hashes: of a share and of a block of its job. units: of the share's score."""

    share: int
    network: int
    units: int


def work_of(accepted: Share | RunOfShares) -> Work:
    """The work of an accepted share, or of each of a run, at most a block's. Raises LedgerError for what nobody should
    have accepted."""
    try:
        return _work(share_work(accepted.difficulty, accepted.nbits), network_work(accepted.nbits))
    except (ValueError, ArithmeticError) as error:
        raise LedgerError(
            f"the share of {accepted.account} at {accepted.time_ms} was accepted, but cannot be scored: {error}"
        ) from error


def price_of(work: Work, subsidy_sat: int, fee_bps: int) -> Price:
    """What a share earns under pay per share."""
    return price(work.share, work.network, subsidy_sat, fee_bps)


@lru_cache(maxsize=64)  # one value lasts two weeks; regtest and a replay need a few
def network_work(nbits: int) -> int:
    """Expected hashes of a block at these nBits."""
    return work_from_target(target_from_nbits(nbits))


@lru_cache(maxsize=4096)  # pairs in use at once, as in pool.bitcoin.target
def _work(share: int, network: int) -> Work:
    work = min(share, network)
    return Work(work, network, unit_score(work, network))
