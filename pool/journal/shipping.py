"""The way of the journal's records into the stream that accounting reads.

The files are the buffer: nothing waits in memory, so Redis and accounting may be away for as long as the disk lasts.
The place to go on from is asked of Redis before each batch, and a batch goes in only if that place is still the same:

    shipped    the last record in the stream; set in the same transaction as the batch, deleted by accounting to have
               records sent again, gone when Redis forgot everything (and the stream with it)
    committed  the last record in the ledger; published by accounting

With `shipped` the next record is the one behind it, without it the one behind `committed`, without that the first. So a
crash anywhere, here or there, leads to records sent again, which accounting knows by their numbers, never to a gap.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from pool import disk_events, failpoints
from pool.journal import events
from pool.journal.reader import Reader, RecordsGone
from pool.ports import ShareBatch, StreamPlace

# A batch: as much as was written in this time, but not more than that many bytes or records.
BATCH_SECONDS = 0.2
BATCH_BYTES_MAX = 256 * 1024
BATCH_RECORDS_MAX = 1_000

# Above this many batches in the stream accounting is behind, and they wait in the files instead: at most 256 MiB of
# Redis' memory, and about a minute of accounting's time.
STREAM_ENTRIES_MAX = 1_000
_STREAM_FULL_SECONDS = 1.0
_AHEAD_SECONDS = 5.0

# While records are wanted that were removed: accounting may just not have said how far the ledger is.
_GONE_SECONDS = 5.0
_GONE_TRIES = 12


class ShareStream(Protocol):
    """The stream between the journals and accounting. Every method raises StoreUnavailable."""

    def place(self, frontend: str) -> StreamPlace:
        """How far a journal has come."""

    def ship(self, batch: ShareBatch, shipped: int | None) -> bool:
        """Put a batch into the stream and note its last record as shipped, both or neither.

        Neither, and False, if another record than `shipped` was noted meanwhile. If it raises, either may be the case.
        """


class Shipping:
    """Ships what is durable in one journal; `step` is to be called again and again (see `pool.journal.loop`).

    durable_seq: of the journal; called from the thread of the steps.
    """

    def __init__(self, folder: Path, frontend: str, durable_seq: Callable[[], int], stream: ShareStream) -> None:
        self._frontend = frontend
        self._durable_seq = durable_seq
        self._stream = stream
        self._reader = Reader(folder)
        self._next_seq: int | None = None  # for the log: where the next batch should begin
        self._full = False
        self._ahead = False
        self._gone = 0

    def step(self) -> float:
        """Ship one batch, if there is one; returns the seconds until the next is due.

        Raises StoreUnavailable, JournalDamaged, OSError; the next step goes on where it must.
        """
        durable_seq = self._durable_seq()
        place = self._stream.place(self._frontend)
        if max(place.shipped or 0, place.committed or 0) > durable_seq:
            return self._wait_for_a_person(place, durable_seq)
        if place.entries >= STREAM_ENTRIES_MAX:
            return self._wait_for_accounting(place.entries)
        if self._full:
            self._full = False
            events.share_stream_drained(self._frontend)
        try:
            return self._ship_from(place, durable_seq)
        except RecordsGone as gone:
            return self._wait_for_records(gone)

    def _ship_from(self, place: StreamPlace, durable_seq: int) -> float:
        next_seq = max(place.committed or 0, place.shipped or 0) + 1
        if self._next_seq is not None and next_seq < self._next_seq:
            events.shares_resent(self._frontend, next_seq, self._next_seq - 1)
        if self._reader.next_seq != next_seq:
            self._reader.seek(next_seq)
        self._next_seq = next_seq
        groups = self._reader.read(durable_seq, bytes_max=BATCH_BYTES_MAX, records_max=BATCH_RECORDS_MAX)
        self._gone = 0
        if not groups:
            return BATCH_SECONDS
        batch = ShareBatch(
            frontend=self._frontend,
            first_seq=groups[0].first_seq,
            count=sum(group.count for group in groups),
            payload=b"".join(group.payload for group in groups),
        )
        failpoints.hit("shares-read")
        if not self._stream.ship(batch, place.shipped):
            return 0.0
        failpoints.hit("shares-shipped")
        self._next_seq = batch.last_seq + 1
        return BATCH_SECONDS if batch.last_seq >= durable_seq else 0.0

    def _wait_for_accounting(self, entries: int) -> float:
        if not self._full:
            self._full = True
            events.share_stream_full(self._frontend, entries)
        return _STREAM_FULL_SECONDS

    def _wait_for_a_person(self, place: StreamPlace, durable_seq: int) -> float:
        """The ledger has records that the journal lost; the next ones have their numbers and would pass for them."""
        if not self._ahead:
            self._ahead = True
            events.journal_behind_ledger(self._frontend, durable_seq, place.shipped, place.committed)
        return _AHEAD_SECONDS

    def _wait_for_records(self, gone: RecordsGone) -> float:
        """The ledger lacks records that were removed because a ledger had them."""
        self._gone += 1
        if self._gone == _GONE_TRIES:
            disk_events.journal_records_gone(self._frontend, str(gone))
        return _GONE_SECONDS
