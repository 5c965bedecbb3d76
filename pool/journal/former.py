"""Journals that no process appends to any more, and that may have records which the ledger lacks: those of a backup,
of a range that is not used any more, of a disk that was thought lost. Any folder below `journal` that is none of the
configured ranges is one; the first stratum process ships what is missing of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path

from pool import disk_events, events
from pool.journal import folder as journal_folder
from pool.journal.recovery import recover
from pool.journal.segments import JournalBusy, JournalDamaged
from pool.journal.shipper import Shipper, Store


def former_name(range_name: str, frontend: str) -> str:
    """The folder of a journal that was the one of a range."""
    return f"{range_name}-{frontend[:8]}"


class FormerJournal:
    """One of them, ours alone while it is open. Raises JournalBusy, JournalDamaged, OSError.

    durable_seq: its last record.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = journal_folder.lock(folder)
        try:
            self.frontend = journal_folder.frontend_of(folder)
            self.durable_seq = recover(folder, self.frontend).next_seq - 1
        except BaseException:
            os.close(self._lock)
            raise

    def close(self) -> None:
        os.close(self._lock)


class FormerJournals:
    """All of them below a folder. ranges: the names of the journals that have a process. store: makes a connection."""

    def __init__(self, root: Path, ranges: Collection[str], store: Callable[[], Store]) -> None:
        self._root = root
        self._ranges = ranges
        self._store = store
        self._open: list[tuple[FormerJournal, Shipper]] = []

    def start(self) -> None:
        """Open and ship them. One that cannot be opened is told of, and left as it is. Blocks."""
        for marker in sorted(self._root.glob("*/frontend")):
            folder = marker.parent
            if folder.name in self._ranges or folder.name.startswith("."):
                continue
            try:
                journal = FormerJournal(folder)
            except (JournalBusy, JournalDamaged, OSError) as error:
                events.journal_unreadable("former", str(error))
                continue
            disk_events.former_journal_found(journal.frontend, folder, journal.durable_seq)
            shipper = Shipper(journal, self._store())
            self._open.append((journal, shipper))
            shipper.start()

    def stop(self) -> None:
        """Leave them. Blocks."""
        for journal, shipper in self._open:
            shipper.stop()
            journal.close()
        self._open.clear()
