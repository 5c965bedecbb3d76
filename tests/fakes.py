"""Stand-ins at the ports (`pool.ports`), shared by all tests."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from pool.ports import Record
from pool.work.candidate import Candidate
from pool.work.job import Job
from pool.work.share import Share


class FakeClock:
    """Both clocks, moved by hand."""

    def __init__(self, time_ms: int = 1_700_000_000_000) -> None:
        self.now_ms = time_ms
        self.now = 0.0

    def time_ms(self) -> int:
        return self.now_ms

    def monotonic(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
        self.now_ms += int(seconds * 1000)


class FakeShareLog:
    """A journal in memory.

    groups: what each successful commit made durable. failure: raised by commits while it is set. hold: while set,
    commits wait until `release`.
    """

    frontend = "0123456789abcdef"

    def __init__(self) -> None:
        self.groups: list[list[Record]] = []
        self.open: list[Record] = []
        self.failure: Exception | None = None
        self.hold = False
        self._seq = 0
        self._held: list[Deferred[None]] = []

    @property
    def records(self) -> list[Record]:
        """Every durable record, in order."""
        return [record for group in self.groups for record in group]

    def append(self, record: Record) -> int:
        self.open.append(record)
        self._seq += 1
        return self._seq

    def commit(self) -> Deferred[None] | None:
        group, self.open = self.open, []
        if not self.hold:
            self._keep(group)
            return None
        held: Deferred[None] = Deferred()
        self._held.append(held)
        return held.addCallback(lambda _: self._keep(group))

    def _keep(self, group: list[Record]) -> None:
        if self.failure is not None:
            self._seq -= len(group)
            raise self.failure
        self.groups.append(group)

    def release(self) -> None:
        """Let the held commits go on."""
        self.hold = False
        held, self._held = self._held, []
        for commit in held:
            commit.callback(None)


class FakeFoundBlocks:
    """Keeps the shares of blocks until they are settled."""

    def __init__(self) -> None:
        self.open: dict[bytes, tuple[Share, Job]] = {}

    def note(self, share: Share, job: Job) -> None:
        assert share.block_hash is not None
        self.open.setdefault(share.block_hash, (share, job))

    def settle(self, block_hash: bytes) -> None:
        self.open.pop(block_hash, None)


class FakeCandidates:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.sent: list[Candidate] = []

    def send(self, candidate: Candidate) -> None:
        self.sent.append(candidate)
