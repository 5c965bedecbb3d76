"""The endpoints about many workers: their table, its groups, and exports of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import replace

from pool.dashboard import tables
from pool.dashboard.answers import CSV, Answer, Refusal, encoded, etag
from pool.dashboard.api import Arguments
from pool.dashboard.machines import Known, Machines
from pool.dashboard.places import PlacedWorker
from pool.dashboard.query import TABLE_PARAMETERS, Parameters, table_query
from pool.dashboard.readings import unavailable
from pool.dashboard.threads import InThread
from pool.dashboard.worker_csv import workers_csv
from pool.dashboard.workers import GROUP_SORTS, GROUPINGS, WORKER_SORTS, GroupPage, Selection, WorkerTable

EXPORT_LIMIT_MAX = 20_000
"""Rows of one export: some 8 MB of JSON. Who has more goes on behind the last."""

_SELECTION = ("account", "site", "rack", "firmware")


class ExportedWorkers(Struct, frozen=True):
    """Rows in the order of logins. next: the login to go on behind; None after the last."""

    rows: tuple[PlacedWorker, ...]
    next: str | None


class WorkersApi:
    """The answers of /api/v1/workers, its exports, and /api/v1/groups."""

    def __init__(self, machines: Machines, in_thread: InThread) -> None:
        self._machines = machines
        self._in_thread = in_thread

    def endpoints(self) -> dict[str, Callable[[Arguments], Awaitable[Answer]]]:
        """By their paths."""
        return {
            "/api/v1/workers": self.workers,
            "/api/v1/workers.csv": self.csv,
            "/api/v1/workers.json": self.json,
            "/api/v1/groups": self.groups,
        }

    async def workers(self, arguments: Arguments) -> Answer:
        """The table of workers."""
        parameters = Parameters(arguments, (*_SELECTION, *TABLE_PARAMETERS))
        query = table_query(parameters, WORKER_SORTS, "login")
        selection = _selection(parameters, query.search)
        known = await self._machines.now()
        if known.table is None:
            return encoded(tables.no_page(query.page, query.per_page, _failed(known)))
        page = known.table.page(selection, query)
        return encoded(tables.Page(page.page, page.per_page, page.total, page.rows, _failed(known)))

    async def groups(self, arguments: Arguments) -> Answer:
        """Workers added up by site, rack or firmware; the search is of the names of groups."""
        parameters = Parameters(arguments, ("by", *_SELECTION, *TABLE_PARAMETERS))
        by = parameters.choice("by", GROUPINGS, "site")
        query = table_query(parameters, GROUP_SORTS, "name")
        selection = _selection(parameters, "")
        known = await self._machines.now()
        if known.table is None:
            return encoded(GroupPage(query.page, query.per_page, None, None, _failed(known), None))
        return encoded(replace(known.table.groups(by, selection, query), unavailable=_failed(known)))

    async def csv(self, arguments: Arguments) -> Answer:
        """All that are selected, for a spreadsheet."""
        table, selection, after, limit = await self._asked(arguments)
        rows, onward = table.after(selection, after, limit)
        body = await self._in_thread(lambda: workers_csv(rows))
        saved = ("Content-Disposition", 'attachment; filename="workers.csv"')
        return Answer(200, CSV, body, etag=etag(body), headers=(saved, *_link("csv", selection, onward, limit)))

    async def json(self, arguments: Arguments) -> Answer:
        """All that are selected, for programs."""
        table, selection, after, limit = await self._asked(arguments)
        rows, onward = table.after(selection, after, limit)
        answer = await self._in_thread(lambda: encoded(ExportedWorkers(tuple(rows), onward)))
        return Answer(200, answer.content_type, answer.body, answer.etag, _link("json", selection, onward, limit))

    async def _asked(self, arguments: Arguments) -> tuple[WorkerTable, Selection, str, int]:
        parameters = Parameters(arguments, (*_SELECTION, "q", "after", "limit"))
        selection = _selection(parameters, parameters.text("q"))
        after = parameters.text("after")
        limit = parameters.number("limit", EXPORT_LIMIT_MAX, EXPORT_LIMIT_MAX)
        known = await self._machines.now()
        if known.table is None or (selection.site is not None and known.fleets.value is None):
            # Half of a file would pass for all of it.
            reasons = "; ".join(f"{name}: {reason}" for name, reason in _failed(known).items())
            message = f"This cannot be exported now. {reasons}"
            raise Refusal(503, "unavailable", message, "Try again in a few seconds.")
        return known.table, selection, after, limit


def _selection(parameters: Parameters, search: str) -> Selection:
    account, site, rack, firmware = (parameters.given(name) for name in _SELECTION)
    return Selection(account or None, site, rack, firmware, search)


def _failed(known: Known) -> dict[str, str]:
    return unavailable(redis=known.live, database=known.fleets)


def _link(form: str, selection: Selection, onward: str | None, limit: int) -> tuple[tuple[str, str], ...]:
    """Where the rest is (RFC 8288)."""
    if onward is None:
        return ()
    asked = {name: getattr(selection, name) for name in _SELECTION} | {"q": selection.search or None}
    query = urlencode(
        {name: value for name, value in asked.items() if value is not None} | {"after": onward, "limit": limit}
    )
    return (("Link", f'</api/v1/workers.{form}?{query}>; rel="next"'),)
