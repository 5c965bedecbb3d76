"""Journals that no process appends to any more, and that may have records which the ledger lacks: those of a backup,
of a range that is not used any more, of a disk that was thought lost. Any folder below `journal` that is none of the
configured ranges is one; the first stratum process ships what is missing of it, and keeps it small like its own.

What retention leaves is the folder with its id, the statistics, and an empty segment. The totals of these shares stand
nowhere else; a range that is used again goes on with its numbers; and whoever asks for a record is told that it was
removed, not that there never was such a journal.
"""

from __future__ import annotations

import errno
import os
import threading
from collections import Counter
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from pool import disk_events
from pool.failpoints import hit
from pool.journal import events
from pool.journal import folder as journal_folder
from pool.journal.format import Header
from pool.journal.found import FoundBlocks
from pool.journal.records import RecordsUnreadable
from pool.journal.recovery import recover
from pool.journal.segments import JournalBusy, JournalDamaged, create
from pool.journal.shipper import Shipper, Store
from pool.journal.upkeep import Upkeep


def former_name(range_name: str, frontend: str) -> str:
    """The folder of a journal that was the one of a range."""
    return f"{range_name}-{frontend[:8]}"


class FormerJournal:
    """One of them, ours alone while it is open. Raises JournalBusy, JournalDamaged, OSError.

    durable_seq: its last record.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._closing = threading.Lock()
        lock = journal_folder.lock(folder)
        try:
            self.frontend = journal_folder.frontend_of(folder)
            tail = recover(folder, self.frontend)
        except BaseException:
            os.close(lock)
            raise
        self._lock: int | None = lock
        self._ordinal = tail.ordinal
        self.durable_seq = tail.next_seq - 1

    def end(self) -> None:
        """Put an empty segment on the disk, behind the last record. Raises OSError.

        Never once the journal is closed: whoever appends to it by then would lose what stands behind that place.
        """
        with self._closing:
            if self._lock is None:
                raise OSError(errno.EBADF, "the journal is closed")
            header = Header(self._ordinal + 1, self.durable_seq + 1, self.frontend)
            create(self.folder, header, sync=True).close()
            self._ordinal += 1
        hit("journal-ended")

    def close(self) -> None:
        """Give the folder back."""
        with self._closing:
            if self._lock is not None:
                os.close(self._lock)
            self._lock = None


class FormerJournals:
    """All of them below a folder.

    ranges: the names of the journals that have a process. found: the folder of `FoundBlocks`. store: makes a
    connection. keep_days: as in `Upkeep`. committed_seq: as in `Retention`, of the journal with that id.
    """

    def __init__(
        self,
        root: Path,
        ranges: Collection[str],
        found: Path,
        store: Callable[[], Store],
        keep_days: int,
        *,
        committed_seq: Callable[[str], int],
    ) -> None:
        self._root = root
        self._ranges = ranges
        self._found = found
        self._store = store
        self._keep_days = keep_days
        self._committed_seq = committed_seq
        self._open: list[tuple[FormerJournal, Shipper, Upkeep]] = []

    def start(self) -> None:
        """Open them, ship them and keep them small. One that cannot be opened is told of, and left as it is. Blocks."""
        journals, ids = self._journals(), self._ids()
        for journal in journals:
            disk_events.former_journal_found(journal.frontend, journal.folder, journal.durable_seq)
            reason = self._why_kept(journal, ids) if self._keep_days else None
            if reason is not None:
                disk_events.journal_not_removed(journal.folder, reason)
            shipper = Shipper(journal, self._store())
            upkeep = Upkeep(
                journal,
                0 if reason else self._keep_days,
                folded_seq=partial(_folded_seq, shipper),
                committed_seq=partial(self._committed_seq, journal.frontend),
                end=journal.end,
                among=len(journals),
            )
            self._open.append((journal, shipper, upkeep))
            shipper.start()
            upkeep.start()

    def stop(self) -> None:
        """Leave them. Blocks."""
        for journal, shipper, upkeep in self._open:
            upkeep.stop()
            shipper.stop()
            journal.close()
        self._open.clear()

    def _journals(self) -> list[FormerJournal]:
        found = []
        for marker in sorted(self._root.glob("*/frontend")):
            if marker.parent.name in self._ranges or marker.parent.name.startswith("."):
                continue
            try:
                found.append(FormerJournal(marker.parent))
            except (JournalBusy, JournalDamaged, OSError) as error:
                events.journal_unreadable("former", str(error))
        return found

    def _ids(self) -> Counter[str]:
        """How many folders have a journal of which id."""
        found: Counter[str] = Counter()
        for marker in self._root.glob("*/frontend"):
            try:
                found[journal_folder.frontend_of(marker.parent)] += 1
            except (JournalDamaged, OSError):
                continue  # told of by who opens it
        return found

    def _why_kept(self, journal: FormerJournal, ids: Counter[str]) -> str | None:
        """Why nothing of it may go, whatever the ledger says; None if there is no reason."""
        if ids[journal.frontend] > 1:
            # By its numbers the ledger may have the records of the other one, and these are others.
            return f"{journal.frontend} is in more than one folder"
        path = self._found / journal.folder.name
        if not path.exists():
            return None
        # The next process of the range looks into the journal whether it has these shares, and appends those it lacks.
        try:
            path.open("rb").close()
            noted = FoundBlocks(path, journal.folder, journal.frontend, lambda: journal.durable_seq)
            try:
                left = noted.missing()
            finally:
                noted.close()
        except (JournalDamaged, RecordsUnreadable, OSError) as error:
            return str(error)
        return f"{path} has the share of a block that it lacks: use that range for a moment" if left else None


def _folded_seq(shipper: Shipper) -> int:
    return shipper.folded_seq
