"""Where the files of a backup lie: a folder, or one tar file. Written beside its name, and named when it is whole."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final, Protocol

import msgspec

from pool.backup.manifest import FORMAT, MANIFEST, BackupFailed, File, Manifest
from pool.journal.segments import sync_folder

_CHUNK: Final = 1 << 20
_UNFINISHED: Final = ".unfinished"
_MANIFEST_BYTES_MAX: Final = 64 << 20

Moved = Callable[[int], None]
"""Called with the bytes that were moved since the last call."""


def is_tar(path: Path) -> bool:
    """Whether a backup of this name is one file."""
    return path.suffix == ".tar"


class Sink(Protocol):
    """Takes files; what they are is written down as they come."""

    files: list[File]

    def put(self, name: str, source: IO[bytes], size: int) -> None:
        """Take exactly so many bytes. Raises BackupFailed if there are fewer."""


@contextmanager
def new_chest(target: Path) -> Iterator[Sink]:
    """A backup that gets its name at the end of the block; if the block raises nothing is left.

    Raises BackupFailed if there is something of that name.
    """
    if target.exists() and (not target.is_dir() or is_tar(target) or any(target.iterdir())):
        raise BackupFailed(f"{target} is there already: name a new place, each backup has its own")
    if not target.absolute().parent.is_dir():
        raise BackupFailed(f"{target.absolute().parent} is no folder: make it first")
    beside = target.with_name(target.name + _UNFINISHED)
    _remove(beside)
    try:
        if is_tar(target):
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                    yield _TarSink(tar)
                file.flush()
                os.fsync(file.fileno())
        else:
            beside.mkdir(mode=0o700)
            yield _FolderSink(beside)
        os.replace(beside, target)
        sync_folder(target.absolute().parent)
    except BaseException:
        _remove(beside)
        raise


def put_manifest(sink: Sink, manifest: Manifest) -> None:
    """The last file of a backup."""
    data = msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"
    sink.put(MANIFEST, io.BytesIO(data), len(data))


def put_file(sink: Sink, name: str, path: Path, moved: Moved, size: int | None = None) -> None:
    """Take a file, or its first bytes. Raises FileNotFoundError, BackupFailed."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size if size is None else size
        sink.put(name, file, size)
    moved(size)


class _FolderSink:
    def __init__(self, folder: Path) -> None:
        self.files: list[File] = []
        self._folder = folder

    def put(self, name: str, source: IO[bytes], size: int) -> None:
        path = self._folder / name
        _make_private(path.parent)
        reader = _Counted(source, size, name)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            while data := reader.read(_CHUNK):
                file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self.files.append(reader.told())


class _TarSink:
    def __init__(self, tar: tarfile.TarFile) -> None:
        self.files: list[File] = []
        self._tar = tar

    def put(self, name: str, source: IO[bytes], size: int) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size, 0o600
        reader = _Counted(source, size, name)
        self._tar.addfile(entry, reader)
        self.files.append(reader.told())


class _Counted(io.RawIOBase):
    """The first bytes of a file, hashed on their way."""

    def __init__(self, source: IO[bytes], size: int, name: str) -> None:
        super().__init__()
        self._source, self._left, self._size, self._name = source, size, size, name
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._source.read(wanted)
        if len(data) < wanted:
            raise BackupFailed(f"{self._name} became shorter while it was read: try again")
        self._left -= len(data)
        self._hash.update(data)
        return data

    def told(self) -> File:
        return File(self._name, self._size, self._hash.hexdigest())


class Chest(Protocol):
    """A backup that is there."""

    def names(self) -> list[str]: ...
    def open(self, name: str) -> IO[bytes]: ...


class _FolderChest:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        return [path.relative_to(self._folder).as_posix() for path in self._folder.rglob("*") if not path.is_dir()]

    def open(self, name: str) -> IO[bytes]:
        path = self._folder / name
        if path.is_symlink() or not path.is_file():
            raise BackupFailed(f"{path} is no plain file")
        return path.open("rb")


class _TarChest:
    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._members = {member.name: member for member in tar.getmembers()}

    def names(self) -> list[str]:
        return list(self._members)

    def open(self, name: str) -> IO[bytes]:
        member = self._members.get(name)
        file = None if member is None or not member.isreg() else self._tar.extractfile(member)
        if file is None:
            raise BackupFailed(f"{name} is no plain file in the backup")
        return file


@contextmanager
def open_chest(source: Path) -> Iterator[tuple[Chest, Manifest]]:
    """A backup and what it says of itself; nothing of it is believed yet: see `verify`. Raises BackupFailed."""
    if not source.exists():
        raise BackupFailed(f"there is no backup at {source}")
    if source.is_dir():
        yield _with_manifest(_FolderChest(source), source)
        return
    with source.open("rb") as file:
        try:
            tar = _TarChest(tarfile.open(fileobj=file, mode="r:"))  # noqa: SIM115 - it holds nothing but the file
        except (tarfile.TarError, OSError) as error:
            raise BackupFailed(f"{source} is no backup of a pool, or was cut off: {error}") from error
        yield _with_manifest(tar, source)


def _with_manifest(chest: Chest, source: Path) -> tuple[Chest, Manifest]:
    if MANIFEST not in chest.names():
        raise BackupFailed(f"{source} is no backup of a pool: it has no {MANIFEST}")
    with chest.open(MANIFEST) as file:
        data = file.read(_MANIFEST_BYTES_MAX)
    try:
        said = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        if msgspec.json.decode(said["format"]) != FORMAT:
            raise BackupFailed(f"{source} has the format {bytes(said['format']).decode()}: a newer Steppe reads it")
        return chest, msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, KeyError) as error:
        raise BackupFailed(f"{source}: {MANIFEST} is damaged: {error}; take another backup") from error


def verify(chest: Chest, manifest: Manifest, moved: Moved) -> None:
    """Read all of it: every file that it says, whole, and no other. Raises BackupFailed."""
    said = {file.name: file for file in manifest.files}
    there = set(chest.names()) - {MANIFEST}
    if missing := sorted(said.keys() - there):
        raise BackupFailed(f"the backup is damaged: {missing[0]} is missing ({len(missing)} in all); take another one")
    if foreign := sorted(there - said.keys()):
        raise BackupFailed(f"the backup is not as it was made: {foreign[0]} was put into it; take another one")
    for name, file in said.items():
        place = PurePosixPath(name)
        if place.is_absolute() or ".." in place.parts:
            raise BackupFailed(f"the backup is not as it was made: {name!r} leads out of it")
        digest, size = hashlib.sha256(), 0
        with chest.open(name) as source:
            while data := source.read(_CHUNK):
                digest.update(data)
                size += len(data)
                moved(len(data))
        if (size, digest.hexdigest()) != (file.size, file.sha256):
            raise BackupFailed(f"the backup is damaged: {name} is not what was written; take another one")


def extract(chest: Chest, name: str, target: Path, moved: Moved, mode: int = 0o600) -> None:
    """Write a file of the backup to its place, surely on the disk; folders that are missing are made."""
    _make_private(target.parent)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with chest.open(name) as source, os.fdopen(descriptor, "wb") as file:
        while data := source.read(_CHUNK):
            file.write(data)
            moved(len(data))
        file.flush()
        os.fsync(file.fileno())


def _make_private(folder: Path) -> None:
    """For nobody else; so are those above it that are missing."""
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
