"""The commands `steppe backup` and `steppe restore`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pool import config_file
from pool.cli_common import config_option, json_option, say, says_what_is_wrong
from pool.cli_progress import Progress

if TYPE_CHECKING:
    from pool.backup.manifest import Manifest
    from pool.backup.restore import Restored
    from pool.store.redis import RedisStore

_place = click.argument("place", metavar="DIR_OR_FILE", type=click.Path(path_type=Path))


@click.command()
@_place
@config_option
@click.option("--with-secrets", is_flag=True, help="Also passwords, keys and the files with them.")
@json_option
@says_what_is_wrong
def backup(place: Path, file: Path, with_secrets: bool, as_json: bool) -> None:
    """Write all of the pool's truth to a new folder, or to one file if its name ends in .tar; the pool may run.

    Books, journals, candidates, guards and configuration, each file with its checksum. It appears when it is whole.
    What lies in it is as secret as the data folder itself.
    """
    config = config_file.load(file)
    from importlib.metadata import version

    from pool.backup.manifest import BackupFailed
    from pool.backup.take import take
    from pool.roles.clock import SystemClock
    from pool.roles.database import reach_database

    engine = reach_database(config)
    try:
        with Progress("backup") as progress:
            made = take(
                config,
                file,
                engine,
                place,
                with_secrets=with_secrets,
                version=version("steppe"),
                now_ms=SystemClock().time_ms(),
                progress=progress,
            )
    except BackupFailed as error:
        raise click.ClickException(str(error)) from error
    finally:
        engine.dispose()
    say(as_json, made, lambda: _made(place, made))


def _made(place: Path, made: Manifest) -> Iterator[str]:
    size = sum(each.size for each in made.files)
    yield f"{place}: {len(made.files)} files, {size / 2**20:,.1f} MiB, each with its checksum"
    yield f"books: {made.books.rows} rows, chain up to block {made.books.chain_height}"
    for journal in made.journals:
        seen = made.books.high_water.get(journal.frontend, 0)
        records = f"records {journal.first_seq} to {journal.last_seq}" if journal.first_seq else "no records"
        yield f"journal {journal.range}: {records}, in the books up to {seq_of(seen)}"
    for frontend in made.elsewhere:
        yield f"NOT in it: journal {frontend}, which is on another machine: back that up too"
    if not made.has_secrets:
        yield "without secrets: keep the files of passwords and keys elsewhere, or use --with-secrets"


def seq_of(seq: int) -> str:
    """A record by its number."""
    return f"record {seq}" if seq else "none"


@click.command()
@_place
@config_option
@json_option
@says_what_is_wrong
def restore(place: Path, file: Path, as_json: bool) -> None:
    """Put a backup back into the empty data folder and database of the configuration.

    Refused if the backup is damaged or of another chain, if something is there already, or a pool runs. Payouts stay
    stopped until the books were compared with the wallet: docs/operating.md, Restore.
    """
    if not file.exists():
        raise click.ClickException(
            f"there is no {file}: the backup has the one of then, config/steppe.toml; take it out and correct it"
        )
    config = config_file.load(file)
    from pool.backup.manifest import BackupFailed
    from pool.backup.restore import restore as put_back
    from pool.ports import StoreUnavailable
    from pool.roles.clock import SystemClock
    from pool.roles.database import reach_database
    from pool.roles.redis_link import open_redis

    engine = reach_database(config)
    redis = _Redis(open_redis(config)) if config.redis.url else None
    try:
        with Progress("restore") as progress:
            done = put_back(config, engine, place, redis, now_ms=SystemClock().time_ms(), progress=progress)
    except (BackupFailed, StoreUnavailable) as error:
        raise click.ClickException(str(error)) from error
    finally:
        engine.dispose()
        if redis is not None:
            redis.store.close()
    say(as_json, done, lambda: _restored(done, file))


class _Redis:
    """Satisfies pool.backup.restore.Redis."""

    def __init__(self, store: RedisStore) -> None:
        self.store = store

    def living_roles(self) -> list[str]:
        return sorted(f"{sign.role} {sign.name}" for sign in self.store.read_roles())

    def is_empty(self) -> bool:
        return self.store.is_empty()


def _restored(done: Restored, file: Path) -> Iterator[str]:
    from payout.instants import format_instant

    yield f"restored what was at {format_instant(done.made_ms)}, into {done.data_dir} and the {done.database} books"
    yield f"books: {done.ledger_rows} rows of the ledger"
    for frontend, folder in done.journals.items():
        yield f"journal {frontend}: {folder}; its last {done.behind[frontend]} records come into the books at the start"
    for frontend in done.elsewhere:
        yield f"NOT restored: journal {frontend}, which was on another machine: put it below {done.data_dir}/journal"
    yield "payouts are stopped. Then:"
    yield f"  1. steppe check -c {file}, and put secrets back that the backup has not"
    yield "  2. if the old disk or a newer copy of the journal is there, put it in the place of the restored one"
    yield f"  3. steppe run -c {file}; then steppe audit and steppe rebuild"
    yield "  4. steppe payout foreign lists what was paid after the backup; steppe payout adopt TXID books it"
    yield "  5. steppe payout resume REASON"
