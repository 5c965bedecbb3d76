"""The share journal of one stratum process: where a share is safe before its miner gets `true`."""

from __future__ import annotations

import enum
import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pool import events
from pool.failpoints import hit
from pool.journal import events as journal_events
from pool.journal import folder as journal_folder
from pool.journal.format import GROUP_BYTES_MAX, PAYLOAD_BYTES_MAX, Group, Header, encode_frame
from pool.journal.recovery import recover
from pool.journal.room import has_room, is_full
from pool.journal.segments import SegmentFile, TailStuck, create, first_seq_of, reopen, segment_paths, sync_folder
from pool.ports import Record

# Retention and compression work on whole segments; at 2,000 shares a second one lasts about five minutes.
SEGMENT_BYTES_MAX = 64 * 1024 * 1024

# How much a power cut may take in mode `relaxed`: written to the kernel, on its way to the disk.
RELAXED_WINDOW_SECONDS = 0.2

# A disk that stops answering must not fill the memory: 100,000 shares or so.
UNSYNCED_BYTES_MAX = 16 * 1024 * 1024

_REPAIR_SECONDS = 1.0


class Durability(enum.Enum):
    """What `commit` waits for: the kernel (survives kill -9) or the disk (survives a power cut)."""

    RELAXED = "relaxed"
    FSYNC = "fsync"


class Cancellable(Protocol):
    """A call that is still to come."""

    def cancel(self) -> None: ...


