"""What a run left behind, read where it lies: the journals, the books, the spool of candidates and the chain."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct
from sqlalchemy import Engine, select

import native
from payout.audit import audit
from payout.invariants import SOLVENT
from payout.maturity import State
from payout.order import unpack
from payout.ports import BookedBlock
from payout.scoring import work_of
from payout.store.ledger import SqlLedger
from pool.journal.folder import frontend_of
from pool.journal.reader import groups, tail
from pool.journal.records import decode
from pool.node.spool import Settled
from pool.store.sql import account, reading, share_batch, stake
from pool.work.job import Job
from pool.work.share import Outcome, Share
from tests.chaos.nodes import Node, Nodes

# An account of a journal's record: of which journal, and its number there.
Place = tuple[str, int]


class Journaled(Struct, frozen=True):
    """A share of a journal. hash: of its header, computed from the record and its job; None if the job is unknown."""

    place: Place
    hash: bytes | None
    accepted: bool
    block_hash: bytes | None
    units: int


class Booked(Struct, frozen=True):
    """A share of the books."""

    place: Place
    account: str
    units: int


class Chain(Struct, frozen=True):
    """The active chain. hashes: by height, wire order. paid_sat: what each of its blocks pays the pool, if it does.
    elsewhere: blocks that a node knows outside of it."""

    hashes: Mapping[int, bytes]
    paid_sat: Mapping[bytes, int]
    elsewhere: frozenset[bytes]


class Evidence(Struct, frozen=True):
    """All of it. spool: the candidates on disk, with what became of them if that is known. findings: of the audit, and
    of a rebuild from the journals."""

    journal: list[Journaled]
    booked: list[Booked]
    blocks: list[BookedBlock]
    spool: Mapping[bytes, Settled | None]
    chain: Chain
    findings: list[str]


def gather(
    journals: Path, engine: Engine, candidates: Path, nodes: Nodes, payout_script: bytes, rebuilt: list[str]
) -> Evidence:
    """Read everything. The pool must have been stopped, and the nodes be on one tip. rebuilt: where a rebuild from the
    journals came to something else."""
    with SqlLedger(engine).read() as books:
        blocks = list(books.blocks.every())
        # These pools pay per share out of nothing, so coins may be missing.
        found = [each for each in audit(books) if each.invariant != SOLVENT]
        findings = [f"invariant {each.invariant}: {each.what}" for each in found]
    journaled = [share for folder in sorted(journals.iterdir()) if folder.is_dir() for share in read_journal(folder)]
    return Evidence(
        journal=journaled,
        booked=list(read_booked(engine)),
        blocks=blocks,
        spool=read_spool(candidates),
        chain=read_chain(nodes.all[0], nodes.all, payout_script),
        findings=[*findings, *rebuilt],
    )


def read_journal(folder: Path) -> Iterator[Journaled]:
    """The shares of a journal."""
    frontend, jobs = frontend_of(folder), dict[str, Job]()
    for group in groups(folder):
        for seq, record in enumerate(decode(group.count, group.payload), group.first_seq):
            if isinstance(record, Job):
                jobs[record.job_id] = record
                continue
            accepted = record.outcome is Outcome.ACCEPTED
            yield Journaled(
                place=(frontend, seq),
                hash=header_hash(jobs.get(record.job_id), record),
                accepted=accepted,
                block_hash=record.block_hash,
                units=work_of(record).units if accepted else 0,
            )


def header_hash(job: Job | None, share: Share) -> bytes | None:
    """The hash of a share's header, by the record alone."""
    if job is None or not share.extranonce1:
        return None
    coinbase = job.coinb1 + share.extranonce1 + share.extranonce2 + job.coinb2
    root = native.merkle_root(native.sha256d(coinbase), b"".join(job.branch))
    header = native.header(share.version, job.prev_hash, root, share.ntime, job.nbits, share.nonce)
    return native.sha256d(header)


def read_booked(engine: Engine) -> Iterator[Booked]:
    """The shares of the books, in their order."""
    with reading(engine) as connection:
        accounts = {
            row.id: row.name
            for row in connection.execute(
                select(stake.c.id, account.c.name).join(account, account.c.id == stake.c.account_id)
            )
        }
        rows = connection.execute(select(share_batch.c.frontend, share_batch.c.shares).order_by(share_batch.c.id))
        for frontend, stored in rows:
            shares = unpack(stored)
            for seq, (stake_id, units) in zip(shares.seqs(), shares.in_order(), strict=True):
                yield Booked((frontend, seq), accounts[stake_id], units)


def behind(journals: Path, ledger: SqlLedger) -> dict[str, int]:
    """How many records of each journal the books lack, where they lack any."""
    with ledger.read() as books:
        high_waters = books.shares.high_waters()
    lacking = {}
    for folder in journals.iterdir():
        if folder.is_dir() and (newest := list(tail(folder, 0))):
            frontend = frontend_of(folder)
            if missing := newest[-1].last_seq - high_waters.get(frontend, 0):
                lacking[frontend] = missing
    return lacking


def candidates_of(ledger: SqlLedger) -> list[str]:
    """Blocks in the books that the chain has not yet decided about, in hex."""
    with ledger.read() as books:
        return [block.life.hash_hex for block in books.blocks.every() if block.life.state is State.CANDIDATE]


def read_spool(folder: Path) -> dict[bytes, Settled | None]:
    """The candidates on disk, without touching them: the work role may be writing. None: not final yet."""
    found: dict[bytes, Settled | None] = {}
    for path in [*folder.glob("*.block"), *folder.glob("*.head")]:
        block_hash = bytes.fromhex(path.stem.partition("-")[2])[::-1]
        found[block_hash] = None
        with contextlib.suppress(FileNotFoundError):
            settled = msgspec.json.decode(path.with_suffix(".verdict").read_bytes(), type=Settled)
            found[block_hash] = settled if settled.final else None
    return found


def read_chain(node: Node, every: list[Node], payout_script: bytes) -> Chain:
    """The active chain of a node, and what each node knows beside it."""
    hashes, paid_sat = {}, {}
    for height in range(node.height() + 1):
        hash_hex = node.call("getblockhash", height)
        hashes[height] = block_hash = bytes.fromhex(hash_hex)[::-1]
        outputs = node.call("getblock", hash_hex, 2)["tx"][0]["vout"]
        ours = [each["value"] for each in outputs if each["scriptPubKey"]["hex"] == payout_script.hex()]
        if ours:
            paid_sat[block_hash] = sum(int(value * 100_000_000) for value in ours)
    tips = [tip["hash"] for each in every for tip in each.call("getchaintips") if tip["status"] != "active"]
    elsewhere = {block for tip in tips for block in _branch(every, tip)}
    return Chain(hashes, paid_sat, frozenset(elsewhere))


def _branch(every: list[Node], tip: str) -> Iterator[bytes]:
    """The blocks from a tip down to the active chain."""
    for node in every:
        known = {each["hash"]: each for each in node.call("getchaintips")}
        if tip in known:
            for _ in range(known[tip]["branchlen"]):
                yield bytes.fromhex(tip)[::-1]
                tip = node.call("getblockheader", tip)["previousblockhash"]
            return
