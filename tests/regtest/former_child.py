"""A process that compresses and removes a journal that nobody appends to, until it is done or killed."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

from pool.journal.former import FormerJournal
from pool.journal.packing import Packing
from pool.journal.retention import Retention


def main() -> None:
    """As `pool.journal.upkeep`, in turn: all is compressed, then all is removed."""
    journal = FormerJournal(Path(sys.argv[1]))
    names = threading.Lock()
    packing = Packing(journal.folder, lambda: journal.durable_seq, names, lambda: 0.0)
    retention = Retention(
        journal.folder,
        keep_days=1,
        names=names,
        durable_seq=lambda: journal.durable_seq,
        folded_seq=lambda: journal.durable_seq,
        committed_seq=lambda: journal.durable_seq,
        end=journal.end,
        now_s=lambda: time.time() + 1e6,
    )
    while packing.step() == 0.0:
        pass
    retention.step()
    journal.close()


if __name__ == "__main__":
    main()
