"""A block with all that its credits were made of, as files that anyone can reckon with: docs/verify_payout.py does.

    block.json    the block, its window and rules, what each stake was credited, its rows of the ledger
    shares.csv    a line for each share of the window, oldest first: docs/payouts.md 1.9 says what the columns are

The lines are written as they are read: a window may hold millions of shares.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import TextIO

import msgspec
from msgspec import Struct
from sqlalchemy import Engine

from payout.accounts import Stake
from payout.contracts import Contract, between
from payout.crediting import window_of
from payout.ledger import Row
from payout.ports import BookedBlock
from payout.rewards import window_capacity
from payout.store.blocks import SqlBlocks
from payout.store.journal import SqlJournal
from payout.store.ledger import errors_of_ours
from payout.store.slices import SqlSlices
from payout.store.stakes import ids_of, stakes_by_id
from payout.store.windows import WindowShare, shares_of
from pool.journal.lookup import Lookup
from pool.store.sql import reading
from pool.work.job import Job
from pool.work.proof import coinbase_of, header_of
from pool.work.share import Share

FORMAT = "steppe block 1"

COLUMNS = ("journal", "seq", "stake", "units", "difficulty", "header")
"""difficulty: as announced with the job, p/q; header: the 80 bytes. Both empty if no journal here has the record."""


class CannotExport(Exception):
    """There is nothing to export. The text says why."""


class Exported(Struct, frozen=True):
    """What was written. proven: shares with their header."""

    folder: str
    block_hash: str
    height: int
    shares: int
    proven: int


class _Block(Struct, frozen=True):
    hash: str
    height: int
    state: str
    found_ms: int
    finder: str
    worker: str
    outcome: str
    share: str
    reward_sat: int
    subsidy_sat: int | None
    taker: int | None
    header: str
    coinbase: str
    branch: list[str]


class _Window(Struct, frozen=True):
    """Numbers beyond 2^53 are text."""

    blocks: str
    startup: str
    begin: str
    end: str
    capacity: str


class _Contract(Struct, frozen=True):
    """Steps in order: the party, basis points, and of the net or of what is left; the rest by weight."""

    cuts: list[tuple[str, int, str]]
    weights: dict[str, int]


class _Stake(Struct, frozen=True):
    stake: int
    account: str
    slice: int
    scheme: str
    fee_bps: int
    contract: _Contract | None


class _Credit(Struct, frozen=True):
    stake: int
    units: str
    gross_sat: int
    fee_sat: int
    bought_sat: int
    own_sat: int


class _Ledger(Struct, frozen=True):
    id: int
    prev_hash: str
    hash: str
    time_ms: int
    key: str
    kind: str
    ref: str
    entries: list[tuple[str, int]]


class _Document(Struct, frozen=True):
    format: str
    block: _Block
    window: _Window
    stakes: list[_Stake]
    credits: list[_Credit]
    reserve_sat: int
    ledger: list[_Ledger]


def export_block(
    engine: Engine,
    journals: Mapping[str, Path],
    block_hash: bytes,
    folder: Path,
    *,
    with_headers: bool = True,
    seen: Callable[[int], None] = lambda shares: None,
) -> Exported:
    """Write the files of a block into a folder, which is made.

    journals: the folders of those that are here, by id. seen: called with how many shares were written so far. Raises
    CannotExport, LedgerUnavailable, JournalDamaged,
    RecordsUnreadable, OSError.
    """
    with errors_of_ours(engine), reading(engine) as connection:
        booked = SqlBlocks(connection).get(block_hash)
        if booked is None:
            raise CannotExport(f"the pool found no block {block_hash[::-1].hex()}; `steppe blocks` lists its blocks")
        if booked.reward_sat is None:
            raise CannotExport(
                f"block {booked.life.hash_hex} is {booked.life.state.value}: it was never in the chain, and pays nobody"
            )
        folder.mkdir(parents=True, exist_ok=True)
        proofs = _Proofs(journals if with_headers else {})
        low, high = window_of(booked.found)
        with (folder / "shares.csv").open("w", encoding="ascii", newline="") as file:
            used, shares, proven = _write_shares(file, shares_of(connection, low, high), proofs.of, seen)
        stakes = stakes_by_id(connection, used) | {
            number: stake for stake, number in ids_of(connection, [each.key for each in booked.credits]).items()
        }
        found = proofs.record(booked.found.frontend, booked.found.seq)
        rows = SqlJournal(connection).rows_of(booked.life.hash_hex)
        contracts = SqlSlices(connection).contracts({stake.slice_id for stake in stakes.values()})
        document = _document(booked, stakes, contracts, rows, found, (low, high))
        encoded = msgspec.json.format(msgspec.json.encode(document), indent=1)
        (folder / "block.json").write_bytes(encoded + b"\n")
    return Exported(str(folder), booked.life.hash_hex, booked.found.height, shares, proven)


def _write_shares(
    file: TextIO,
    shares: Iterator[WindowShare],
    proof_of: Callable[[str, int], tuple[str, str]],
    seen: Callable[[int], None],
) -> tuple[set[int], int, int]:
    """The stakes that occur, how many lines were written, and how many have a header."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    used, count, proven = set[int](), 0, 0
    for share in shares:
        difficulty, header = proof_of(share.frontend, share.seq)
        writer.writerow((share.frontend, share.seq, share.stake_id, share.units, difficulty, header))
        used.add(share.stake_id)
        count, proven = count + 1, proven + bool(header)
        if count % 1000 == 0:
            seen(count)
    return used, count, proven


