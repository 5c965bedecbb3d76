"""The program: all roles under one supervisor, or one of them alone; and what operators do to accounts."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import native
from payout import treasury
from payout.accounts import Account, Plan, Scheme
from payout.store.ledger import SqlLedger
from pool import events, logs
from pool.config import Config
from pool.journal.statistics import keep
from pool.machine import ThisMachine
from pool.node.chain import BitcoindChain
from pool.paths import Paths
from pool.preflight import describe, refusals
from pool.rebuild.comparison import Report
from pool.rebuild.journals import Journals, RebuildImpossible
from pool.rebuild.rebuild import Live
from pool.rebuild.rebuild import rebuild as rebuild_all
from pool.roles.access import HERE, open_access
from pool.roles.accounting import rules_of, terms_of
from pool.roles.clock import SystemClock
from pool.roles.control import Answer, Order, tell
from pool.roles.database import open_database, reach_database
from pool.roles.dispatch import this_person
from pool.roles.redis_link import open_redis, redis_program
from pool.roles.twisted_role import Role
from pool.roles.work import rpc_settings
from pool.service_manager import ServiceManager
from pool.stats.tally import Tallies
from pool.store.sql import connect
from pool.supervisor import EXIT_CONFIGURATION, CannotSupervise, Program, stop_signals, supervise

ROLES = ("work", "stratum", "accounting", "web")


def refusals_of(config: Config) -> list[str]:
    """Why this pool does not start on this machine, in lines for an operator; empty if it may."""
    paths = Paths(Path(config.pool.data_dir))
    if paths.restoring.exists():
        return [
            f"pool.data_dir: {paths.restoring} is left of a restore that did not end, so something is missing: "
            "type `steppe restore` with that backup again, which ends it"
        ]
    return list(describe(refusals(config, ThisMachine())))


def run_all(config: Config, file: Path) -> int:
    """Run all roles, and Redis if none is configured, until SIGINT or SIGTERM; returns the exit code."""
    prepare(config)
    logs.begin(sys.stderr, "supervisor")
    programs = [program for role in ROLES for program in _programs(config, file, role)]
    with stop_signals() as stop:
        try:
            if (redis := redis_program(config)) is not None:
                programs.insert(0, redis)
            supervise(programs, signals=stop, manager=ServiceManager(os.environ))
        except CannotSupervise as error:
            events.cannot_go_on(str(error))
            return EXIT_CONFIGURATION
    return 0


def _programs(config: Config, file: Path, role: str) -> Iterator[Program]:
    """The processes of a role: one, but of stratum as many as are configured."""
    paths = Paths(Path(config.pool.data_dir))
    # A role that starts again must not end the pool for what was no reason at its start.
    command = (sys.executable, "-m", "pool", "run", "--role", role, "--checked", "-c", str(file))
    if role != "stratum":
        yield Program(role, command, paths.log(role))
        return
    for number in range(config.stratum.processes):
        name = process_name(role, number)
        yield Program(
            name,
            (*command, "--process", str(number)),
            paths.log(name),
            reloads=True,
            drain_seconds=config.stratum.drain_seconds,
        )


def process_name(role: str, number: int) -> str:
    """What a process is called in logs: a first one as its role."""
    return f"{role}-{number}" if number else role


def facts(config: Config) -> list[str]:
    """What an operator wants to see when the pool starts."""
    paths = Paths(Path(config.pool.data_dir))
    return [
        f"Steppe {version('steppe')} on {config.pool.chain}, hashing with {native.SHA256_IMPLEMENTATION}",
        f"blocks pay {config.pool.payout_address}",
        *(f"miners: stratum+tcp://{listen}" for door in config.stratum.doors(config.port) for listen in door.listen),
        *(["miners: the same doors take TLS"] if config.stratum.tls_certificate else []),
        f"page: http://{config.web.listen}/",
        f"operators: http://{config.web.admin_listen}/ (the first password: steppe operator password -c FILE)",
        *(f"node: {node.url}" for node in config.node),
        f"logs: {paths.logs}",
    ]


def run_role(config: Config, role: str, number: int = 0) -> int:
    """Run one role in this process until SIGINT or SIGTERM; returns the exit code.

    number: which of several stratum processes it is, from 0.
    """
    prepare(config)
    logs.begin(sys.stderr, process_name(role, number))
    if (reason := _slow_hashing(config)) is not None:
        events.role_cannot_start(role, reason)
        return EXIT_CONFIGURATION
    if role == "accounting":
        from pool.roles import accounting

        with stop_signals() as stop:
            return accounting.run(config, stop)
    from pool.roles import twisted_role

    return twisted_role.run(role, _builder(config, role, number))


def prepare(config: Config) -> None:
    """Make the data folder, for the pool's user alone."""
    paths = Paths(Path(config.pool.data_dir))
    paths.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths.logs.mkdir(mode=0o700, exist_ok=True)


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


def tell_miners(config: Config, order: Order) -> dict[str, Answer]:
    """Give an order to the stratum processes of this machine; by name, what each answers."""
    return tell(Paths(Path(config.pool.data_dir)).control, order)


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


def _slow_hashing(config: Config) -> str | None:
    """Why hashing is too slow to start with; None when it is not."""
    if native.COMPILED or config.pool.allow_slow_hashing:
        return None
    return (
        "the compiled hashing is missing, and without it a share costs about a hundred times as much: "
        "build it (`pip install .`), or set pool.allow_slow_hashing for a test"
    )


def _builder(config: Config, role: str, number: int) -> Callable[[Any, asyncio.AbstractEventLoop], Role]:
    """What builds the parts of a Twisted role, once its reactor is there."""

    def build(reactor: Any, loop: asyncio.AbstractEventLoop) -> Role:
        if role == "work":
            from pool.roles.work import WorkRole

            return WorkRole(config, reactor, loop)
        if role == "stratum":
            from pool.roles.stratum import StratumRole

            return StratumRole(config, reactor, loop, number)
        from pool.roles.web import WebRole

        return WebRole(config, reactor, loop)

    return build
