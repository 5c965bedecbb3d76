"""The endpoints about fleets: what is known, as of any time, and which workers belong nowhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from payout.ports import LedgerUnavailable
from pool.dashboard.answers import Answer, encoded
from pool.dashboard.machines import Machines
from pool.dashboard.ports import Fleets, SourceUnavailable
from pool.dashboard.query import PAGE_MAX, PER_PAGE_DEFAULT, PER_PAGE_MAX, Parameters, bad_parameter
from pool.dashboard.readings import reading, unavailable
from pool.dashboard.tables import Page, no_page
from pool.dashboard.threads import InThread
from pool.fleet.facts import FleetRefused
from pool.fleet.register import Register
from pool.fleet.times import parse_time
from pool.fleet.views import GROUPS, FactView, UnmatchedView, rows, view

Arguments = Mapping[bytes, Sequence[bytes]]


class LedgerFleets:
    """Satisfies pool.dashboard.ports.Fleets. read: all that is known; raises LedgerUnavailable."""

    def __init__(self, read: Callable[[], Register], in_thread: InThread) -> None:
        self._read = read
        self._in_thread = in_thread

    async def register(self) -> Register:
        try:
            return await self._in_thread(self._read)
        except LedgerUnavailable as error:
            raise SourceUnavailable(str(error)) from error


class FleetApi:
    """The answers below /api/v1 about fleets."""

    def __init__(self, fleets: Fleets, machines: Machines) -> None:
        self._fleets = fleets
        self._machines = machines

    def endpoints(self) -> dict[str, Callable[[Arguments], Awaitable[Answer]]]:
        """By their paths."""
        found = {f"/api/v1/{group}": self._group(kinds) for group, kinds in GROUPS.items()}
        return {**found, "/api/v1/unmatched": self.unmatched}

    def _group(self, kinds: tuple[str, ...]) -> Callable[[Arguments], Awaitable[Answer]]:
        async def answer(arguments: Arguments) -> Answer:
            parameters = Parameters(arguments, ("kind", "at", "known", "page", "per_page"))
            kind = parameters.choice("kind", ("", *kinds), "")
            valid_ms, recorded_ms = _time(parameters, "at"), _time(parameters, "known")
            page, per_page = _page(parameters)
            known = await reading(self._fleets.register())
            if known.value is None:
                return encoded(no_page(page, per_page, unavailable(database=known)))
            found = rows(known.value, (kind,) if kind else kinds, valid_ms, recorded_ms)
            shown = tuple(view(fact) for fact in found[(page - 1) * per_page : page * per_page])
            return encoded(Page[FactView](page, per_page, len(found), shown, {}))

        return answer

    async def unmatched(self, arguments: Arguments) -> Answer:
        """Workers at work that no assignment of their account fits."""
        page, per_page = _page(Parameters(arguments, ("page", "per_page")))
        known = await self._machines.now()
        if known.table is None or known.fleets.value is None:
            return encoded(no_page(page, per_page, unavailable(database=known.fleets, redis=known.live)))
        found = known.table.unmatched()
        shown = tuple(UnmatchedView(*each) for each in found[(page - 1) * per_page : page * per_page])
        return encoded(Page[UnmatchedView](page, per_page, len(found), shown, {}))


def _page(parameters: Parameters) -> tuple[int, int]:
    return parameters.number("page", 1, PAGE_MAX), parameters.number("per_page", PER_PAGE_DEFAULT, PER_PAGE_MAX)


def _time(parameters: Parameters, name: str) -> int | None:
    text = parameters.text(name)
    try:
        return parse_time(text) if text else None
    except FleetRefused as refused:
        raise bad_parameter(name, "is not a time", f"{refused} (+ is %2B in an address).") from refused