class _Proofs:
    """What the journals say of shares, each journal read in its order."""

    def __init__(self, journals: Mapping[str, Path]) -> None:
        self._lookups = {frontend: Lookup(folder) for frontend, folder in journals.items()}

    def record(self, frontend: str, seq: int) -> tuple[Share, Job] | None:
        """A share and its job, if they are here."""
        lookup = self._lookups.get(frontend)
        share = None if lookup is None else lookup.record(seq)
        if lookup is None or not isinstance(share, Share):
            return None
        job = lookup.job_of(share)
        return None if job is None else (share, job)

    def of(self, frontend: str, seq: int) -> tuple[str, str]:
        """Difficulty as p/q and header in hex; empty if they are not here."""
        found = self.record(frontend, seq)
        return ("", "") if found is None else (str(Fraction(found[0].difficulty)), header_of(*found).hex())


def _contract(contract: Contract | None, owner: str) -> _Contract | None:
    if contract is None:
        return None
    settled = between(contract, owner)
    cuts = [(cut.party, cut.bps, cut.base.value) for cut in settled.cuts]
    return _Contract(cuts, dict(settled.shareout.weights))


def _document(
    booked: BookedBlock,
    stakes: Mapping[int, Stake],
    contracts: Mapping[int, Contract],
    rows: list[Row],
    proof: tuple[Share, Job] | None,
    stretch: tuple[int, int],
) -> _Document:
    found, numbers = booked.found, {stake: number for number, stake in stakes.items()}
    header, coinbase, branch = "", "", list[str]()
    if proof is not None:
        header, coinbase = header_of(*proof).hex(), coinbase_of(*proof).hex()
        branch = [sibling.hex() for sibling in proof[1].branch]
    return _Document(
        FORMAT,
        _Block(
            booked.life.hash_hex,
            found.height,
            booked.life.state.value,
            found.found_ms,
            found.finder,
            found.worker,
            found.outcome,
            f"{found.frontend}:{found.seq}",
            booked.reward_sat or 0,
            found.subsidy_sat,
            None if found.taker is None else numbers[found.taker],
            header,
            coinbase,
            branch,
        ),
        _Window(
            found.window_x,
            found.startup,
            str(stretch[0]),
            str(stretch[1]),
            str(window_capacity(Fraction(found.window_x))),
        ),
        [
            _Stake(
                number,
                stake.account,
                stake.slice_id,
                stake.scheme.value,
                stake.fee_bps,
                _contract(contracts.get(stake.slice_id), stake.account),
            )
            for number, stake in sorted(stakes.items())
        ],
        [
            _Credit(
                numbers[each.key],
                str(each.weight),
                each.gross_sat,
                each.fee_sat,
                each.bought_sat,
                each.net_sat,
            )
            for each in booked.credits
        ],
        booked.reserve_sat,
        [
            _Ledger(
                row.id,
                row.prev_hash.hex(),
                row.hash.hex(),
                row.posting.time_ms,
                row.posting.key,
                row.posting.kind,
                row.posting.ref,
                [(entry.account, entry.amount_sat) for entry in row.posting.entries],
            )
            for row in rows
        ],
    )
