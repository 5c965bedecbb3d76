"""The command `steppe journal`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click
import msgspec

from pool import config_file
from pool.cli_common import Group, json_option, say
from pool.cli_progress import Progress
from pool.journal.reader import OLDEST
from pool.journal.segments import JournalDamaged
from pool.paths import Paths
from pool.work.proof import hash_of


@click.group(cls=Group)
def journal() -> None:
    """Look at the share journals of this machine; the pool may run meanwhile."""


_config_option = click.option(
    "-c", "--config", "file", type=click.Path(dir_okay=False, path_type=Path), help="The configuration file (TOML)."
)
_folder_option = click.option(
    "--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="One journal, or a copy of it."
)


@journal.command("list")
@_config_option
@_folder_option
@json_option
def list_segments(file: Path | None, folder: Path | None, as_json: bool) -> None:
    """Print the segments: first and last record, bytes on the disk and before compression, last write."""
    from pool.journal.inspect import segments_of

    try:
        found = [(each, segments_of(each)) for each in _folders(file, folder)]
    except (JournalDamaged, OSError) as error:
        raise click.ClickException(str(error)) from error

    def text() -> Iterator[str]:
        for each in (segment for _, segments in found for segment in segments):
            written = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(each.written_s))
            last = "" if each.last_seq is None else each.last_seq
            yield f"{each.path}\t{each.first_seq}\t{last}\t{each.disk_bytes}\t{each.plain_bytes}\t{written}"

    say(as_json, {"journals": [{"folder": str(where), "segments": segments} for where, segments in found]}, text)


@journal.command("verify")
@_config_option
@_folder_option
@json_option
def verify_all(file: Path | None, folder: Path | None, as_json: bool) -> None:
    """Read all of it: every checksum, every number in its place."""
    from pool.journal.inspect import Whole, verify

    found: list[tuple[Path, Whole]] = []
    for each in _folders(file, folder):
        try:
            with Progress(f"{each}:") as progress:
                found.append((each, verify(each, partial(progress.counted, what="records"))))
        except (JournalDamaged, OSError) as error:
            raise click.ClickException(str(error)) from error
        if not as_json:
            whole = found[-1][1]
            records = f"records {whole.first_seq} to {whole.last_seq}"
            click.echo(f"{each}: whole, {records}: {whole.shares} shares and {whole.jobs} jobs")
    told = {"journals": [{"folder": str(where), **msgspec.structs.asdict(whole)} for where, whole in found]}
    say(as_json, told, lambda: ())


@journal.command("show")
@_config_option
@_folder_option
@click.option("--from", "first_seq", type=click.IntRange(min=1), default=None, help="First record; default: the first.")
@click.option("--to", "last_seq", type=click.IntRange(min=1), default=None, help="Last record; default: the last.")
def show(file: Path | None, folder: Path | None, first_seq: int | None, last_seq: int | None) -> None:
    """Print records, one JSON object a line; a share with the hash of its header if its job is among them."""
    from pool.journal.inspect import lines
    from pool.journal.reader import RecordsGone
    from pool.journal.records import RecordsUnreadable

    for each in _folders(file, folder):
        try:
            for line in lines(each, first_seq or OLDEST, last_seq, hash_of):
                click.echo(line)
        except (JournalDamaged, RecordsGone, RecordsUnreadable, OSError) as error:
            raise click.ClickException(str(error)) from error


def _folders(file: Path | None, folder: Path | None) -> Iterator[Path]:
    """The journals that are meant."""
    if folder is not None:
        yield folder
        return
    if file is None:
        raise click.UsageError("name the pool by -c FILE, or one journal by --folder PATH")
    try:
        config = config_file.load(file)
    except config_file.ConfigurationError as error:
        raise click.ClickException("\n".join(map(str, error.mistakes))) from error
    found = sorted(path for path in Paths(Path(config.pool.data_dir)).journal.glob("*") if path.is_dir())
    if not found:
        raise click.ClickException(f"there is no journal in {Paths(Path(config.pool.data_dir)).journal}")
    yield from found
