"""What operators do to a pool from a command line, on its stores themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from payout import treasury
from payout.accounts import Account, Plan, Scheme
from payout.store.ledger import SqlLedger
from pool.config import Config
from pool.journal.statistics import keep
from pool.node.chain import BitcoindChain
from pool.paths import Paths
from pool.rebuild.comparison import Report
from pool.rebuild.journals import Journals, RebuildImpossible
from pool.rebuild.rebuild import Live
from pool.rebuild.rebuild import rebuild as rebuild_all
from pool.roles.access import HERE, open_access
from pool.roles.accounting import rules_of, terms_of
from pool.roles.clock import SystemClock
from pool.roles.database import open_database, reach_database
from pool.roles.dispatch import this_person
from pool.roles.redis_link import open_redis
from pool.roles.work import rpc_settings
from pool.service import prepare
from pool.stats.tally import Tallies
from pool.store.sql import connect


def ensure_account(config: Config, name: str, scheme: str, fee_bps: int) -> None:
    """Register an account unless it exists already, with whatever plan. Raises AccountRefused."""
    with _ledger(config) as ledger, ledger.write() as books:
        if books.accounts.get(name) is None:
            plan = Plan(Scheme(scheme), fee_bps, SystemClock().time_ms())
            treasury.open_account(books, terms_of(config), name, plan)


def ensure_reserve(config: Config, ticket: str, amount_sat: int) -> None:
    """Put so much into the reserve of pay per share, unless that was done under this ticket already."""
    with _ledger(config) as ledger, ledger.write() as books:
        if not books.journal.rows_of(ticket):
            treasury.fund(books, terms_of(config), ticket, amount_sat, SystemClock().time_ms())


def invite_operator(config: Config) -> str:
    """The secret of a link that lets an operator in once."""
    with open_access(config) as books:
        return books.invite("operator", f"cli:{this_person()}", HERE)


def rebuild(
    config: Config,
    into: str | None,
    more_journals: Sequence[Path],
    seen: Callable[[int], None] = lambda records: None,
) -> Report:
    """Compute statistics and ledger again from the journals, and compare them with the live ones.

    into: a folder or the URL of an empty database for what is rebuilt; None for a folder that is gone afterwards.
    more_journals: folders of journals of other machines. seen: as in Journals. Raises RebuildImpossible, LedgerError,
    LedgerUnavailable, StoreUnavailable, ValueError, OSError.
    """
    paths = Paths(Path(config.pool.data_dir))
    with ExitStack() as stack:
        if into is None:
            into = stack.enter_context(TemporaryDirectory(prefix="steppe-rebuild-"))
        folder = None if "://" in into else Path(into)
        if folder is not None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        live, empty = reach_database(config), connect(into if folder is None else f"sqlite:///{Paths(folder).ledger}")
        stack.callback(live.dispose)
        stack.callback(empty.dispose)
        if live.url == empty.url:
            raise RebuildImpossible(f"{into} is where the live ledger is: name another place")
        redis = open_redis(config)
        stack.callback(redis.close)

        def folded(frontend: str, seq: int, tallies: Tallies) -> None:
            if folder is not None:
                keep(folder / f"statistics-{frontend}.json", frontend, seq, tallies)

        found = Live(live, redis, BitcoindChain(rpc_settings(config)[0]))
        return rebuild_all(found, Journals([paths.journal, *more_journals], seen), empty, rules_of(config), folded)


def accounts_of(config: Config) -> list[Account]:
    """All accounts by name."""
    with _ledger(config) as ledger, ledger.read() as books:
        return books.accounts.every()


@contextmanager
def _ledger(config: Config) -> Iterator[SqlLedger]:
    """The books for a moment."""
    prepare(config)
    engine = open_database(config)
    try:
        yield SqlLedger(engine)
    finally:
        engine.dispose()
