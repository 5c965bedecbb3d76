"""A backup is put back where there is nothing.

What went on after it is not in it, and must not happen again under the same numbers:

    payments     stopped in the very transaction in which the books appear, until a person resumed them
    records      each journal becomes a former one: no record is added to it, the role begins a new one beside it
    extranonces  the counters go on half a range further
    job ids      go on behind the present moment

All is got ready in a folder, `.restoring`, beside which no pool starts; then the books get their place, at one moment,
and then the rest. A restore that did not end is ended by the next one, or begun again if its books had no place yet.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final, Protocol

import msgspec
from msgspec import Struct
from sqlalchemy import Engine

from payout.instants import format_instant
from pool.backup import books
from pool.backup.chest import Chest, Moved, extract, open_chest, verify
from pool.backup.files import JOB_IDS
from pool.backup.manifest import BOOKS_POSTGRESQL, BOOKS_SQLITE, BackupFailed, Manifest
from pool.backup.take import Meter, Progress
from pool.config import Config
from pool.failpoints import hit
from pool.journal.former import former_name
from pool.journal.segments import sync_folder
from pool.paths import Paths
from pool.store.revisions import known_revisions
from pool.work.extranonce import RANGE_SIZE, STRIDE

_JUMP: Final = RANGE_SIZE // 2
_JOB_IDS_AHEAD: Final = 1 << 20
_JOURNAL_MODE: Final = 0o640
_BEGUN: Final = "restore.json"


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


class _Begun(Struct, frozen=True):
    """What is known before the books get their place. stop: that they have with it; by it they are known."""

    stop: books.Stop
    restored: Restored


def restore(
    config: Config, engine: Engine, source: Path, redis: Redis | None, *, now_ms: int, progress: Progress
) -> Restored:
    """Put a backup back into the folder and the database of this configuration, all of it or nothing; or end what an
    earlier one of the same backup had begun.

    redis: None if the pool starts its own. Raises BackupFailed, StoreUnavailable.
    """
    paths = Paths(Path(config.pool.data_dir))
    with open_chest(source) as (chest, manifest):
        _fits(manifest, config, engine)
        if redis is not None and (roles := redis.living_roles()):
            raise BackupFailed(f"a pool runs on this Redis ({', '.join(roles)}): stop it first, wherever it is")
        begun = _begun(paths, engine)
        if begun is None:
            _refuse_what_is_there(paths, engine, redis)
            moved = Meter(2 * sum(file.size for file in manifest.files), progress)
            verify(chest, manifest, moved)
            begun = _begin(config, engine, chest, manifest, paths, now_ms, moved)
        elif begun.restored.made_ms != manifest.made_ms:
            made = format_instant(begun.restored.made_ms)
            raise BackupFailed(f"a restore of the backup of {made} has to be ended first: name that one")
        return _end(paths, begun)


def _begun(paths: Paths, engine: Engine) -> _Begun | None:
    """A restore whose books have their place; of one whose books have none nothing is left."""
    if not paths.restoring.exists():
        return None
    if books.is_loading(engine):
        raise BackupFailed("an earlier restore still loads this database: type this again when it is done")
    try:
        begun = msgspec.json.decode((paths.restoring / _BEGUN).read_bytes(), type=_Begun)
    except (OSError, msgspec.DecodeError):
        begun = None
    if begun is not None and books.are_in_place(engine, begun.stop):
        return begun
    shutil.rmtree(paths.restoring)
    return None


def _begin(
    config: Config, engine: Engine, chest: Chest, manifest: Manifest, paths: Paths, now_ms: int, moved: Moved
) -> _Begun:
    """Get everything ready, and the books in their place. Raises BackupFailed, and leaves nothing then."""
    try:
        paths.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        paths.restoring.mkdir(mode=0o700)
        return _put_back(engine, chest, manifest, paths, Paths(paths.restoring), now_ms, moved)
    except (OSError, BackupFailed) as error:
        shutil.rmtree(paths.restoring, ignore_errors=True)
        raise BackupFailed(f"nothing was restored: {error}") from error


def _end(paths: Paths, begun: _Begun) -> Restored:
    """Everything else into its place, once the books have theirs. A pool does not start before that."""
    try:
        for path in sorted(paths.restoring.iterdir()):
            if path.name != _BEGUN:
                path.rename(paths.data_dir / path.name)
                hit("restore-file-placed")
        sync_folder(paths.data_dir)
        shutil.rmtree(paths.restoring)
    except OSError as error:
        raise BackupFailed(f"only the books were restored: {error}; mend that, then type this again") from error
    return begun.restored


def _fits(manifest: Manifest, config: Config, engine: Engine) -> None:
    """Whether a backup is one for this pool. Raises BackupFailed."""
    if manifest.chain != config.pool.chain:
        raise BackupFailed(f"it is of a pool on the chain {manifest.chain}, and pool.chain is {config.pool.chain}")
    if manifest.books.database != engine.dialect.name:
        raise BackupFailed(
            f"its books are of {manifest.books.database}, and database.url names one of {engine.dialect.name}: "
            "name an empty database of the same kind"
        )
    if manifest.books.revision not in known_revisions():
        raise BackupFailed(
            f"it is of a newer version, {manifest.version} (schema {manifest.books.revision}): restore it with that"
        )


def _refuse_what_is_there(paths: Paths, engine: Engine, redis: Redis | None) -> None:
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
    engine: Engine, chest: Chest, manifest: Manifest, paths: Paths, fresh: Paths, now_ms: int, moved: Moved
) -> _Begun:
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
    begun = _Begun(stop, _restored(manifest, paths, names))
    ready = fresh.data_dir / (BOOKS_SQLITE if engine.dialect.name == "sqlite" else BOOKS_POSTGRESQL)
    extract(chest, ready.name, ready, moved)
    (fresh.data_dir / _BEGUN).write_bytes(msgspec.json.encode(begun))
    hit("restore-ready")
    if engine.dialect.name == "sqlite":
        books.stop_payouts(ready, stop)
        place = Path(str(engine.url.database))
        os.replace(ready, place)
        sync_folder(place.parent)
    else:
        books.load_dump(engine, ready, stop)
        ready.unlink()
    hit("restore-books-placed")
    return begun


def _restored(manifest: Manifest, paths: Paths, names: dict[str, str]) -> Restored:
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
