"""A power cut, without one: what the disk would hold had the power gone at some moment.

`PowerCut` has a program's writes noted by powercut.c. From the notes `Disk` makes, for any place in them and any seed,
a folder as a cut there may leave it, by what POSIX promises and no more:

- What a file had when a completed sync of it began is there. Of what came later there is nothing, all, a beginning that
  may end in the middle of a write, or any pages of it, with zeros where one is missing.
- So with the names in a folder: those of its last completed sync are there; of creating, renaming and removing since
  then any part may have happened. That a file was synced says nothing about its name.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from tests.compiled import compiled

_HEAD = struct.Struct("<BQQQI")
_PAGE = 4096


class PowerCut:
    """For programs that run with `environment`: notes of what they do below `folder`, kept at `log`.

    What a program writes to the file `marks` is a note too.
    """

    def __init__(self, folder: Path, log: Path, marks: Path) -> None:
        self._folder = folder.resolve()
        self._log = log
        self.marks = marks.resolve()

    @property
    def environment(self) -> Mapping[str, str]:
        library = compiled(
            "powercut.so", [Path(__file__).with_suffix(".c")], flags=("-shared", "-fPIC", "-ldl", "-pthread")
        )
        return {
            "LD_PRELOAD": str(library),
            "STEPPE_POWERCUT_DIR": str(self._folder),
            "STEPPE_POWERCUT_LOG": str(self._log),
            "STEPPE_POWERCUT_MARKS": str(self.marks),
        }

    def notes(self) -> list[Note]:
        """All that was noted; a program that was killed may have left a part of a last one."""
        data, notes, place = self._log.read_bytes(), [], 0
        while place + _HEAD.size <= len(data):
            operation, time_ns, inode, number, size = _HEAD.unpack_from(data, place)
            place += _HEAD.size + size
            if place <= len(data):
                notes.append(Note(chr(operation), time_ns, inode, number, data[place - size : place]))
        return notes


class Note(Struct, frozen=True):
    """One operation, as in powercut.c."""

    operation: str
    time_ns: int
    inode: int
    number: int
    data: bytes

    @property
    def path(self) -> tuple[str, ...]:
        return _parts(self.data)


def _parts(path: bytes) -> tuple[str, ...]:
    return tuple(part for part in path.decode().split("/") if part)


class _File:
    """Everything that was written to a file, and how much of that the disk is known to have."""

    def __init__(self, content: bytes = b"") -> None:
        self._synced = bytearray(content)
        self._since: list[tuple[int, bytes | None]] = []  # (offset, bytes), or (length, None)
        self._dropped = 0  # of what was written, so many are in `_synced`

    def write(self, offset: int, data: bytes) -> None:
        self._since.append((offset, data))

    def truncate(self, length: int) -> None:
        self._since.append((length, None))

    @property
    def place(self) -> int:
        """How much was written by now."""
        return self._dropped + len(self._since)

    def synced(self, place: int) -> None:
        """What was written up to that place is on the disk."""
        count = place - self._dropped
        if count > 0:
            for change in self._since[:count]:
                _change(self._synced, change)
            del self._since[:count]
            self._dropped = place

    def left(self, chance: random.Random) -> bytes:
        """What a power cut leaves."""
        changes = self._since[: chance.choice((0, len(self._since), chance.randint(0, len(self._since))))]
        how = chance.randrange(3)
        if changes and how == 1 and (last := changes[-1])[1]:  # it was on its way
            changes = [*changes[:-1], (last[0], last[1][: chance.randrange(len(last[1]))])]
        content = bytearray(self._synced)
        for change in changes:
            _change(content, change)
        return self._some_pages(content, chance) if how == 2 else bytes(content)

    def _some_pages(self, content: bytearray, chance: random.Random) -> bytes:
        """The pages of what was not synced came to the disk in any order."""
        for start in range(0, len(content), _PAGE):
            page = bytes(self._synced[start : start + _PAGE]).ljust(_PAGE, b"\0")[: len(content) - start]
            if content[start : start + _PAGE] != page and chance.random() < 0.5:
                content[start : start + len(page)] = page
        return bytes(content)


def _change(content: bytearray, change: tuple[int, bytes | None]) -> None:
    offset, data = change
    if data is None:
        del content[offset:]
        content.extend(bytes(offset - len(content)))
        return
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


class _Folder:
    """The names in a folder: those now, those on the disk, and what became of them since."""

    def __init__(self) -> None:
        self.names: dict[str, _File | _Folder] = {}
        self._synced: dict[str, _File | _Folder] = {}
        self._since: list[tuple[str, str, _File | _Folder]] = []  # (old name or "", new name or "", what)
        self._dropped = 0

    def put(self, name: str, node: _File | _Folder, old: str = "") -> None:
        self._do((old, name, node))

    def remove(self, name: str) -> None:
        self._do((name, "", self.names[name]))

    @property
    def place(self) -> int:
        return self._dropped + len(self._since)

    def synced(self, place: int) -> None:
        count = place - self._dropped
        if count > 0:
            for change in self._since[:count]:
                _rename(self._synced, change)
            del self._since[:count]
            self._dropped = place

    def left(self, path: Path, chance: random.Random) -> None:
        """Make the folder as a power cut leaves it."""
        path.mkdir()
        names = dict(self._synced)
        match chance.randrange(3):
            case 0:
                changes = list(self._since)
            case 1:
                changes = self._since[: chance.randint(0, len(self._since))]
            case _:
                changes = [change for change in self._since if chance.random() < 0.5]
        for change in changes:
            _rename(names, change)
        for name, node in names.items():
            if isinstance(node, _Folder):
                node.left(path / name, chance)
            else:
                (path / name).write_bytes(node.left(chance))

    def _do(self, change: tuple[str, str, _File | _Folder]) -> None:
        _rename(self.names, change)
        self._since.append(change)


def _rename(names: dict[str, _File | _Folder], change: tuple[str, str, _File | _Folder]) -> None:
    old, new, node = change
    if old and names.get(old) is node:
        del names[old]
    if new:
        names[new] = node


class Disk:
    """The folder as the notes make it; `left` says what would be there had the power gone now.

    before: a copy of what it had when the notes begin; None for nothing.
    """

    def __init__(self, before: Path | None = None) -> None:
        self._root = _Folder() if before is None else _folder_of(before)
        self._files: dict[int, _File] = {}
        self._syncing: dict[int, tuple[_File | _Folder, int]] = {}

    def left(self, path: Path, seed: int) -> None:
        """Make a folder as a power cut here leaves it; path must not be there."""
        self._root.left(path, random.Random(seed))

    def take(self, note: Note) -> None:
        """One operation."""
        match note.operation:
            case "C":
                self._files[note.inode] = _File()
                self._above(note.path).put(note.path[-1], self._files[note.inode])
            case "O":
                node = self._at(note.path)
                assert isinstance(node, _File)
                self._files[note.inode] = node
            case "W":
                self._files[note.inode].write(note.number, note.data)
            case "T":
                self._files[note.inode].truncate(note.number)
            case "D":
                self._above(note.path).put(note.path[-1], _Folder())
            case "U":
                self._above(note.path).remove(note.path[-1])
            case "L":
                old, new = map(_parts, note.data.split(b"\0"))
                self._above(new).put(new[-1], self._at(old))
            case "R":
                self._rename(*map(_parts, note.data.split(b"\0")))
            case "s" if note.inode in self._files:
                self._begin(note.number, self._files[note.inode])
            case "f":
                self._begin(note.number, self._at(note.path))
            case "S" if note.number in self._syncing:
                node, place = self._syncing.pop(note.number)
                node.synced(place)

    def _begin(self, number: int, node: _File | _Folder) -> None:
        self._syncing[number] = node, node.place

    def _rename(self, old: tuple[str, ...], new: tuple[str, ...]) -> None:
        source, target, node = self._above(old), self._above(new), self._at(old)
        if source is target:
            target.put(new[-1], node, old[-1])
        else:
            target.put(new[-1], node)
            source.remove(old[-1])

    def _above(self, path: tuple[str, ...]) -> _Folder:
        node = self._at(path[:-1])
        assert isinstance(node, _Folder)
        return node

    def _at(self, path: tuple[str, ...]) -> _File | _Folder:
        node: _File | _Folder = self._root
        for name in path:
            assert isinstance(node, _Folder)
            node = node.names[name]
        return node


def _folder_of(path: Path) -> _Folder:
    folder = _Folder()
    for each in path.iterdir():
        folder.put(each.name, _folder_of(each) if each.is_dir() else _File(each.read_bytes()))
    folder.synced(folder.place)
    return folder


def cuts(notes: list[Note], places: list[int], before: Path | None = None) -> Iterator[tuple[int, Disk]]:
    """The disk at each of these places, which must ascend: before the note of that number."""
    disk, done = Disk(before), 0
    for place in places:
        for note in notes[done:place]:
            disk.take(note)
        done = place
        yield place, disk
