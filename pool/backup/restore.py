"""A backup is put back where there is nothing.

What went on after it is not in it, and must not happen again under the same numbers:

    payments     stopped in the very transaction in which the books appear, until a person resumed them
    records      each journal becomes a former one: no record is added to it, the role begins a new one beside it
    extranonces  the counters go on half a range further
    job ids      go on behind the present moment
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Protocol

from alembic.script import ScriptDirectory
from msgspec import Struct
from sqlalchemy import Engine

from payout.instants import format_instant
from pool.backup import books
from pool.backup.chest import Chest, Moved, extract, open_chest, verify
from pool.backup.files import JOB_IDS
from pool.backup.manifest import BOOKS_POSTGRESQL, BOOKS_SQLITE, BackupFailed, Manifest
from pool.backup.take import Meter, Progress
from pool.config import Config
from pool.journal.former import former_name
from pool.journal.segments import sync_folder
from pool.paths import Paths
from pool.store.upgrade import migrations
from pool.work.extranonce import RANGE_SIZE, STRIDE

_JUMP: Final = RANGE_SIZE // 2
_JOB_IDS_AHEAD: Final = 1 << 20
_JOURNAL_MODE: Final = 0o640


class Redis(Protocol):
    """What a restore asks of Redis. Raises StoreUnavailable."""

    def living_roles(self) -> list[str]:
        """Of a pool that runs on it."""

    def is_empty(self) -> bool:
        """Whether it holds nothing of a pool."""


class Restored(Struct, frozen=True):
    """What was put back. journals: as in the manifest, with the folders that they are in now. behind: by journal how
    many records the books lack, which they get at the start."""

    made_ms: int
    chain: str
    database: str
    data_dir: str
    ledger_rows: int
    journals: dict[str, str]
    behind: dict[str, int]
    elsewhere: tuple[str, ...]


def restore(
    config: Config, engine: Engine, source: Path, redis: Redis | None, *, now_ms: int, progress: Progress
) -> Restored:
    """Put a backup back into the folder and the database of this configuration, all of it or nothing.

    redis: None if the pool starts its own. Raises BackupFailed, StoreUnavailable.
    """
    paths = Paths(Path(config.pool.data_dir))
    with open_chest(source) as (chest, manifest):
        _fits(manifest, config, engine)
        _refuse_what_is_there(paths, engine, redis)
        total = sum(file.size for file in manifest.files)
        moved = Meter(2 * total, progress)
        verify(chest, manifest, moved)
        try:
            paths.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            with books.scratch(paths.restoring) as fresh:
                return _put_back(config, engine, chest, manifest, paths, Paths(fresh), now_ms, moved)
        except OSError as error:
            raise BackupFailed(f"nothing was restored: {error}") from error


def _fits(manifest: Manifest, config: Config, engine: Engine) -> None:
    """Whether a backup is one for this pool. Raises BackupFailed."""
    if manifest.chain != config.pool.chain:
        raise BackupFailed(f"it is of a pool on the chain {manifest.chain}, and pool.chain is {config.pool.chain}")
    if manifest.books.database != engine.dialect.name:
        raise BackupFailed(
            f"its books are of {manifest.books.database}, and database.url names one of {engine.dialect.name}: "
            "name an empty database of the same kind"
        )
    known = {revision.revision for revision in ScriptDirectory.from_config(migrations()).walk_revisions()}
    if manifest.books.revision not in known:
        raise BackupFailed(
            f"it is of a newer version, {manifest.version} (schema {manifest.books.revision}): restore it with that"
        )


def _refuse_what_is_there(paths: Paths, engine: Engine, redis: Redis | None) -> None:
    if redis is not None and (roles := redis.living_roles()):
        raise BackupFailed(f"a pool runs on this Redis ({', '.join(roles)}): stop it first, wherever it is")
    if paths.restoring.exists():
        raise BackupFailed(f"{paths.restoring} is left of a restore that did not end: empty {paths.data_dir}")
    if paths.data_dir.exists() and (not paths.data_dir.is_dir() or any(paths.data_dir.iterdir())):
        raise BackupFailed(f"pool.data_dir: {paths.data_dir} is not empty: name a new folder, or move it away")
    if reason := books.why_not_empty(engine):
        raise BackupFailed(f"database.url: {reason}: name an empty one")
    if redis is not None and not redis.is_empty():
        raise BackupFailed(
            "redis.url: this Redis holds the counts of another life of the pool, which would be taken for those of "
            "the restored one: empty it (`redis-cli -u URL FLUSHDB`; all of it is made again), or name another database"
        )


def _put_back(
    config: Config,
    engine: Engine,
    chest: Chest,
    manifest: Manifest,
    paths: Paths,
    fresh: Paths,
    now_ms: int,
    moved: Moved,
) -> Restored:
    names = {journal.range: former_name(journal.range, journal.frontend) for journal in manifest.journals}
    for file in manifest.files:
        parts = file.name.split("/")
        if parts[0] == "journal":
            target = fresh.journal / names[parts[1]] / parts[2]
            extract(chest, file.name, target, moved, _JOURNAL_MODE)
        elif parts[0] in ("candidates", "extranonces", "sessions"):
            extract(chest, file.name, fresh.data_dir / file.name, moved)
    for path in fresh.extranonces.glob("*"):
        _advance_extranonces(path)
    _advance_job_ids(fresh.data_dir / JOB_IDS, now_ms)
    stop = books.Stop(
        f"restored from a backup of {format_instant(manifest.made_ms)}: what was paid since is not in these books",
        now_ms,
        manifest.books.chain_height,
    )
    if engine.dialect.name == "sqlite":
        extract(chest, BOOKS_SQLITE, fresh.ledger, moved)
        books.stop_payouts(fresh.ledger, stop)
        place = Path(str(engine.url.database))
        if place != paths.ledger:
            os.replace(fresh.ledger, place)
    else:
        dump = fresh.data_dir / BOOKS_POSTGRESQL
        extract(chest, BOOKS_POSTGRESQL, dump, moved)
        books.load_dump(engine, dump, stop)
        dump.unlink()
    # A pool does not start while the folder is there that these come out of.
    for path in sorted(fresh.data_dir.iterdir()):
        path.rename(paths.data_dir / path.name)
    sync_folder(paths.data_dir)
    high_water = manifest.books.high_water
    return Restored(
        made_ms=manifest.made_ms,
        chain=manifest.chain,
        database=manifest.books.database,
        data_dir=str(paths.data_dir),
        ledger_rows=manifest.books.rows,
        journals={each.frontend: str(paths.journal / names[each.range]) for each in manifest.journals},
        behind={each.frontend: each.last_seq - high_water.get(each.frontend, 0) for each in manifest.journals},
        elsewhere=manifest.elsewhere,
    )


def _advance_extranonces(path: Path) -> None:
    """No value that a session had after the backup comes again before eight million more have been given out."""
    lines = path.read_text(encoding="ascii").split("\n")[:-1]
    reserved = int(lines[-1]) if lines else 0
    path.write_text(f"{(reserved + _JUMP) // STRIDE * STRIDE % RANGE_SIZE}\n", encoding="ascii")


def _advance_job_ids(path: Path, now_ms: int) -> None:
    """Job ids are milliseconds: none of the life before can be behind this moment and what it had set aside."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = int(path.read_text(encoding="ascii"), 16) if path.exists() else 0
    path.write_text(f"{max(before, now_ms) + _JOB_IDS_AHEAD:x}\n", encoding="ascii")
