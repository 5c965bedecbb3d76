"""A process that commits shares as fast as it can and says which are acknowledged, until it is killed.

With the word `upkeep` it also compresses and removes segments all the time.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any

from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from pool.journal.journal import Durability, Journal
from pool.journal.packing import Packing
from pool.journal.retention import Retention
from tests.pool.journal.samples import share

# Several commits are on their way at once, as in a stratum role with many sessions.
WRITERS = 3
GROUP = 5
SEGMENT_BYTES_MAX = 50_000
# What retention leaves: some segments.
KEPT = 3_000


async def write(journal: Journal) -> None:
    """Commit groups; each share is known by its number, and each line names the last one that is acknowledged."""
    while True:
        for _ in range(GROUP):
            journal.append(share(journal.next_seq))
        last_seq = journal.next_seq - 1
        on_disk = journal.commit()
        if on_disk is not None:
            await on_disk
        sys.stdout.write(f"{last_seq}\n")
        sys.stdout.flush()
        await turn()


def turn() -> Deferred[None]:
    """The next turn of the reactor."""
    reactor: Any = installed
    done: Deferred[None] = Deferred()
    reactor.callLater(0, done.callback, None)
    return done


def keep_small(journal: Journal) -> None:
    """As `pool.journal.upkeep`, without its patience."""
    names = threading.Lock()
    packing = Packing(journal.folder, lambda: journal.durable_seq, names)
    retention = Retention(
        journal.folder,
        keep_days=1,
        names=names,
        durable_seq=lambda: journal.durable_seq,
        folded_seq=lambda: journal.durable_seq,
        committed_seq=lambda: journal.durable_seq - KEPT,
        now_s=lambda: time.time() + 1e6,
    )
    for turn in range(1_000_000):
        packing.step()
        if turn % 50 == 0:
            retention.step()
        time.sleep(0.002)


def main() -> None:
    reactor: Any = installed
    journal = Journal(
        Path(sys.argv[1]),
        Durability(sys.argv[2]),
        run=deferToThread,
        later=reactor.callLater,
        segment_bytes_max=SEGMENT_BYTES_MAX,
    )
    if "upkeep" in sys.argv[3:]:
        threading.Thread(target=keep_small, args=(journal,), daemon=True).start()
    for _ in range(WRITERS):
        Deferred.fromCoroutine(write(journal))
    reactor.run()


if __name__ == "__main__":
    main()
