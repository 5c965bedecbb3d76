"""All journals of a pool, read in the order in which the ledger took their records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from pool.journal.folder import frontend_of
from pool.journal.format import Group
from pool.journal.reader import Reader, RecordsGone
from pool.journal.segments import JournalDamaged
from pool.ports import ShareBatch

_AHEAD_BYTES = 8 << 20
_ARRAY_32 = b"\xdd"
_raw_records = msgspec.msgpack.Decoder(list[msgspec.Raw])


class RebuildImpossible(Exception):
    """What is there is not enough to compute it again. The text says what is missing, and how to mend it."""


class Journals:
    """The journals in these folders, by the name of their frontend."""

    def __init__(self, roots: Iterable[Path], seen: Callable[[int], None] = lambda records: None) -> None:
        """roots: folders of journals, such as `journal` of a data folder. seen: called with how many records were read
        since the last call. Raises RebuildImpossible."""
        self.seen = seen
        self._folders: dict[str, Path] = {}
        for root in roots:
            for marker in sorted(root.glob("*/frontend")):
                frontend = frontend_of(marker.parent)
                if (known := self._folders.get(frontend)) is not None:
                    raise RebuildImpossible(
                        f"{known} and {marker.parent} are the same journal, {frontend}: leave one of them out"
                    )
                self._folders[frontend] = marker.parent

    @property
    def frontends(self) -> list[str]:
        """Whose journals are there."""
        return sorted(self._folders)

    def reader(self, frontend: str) -> Reader:
        """A journal from its first record on. Raises RebuildImpossible if that is gone, or the whole journal."""
        folder = self._folders.get(frontend)
        if folder is None:
            raise RebuildImpossible(
                f"the journal {frontend} is not here, but the ledger has records of it: copy its folder from the "
                f"machine of its stratum process, and name the folder that holds it with --journal"
            )
        reader = Reader(folder)
        try:
            first = reader.read(records_max=1)
        except RecordsGone as error:
            raise RebuildImpossible(f"the journal {frontend} does not begin with its first record: {error}") from error
        if not first:
            raise RebuildImpossible(
                f"the journal {frontend} in {folder} is empty: put its segments back into that folder"
            )
        reader.seek(1)
        return reader

    def batches(self, cuts: Iterable[tuple[str, int]], last_seqs: Mapping[str, int]) -> Iterator[ShareBatch]:
        """The records as the ledger took them.

        cuts: (frontend, last record), in order; each batch begins where the one before of its frontend ended.
        last_seqs: how far each journal is to be read. Raises RebuildImpossible, JournalDamaged, OSError.
        """
        cutters: dict[str, _Cutter] = {}
        for frontend, last_seq in cuts:
            if frontend not in cutters:
                end_seq = max(last_seq, last_seqs.get(frontend, 0))
                cutters[frontend] = _Cutter(frontend, self.reader(frontend), end_seq)
            batch = cutters[frontend].up_to(last_seq)
            if batch is not None:
                self.seen(batch.count)
                yield batch


class _Cutter:
    """One journal, cut into batches."""

    def __init__(self, frontend: str, reader: Reader, end_seq: int) -> None:
        self._frontend = frontend
        self._reader = reader
        self._end_seq = end_seq
        self._ahead: list[Group] = []  # the next one last
        self._next_seq = 1

    def up_to(self, last_seq: int) -> ShareBatch | None:
        """The next records up to with last_seq; None if they were given already."""
        first_seq, payloads = self._next_seq, []
        while self._next_seq <= last_seq:
            group = self._next_group()
            if group.last_seq > last_seq:
                group, rest = _split(group, last_seq)
                self._ahead.append(rest)
            payloads.append(group.payload)
            self._next_seq = group.last_seq + 1
        count = self._next_seq - first_seq
        return ShareBatch(self._frontend, first_seq, count, b"".join(payloads)) if count else None

    def _next_group(self) -> Group:
        if not self._ahead:
            try:
                self._ahead = self._reader.read(self._end_seq, bytes_max=_AHEAD_BYTES)[::-1]
            except JournalDamaged as error:
                raise RebuildImpossible(f"the journal {self._frontend} cannot be read to its end: {error}") from error
        return self._ahead.pop()


def _split(group: Group, last_seq: int) -> tuple[Group, Group]:
    """A group as two, the first one with record last_seq at its end."""
    records = _raw_records.decode(_ARRAY_32 + group.count.to_bytes(4, "big") + group.payload)
    first = records[: last_seq + 1 - group.first_seq]
    rest = records[len(first) :]
    return (
        Group(group.first_seq, len(first), b"".join(map(bytes, first))),
        Group(last_seq + 1, len(rest), b"".join(map(bytes, rest))),
    )
