"""The endpoints: each takes parameters and gives an answer; nothing here knows a socket.

Those below /api/v1 refuse parameters that they do not know; probes and scrapers may add what they like.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from payout.accounts import AccountRefused
from payout.statement_formats import to_csv
from payout.store.luck import GroupReport
from payout.store.payout_reports import PayoutReport
from pool.dashboard import health, metrics, overview, tables
from pool.dashboard.answers import CSV, Answer, Refusal, encoded, etag
from pool.dashboard.fleet_metrics import FleetSeries
from pool.dashboard.history import SPANS, history_of
from pool.dashboard.job import current_jobs
from pool.dashboard.machines import Machines
from pool.dashboard.places import PlacedWorker
from pool.dashboard.ports import Books, Live
from pool.dashboard.query import (
    PAGE_MAX,
    PER_PAGE_DEFAULT,
    PER_PAGE_MAX,
    TABLE_PARAMETERS,
    Parameters,
    bad_parameter,
    table_query,
)
from pool.dashboard.readings import Reading, reading, together, unavailable
from pool.dashboard.rows import AccountCredit, Block, LiveView, Reject, Totals
from pool.dashboard.worker_csv import rejects_csv
from pool.ports import Clock

Arguments = Mapping[bytes, Sequence[bytes]]

CREDITS_MAX = 100
"""The newest credits in the answer about one account."""

STATEMENT_CHANGES_MAX = 5_000
"""Rows of the ledger in one statement: some 2 MB of JSON. A longer time is asked for in pieces, which chain."""

ROW_MAX = 9_999_999

_ACCOUNT = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_LOGIN = re.compile(r"[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_.:-]{1,64})?", re.ASCII)
_PAYOUT = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)
_BLOCK_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


class AccountAnswer(Struct, frozen=True):
    """One account: its row and its newest credits."""

    account: tables.AccountRow
    credits: tuple[AccountCredit, ...] | None
    unavailable: Mapping[str, str]


class WorkerAnswer(Struct, frozen=True):
    """One worker: its row, None if it did not send a share lately; and its newest refused shares, newest first."""

    worker: PlacedWorker | None
    rejects: tuple[Reject, ...]
    unavailable: Mapping[str, str]


class PayoutsAnswer(Struct, frozen=True):
    """One page of payouts. stopped: why nothing is sent now; None if payouts go on. unavailable: as in every page."""

    page: int
    per_page: int
    total: int | None
    rows: tuple[PayoutReport, ...] | None
    stopped: str | None
    unavailable: Mapping[str, str]


class LuckAnswer(Struct, frozen=True):
    """All groups. unavailable: as in every page."""

    rows: tuple[GroupReport, ...] | None
    unavailable: Mapping[str, str]


class Api:
    """The answers of /api/v1 and of the endpoints for machines."""

    def __init__(
        self,
        live: Live,
        books: Books,
        clock: Clock,
        about: overview.About,
        machines: Machines,
        worker_series: int = 0,
    ) -> None:
        """worker_series: how many workers have series of their own in the metrics."""
        self._live = live
        self._machines = machines
        self._worker_series = worker_series
        self._books = books
        self._clock = clock
        self._about = about

    async def pool(self, arguments: Arguments) -> Answer:
        """Hashrate, presence, tip, luck, blocks by state and health."""
        Parameters(arguments, ())
        live, books, verdict = await self._sources()
        return encoded(overview.overview(self._about, live, books, verdict))

    async def history(self, arguments: Arguments) -> Answer:
        """The pool's hashrate over time, with its error and the shares."""
        span = Parameters(arguments, ("span",)).choice("span", SPANS, "24h")
        return encoded(history_of(await reading(self._live.history()), span))

    async def job(self, arguments: Arguments) -> Answer:
        """The job of each region, and whom its coinbase pays."""
        Parameters(arguments, ())
        return encoded(current_jobs(await reading(self._live.view())))

    async def worker(self, login: str, arguments: Arguments) -> Answer:
        """One worker by its login, with the shares that were refused and why."""
        Parameters(arguments, ())
        known, rejects = await self._machines.now(), await reading(self._live.rejects(login))
        failed = unavailable(redis=known.live, database=known.fleets) | unavailable(redis=rejects)
        row = known.table.one(login) if known.table else None
        if row is None and not rejects.value:
            if (away := unavailable(redis=known.live) | unavailable(redis=rejects)) and _LOGIN.fullmatch(login):
                raise _cannot_know(away)
            raise Refusal(404, "unknown_worker", "There is no such worker.", "/api/v1/workers lists them.")
        return encoded(WorkerAnswer(row, rejects.value or (), failed))

    async def rejects(self, login: str, arguments: Arguments) -> Answer:
        """The newest refused shares of a worker, as JSON or CSV."""
        form = Parameters(arguments, ("format",)).choice("format", ("json", "csv"), "json")
        found = await reading(self._live.rejects(login)) if _LOGIN.fullmatch(login) else Reading(value=())
        if found.value is None:
            raise _cannot_know(unavailable(redis=found))
        if form == "json":
            return encoded(found.value)
        body = rejects_csv(login, found.value)
        saved = ("Content-Disposition", f'attachment; filename="rejects-{login}.csv"' if found.value else "attachment")
        return Answer(200, CSV, body, etag=etag(body), headers=(saved,))

    async def accounts(self, arguments: Arguments) -> Answer:
        """The table of accounts."""
        query = table_query(Parameters(arguments, TABLE_PARAMETERS), tables.ACCOUNT_SORTS, "name")
        live, books = await together(self._live.view(), self._books.accounts())
        failed = unavailable(redis=live, database=books)
        if live.value is None and books.value is None:
            return encoded(tables.no_page(query.page, query.per_page, failed))
        rows = tables.account_rows(books.value, live.value.accounts if live.value else None)
        return encoded(tables.accounts_page(rows, query, failed))

    async def account(self, name: str, arguments: Arguments) -> Answer:
        """One account by its name."""
        Parameters(arguments, ())
        live, books = await together(self._live.view(), self._books.accounts())
        failed = unavailable(redis=live, database=books)
        rows = tables.account_rows(books.value, live.value.accounts if live.value else None)
        row = next((row for row in rows if row.name == name), None)
        if row is None and failed and _ACCOUNT.fullmatch(name):
            raise _cannot_know(failed)
        if row is None:
            raise _unknown_account()
        credits = await reading(self._books.account_credits(name, CREDITS_MAX))
        return encoded(AccountAnswer(row, credits.value, failed | unavailable(database=credits)))

    async def statement(self, name: str, arguments: Arguments) -> Answer:
        """What an account had, got and was paid between two moments, as JSON or CSV."""
        parameters = Parameters(arguments, ("from", "to", "row", "format"))
        form = parameters.choice("format", ("json", "csv"), "json")
        now_ms = self._clock.time_ms()
        from_ms = parameters.instant("from", 0)
        to_ms = parameters.instant("to", now_ms)
        if to_ms > now_ms:
            raise bad_parameter("to", "is in the future", "Give a time that is over, or none for now.")
        row = parameters.number("row", 0, ROW_MAX) if parameters.text("row") else None
        if not _ACCOUNT.fullmatch(name):
            raise _unknown_account()
        try:
            found = await reading(self._books.statement(name, from_ms, to_ms, row, STATEMENT_CHANGES_MAX))
        except AccountRefused as refused:
            raise Refusal(
                404, "no_statement", f"{refused}.", "/api/v1/accounts lists the accounts; from, to and row say which."
            ) from refused
        if found.value is None:
            raise _cannot_know(unavailable(database=found))
        if form == "json":
            return encoded(found.value)
        body = to_csv(found.value)
        saved = ("Content-Disposition", f'attachment; filename="statement-{name}.csv"')
        return Answer(200, CSV, body, etag=etag(body), headers=(saved,))

    async def solvency(self, arguments: Arguments) -> Answer:
        """What the pool owes against what its wallet has on chain."""
        Parameters(arguments, ())
        found = await reading(self._books.solvency())
        if found.value is None:
            raise _cannot_know(unavailable(wallet=found))
        return encoded(found.value)

    async def blocks(self, arguments: Arguments) -> Answer:
        """The table of blocks, newest first, of all states or of one."""
        parameters = Parameters(arguments, ("state", "page", "per_page"))
        state = parameters.choice("state", ("", *metrics.BLOCK_STATES), "")
        page = parameters.number("page", 1, PAGE_MAX)
        per_page = parameters.number("per_page", PER_PAGE_DEFAULT, PER_PAGE_MAX)
        newest = self._books.blocks(state or None, (page - 1) * per_page, per_page)
        totals, rows = await together(self._books.totals(), newest)
        failed = unavailable(database=totals) | unavailable(database=rows)
        if totals.value is None or rows.value is None:
            return encoded(tables.no_page(page, per_page, failed))
        counts = totals.value.blocks
        total = counts.get(state, 0) if state else sum(counts.values())
        return encoded(tables.Page[Block](page, per_page, total, rows.value, failed))

    async def block(self, hash_hex: str, arguments: Arguments) -> Answer:
        """One block with its credits and ledger rows."""
        Parameters(arguments, ())
        unknown = Refusal(
            404, "unknown_block", "The pool found no such block.", "/api/v1/blocks lists its blocks by hash."
        )
        if not _BLOCK_HASH.fullmatch(hash_hex):
            raise unknown
        detail = await reading(self._books.block(hash_hex))
        if detail.reason is not None:
            raise _cannot_know(unavailable(database=detail))
        if detail.value is None:
            raise unknown
        return encoded(detail.value)

    async def payouts(self, arguments: Arguments) -> Answer:
        """The table of payouts, newest first."""
        parameters = Parameters(arguments, ("page", "per_page"))
        page = parameters.number("page", 1, PAGE_MAX)
        per_page = parameters.number("per_page", PER_PAGE_DEFAULT, PER_PAGE_MAX)
        found = await reading(self._books.payouts((page - 1) * per_page, per_page))
        failed = unavailable(database=found)
        if found.value is None:
            return encoded(PayoutsAnswer(page, per_page, None, None, None, failed))
        return encoded(PayoutsAnswer(page, per_page, found.value.total, found.value.rows, found.value.stopped, failed))

    async def payout(self, number: str, arguments: Arguments) -> Answer:
        """One payout with its lines, transactions and ledger rows."""
        Parameters(arguments, ())
        unknown = Refusal(404, "unknown_payout", "There is no such payout.", "/api/v1/payouts lists them by number.")
        if not _PAYOUT.fullmatch(number):
            raise unknown
        detail = await reading(self._books.payout(int(number)))
        if detail.reason is not None:
            raise _cannot_know(unavailable(database=detail))
        if detail.value is None:
            raise unknown
        return encoded(detail.value)

    async def withholding(self, arguments: Arguments) -> Answer:
        """Groups of machines: what they should have found, what they have, and their newest test."""
        Parameters(arguments, ())
        found = await reading(self._books.luck())
        return encoded(LuckAnswer(found.value, unavailable(database=found)))

    async def healthz(self, _arguments: Arguments) -> Answer:
        """This process lives and serves; says nothing of the others, so that a supervisor does not restart it for
        their faults."""
        return encoded({"alive": True})

    async def readyz(self, _arguments: Arguments) -> Answer:
        """200 when every dependency is up, else 503; the reasons either way."""
        _, _, verdict = await self._sources()
        return encoded(verdict, status=200 if verdict.ready else 503)

    async def metrics(self, _arguments: Arguments) -> Answer:
        """Prometheus' text format; a source that is down only lacks its series."""
        live, books, verdict = await self._sources()
        table = (await self._machines.now()).table
        fleets = FleetSeries(table.sites(), table.rows, self._worker_series) if table else FleetSeries()
        return metrics.exposition(metrics.Scrape(live, books, verdict, self._clock.time_ms(), fleets))

    async def _sources(self) -> tuple[Reading[LiveView], Reading[Totals], health.Health]:
        live, books = await together(self._live.view(), self._books.totals())
        return live, books, health.judge(live, books, self._clock.time_ms())


def _unknown_account() -> Refusal:
    return Refusal(404, "unknown_account", "There is no such account.", "/api/v1/accounts lists them.")


def _cannot_know(failed: Mapping[str, str]) -> Refusal:
    reasons = "; ".join(f"{name}: {reason}" for name, reason in failed.items())
    return Refusal(503, "unavailable", f"This cannot be answered now. {reasons}", "Try again in a few seconds.")
