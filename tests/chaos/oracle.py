"""The oracle: what the miners were told, held against the journals, the books and the chain.

A share that was acknowledged is in a journal and in the books, exactly once. One that was not acknowledged may be
there, once. A block that was found is in the chain and in the books, or was tried and lost a race. No money is made or
lost.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from msgspec import Struct

from payout.maturity import State
from tests.chaos.evidence import Evidence, Place
from tests.chaos.memory import Sent

# What a node may say to a block that another one beat, or whose parent it lost. Source: BIP-0022; Bitcoin Core,
# `submitblock`.
OF_A_LOST_RACE = {"accepted", "duplicate", "inconclusive", "duplicate-inconclusive", "prev-blk-not-found"}


class Verdict(Struct, frozen=True):
    """What the oracle says. lost, doubled, blocks_lost, wrong: one line for each thing that must not be.

    acknowledged: shares that the pool said `true` to. unacknowledged: shares that count without it, which is allowed:
    the answer was lost, not the share. blocks: found by a share that was acknowledged or is in a journal. in_chain,
    raced, reversed: how many of them are in the chain, how many another block beat, and how many of these had been
    credited before.
    """

    sent: int
    acknowledged: int
    unacknowledged: int
    lost: list[str]
    doubled: list[str]
    blocks: int
    in_chain: int
    raced: int
    reversed: int
    blocks_lost: list[str]
    wrong: list[str]

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.blocks_lost or self.wrong)


def judge(remembered: Iterable[Sent], evidence: Evidence) -> Verdict:
    """Hold the one against the other."""
    shares = {share.hash: share for share in remembered}
    bookings = Counter(each.place for each in evidence.booked)
    places: dict[bytes, list[Place]] = defaultdict(list)
    for journaled in evidence.journal:
        if journaled.accepted and journaled.hash is not None:
            places[journaled.hash].append(journaled.place)
    times = {share_hash: sum(bookings[place] for place in places[share_hash]) for share_hash in places}

    lost, doubled = [], []
    for share_hash, share in shares.items():
        if share.acknowledged and not times.get(share_hash):
            where = f"in a journal at {places[share_hash]}, not in the books" if share_hash in places else "nowhere"
            lost.append(f"share {share_hash[::-1].hex()} of {share.login}, job {share.job_id}: {where}")
    for share_hash, count in times.items():
        if count > 1 or len(places[share_hash]) > 1:
            doubled.append(
                f"share {share_hash[::-1].hex()}: accepted at {places[share_hash]}, {count} times in the books"
            )
    blocks = _blocks_of(shares, evidence)
    fates = {block_hash: _fate(block_hash, evidence) for block_hash in blocks}
    return Verdict(
        sent=len(shares),
        acknowledged=sum(1 for share in shares.values() if share.acknowledged),
        unacknowledged=sum(1 for share_hash in times if not _acknowledged(shares.get(share_hash))),
        lost=lost,
        doubled=doubled,
        blocks=len(blocks),
        in_chain=sum(1 for fate in fates.values() if fate == IN_CHAIN),
        raced=sum(1 for fate in fates.values() if fate == RACED),
        reversed=sum(1 for block in evidence.blocks if block.life.state is State.ORPHANED),
        blocks_lost=[
            f"block {block_hash[::-1].hex()}: {fate}"
            for block_hash, fate in fates.items()
            if fate not in (IN_CHAIN, RACED)
        ],
        wrong=[*_of_the_books(shares, evidence), *_of_the_money(evidence), *evidence.findings],
    )


IN_CHAIN = "in the chain"
RACED = "another block won"


def _acknowledged(share: Sent | None) -> bool:
    return share is not None and share.acknowledged > 0


def _blocks_of(shares: dict[bytes, Sent], evidence: Evidence) -> list[bytes]:
    """Every block that the pool must know of: it said `true` to its share, or wrote it down, with whatever answer."""
    told = [share.hash for share in shares.values() if share.is_block and share.acknowledged]
    return list(dict.fromkeys([*told, *(each.block_hash for each in evidence.journal if each.block_hash)]))


def _fate(block_hash: bytes, evidence: Evidence) -> str:
    if block_hash in evidence.chain.paid_sat:
        return IN_CHAIN
    if block_hash in evidence.spool:
        settled = evidence.spool[block_hash]
        if settled is None:
            return "on disk, and nobody knows what became of it"
        if settled.accepted:
            return "said to be in the chain for good, and it is not"
        return RACED if OF_A_LOST_RACE & set(settled.answers.values()) else f"refused: {settled.answers}"
    return RACED if block_hash in evidence.chain.elsewhere else "never tried: no node knows it, and it is not on disk"


def _of_the_books(shares: dict[bytes, Sent], evidence: Evidence) -> Iterator[str]:
    """What stands in the books and in no journal, or with another worth, or was never sent."""
    journaled = {each.place: each for each in evidence.journal if each.accepted}
    for booked in evidence.booked:
        record = journaled.get(booked.place)
        if record is None:
            yield f"{booked.place} is in the books and no accepted share of a journal"
        elif record.units != booked.units:
            yield f"{booked.place} counts {booked.units} in the books, {record.units} by its record"
        elif record.hash is not None and record.hash not in shares:
            yield f"{booked.place} is a share that no miner sent"
        elif record.hash is not None and shares[record.hash].account != booked.account:
            yield f"{booked.place} is booked for {booked.account}, and {shares[record.hash].login} sent it"
    for each in evidence.journal:
        if each.accepted and each.hash is None:
            yield f"the job of {each.place} is not in its journal before it"
        if each.hash is not None and each.block_hash not in (None, each.hash):
            yield f"{each.place} is not the block that its record says"


def _of_the_money(evidence: Evidence) -> Iterator[str]:
    """Blocks of the chain that the books lack or value otherwise, blocks of the books that the chain lacks, sums."""
    books = {block.life.block_hash: block for block in evidence.blocks}
    for block_hash, paid_sat in evidence.chain.paid_sat.items():
        block = books.get(block_hash)
        if block is None or block.life.state not in (State.IMMATURE, State.MATURE):
            state = "not there" if block is None else block.life.state.value
            yield f"block {block_hash[::-1].hex()} pays the pool; in the books it is {state}"
        elif block.reward_sat != paid_sat:
            yield f"block {block.life.hash_hex} pays {paid_sat} satoshi, and the books say {block.reward_sat}"
        elif sum(each.gross_sat for each in block.credits) + block.reserve_sat != paid_sat:
            yield f"the credits of block {block.life.hash_hex} do not sum to the {paid_sat} satoshi that it pays"
    for block in evidence.blocks:
        if block.life.state in (State.IMMATURE, State.MATURE) and block.life.block_hash not in evidence.chain.paid_sat:
            yield f"block {block.life.hash_hex} is {block.life.state.value} in the books, and not in the chain"
