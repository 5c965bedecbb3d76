"""What outlives a stratum process beside its journal: the key of the session ids, and each worker's difficulty.

In `sessions/` of the data folder: `key`, shared by all processes; and for each process a file named like its
extranonce range, which the others read too. Without them miners begin anew, no more.
"""

from __future__ import annotations

import contextlib
import math
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThread

from pool import events
from pool.ports import Clock
from stratum.login import parse_login
from stratum.remembered import REMEMBERED_MAX, RememberedDifficulties

Entries = Mapping[str, tuple[float, int]]

SAVE_SECONDS: Final = 30.0
FILE_BYTES_MAX: Final = 16 * 1024 * 1024
_KEY_BYTES: Final = 32


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    """difficulties: by login, with the Unix milliseconds when it was proven."""

    version: Annotated[int, Meta(ge=1, le=1)]
    difficulties: dict[str, tuple[float, int]]


class BadSessionFile(Exception):
    """It is not what we wrote."""


def open_key(folder: Path) -> bytes:
    """The key of the pool's session ids, made if there is none. Raises OSError; ValueError if it is no key."""
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / "key"
    fresh = folder / f"key.{os.getpid()}.tmp"
    if not path.exists():
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process was quicker: its key is everybody's
            os.link(fresh, path)
        fresh.unlink()
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise ValueError(f"{path} should hold {_KEY_BYTES} bytes: remove it, then sessions cannot be resumed once")
    return key


def write(path: Path, entries: Entries) -> None:
    """Replace the file, whole or not at all. Raises OSError."""
    data = msgspec.json.encode(_File(1, dict(entries)))
    unfinished = path.with_name(path.name + ".tmp")
    unfinished.write_bytes(data)
    unfinished.replace(path)


def read(path: Path) -> Entries:
    """What was written; nothing if there is no file. Raises BadSessionFile."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
        if len(data) > FILE_BYTES_MAX:
            raise BadSessionFile("it is too large")
        entries = msgspec.json.decode(data, type=_File).difficulties
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadSessionFile(str(error)) from error
    if len(entries) > REMEMBERED_MAX or not all(map(_is_entry, entries.items())):
        raise BadSessionFile("it holds what no stratum process writes")
    return entries


def _is_entry(item: tuple[str, tuple[float, int]]) -> bool:
    login, (difficulty, seen_ms) = item
    return parse_login(login) is not None and 0 < difficulty < math.inf and 0 < seen_ms < 1 << 53


class SessionFiles:
    """The files of a running process. name: of its own one."""

    def __init__(self, folder: Path, name: str, reactor: Any, remembered: RememberedDifficulties, clock: Clock) -> None:
        self._folder = folder
        self._name = name
        self._remembered = remembered
        self._clock = clock
        self._loop = LoopingCall(self._turn)
        self._loop.clock = reactor
        self._failing = False
        self._seen: dict[Path, int] = {}

    async def start(self) -> None:
        """Learn what the files hold, then save each SAVE_SECONDS."""
        await self._read()
        self._loop.start(SAVE_SECONDS, now=False)

    async def stop(self) -> None:
        """Save a last time."""
        if self._loop.running:
            self._loop.stop()
        await self._write()

    def _turn(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._save_and_read())

    async def _save_and_read(self) -> None:
        await self._write()
        await self._read()

    async def _write(self) -> None:
        path = self._folder / self._name
        try:
            await deferToThread(write, path, self._remembered.entries(self._clock.time_ms()))
        except OSError as error:
            if not self._failing:
                events.sessions_not_written(str(path), str(error))
            self._failing = True
        else:
            self._failing = False

    async def _read(self) -> None:
        for entries in await deferToThread(self._changed):
            self._remembered.learn(entries, self._clock.time_ms())

    def _changed(self) -> list[Entries]:
        """Of every file that is new or has changed: our own only at the start."""
        found = []
        for path in sorted(self._folder.glob("[0-9]*")):
            if path.suffix or (path.name == self._name and path in self._seen):
                continue
            with contextlib.suppress(FileNotFoundError):
                changed = path.stat().st_mtime_ns
                if self._seen.get(path) == changed:
                    continue
                self._seen[path] = changed
                try:
                    found.append(read(path))
                except BadSessionFile as error:
                    events.sessions_unreadable(str(path), str(error))
        return found
