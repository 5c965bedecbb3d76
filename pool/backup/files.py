"""What of the data folder belongs to a backup beside the books: journals, candidates, guards, and the configuration."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Final

from msgspec import Struct

from pool.backup.chest import Moved, Sink, put_file
from pool.backup.manifest import CONFIGURATION, SECRETS, BackupFailed, KeptJournal
from pool.config import Config
from pool.journal.folder import frontend_of
from pool.journal.recovery import whole_part
from pool.journal.segments import Segment, listed, live
from pool.paths import Paths

SESSION_KEY: Final = "sessions/key"
JOB_IDS: Final = "candidates/job-ids"
_TRIES: Final = 5
_CANDIDATES: Final = (".head", ".transactions", ".block", ".verdict", ".unbuildable")
_PASSWORD: Final = re.compile(r"(?P<before>\w+://[^\s:/@\"']*:)[^\s@/\"']+(?=@)")


class Secret(Struct, frozen=True):
    """A file with a secret, by the option that names it."""

    option: str
    path: Path


def first_seqs(paths: Paths) -> dict[str, int]:
    """The first record that each journal of this machine has, by id. Raises JournalDamaged, OSError."""
    folders = sorted(marker.parent for marker in paths.journal.glob("*/frontend"))
    found = {frontend_of(folder): live(listed(folder).values()) for folder in folders}
    return {frontend: segments[0].first_seq for frontend, segments in found.items() if segments}


def copy_journals(paths: Paths, sink: Sink, moved: Moved) -> tuple[KeptJournal, ...]:
    """All journals of this machine, each up to its last whole group. Raises BackupFailed, JournalDamaged, OSError."""
    folders = sorted(marker.parent for marker in paths.journal.glob("*/frontend"))
    return tuple(_copy_journal(folder, sink, moved) for folder in folders)


def _copy_journal(folder: Path, sink: Sink, moved: Moved) -> KeptJournal:
    inside = f"journal/{folder.name}"
    put_file(sink, f"{inside}/frontend", folder / "frontend", moved)
    first_seq, next_seq = 0, 1
    segments = live(listed(folder).values())
    for place, segment in enumerate(segments):
        is_last = place + 1 == len(segments)
        copied = _copy_segment(folder, segment, inside, sink, moved, is_last=is_last)
        if copied is None and first_seq:
            raise BackupFailed(f"{segment.path} went away while the journal was copied: try again")
        if copied is not None:
            first_seq = first_seq or segment.first_seq
            next_seq = copied if is_last else segments[place + 1].first_seq
    if segments and not first_seq:
        raise BackupFailed(f"all of {folder} went away while it was copied: try again")
    return KeptJournal(folder.name, frontend_of(folder), first_seq, next_seq - 1)


def _copy_segment(
    folder: Path, segment: Segment, inside: str, sink: Sink, moved: Moved, *, is_last: bool
) -> int | None:
    """The number behind its last record; None if it is gone, as the oldest may be. It may be compressed meanwhile."""
    for _ in range(_TRIES):
        try:
            size, next_seq = whole_part(segment.path) if is_last else (segment.path.stat().st_size, 0)
            put_file(sink, f"{inside}/{segment.path.name}", segment.path, moved, size)
        except FileNotFoundError:
            now = {each.first_seq: each for each in live(listed(folder).values())}
            if (again := now.get(segment.first_seq)) is None:
                return None
            segment = again
        else:
            return next_seq
    raise BackupFailed(f"{segment.path} cannot be caught: try again")


def copy_state(paths: Paths, sink: Sink, moved: Moved) -> None:
    """Candidates, and the guards against using something twice. Raises OSError."""
    # A head with its transactions becomes a block meanwhile, never the other way: in this order one of both is caught.
    for suffix in _CANDIDATES:
        for path in sorted(paths.candidates.glob(f"*{suffix}")):
            _put_if_there(sink, f"candidates/{path.name}", path, moved)
    _put_if_there(sink, JOB_IDS, paths.candidates / "job-ids", moved)
    for path in sorted(paths.extranonces.glob("*")):
        _put_if_there(sink, f"extranonces/{path.name}", path, moved)
    _put_if_there(sink, SESSION_KEY, paths.sessions / "key", moved)


def _put_if_there(sink: Sink, name: str, path: Path, moved: Moved) -> None:
    try:
        put_file(sink, name, path, moved)
    except FileNotFoundError:
        return


def secrets_of(config: Config) -> list[Secret]:
    """The files with secrets that a configuration names."""
    found = [
        *(Secret(f"node[{index}].password_file", Path(node.password_file)) for index, node in enumerate(config.node)),
        Secret("alerts.smtp_password_file", Path(config.alerts.smtp_password_file)),
        Secret("alerts.webhook_secret_file", Path(config.alerts.webhook_secret_file)),
        Secret("stratum.tls_key", Path(config.stratum.tls_key)),
        Secret("stratum.tls_certificate", Path(config.stratum.tls_certificate)),
    ]
    return [each for each in found if each.path != Path()]


def copy_configuration(config: Config, file: Path, sink: Sink, moved: Moved, *, with_secrets: bool) -> None:
    """The configuration; without its secrets the passwords in it are starred out. Raises OSError, BackupFailed."""
    text = file.read_text(encoding="utf-8")
    if not with_secrets:
        text = _PASSWORD.sub(r"\g<before>***", text)
    data = text.encode()
    sink.put(CONFIGURATION, io.BytesIO(data), len(data))
    moved(len(data))
    if not with_secrets:
        return
    for secret in secrets_of(config):
        try:
            put_file(sink, f"{SECRETS}/{secret.option}", secret.path, moved)
        except FileNotFoundError as error:
            raise BackupFailed(
                f"{secret.option}: {secret.path} is not there; correct it, or leave the secrets out"
            ) from error


def bytes_of(paths: Paths) -> int:
    """About as much as journals and candidates are."""
    folders = [*paths.journal.glob("*/*.seg*"), *paths.candidates.glob("*.block")]
    total = 0
    for path in folders:
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total
