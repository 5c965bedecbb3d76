"""A backup is taken while the pool runs.

In this order: the books, then the journals, then the candidates. So the journals have every record that the books
have, and the candidates every block of the journals. What the journals have more comes into the books after a restore
as it would have without: with its numbers, once.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine

from pool.backup.books import copy_books, scratch
from pool.backup.chest import new_chest, put_file, put_manifest
from pool.backup.files import bytes_of, copy_configuration, copy_journals, copy_state, first_seqs
from pool.backup.manifest import BOOKS_POSTGRESQL, BOOKS_SQLITE, FORMAT, BackupFailed, Books, KeptJournal, Manifest
from pool.config import Config
from pool.journal.segments import JournalDamaged
from pool.paths import Paths

Progress = Callable[[float], None]
"""Called with the part that is done, 0 to 1."""


class Meter:
    """The part of some bytes that was moved."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._total, self._done, self._progress = max(total, 1), 0, progress

    def __call__(self, moved: int) -> None:
        self._done += moved
        self._progress(min(self._done / self._total, 1.0))


def take(
    config: Config,
    file: Path,
    engine: Engine,
    target: Path,
    *,
    with_secrets: bool,
    version: str,
    now_ms: int,
    progress: Progress,
) -> Manifest:
    """Write a backup of this machine to a new folder, or to one file if the name ends in .tar. Raises BackupFailed."""
    paths = Paths(Path(config.pool.data_dir))
    is_sqlite = engine.dialect.name == "sqlite"
    if is_sqlite and not Path(str(engine.url.database)).exists():
        raise BackupFailed(f"there are no books at {engine.url.database}: has this pool run yet?")
    books_bytes = Path(str(engine.url.database)).stat().st_size if is_sqlite else 0
    moved = Meter(2 * books_bytes + bytes_of(paths), progress)
    name = BOOKS_SQLITE if is_sqlite else BOOKS_POSTGRESQL
    try:
        with new_chest(target) as chest, scratch(target.with_name(f"{target.name}.books")) as beside:
            firsts = first_seqs(paths)
            books = copy_books(engine, beside / name, moved)
            put_file(chest, name, beside / name, moved)
            (beside / name).unlink()
            journals = copy_journals(paths, chest, moved)
            copy_state(paths, chest, moved)
            copy_configuration(config, file, chest, moved, with_secrets=with_secrets)
            manifest = Manifest(
                format=FORMAT,
                made_ms=now_ms,
                version=version,
                chain=config.pool.chain,
                payout_address=config.pool.payout_address,
                has_secrets=with_secrets,
                books=books,
                journals=journals,
                elsewhere=_elsewhere(books, journals, firsts),
                files=tuple(chest.files),
            )
            put_manifest(chest, manifest)
    except (JournalDamaged, OSError) as error:
        raise BackupFailed(f"no backup was made: {error}") from error
    progress(1.0)
    return manifest


def _elsewhere(books: Books, journals: tuple[KeptJournal, ...], firsts: dict[str, int]) -> tuple[str, ...]:
    """Journals of other machines. firsts: the first record of each of here, before the books were copied.

    Raises BackupFailed for one of here that lacks records of the books, or has them no more although the books lack
    them: the ledger got them meanwhile, so they were removed.
    """
    for journal in journals:
        next_seq = books.high_water.get(journal.frontend, 0) + 1
        if firsts.get(journal.frontend, next_seq + 1) <= next_seq < journal.first_seq:
            raise BackupFailed(
                f"records {next_seq} to {journal.first_seq - 1} of journal {journal.range} were removed while the "
                f"backup was made, and its books lack them: try again"
            )
    here = {journal.frontend: journal for journal in journals}
    for frontend, seq in books.high_water.items():
        if frontend in here and here[frontend].last_seq < seq:
            raise BackupFailed(
                f"journal {here[frontend].range} ({frontend}) ends with record {here[frontend].last_seq}, but the "
                f"books have up to {seq} of it: it is an old copy; see `journal_behind_ledger` in docs/operating.md"
            )
    return tuple(sorted(books.high_water.keys() - here.keys()))
