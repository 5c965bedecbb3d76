"""The command `steppe top`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pool.cli_books import books_of
from pool.cli_common import config_option, json_option, says_what_is_wrong
from pool.top.view import SORTS, Pane, View

if TYPE_CHECKING:
    from pool.top.seen import Look


@click.command()
@config_option
@click.option("--once", is_flag=True, help="Print one frame and end; for scripts.")
@json_option
@click.option("--sort", type=click.Choice(list(SORTS)), default="hashrate", show_default=True, help="By what.")
@click.option("--reverse", is_flag=True, help="The other way round.")
@click.option("--filter", "search", default="", help="Only workers whose login has these words.")
@click.option("--by", type=click.Choice(["workers", "sites"]), default="workers", show_default=True, help="Rows.")
@click.option("--rows", type=click.IntRange(0, 500), default=20, show_default=True, help="Of --once and --json.")
@click.option("--interval", type=click.FloatRange(0.5, 60), default=2.0, show_default=True, help="Seconds a frame.")
@says_what_is_wrong
def top(
    file: Path,
    once: bool,
    as_json: bool,
    sort: str,
    reverse: bool,
    search: str,
    by: str,
    rows: int,
    interval: float,
) -> None:
    """Watch the pool in this terminal: hashrate, shares, tip, luck, blocks, moves, roles, alarms, workers.

    Reads Redis and the books by itself, so it goes on while roles are away, the web role too. Keys: q ends it;
    h, r, l, n sort by hashrate, rejects, last share, name, the same key once more turns the order; / filters; w, s, a
    show workers, sites, alarms with what to do. NO_COLOR is heeded.
    """
    from pool.roles.clock import SystemClock
    from pool.top import screen
    from pool.top.frame import once as one_frame
    from pool.top.frame import query_of
    from pool.top.seen import answer
    from pool.top.watcher import Watcher

    view = View(pane=Pane(by), sort=sort, is_reversed=reverse, search=search)
    with looking_at(file) as look:
        if as_json:
            import msgspec

            click.echo(msgspec.json.encode(answer(look(), query_of(view, max(rows, 1)))))
            return
        if once:
            width = shutil.get_terminal_size((120, 24)).columns
            for line in one_frame(look(), view, width, rows):
                click.echo(line)
            return
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise click.ClickException("this is no terminal: --once prints one frame, --json one object")
        watcher = Watcher(look, interval)
        watcher.start()
        try:
            screen.show(watcher.newest, SystemClock().time_ms, view)
        except screen.NoTerminal as error:
            raise click.ClickException(f"{error}: --once prints one frame, --json one object") from error
        finally:
            watcher.stop()


@contextmanager
def looking_at(file: Path) -> Iterator[Look]:
    """What looks at the pool of this configuration."""
    from importlib.metadata import version

    from payout.store.reports import SqlReports
    from pool.dashboard.books import LedgerBooks
    from pool.dashboard.fleets import LedgerFleets
    from pool.dashboard.live import RedisLive
    from pool.dashboard.overview import About
    from pool.roles.clock import SystemClock
    from pool.roles.doors import host_and_port
    from pool.roles.fleets import read_register
    from pool.roles.move_reports import SqlMoveReports
    from pool.roles.redis_link import open_redis
    from pool.roles.solvency import Solvency
    from pool.top.patience import Patient
    from pool.top.seen import Look, Sources

    with books_of(file) as (config, engine):
        clock, redis = SystemClock(), open_redis(config)
        of_redis, of_database = Patient(), Patient()
        sources = Sources(
            RedisLive(redis, of_redis, clock),
            LedgerBooks(SqlReports(engine), of_database, clock, Solvency(config, engine).report),
            LedgerFleets(partial(read_register, engine), of_database),
            SqlMoveReports(engine, of_database, clock, config.fleet.rack_rule),
            redis,
            of_redis,
        )
        port = host_and_port(config.stratum.listen[0])[1]
        about = About("Steppe", version("steppe"), config.pool.chain, port)
        yield Look(sources, clock, about, config.fleet.rack_rule)
        redis.close()
