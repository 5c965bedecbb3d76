"""The folder of a journal: its frontend id, made with it, and its lock."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from pathlib import Path

from pool.journal.format import FRONTEND_CHARACTERS
from pool.journal.segments import JournalBusy, JournalDamaged, sync_folder

_FRONTEND_FILE = "frontend"
_LOCK_FILE = "lock"
_FOLDER_MODE = 0o750


def frontend_of(folder: Path) -> str:
    """The journal's id. Raises JournalDamaged if the folder has none, FileNotFoundError if there is no folder."""
    path = folder / _FRONTEND_FILE
    try:
        text = path.read_bytes().decode("ascii", "replace").strip()
    except FileNotFoundError:
        if not folder.is_dir():
            raise
        raise JournalDamaged(path, 0, "the file with the journal's id is missing") from None
    if len(text) != FRONTEND_CHARACTERS or not text.isalnum():
        raise JournalDamaged(path, 0, f"{text!r} is no id of a journal")
    return text


def make(folder: Path) -> None:
    """Make the folder together with a fresh id, if there is none.

    The id is random, so that a journal that begins anew is never taken for the one before it: accounting remembers by
    id what it has counted. The folder appears with the id in it or not at all.
    """
    if folder.is_dir() and any(folder.iterdir()):
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = folder.parent / f".{folder.name}.{secrets.token_hex(4)}"
    fresh.mkdir(mode=_FOLDER_MODE)
    try:
        with (fresh / _FRONTEND_FILE).open("x", encoding="ascii") as file:
            file.write(secrets.token_hex(FRONTEND_CHARACTERS // 2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        sync_folder(fresh)
        fresh.rename(folder)  # over an empty folder too; never over one that another process has just made
        sync_folder(folder.parent)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)
        if not folder.is_dir() or not any(folder.iterdir()):
            raise


def lock(folder: Path) -> int:
    """Take the journal for this process; closing the returned descriptor gives it back. Raises JournalBusy."""
    descriptor = os.open(folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise JournalBusy(
            f"{folder} is in use by another process: end that stratum role, or give this one another folder"
        ) from None
    return descriptor
