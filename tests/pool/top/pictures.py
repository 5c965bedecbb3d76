"""A pool to look at, from the fakes of the dashboard."""

from __future__ import annotations

from dataclasses import dataclass, field

from pool.dashboard.moves import MoveDetail
from pool.dashboard.overview import About
from pool.dashboard.ports import SourceUnavailable
from pool.dashboard.rows import LiveView
from pool.fleet.move import Place
from pool.fleet.racks import RACK_RULE
from pool.fleet.report import MoveReport
from pool.ports import StoreUnavailable
from pool.top.frame import frame
from pool.top.lines import text_of
from pool.top.seen import Look, Maintenance, Seen, Sources
from pool.top.view import View
from tests.pool.dashboard.fakes import NOW_MS, FakeBooks, FakeClock, FakeFleets, FakeLive, books, farm, live_view
from tests.pool.dashboard.running import here
from tests.pool.dashboard.test_live import Sign

AWAY = "Redis at /run/redis.sock cannot be reached: start it"


@dataclass
class FakeSigns:
    signs: list[Sign] = field(default_factory=list)
    silence: Maintenance | None = None
    is_away: bool = False

    def read_roles(self) -> list[Sign]:
        if self.is_away:
            raise StoreUnavailable(AWAY)
        return self.signs

    def silenced(self) -> Maintenance | None:
        return self.silence


@dataclass
class FakeMoves:
    known: tuple[MoveReport, ...] = ()
    reason: str | None = None

    async def every(self) -> tuple[MoveReport, ...]:
        if self.reason is not None:
            raise SourceUnavailable(self.reason)
        return self.known

    async def move(self, _name: str) -> MoveDetail | None:
        return None


def move(name: str, state: str, arrived: int, late: int = 0) -> MoveReport:
    """A move of 320 machines."""
    return MoveReport(
        name=name,
        state=state,
        account="bit",
        pattern="*",
        origin=Place("sichuan", "cn", "cn.pool.test", 3333),
        target=Place("texas", "us", "us.pool.test", 3333),
        words="",
        planned_ms=0,
        started_ms=0,
        start_ms=None,
        deadline_ms=0,
        planned_on_ms=0,
        late_ms=0,
        machines=320,
        counts={"arrived": arrived, "gone": 7, "straggler": 0},
        late=late,
        twice=(),
        racks=(),
        events=(),
    )


@dataclass
class Pool:
    """Sources that can be taken away."""

    live: FakeLive = field(default_factory=lambda: FakeLive(live_view(farm(60))))
    books: FakeBooks = field(default_factory=books)
    fleets: FakeFleets = field(default_factory=FakeFleets)
    moves: FakeMoves = field(default_factory=FakeMoves)
    signs: FakeSigns = field(default_factory=FakeSigns)

    def look(self) -> Seen:
        sources = Sources(self.live, self.books, self.fleets, self.moves, self.signs, here)
        return Look(sources, FakeClock(), About("Steppe", "0.1.0", "main", 3333), RACK_RULE)()

    def lose_redis(self) -> None:
        self.live.reason, self.signs.is_away = AWAY, True

    def lose_database(self) -> None:
        self.books.reason = self.moves.reason = self.fleets.reason = "The database cannot be reached: start it."


def pool_of(view: LiveView) -> Pool:
    return Pool(live=FakeLive(view))


def drawn(seen: Seen, view: View | None = None, width: int = 80, height: int = 24, later_ms: int = 0) -> list[str]:
    """The lines of a frame, as text."""
    lines, _ = frame(seen, view or View(), NOW_MS + later_ms, width, height)
    return [text_of(line) for line in lines]
