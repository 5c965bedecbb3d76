"""The way of the journal's records into the statistics: folded here, published each second."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Struct

from pool.journal import events
from pool.journal.format import Group
from pool.journal.reader import OLDEST, Reader, RecordsGone
from pool.stats.tally import Snapshot, State, Tallies

PUBLISH_SECONDS = 1.0
# Ten thousand busy workers take some 60 ms to publish, in which shares wait for the interpreter: the more there are,
# the less often, so that it never takes more than this part of a core.
_PUBLISH_PART_MAX = 0.02

_READ_SECONDS = 0.2

# How much is folded at a time: a millisecond or two, in which the reactor of the same process waits.
_RECORDS_AT_ONCE = 1_000

# What a restart must fold again is at most this much; the file is a cache, its loss costs a fold of the whole journal.
_SAVE_SECONDS = 60.0
_FILE = "statistics.json"
# Changes when the fold does: then the whole journal is folded anew.
_FILE_VERSION = 3


class TallyBoard(Protocol):
    """Where tallies are published. Every method raises StoreUnavailable."""

    def publish_tallies(self, frontend: str, snapshot: Snapshot, seq: int, *, previous: int | None) -> bool:
        """Publish the tallies of a journal as of its record `seq`.

        With previous None they take the place of whatever was there. Else they are those that changed since `previous`:
        nothing is published, and False returned, if what is there does not stand at that record.
        """


class Kept(Struct, frozen=True):
    """The fold of a journal up to record `seq`, as it is kept in a file."""

    version: int
    frontend: str
    seq: int
    state: State


class Statistics:
    """Folds what is durable in one journal; `step` is to be called again and again (see `pool.journal.loop`).

    durable_seq: of the journal; called from the thread of the steps.
    """

    def __init__(
        self,
        folder: Path,
        frontend: str,
        durable_seq: Callable[[], int],
        board: TallyBoard,
        monotonic: Callable[[], float],
    ) -> None:
        self._path = folder / _FILE
        self._frontend = frontend
        self._durable_seq = durable_seq
        self._board = board
        self._monotonic = monotonic
        self._seq, self._tallies = self._load(durable_seq()) or (0, Tallies())
        # What a restart goes on from: records up to here are not needed again.
        self.kept_seq = self._seq
        self._reader = Reader(folder, self._seq + 1 if self._seq else OLDEST)
        self._published: int | None = None
        self._publish_at = monotonic()
        self._save_at = monotonic() + _SAVE_SECONDS

    def step(self) -> float:
        """Fold some records; publish and keep when it is time. Returns the seconds until the next step is due.

        Raises StoreUnavailable, JournalDamaged, OSError; nothing is counted twice or left out by it.
        """
        durable_seq = self._durable_seq()
        try:
            found = self._reader.read(durable_seq, records_max=_RECORDS_AT_ONCE)
        except RecordsGone as gone:
            # The file was put back from long ago. It is still the best account of what is in no record any more.
            events.statistics_incomplete(self._frontend, gone.wanted_seq, gone.first_seq - 1)
            self._reader.seek(gone.first_seq)
            return 0.0
        for group in found:
            self._fold(group)
        now = self._monotonic()
        if now >= self._publish_at:
            self._publish_at = now + PUBLISH_SECONDS
            self._publish()
            took_seconds = self._monotonic() - now
            self._publish_at = now + max(PUBLISH_SECONDS, took_seconds / _PUBLISH_PART_MAX)
        if now >= self._save_at:
            self._save_at = now + _SAVE_SECONDS
            self.keep()
        return 0.0 if found and self._seq < durable_seq else _READ_SECONDS

    def keep(self) -> None:
        """Write the fold to its file, so that the next start goes on from here."""
        try:
            keep(self._path, self._frontend, self._seq, self._tallies)
        except OSError as error:
            events.statistics_not_kept(self._frontend, str(error))
        else:
            self.kept_seq = self._seq

    def _fold(self, group: Group) -> None:
        self._tallies.fold(group.payload, group.count)
        self._seq = group.last_seq

    def _publish(self) -> None:
        """What changed, if the rest is still there, else everything."""
        previous, self._published = self._published, None  # unknown until it is known that it worked
        changes = self._tallies.changes()
        if previous is None or not self._board.publish_tallies(self._frontend, changes, self._seq, previous=previous):
            self._board.publish_tallies(self._frontend, self._tallies.snapshot(), self._seq, previous=None)
        self._published = self._seq

    def _load(self, durable_seq: int) -> tuple[int, Tallies] | None:
        """What was kept, as of which record; None if there is nothing to go on from."""
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=Kept)
            tallies = Tallies(kept.state)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError, IndexError, OverflowError) as error:
            events.statistics_folded_anew(self._frontend, str(error))
            return None
        if (kept.version, kept.frontend) != (_FILE_VERSION, self._frontend) or kept.seq > durable_seq:
            events.statistics_folded_anew(self._frontend, "they are of another version or journal")
            return None
        return kept.seq, tallies


def keep(path: Path, frontend: str, seq: int, tallies: Tallies) -> None:
    """Put a fold up to record `seq` on the disk, whole or not at all. Raises OSError."""
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        file.write(msgspec.json.encode(Kept(_FILE_VERSION, frontend, seq, tallies.state())))
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
