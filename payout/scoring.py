"""From the records of a share journal to what they are worth."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from msgspec import Struct

from payout import pps
from payout.ledger import LedgerError
from payout.rewards import unit_score
from pool.bitcoin.target import share_work, target_from_nbits, work_from_target
from pool.ports import Record, ShareBatch
from pool.work.share import Share

_decoder = msgspec.msgpack.Decoder(list[Record])
_ARRAY_32 = b"\xdd"  # msgpack: an array, its length in four bytes, big endian


class Work(Struct, frozen=True):
    """Expected hashes: of a share and of a block of its job."""

    share: int
    network: int

    @property
    def units(self) -> int:
        return unit_score(self.share, self.network)


def records_of(batch: ShareBatch) -> list[Record]:
    """The typed records. Raises LedgerError if they are not what the batch says."""
    try:
        # With a header in front, the values are one array, whose length is checked in one go with their types.
        return _decoder.decode(_ARRAY_32 + batch.count.to_bytes(4, "big") + batch.payload)
    except (msgspec.DecodeError, OverflowError) as error:
        raise LedgerError(
            f"records {batch.first_seq} to {batch.last_seq} of journal {batch.frontend} cannot be read: {error}"
        ) from error


def work_of(share: Share) -> Work:
    """The work of an accepted share, at most a block's. Raises LedgerError for a share that nobody should have
    accepted."""
    try:
        network = network_work(share.nbits)
        return Work(min(share_work(share.difficulty, share.nbits), network), network)
    except (ValueError, ArithmeticError) as error:
        raise LedgerError(
            f"the share of {share.account} at {share.time_ms} was accepted, but cannot be scored: {error}"
        ) from error


def price_of(work: Work, subsidy_sat: int, fee_bps: int) -> int:
    """What a share earns under pay per share, after the fee, in picosatoshi."""
    return pps.price(work.share, work.network, subsidy_sat, fee_bps).net_psat


@lru_cache(maxsize=64)  # one value lasts two weeks; regtest and a replay need a few
def network_work(nbits: int) -> int:
    """Expected hashes of a block at these nBits."""
    return work_from_target(target_from_nbits(nbits))
