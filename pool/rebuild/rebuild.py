"""The whole rebuild: journals in, a report out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec import Struct
from sqlalchemy import Engine, func, select

from payout.intake import Rules
from payout.ports import Chain
from payout.store.ledger import SqlBooks, SqlLedger, errors_of_ours
from pool.rebuild.books import compare_books
from pool.rebuild.chain import compare_with_chain
from pool.rebuild.collector import no_collector
from pool.rebuild.comparison import Report
from pool.rebuild.journals import Journals, RebuildImpossible
from pool.rebuild.ledger import LedgerRebuild
from pool.rebuild.recorded import Recorded
from pool.rebuild.rows import live_rows
from pool.rebuild.statistics import LiveTallies, compare_statistics
from pool.stats.tally import Tallies
from pool.store.sql import metadata, reading, writing
from pool.store.upgrade import upgrade


class Live(Struct):
    """What the rebuilt is compared with. tallies, chain: None to leave them out."""

    books: Engine
    tallies: LiveTallies | None
    chain: Chain | None


def rebuild(
    live: Live, journals: Journals, empty: Engine, rules: Rules, folded: Callable[[str, int, Tallies], None]
) -> Report:
    """Compute everything again and compare.

    empty: where to; it is brought to this version's schema. The live books are read as of one moment, while the pool
    may run on. folded: told of the statistics of each journal. Raises RebuildImpossible, LedgerError,
    LedgerUnavailable, StoreUnavailable, JournalDamaged, OSError.
    """
    with errors_of_ours(empty):
        upgrade(empty)
        _check_empty(empty)
    report = Report([], [])
    if live.tallies is not None:
        # First, so that they are as young as they can be: the journals are ahead of them in any case.
        with no_collector(), _timed(report, "statistics"):
            checks, faded, records = compare_statistics(live.tallies, journals, folded)
        report.add(checks)
        report.taken_over += faded
        report.records += records
    with errors_of_ours(live.books), reading(live.books) as connection:
        books = SqlBooks(connection)
        recorded = Recorded(connection)
        with errors_of_ours(empty), writing(empty) as fresh:
            report.taken_over += recorded.copy_to(fresh)
        ledger = LedgerRebuild(recorded, SqlLedger(empty), rules)
        with no_collector(), _timed(report, "ledger"):
            high_waters = books.shares.high_waters()
            report.records += ledger.take(journals.batches(recorded.cuts(high_waters), high_waters))
        with _timed(report, "comparison"):
            report.add(ledger.follow(live_rows(connection), books.blocks.chain_height()))
            with reading(empty) as again:
                report.add(compare_books(books, SqlBooks(again)))
            if live.chain is not None:
                report.add([compare_with_chain(recorded.blocks.values(), live.chain, rules.pool_scripts)])
    return report


def _check_empty(engine: Engine) -> None:
    with reading(engine) as connection:
        for table in metadata.sorted_tables:
            if connection.execute(select(func.count()).select_from(table)).scalar_one():
                where = engine.url.render_as_string(hide_password=True)
                raise RebuildImpossible(f"{where} is not empty, it has rows in {table.name}: name another place")


@contextmanager
def _timed(report: Report, part: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    report.seconds[part] = time.perf_counter() - began
