"""The commands that read the books for people: `steppe blocks`, `statement`, `solvency`, `export`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pool import config_file
from pool.bitcoin.amount import format_btc
from pool.cli_common import Group, config_option, json_option, say, says_what_is_wrong
from pool.cli_progress import Progress
from pool.config import Config
from pool.documents import document
from pool.paths import Paths

if TYPE_CHECKING:
    from sqlalchemy import Engine

journals_option = click.option(
    "--journal",
    "more_journals",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="A folder that holds journals of other machines; may be given several times.",
)


@contextmanager
def books_of(file: Path, *, ledger: bool = True) -> Iterator[tuple[Config, Engine]]:
    """The configuration and its database, as it is; what cannot be read ends the command with the reason.

    ledger: whether it is read at all; journals alone may lie on a machine without it.
    """
    config = config_file.load(file)
    from payout.accounts import AccountRefused
    from payout.ledger import LedgerError
    from payout.ports import LedgerUnavailable
    from payout.store.explained import Unknown
    from pool.explain.export import CannotExport
    from pool.explain.find import NotFound
    from pool.journal.records import RecordsUnreadable
    from pool.journal.segments import JournalDamaged
    from pool.roles.database import reach_database

    path = Paths(Path(config.pool.data_dir)).ledger
    if ledger and not config.database.url and not path.exists():
        raise click.ClickException(f"there are no books at {path}: has this pool run yet?")
    engine = reach_database(config)
    try:
        yield config, engine
    except (Unknown, CannotExport, NotFound, AccountRefused) as error:
        raise click.ClickException(str(error)) from error
    except (LedgerError, LedgerUnavailable, JournalDamaged, RecordsUnreadable, OSError) as error:
        raise click.ClickException(str(error)) from error
    finally:
        engine.dispose()


def journal_folders(config: Config, more: tuple[Path, ...]) -> dict[str, Path]:
    """The journals of this machine and those that were named, by id."""
    from pool.journal.lookup import journals_in

    return journals_in([Paths(Path(config.pool.data_dir)).journal, *more])


def instant_of(text: str, option: str) -> int:
    """Unix milliseconds of what was given for an option."""
    from payout.instants import parse_instant

    try:
        return parse_instant(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from error


@click.command("blocks")
@config_option
@click.option("--count", type=click.IntRange(1, 10_000), default=50, show_default=True, help="The newest so many.")
@json_option
@says_what_is_wrong
def blocks(file: Path, count: int, as_json: bool) -> None:
    """List the pool's blocks, newest first: height, hash, state, confirmations, what it pays, its finder."""
    from payout.store.reports import SqlReports

    with books_of(file) as (_, engine):
        found = SqlReports(engine).blocks(None, 0, count)
    rows = [
        {name: getattr(each, name) for name in each.__struct_fields__ if name != "block_hash"} | {"hash": each.hash_hex}
        for each in found
    ]

    def text() -> Iterator[str]:
        for each in found:
            reward = "-" if each.reward_sat is None else f"{format_btc(each.reward_sat)} BTC"
            finder = f"{each.finder}.{each.worker}" if each.worker else each.finder
            yield f"{each.height}\t{each.hash_hex}\t{each.state.value}\t{each.confirmations} deep\t{reward}\t{finder}"

    say(as_json, rows, text)


@click.command("statement")
@config_option
@click.argument("account", metavar="ACCOUNT")
@click.option("--from", "from_text", default="1970-01-01", help="Its first moment, in UTC; default: the beginning.")
@click.option("--to", "to_text", help="The first moment that is not in it, in UTC; default: now.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "csv", "json"]),
    default="text",
    show_default=True,
    help="In which form.",
)
@click.option("--row", type=click.IntRange(min=1), help="As the ledger was with this row as its newest.")
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@says_what_is_wrong
def statement(file: Path, account: str, from_text: str, to_text: str | None, form: str, row: int | None) -> None:
    """Print what an account had, got and was paid, to the satoshi: opening, every change, closing."""
    from payout import statement_formats
    from payout.store.history import SqlHistory
    from payout.store.ledger import errors_of_ours
    from pool.roles.clock import SystemClock
    from pool.store.sql import reading

    now_ms = SystemClock().time_ms()
    from_ms = instant_of(from_text, "--from")
    to_ms = now_ms if to_text is None else instant_of(to_text, "--to")
    if to_ms > now_ms:
        raise click.BadParameter("a statement cannot end in the future", param_hint="--to")
    with books_of(file) as (_, engine), errors_of_ours(engine), reading(engine) as connection:
        made = SqlHistory(connection).statement(account, from_ms, to_ms, row)
    if form == "text":
        click.echo("\n".join(statement_formats.to_text(made)))
    else:
        encode = statement_formats.to_csv if form == "csv" else statement_formats.to_json
        click.echo(encode(made), nl=False)


@click.command("solvency")
@config_option
@json_option
@says_what_is_wrong
def solvency(file: Path, as_json: bool) -> None:
    """Compare what is owed with what the wallet has on chain; exit 0 only if all of it is covered."""
    from payout import solvency as solvency_of
    from payout.payment_ports import WalletWaits
    from pool.ports import NodeUnavailable
    from pool.roles.solvency import Solvency

    with books_of(file) as (config, engine):
        asked = Solvency(config, engine)
        try:
            found = asked.report()
        except (NodeUnavailable, WalletWaits) as error:
            raise click.ClickException(str(error)) from error
        finally:
            asked.close()
    say(as_json, found, lambda: solvency_of.words(found))
    sys.exit(0 if found.is_covered else 1)


@click.group(cls=Group)
def export() -> None:
    """Write what the books were made of, for others to reckon with."""


@export.command("block")
@config_option
@click.argument("block", metavar="HEIGHT_OR_HASH")
@click.option(
    "--out", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), help="The folder to write to."
)
@click.option("--no-headers", is_flag=True, help="Leave the headers out: a quarter of the size, and no proof of work.")
@journals_option
@json_option
@says_what_is_wrong
def export_block(
    file: Path, block: str, folder: Path, no_headers: bool, more_journals: tuple[Path, ...], as_json: bool
) -> None:
    """Write the shares of a block's window, its rules and its credits; docs/verify_payout.py reckons them again."""
    from payout.store.explained import Explained
    from pool.explain import export as writing

    with books_of(file) as (config, engine):
        block_hash = Explained(engine).block_hash(block)
        folders = journal_folders(config, more_journals)
        with Progress("export") as progress:
            seen = partial(progress.counted, what="shares")
            done = writing.export_block(engine, folders, block_hash, folder, with_headers=not no_headers, seen=seen)
    text = (
        f"block {done.height}, {done.block_hash}: {done.shares} shares, {done.proven} with their headers",
        f"check it: python3 {document('verify_payout.py')} {done.folder}",
    )
    say(as_json, done, lambda: text)
