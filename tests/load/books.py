"""Benchmarks of the books: `scripts/bench rebuild`, `credit` and `accounting`. See docs/benchmarks.md."""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from sqlalchemy import Engine

from payout.accounting import Accounting
from payout.accounts import Scheme, Stake
from payout.intake import Rules
from payout.order import OrderedShares, Worths
from payout.ports import Batch, FoundBlock
from payout.rewards import UNIT, Startup
from payout.store.ledger import SqlLedger
from pool.bitcoin.amount import subsidy
from pool.ports import ShareBatch
from pool.rebuild.collector import no_collector
from pool.rebuild.journals import Journals
from pool.rebuild.ledger import LedgerRebuild
from pool.rebuild.recorded import Recorded
from pool.rebuild.statistics import fold, groups_to
from pool.store.sql import connect, reading, writing
from pool.store.upgrade import upgrade
from tests.databases import NAMES
from tests.load.journals import ACCOUNTS, account_of, records, write_journal
from tests.postgresql import server

_BATCH_RECORDS = 1_000
_SCRIPT = b"\x00\x14pool's script....."
RULES = Rules(
    window_x=Fraction(8),
    startup=Startup.DISTRIBUTE,
    default_scheme=Scheme.PPLNS,
    default_fee_bps=100,
    settle_period_ms=3_600_000,
    pool_scripts=frozenset({_SCRIPT}),
    subsidy_sat=partial(subsidy, halving_interval=210_000),
)


class Time:
    """How long something took."""

    wall = cpu = 0.0

    def per_second(self, count: int) -> dict[str, int]:
        return {"a_second": round(count / self.wall), "a_second_of_cpu": round(count / self.cpu)}


@contextmanager
def timed() -> Iterator[Time]:
    took = Time()
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    yield took
    took.wall, took.cpu = time.perf_counter() - wall, time.process_time() - cpu


def _sqlite(folder: Path, name: str) -> Engine:
    engine = connect(f"sqlite:///{folder / name}")
    upgrade(engine)
    return engine


@contextmanager
def durable(name: str) -> Iterator[Engine]:
    """Empty books on a database that keeps what it has committed."""
    with ExitStack() as stack:
        if name == "sqlite":
            engine = _sqlite(Path(stack.enter_context(TemporaryDirectory())), "books.sqlite")
        else:
            engine = connect(stack.enter_context(server(options=""))(""))
            upgrade(engine)
        stack.callback(engine.dispose)
        yield engine


def _open_accounts(engine: Engine) -> None:
    """A tenth of them under pay per share."""
    with SqlLedger(engine).write() as books:
        for scheme, names in (
            (Scheme.PPS, [account_of(number) for number in range(0, ACCOUNTS, 10)]),
            (Scheme.PPLNS, [account_of(number) for number in range(ACCOUNTS) if number % 10]),
        ):
            books.accounts.resolve(dict.fromkeys(names, 0), scheme, 100)


@click.command()
@click.option("--records", "count", type=click.IntRange(1), default=5_000_000, help="Of all journals together.")
@click.option("--frontends", type=click.IntRange(1, 16), default=2, help="Journals, whose batches take turns.")
def rebuild(count: int, frontends: int) -> None:
    """Statistics and ledger from journals, beside a plain read of these, records a second."""
    per_journal = count // frontends
    names = [f"{number:016x}" for number in range(1, frontends + 1)]
    with TemporaryDirectory() as path:
        folder = Path(path)
        _say(f"writing {frontends} journals of {per_journal} records")
        for number, name in enumerate(names):
            write_journal(folder / "journal" / name, name, per_journal, number, frontends)
        journals = Journals([folder / "journal"])
        result: dict[str, Any] = {"records": per_journal * frontends, "journals": frontends}
        with timed() as reading_alone:
            passed = sum(group.count for name in names for group in groups_to(journals, name, per_journal))
        result["read"] = reading_alone.per_second(passed)
        _say(f"read {result['read']}")
        with no_collector(), timed() as ledger:
            taken = _rebuild_ledger(folder, journals, names, per_journal)
        result["ledger"] = ledger.per_second(taken)
        _say(f"ledger {result['ledger']}")
        with no_collector(), timed() as statistics:
            for name in names:
                fold(journals, name, per_journal)
        result["statistics"] = statistics.per_second(passed)
        both = Time()
        both.wall, both.cpu = ledger.wall + statistics.wall, ledger.cpu + statistics.cpu
        result["both"] = both.per_second(passed)
        result["times_a_plain_read"] = {
            part: round(took.cpu / reading_alone.cpu, 1)
            for part, took in (("ledger", ledger), ("statistics", statistics), ("both", both))
        }
    print(json.dumps(result, indent=2))


def _rebuild_ledger(folder: Path, journals: Journals, names: Sequence[str], per_journal: int) -> int:
    cuts = [
        (name, min(end, per_journal))
        for end in range(_BATCH_RECORDS, per_journal + _BATCH_RECORDS, _BATCH_RECORDS)
        for name in names
    ]
    live, empty = _sqlite(folder, "live.sqlite"), _sqlite(folder, "rebuilt.sqlite")
    _open_accounts(live)
    with reading(live) as connection:
        recorded = Recorded(connection)
        with writing(empty) as fresh:
            recorded.copy_to(fresh)
        rebuilt = LedgerRebuild(recorded, SqlLedger(empty), RULES)
        return rebuilt.take(journals.batches(cuts, dict.fromkeys(names, per_journal)))


