"""The endpoints about planned moves, and about regions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from pool.dashboard.answers import Answer, Refusal, encoded
from pool.dashboard.api import Arguments
from pool.dashboard.cache import Cache
from pool.dashboard.ports import Live
from pool.dashboard.query import Parameters
from pool.dashboard.readings import reading, unavailable
from pool.dashboard.role_rows import StratumRole
from pool.fleet.report import Machine, MoveReport
from pool.fleet.travel import Status

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)


class MoveDetail(Struct, frozen=True):
    """A move and its machines, in the order of their turn."""

    move: MoveReport
    machines: tuple[Machine, ...]


class Moves(Protocol):
    """Where moves are kept. Every method raises SourceUnavailable."""

    async def every(self) -> tuple[MoveReport, ...]:
        """All, newest first."""

    async def move(self, name: str) -> MoveDetail | None:
        """One; None if there is none of that name."""


class NoMoves:
    """Satisfies Moves where none are kept."""

    async def every(self) -> tuple[MoveReport, ...]:
        return ()

    async def move(self, _name: str) -> MoveDetail | None:
        return None


class CachedMoves:
    """`Moves` behind the cache."""

    def __init__(self, moves: Moves, cache: Cache) -> None:
        self._moves = moves
        self._cache = cache

    async def every(self) -> tuple[MoveReport, ...]:
        return await self._cache.get("moves", self._moves.every)

    async def move(self, name: str) -> MoveDetail | None:
        return await self._cache.get(("move", name), lambda: self._moves.move(name))


class MovesAnswer(Struct, frozen=True):
    """All moves. unavailable: why they are not known."""

    rows: tuple[MoveReport, ...] | None
    unavailable: Mapping[str, str]


class RegionRow(Struct, frozen=True):
    """A region whose stratum processes give a sign of life. endpoint: as miners see it; empty if it does not say."""

    region: str
    endpoint: str
    processes: int
    sessions: int


class RegionsAnswer(Struct, frozen=True):
    """All regions."""

    rows: tuple[RegionRow, ...] | None
    unavailable: Mapping[str, str]


class MovesApi:
    """The answers of /api/v1/moves and /api/v1/regions."""

    def __init__(self, moves: Moves, live: Live) -> None:
        self._moves = moves
        self._live = live

    async def every(self, arguments: Arguments) -> Answer:
        """All moves, newest first."""
        Parameters(arguments, ())
        found = await reading(self._moves.every())
        return encoded(MovesAnswer(found.value, unavailable(database=found)))

    async def move(self, name: str, arguments: Arguments) -> Answer:
        """One move with its machines: all, or only those that wait for a person."""
        waiting = Parameters(arguments, ("machines",)).choice("machines", ("all", "waiting"), "all") == "waiting"
        found = await reading(self._moves.move(name)) if _NAME.fullmatch(name) else None
        if found is not None and found.reason is not None:
            message = f"This cannot be answered now. database: {found.reason}"
            raise Refusal(503, "unavailable", message, "Try again in a few seconds.")
        if found is None or found.value is None:
            raise Refusal(404, "unknown_move", "There is no such move.", "/api/v1/moves lists them by name.")
        detail = found.value
        if waiting:
            detail = MoveDetail(detail.move, tuple(each for each in detail.machines if _waits(each)))
        return encoded(detail)

    async def regions(self, arguments: Arguments) -> Answer:
        """The regions that give a sign of life."""
        Parameters(arguments, ())
        live = await reading(self._live.view())
        rows = None if live.value is None else _regions(live.value.roles.stratum)
        return encoded(RegionsAnswer(rows, unavailable(redis=live)))


def _waits(machine: Machine) -> bool:
    return machine.is_late or machine.status in (Status.STRAGGLER.value, Status.GONE.value)


def _regions(roles: tuple[StratumRole, ...]) -> tuple[RegionRow, ...]:
    names = sorted({role.region for role in roles})
    found = {name: [role for role in roles if role.region == name] for name in names}
    return tuple(
        RegionRow(
            name,
            next((role.endpoint for role in of if role.endpoint), ""),
            len(of),
            sum(role.sessions for role in of),
        )
        for name, of in found.items()
    )
