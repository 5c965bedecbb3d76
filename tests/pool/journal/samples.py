"""Records, and stand-ins for the thread and the timer that a journal is given."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.python.failure import Failure

from pool.journal.format import Group
from pool.journal.journal import SEGMENT_BYTES_MAX, Durability, Journal
from pool.journal.reader import groups
from pool.journal.records import decode
from pool.ports import Record
from pool.stats.tally import Tallies
from pool.work.job import Job
from pool.work.share import Outcome, Share

NBITS = 0x207FFFFF


def share(nonce: int, *, time_ms: int = 1_700_000_000_000, account: str = "aisulu", worker: str = "rack-17") -> Share:
    """An accepted share that is known by its nonce."""
    return Share(
        time_ms=time_ms,
        outcome=Outcome.ACCEPTED,
        job_id="18bcfe56800",
        account=account,
        worker=worker,
        extranonce1=bytes.fromhex("01000001"),
        extranonce2=bytes.fromhex("0000000000000007"),
        version=0x20000000,
        ntime=1_700_000_000,
        nonce=nonce,
        difficulty=1024.0,
        nbits=NBITS,
        height=101,
    )


def fold(tallies: Tallies, records: Iterable[Record]) -> None:
    """Have records counted, as they are in a journal."""
    payloads = [msgspec.msgpack.encode(record) for record in records]
    tallies.fold(b"".join(payloads), len(payloads))


JOB = Job(
    job_id="18bcfe56800",
    time_ms=1_700_000_000_000,
    height=101,
    version=0x20000000,
    prev_hash=bytes(32),
    coinb1=b"\x01" * 60,
    coinb2=b"\x02" * 90,
    branch=(b"\x03" * 32, b"\x04" * 32),
    nbits=NBITS,
    ntime=1_700_000_000,
    ntime_min=1_699_999_000,
    ntime_max=1_700_007_200,
    subsidy_sat=5_000_000_000,
    fees_sat=12_345,
    clean=True,
)


class Inline:
    """Runs a blocking call at once. `fails`: errors that the next calls end with instead of running."""

    def __init__(self) -> None:
        self.fails: list[Exception] = []

    def __call__(self, call: Callable[[], None]) -> Deferred[None]:
        if self.fails:
            return fail(self.fails.pop(0))
        return maybeDeferred(call)


class Held:
    """Keeps each blocking call until it is told to let it run."""

    def __init__(self) -> None:
        self.calls: list[tuple[Callable[[], None], Deferred[None]]] = []

    def __call__(self, call: Callable[[], None]) -> Deferred[None]:
        done: Deferred[None] = Deferred()
        self.calls.append((call, done))
        return done

    def release(self) -> None:
        """The oldest call runs and ends."""
        call, done = self.calls.pop(0)
        maybeDeferred(call).chainDeferred(done)

    def break_down(self, error: OSError) -> None:
        """The oldest call ends with an error."""
        _, done = self.calls.pop(0)
        done.errback(error)


class Bench:
    """A journal in a folder, with its thread and its clock at hand."""

    def __init__(
        self,
        folder: Path,
        durability: Durability = Durability.RELAXED,
        *,
        held: bool = False,
        segment_bytes_max: int = SEGMENT_BYTES_MAX,
    ) -> None:
        self.folder = folder
        self.inline, self.held, self.clock = Inline(), Held(), Clock()
        self.has_room = True
        self.journal = Journal(
            folder,
            durability,
            run=self.held if held else self.inline,
            later=self.clock.callLater,
            segment_bytes_max=segment_bytes_max,
            has_room=lambda _: self.has_room,
        )

    def append(self, *nonces: int) -> list[int]:
        return [self.journal.append(share(nonce)) for nonce in nonces]

    def start_commit(self) -> Deferred[None]:
        try:
            on_disk = self.journal.commit()
        except OSError as error:
            return fail(error)
        return succeed(None) if on_disk is None else on_disk

    def commit(self, *nonces: int) -> None:
        """Append shares and commit them; raises what the commit raises, now."""
        self.append(*nonces)
        result_of(self.start_commit())

    def start_close(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self.journal.close())

    def close(self) -> None:
        result_of(self.start_close())

    def abandon(self) -> None:
        """The process is gone: its files and its lock are closed, whatever was under way."""
        for name in os.listdir("/proc/self/fd"):
            with contextlib.suppress(FileNotFoundError):
                if os.readlink(f"/proc/self/fd/{name}").removesuffix(" (deleted)").startswith(f"{self.folder}/"):
                    os.close(int(name))

    def lose_file(self) -> None:
        """From now on the file that is appended to can neither be written nor cut."""
        last = sorted(self.folder.glob("*.seg"))[-1]
        nothing = os.open("/dev/null", os.O_RDONLY)
        for name in os.listdir("/proc/self/fd"):
            with contextlib.suppress(FileNotFoundError):
                if os.readlink(f"/proc/self/fd/{name}") == str(last):
                    os.dup2(nothing, int(name), inheritable=False)
        os.close(nothing)


def result_of(done: Deferred[None]) -> None:
    """The end of something that must have ended; raises what it ended with."""
    ends: list[Failure | None] = []
    done.addBoth(ends.append)
    assert ends, "it has not ended"
    if ends[0] is not None:
        ends[0].raiseException()


def records_of(found: list[Group]) -> list[Record]:
    return [record for group in found for record in decode(group.count, group.payload)]


def size_of_last(folder: Path) -> int:
    """The bytes of a journal's last segment."""
    return sorted(folder.glob("*.seg"))[-1].stat().st_size


def nonces_in(folder: Path) -> list[int]:
    """The nonces of all shares in a journal, in order; it must be whole and without gaps."""
    found = list(groups(folder))
    seq = 1
    for group in found:
        assert group.first_seq == seq
        seq = group.last_seq + 1
    return [record.nonce for record in records_of(found) if isinstance(record, Share)]


@contextlib.contextmanager
def logged() -> Iterator[list[str]]:
    """The names of the events that are logged within, once it has ended."""
    names: list[str] = []
    with capturedLogs() as captured:
        yield names
    names += [event["event"] for event in captured]