@click.command()
@click.option("--batches", type=click.IntRange(10), default=500, help="Of 1,000 records.")
@click.option("--at-once", type=click.IntRange(1), default=1, help="Batches that wait when accounting reads.")
def accounting(batches: int, at_once: int) -> None:
    """Shares a second that accounting takes, on each database, durable."""
    made = list(records((batches + 50) * _BATCH_RECORDS, 1))
    waiting = [
        ShareBatch("1" * 16, start + 1, _BATCH_RECORDS, b"".join(made[start : start + _BATCH_RECORDS]))
        for start in range(0, len(made), _BATCH_RECORDS)
    ]
    result: dict[str, Any] = {"batches_at_once": at_once}
    for name in NAMES:
        with durable(name) as engine:
            result[name] = _take_all(engine, waiting, at_once)
    print(json.dumps(result, indent=2))


def _take_all(engine: Engine, waiting: Sequence[ShareBatch], at_once: int) -> dict[str, int]:
    _open_accounts(engine)
    source = _Source()
    taker = Accounting(SqlLedger(engine), _Chain(), RULES)
    source.next = waiting[:50]
    list(taker.drain(source))
    with timed() as took:
        for start in range(50, len(waiting), at_once):
            source.next = waiting[start : start + at_once]
            list(taker.drain(source))
    return took.per_second((len(waiting) - 50) * _BATCH_RECORDS)


class _Source:
    next: Sequence[ShareBatch] = ()

    def read(self) -> Sequence[ShareBatch]:
        return self.next

    def committed(self, batch: ShareBatch, high_water: int) -> None:
        """Nobody keeps it."""

    def resend(self, batch: ShareBatch, high_water: int) -> None:
        raise AssertionError("there is no gap")


class _Chain:
    """Every block is in it, the newest one at its tip."""

    height = 0
    hashes: dict[int, bytes]

    def __init__(self) -> None:
        self.hashes = {}

    def is_synced(self) -> bool:
        return True

    def tip_height(self) -> int:
        return self.height

    def hash_at(self, height: int) -> bytes | None:
        return self.hashes.get(height)

    def coinbase_outputs(self, block_hash: bytes) -> tuple[tuple[int, bytes], ...]:
        return ((625_000_000, _SCRIPT),)


@click.command()
@click.option("--shares", type=click.IntRange(1_000_000), default=100_000_000, help="In the window.")
@click.option("--histories", type=click.IntRange(1), default=2, help="So many windows' worth, one after the other.")
@click.option("--database", "names", type=click.Choice(NAMES), multiple=True, help="Default: both.")
def credit(shares: int, histories: int, names: tuple[str, ...]) -> None:
    """The time to credit a block whose window holds so many shares of 1,000 accounts, as history grows."""
    result: dict[str, Any] = {"shares_in_the_window": shares, "accounts": ACCOUNTS}
    for name in names or NAMES:
        with durable(name) as engine:
            result[name] = _credit_all(engine, shares, histories)
    print(json.dumps(result, indent=2))


def _credit_all(engine: Engine, shares: int, histories: int) -> list[dict[str, float]]:
    # One and a half batches more than the window: it begins and ends within batches.
    batches = shares // _BATCH_RECORDS + 2
    units = 8 * UNIT // shares
    ledger, chain = SqlLedger(engine), _Chain()
    _open_accounts(engine)
    taker = Accounting(ledger, chain, RULES)
    credited: list[dict[str, float]] = []
    for history in range(1, histories + 1):
        _append(ledger, batches, units)
        wall, cpu = min(_credit(ledger, taker, chain, units) for _ in range(3))
        credited.append({"history_shares": history * batches * 1000, "seconds": wall, "cpu_seconds": cpu})
        _say(f"credited on {engine.dialect.name}: {credited[-1]}")
    return credited


def _append(ledger: SqlLedger, batches: int, units: int) -> None:
    schemes = [Scheme.PPLNS if number % 10 else Scheme.PPS for number in range(ACCOUNTS)]
    stakes = [Stake(account_of(number), 0, scheme, 100) for number, scheme in enumerate(schemes)]
    worths = Worths.of(stakes, [units] * ACCOUNTS)
    picks = b"".join(place.to_bytes(2, "big") for place in range(ACCOUNTS))
    done = 0
    while done < batches:
        with ledger.write() as books:
            first_seq = books.shares.high_water("f") + 1
            now = min(1_000, batches - done)
            made = [
                OrderedShares(worths, range(ACCOUNTS), [1] * ACCOUNTS, picks, [(first_seq + 1000 * at, 1000)])
                for at in range(now)
            ]
            books.shares.append(
                [
                    Batch("f", first_seq + 1000 * at, first_seq + 1000 * at + 999, 0, shares)
                    for at, shares in enumerate(made)
                ]
            )
            books.shares.advance("f", first_seq + 1000 * now - 1)
        done += now
        if done % 20_000 == 0:
            _say(f"{done * 1000} shares")


def _credit(ledger: SqlLedger, taker: Accounting, chain: _Chain, units: int) -> tuple[float, float]:
    """Find a block half a batch before the end of the line, put it into the chain, and take the step; its time, and
    that of the processor."""
    chain.height += 1
    block_hash = chain.height.to_bytes(32, "little")
    chain.hashes[chain.height] = block_hash
    with ledger.write() as books:
        end = books.shares.end() - 500 * units
        found = FoundBlock(block_hash, chain.height, 0, "a", "", "f", 1, "accepted", end, "8", "distribute")
        books.blocks.add(found)
    with timed() as took:
        steps = list(taker.follow(0))
    if len(steps) != 1:
        raise click.ClickException(f"{len(steps)} steps instead of one")
    return round(took.wall, 3), round(took.cpu, 3)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
