"""Whatever the disk does and in whatever order: what was acknowledged is there once; pool/journal/journal.py."""

from __future__ import annotations

import errno
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pool.journal.journal import Durability
from pool.journal.reader import Reader
from tests.pool.journal.samples import Bench, nonces_in, records_of

EIO = OSError(errno.EIO, "Input/output error")
ACTIONS = ["append", "append", "commit", "commit", "time", "release", "release", "fail", "lose", "reopen"]


class Oracle:
    """A journal under faults, and what it promised."""

    def __init__(self, folder: Path, durability: Durability) -> None:
        self.folder = folder
        self.durability = durability
        self.bench = self.opened()
        self.next_nonce = 0
        self.open: list[int] = []
        self.acknowledged: list[int] = []
        self.refused: list[int] = []
        self.followed: list[int] = []
        self.reader = Reader(folder)

    def opened(self) -> Bench:
        return Bench(self.folder, self.durability, held=True, segment_bytes_max=400)

    def append(self) -> None:
        self.bench.append(self.next_nonce)
        self.open.append(self.next_nonce)
        self.next_nonce += 1

    def commit(self) -> None:
        nonces, self.open = self.open, []
        self.bench.start_commit().addCallbacks(
            lambda _: self.acknowledged.extend(nonces), lambda failure: self.refuse(nonces, failure.value)
        )

    def refuse(self, nonces: list[int], error: BaseException) -> None:
        assert isinstance(error, OSError)
        self.refused += nonces

    def time(self) -> None:
        self.bench.clock.advance(1.5)

    def release(self) -> None:
        if self.bench.held.calls:
            self.bench.held.release()

    def fail(self) -> None:
        if self.bench.held.calls:
            self.bench.held.break_down(EIO)

    def lose(self) -> None:
        """The file that is appended to cannot be written or cut any more, once all before it is on disk or refused."""
        if not self.bench.held.calls:
            self.bench.lose_file()

    def settle(self) -> None:
        """The disk works again and everything comes to its end."""
        for _ in range(20):
            self.time()
            while self.bench.held.calls:
                self.bench.held.release()

    def reopen(self) -> None:
        """The process is killed and started again; what hung in the air was never answered."""
        self.bench.abandon()
        self.open = []
        self.bench = self.opened()

    def follow(self) -> None:
        """A shipper reads what it may."""
        found = self.reader.read(self.bench.journal.durable_seq)
        self.followed += [record.nonce for record in records_of(found)]  # type: ignore[union-attr]


@pytest.mark.parametrize("durability", Durability)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_what_was_acknowledged_is_there_once_and_in_order(durability: Durability, data: st.DataObject) -> None:
    with TemporaryDirectory() as name:
        oracle = Oracle(Path(name) / "journal", durability)
        for _ in range(data.draw(st.integers(1, 40))):
            getattr(oracle, data.draw(st.sampled_from(ACTIONS)))()
            oracle.follow()
        oracle.settle()
        oracle.commit()
        oracle.settle()
        oracle.follow()

        found = nonces_in(oracle.folder)
        assert found == sorted(set(found))
        assert set(oracle.acknowledged) <= set(found)
        assert oracle.followed == found
        oracle.bench.abandon()