class Journal:
    """Appends groups of records to segment files. Satisfies `pool.ports.ShareLog`.

    What holds:
    - When `commit` returns, its group survives kill -9 of this process, and in mode `fsync` a power cut. In mode
      `relaxed` a power cut may take the last `window_seconds` and the time of one sync.
    - `durable_seq` is the last record on disk. Only up to there may the journal be shipped and counted: the ledger must
      never know more than the disk, or numbers given out anew after a power cut would pass for ones already counted.
    - When `commit` raises, no record of its group may be acknowledged. The group is void: its bytes are cut off again,
      or the next segment begins with its number; later records get its numbers. So there is no gap, and nothing of
      it is ever shipped. Only if the process dies before it could void the group are its records in the journal after
      all: whole, once, and unacknowledged.
    - A failed sync is never tried again on the same file (the kernel may have dropped the pages: PostgreSQL's fsync
      lesson of 2018). A new segment begins at the first record that was not on disk. In mode `fsync` all groups from
      there on are refused; in mode `relaxed` they were acknowledged, so they are written again, from memory. Until
      this worked, every commit is refused.
    - After a full disk every commit is refused until `has_room` says that there is some again.

    folder: made if missing. run: runs a blocking call in a thread and gives a Deferred of its result (`deferToThread`).
    later: as `reactor.callLater`. Everything else happens in the thread of the reactor, but `durable_seq` may be read
    from any. Raises JournalBusy, JournalDamaged or OSError.
    """

    def __init__(
        self,
        folder: Path,
        durability: Durability,
        *,
        run: Callable[[Callable[[], None]], Deferred[None]],
        later: Callable[[float, Callable[[], None]], Cancellable],
        segment_bytes_max: int = SEGMENT_BYTES_MAX,
        window_seconds: float = RELAXED_WINDOW_SECONDS,
        has_room: Callable[[Path], bool] = has_room,
    ) -> None:
        self.folder = folder
        self._durability = durability
        self._run = run
        self._later = later
        self._segment_bytes_max = segment_bytes_max
        self._window_seconds = window_seconds
        self._has_room = has_room
        self._encoder = msgspec.msgpack.Encoder()

        journal_folder.make(folder)
        self._lock = journal_folder.lock(folder)
        try:
            self.frontend = journal_folder.frontend_of(folder)
            tail = recover(folder, self.frontend)
            self._ordinal = tail.ordinal
            self._written_seq = self.durable_seq = tail.next_seq - 1
            if tail.segment is not None:
                self._segment = reopen(tail.segment, tail.size)
            else:
                self._segment = self._create(tail.next_seq)
                sync_folder(folder)
        except BaseException:
            os.close(self._lock)
            raise

        # The open group: records that the next commit writes, and whole frames of those too many for one group.
        self._payload = bytearray()
        self._count = 0
        self._frames: list[bytes] = []
        self._next_seq = tail.next_seq

        # On their way to the disk: files that were full but not synced, and (mode `relaxed`) every frame again.
        self._full: list[SegmentFile] = []
        self._unsynced: list[bytes] = []
        self._unsynced_bytes = 0
        self._syncing = False
        self._timer: Cancellable | None = None
        self._waiting: list[tuple[int, Deferred[None]]] = []
        self._idle: list[Deferred[None]] = []

        self._refusal: OSError | None = None  # why the last commit was refused
        self._full_disk = False
        self._broken: OSError | None = None  # nothing can be written until a new segment is there
        self._voided: OSError | None = None  # the open group began with a number that is void since
        journal_events.journal_opened(self.frontend, folder, tail.next_seq)

    @property
    def refusal(self) -> str | None:
        """Why nothing is taken at this time; None while all is well."""
        reason = self._broken or self._refusal
        return None if reason is None else str(reason)

    @property
    def next_seq(self) -> int:
        """The number that the next record gets."""
        return self._next_seq

    def append(self, record: Record) -> int:
        """Take a record into the open group and return its number, which holds if its commit succeeds."""
        start = len(self._payload)
        try:
            self._encoder.encode_into(record, self._payload, start)
        except Exception:
            del self._payload[start:]  # half of it may be there
            raise
        if len(self._payload) > PAYLOAD_BYTES_MAX:
            del self._payload[start:]
            raise ValueError("a record is larger than any that is written")
        self._count += 1
        seq = self._next_seq
        self._next_seq += 1
        if len(self._payload) >= GROUP_BYTES_MAX:
            self._close_group()
        return seq

    def commit(self) -> Deferred[None] | None:
        """Write the open group. Returns what fires when the disk has it, for all that wait at that time together; in
        mode `relaxed` None, as the kernel has it, and nothing that a share would have to pay for."""
        if self._count:
            self._close_group()
        if not self._frames:
            return None
        data, last_seq = b"".join(self._frames), self._next_seq - 1
        self._frames.clear()
        try:
            self._write(data, last_seq)
        except OSError as error:
            self._next_seq = self._written_seq + 1
            self._voided = None
            self._full_disk = is_full(error)
            if self._refusal is None:
                journal_events.journal_refusing(self.folder, str(error))
            self._refusal = error
            raise
        hit("journal-written")
        if self._durability is Durability.FSYNC:
            on_disk: Deferred[None] = Deferred()
            self._waiting.append((last_seq, on_disk))
            self._start_sync()
            return on_disk.addCallback(lambda _: self._accept())
        self._start_timer()
        self._accept()
        return None

    async def close(self) -> None:
        """Put everything on disk and give the folder back; nothing may be appended any more."""
        while self._syncing or (self._broken is None and self.durable_seq < self._written_seq):
            self._start_sync()
            if self._syncing:
                idle: Deferred[None] = Deferred()
                self._idle.append(idle)
                await idle
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        # A late write would meet a closed descriptor, or another file that has its number by then. It would pass for a
        # broken disk and be repaired, in a folder that may be the next process's.
        self._broken = OSError(errno.EBADF, "the journal is closed")
        for file in (*self._full, self._segment):
            file.close()
        os.close(self._lock)

    def _accept(self) -> None:
        """A group is safe."""
        if self._refusal is not None:
            self._refusal, self._full_disk = None, False
            journal_events.journal_accepting(self.folder)

    def _close_group(self) -> None:
        group = Group(self._next_seq - self._count, self._count, bytes(self._payload))
        self._frames.append(encode_frame(group, self.durable_seq))
        self._payload.clear()
        self._count = 0

    def _write(self, data: bytes, last_seq: int) -> None:
        """Hand frames to the kernel in one write."""
        if refusal := self._broken or self._voided:
            raise OSError(refusal.errno, f"the journal waits for a new segment: {refusal}")
        if self._full_disk and not self._has_room(self.folder):
            raise OSError(errno.ENOSPC, "the disk has too little room to go on")
        if self._unsynced_bytes > UNSYNCED_BYTES_MAX:
            raise OSError(errno.EIO, "the disk does not keep up with the journal")
        if (
            self._segment.size + len(data) > self._segment_bytes_max
            and self._segment.header.first_seq <= self._written_seq
        ):
            fresh = self._create(self._written_seq + 1)
            self._full.append(self._segment)
            self._segment = fresh
            hit("journal-segment-changed")
        try:
            self._segment.append(data)
        except TailStuck as error:
            self._break(error)
            raise
        self._written_seq = last_seq
        if self._durability is Durability.RELAXED:
            self._unsynced.append(data)
            self._unsynced_bytes += len(data)

    def _create(self, first_seq: int) -> SegmentFile:
        file = create(self.folder, Header(self._ordinal + 1, first_seq, self.frontend))
        self._ordinal += 1
        return file

    def _start_timer(self) -> None:
        if self._timer is None and not self._syncing:
            self._timer = self._later(self._window_seconds, self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = None
        if self._broken is None:
            self._start_sync()

    def _start_sync(self) -> None:
        if self._syncing:
            return  # what was written since it began is synced next
        self._syncing = True
        full, self._full = self._full, []
        synced = partial(self._synced, self._written_seq, len(self._unsynced), full)
        done = self._run(partial(_sync, full, self._segment, self.folder))
        done.addCallbacks(synced, partial(self._sync_failed, full))
        done.addErrback(_log_bug)

    def _synced(self, last_seq: int, frames: int, full: list[SegmentFile], _: None) -> None:
        hit("journal-synced")
        self._syncing = False
        self.durable_seq = last_seq
        self._unsynced_bytes -= sum(len(frame) for frame in self._unsynced[:frames])
        del self._unsynced[:frames]
        for file in full:
            file.close()
        on_disk = [each for seq, each in self._waiting if seq <= last_seq]
        self._waiting = [(seq, each) for seq, each in self._waiting if seq > last_seq]
        if self._broken is not None:
            self._void(self._broken)
        elif self._waiting:
            self._start_sync()
        elif self._written_seq > last_seq:
            self._start_timer()
        for each in on_disk:  # last: they may append and commit at once
            each.callback(None)
        self._fire_idle()

    def _sync_failed(self, full: list[SegmentFile], failure: Failure) -> None:
        self._syncing = False
        self._full = full + self._full
        self._break(_os_error(failure))
        self._fire_idle()

    def _fire_idle(self) -> None:
        if not self._syncing:
            idle, self._idle = self._idle, []
            for each in idle:
                each.callback(None)

    def _break(self, error: OSError) -> None:
        """Nothing can be appended behind what is there."""
        self._full_disk = self._full_disk or is_full(error)
        if self._broken is None:
            self._broken = error
            journal_events.journal_broken(self.folder, self.durable_seq, str(error))
        if not self._syncing:  # else its end comes here: it may still put on disk what others wait for
            self._void(self._broken)

    def _void(self, error: OSError) -> None:
        """Refuse what waits for the disk, and begin a new segment with the first record that is not on it."""
        if self._durability is Durability.FSYNC:
            self._written_seq = self.durable_seq
            if self._count or self._frames:
                self._voided = error
            else:
                self._next_seq = self._written_seq + 1
        if self._timer is not None:  # of a sync that the new segment makes needless
            self._timer.cancel()
        waiting, self._waiting = self._waiting, []
        self._repair()
        for _, on_disk in waiting:  # last: they may append and commit at once
            on_disk.errback(OSError(error.errno, str(error)))

    def _repair(self) -> None:
        self._timer = None
        self._syncing = True
        made: list[SegmentFile] = []
        done = self._run(partial(self._replace_tail, b"".join(self._unsynced), made))
        done.addCallbacks(lambda _: self._repaired(made[0]), self._repair_failed)
        done.addErrback(_log_bug)

    def _replace_tail(self, frames: bytes, made: list[SegmentFile]) -> None:
        """In a thread; meanwhile every commit is refused, so that nothing else touches the files."""
        self._ordinal += 1
        header = Header(self._ordinal, self.durable_seq + 1, self.frontend)
        fresh = create(self.folder, header, frames, sync=True)
        try:
            for path in segment_paths(self.folder):
                if first_seq_of(path) > header.first_seq:
                    path.unlink()
            sync_folder(self.folder)
        except OSError:
            fresh.close()
            raise
        hit("journal-tail-replaced")
        made.append(fresh)

    def _repaired(self, fresh: SegmentFile) -> None:
        self._syncing = False
        for file in (*self._full, self._segment):
            file.close()
        self._full.clear()
        self._segment = fresh
        self.durable_seq = self._written_seq
        self._unsynced.clear()
        self._unsynced_bytes = 0
        self._broken = None
        journal_events.journal_repaired(self.folder, fresh.header.first_seq)
        self._fire_idle()

    def _repair_failed(self, failure: Failure) -> None:
        _os_error(failure)
        self._syncing = False
        self._timer = self._later(_REPAIR_SECONDS, self._repair)
        self._fire_idle()


def _os_error(failure: Failure) -> OSError:
    """What went wrong in the thread; anything but the disk is a bug, and no reason to trust the file either."""
    if isinstance(failure.value, OSError):
        return failure.value
    _log_bug(failure)
    return OSError(errno.EIO, failure.getErrorMessage())


def _log_bug(failure: Failure) -> None:
    events.bug("journal", failure.value or Exception(failure.getErrorMessage()))


def _sync(full: list[SegmentFile], current: SegmentFile, folder: Path) -> None:
    """Put the files on disk in their order; when one was full, the name of the next one is new."""
    for file in full:
        file.sync()
    current.sync()
    if full:
        sync_folder(folder)
