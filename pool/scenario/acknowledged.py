"""The oracle of shares: what the machines were told, held against the journals and the books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from sqlalchemy import Engine, select

from payout.order import unpack
from pool.journal.folder import frontend_of
from pool.journal.reader import groups
from pool.journal.records import decode
from pool.scenario.machines import Answered
from pool.store.sql import account as account_table
from pool.store.sql import reading, share_batch, stake
from pool.work.job import Job
from pool.work.proof import hash_of
from pool.work.share import Outcome

Place = tuple[str, int]
"""A record of a journal: of which, and its number there."""


class Kept(Struct, frozen=True):
    """An accepted share of a journal."""

    place: Place
    region: str
    hash: bytes
    time_ms: int
    login: str
    slice_id: int | None
    block_hash: bytes | None


class Verdict(Struct, frozen=True):
    """What the oracle says. acknowledged: shares that the pool said `true` to; refused: by reason, what it refused.
    unheard: shares that count though their answer was lost. lost, doubled, wrong: one line for each thing that must not
    be."""

    acknowledged: int
    refused: dict[str, int]
    unheard: int
    lost: list[str]
    doubled: list[str]
    wrong: list[str]

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.wrong)


def read_journals(folders: Mapping[str, Path]) -> list[Kept]:
    """The accepted shares of all regions. folders: by region."""
    return [share for region, folder in folders.items() for share in _read(region, folder)]


def _read(region: str, folder: Path) -> Iterator[Kept]:
    frontend, jobs = frontend_of(folder), dict[str, Job]()
    for group in groups(folder):
        for seq, record in enumerate(decode(group.count, group.payload), group.first_seq):
            if isinstance(record, Job):
                jobs[record.job_id] = record
            elif record.outcome is Outcome.ACCEPTED:
                yield Kept(
                    (frontend, seq),
                    region,
                    hash_of(record, jobs[record.job_id]),
                    record.time_ms,
                    f"{record.account}.{record.worker}",
                    record.slice_id,
                    record.block_hash,
                )


def read_books(engine: Engine) -> list[tuple[Place, str]]:
    """Every share of the books: where it stands in a journal, and whose it is."""
    with reading(engine) as connection:
        owners = {
            row.id: row.name
            for row in connection.execute(
                select(stake.c.id, account_table.c.name).join(account_table, account_table.c.id == stake.c.account_id)
            )
        }
        found: list[tuple[Place, str]] = []
        for frontend, stored in connection.execute(select(share_batch.c.frontend, share_batch.c.shares)):
            shares = unpack(stored)
            found += [
                ((frontend, seq), owners[stake_id])
                for seq, (stake_id, _) in zip(shares.seqs(), shares.in_order(), strict=True)
            ]
        return found


def judge(answers: Sequence[Answered], kept: Iterable[Kept], booked: Iterable[tuple[Place, str]]) -> Verdict:
    """Hold the one against the other: what was acknowledged is in one journal and in the books, once, for its owner."""
    by_hash: dict[bytes, list[Kept]] = {}
    for share in kept:
        by_hash.setdefault(share.hash, []).append(share)
    owners: dict[Place, list[str]] = {}
    for place, owner in booked:
        owners.setdefault(place, []).append(owner)
    said_true = {each.hash: each for each in answers if not each.reason}
    lost, doubled, wrong = [], [], []
    for share_hash, said in said_true.items():
        found = by_hash.get(share_hash, [])
        times = [owner for each in found for owner in owners.get(each.place, [])]
        what = f"share {share_hash[::-1].hex()} of {said.login}"
        if not times:
            lost.append(f"{what}: " + ("in a journal and not in the books" if found else "in no journal"))
        elif said.login.partition(".")[0] not in times:
            wrong.append(f"{what}: booked for {times[0]}")
    for share_hash, found in by_hash.items():
        count = sum(len(owners.get(each.place, [])) for each in found)
        if len(found) > 1 or count > 1:
            doubled.append(f"share {share_hash[::-1].hex()}: {len(found)} times in journals, {count} in the books")
    places = {each.place for found in by_hash.values() for each in found}
    wrong += [
        f"record {seq} of journal {frontend} is in the books and is no accepted share"
        for frontend, seq in owners.keys() - places
    ]
    return Verdict(
        acknowledged=len(said_true),
        refused=dict(Counter(each.reason for each in answers if each.reason).most_common()),
        unheard=len(by_hash.keys() - said_true.keys()),
        lost=lost,
        doubled=doubled,
        wrong=wrong,
    )
