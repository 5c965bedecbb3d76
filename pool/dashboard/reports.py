"""The endpoints of the reports about fleets, and of their alarms."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from msgspec import Struct

from pool.dashboard.answers import HTML, Answer, Refusal, encoded, etag
from pool.dashboard.api import Arguments
from pool.dashboard.cache import Cache
from pool.dashboard.fleet_rows import AlarmSign
from pool.dashboard.ports import Live, SourceUnavailable
from pool.dashboard.query import Parameters, bad_parameter
from pool.dashboard.readings import reading, unavailable
from pool.fleet.facts import FleetRefused
from pool.fleet.times import parse_time
from pool.reports.asked import Asked, Report
from pool.reports.document import POLICY, html
from pool.reports.facts import ReportRefused
from pool.reports.papers import Made, paper_of


class Reporting(Protocol):
    """Where reports are made. Raises SourceUnavailable, ReportRefused."""

    async def make(self, asked: Asked) -> Made:
        """As of the last full minute, so that two who ask in one get the same bytes."""


class NoReporting:
    """Satisfies Reporting where there are no books."""

    async def make(self, asked: Asked) -> Made:
        raise SourceUnavailable(f"there are no books to make the report {asked.report.value} of")


_NAMES: Mapping[Report, tuple[str, ...]] = {
    Report.RELOCATION: ("move", "fleet"),
    Report.COMMISSIONING: ("fleet",),
    Report.POWER: ("site",),
    Report.DOWNTIME: ("fleet",),
    Report.SLA: ("contract",),
    Report.WEAK: ("fleet",),
}
_TIMES: Mapping[Report, tuple[str, ...]] = {
    each: () if each is Report.WEAK else ("from", "to", "known") for each in Report
} | {Report.RELOCATION: ("from", "to", "off", "on", "known")}


class AlarmsAnswer(Struct, frozen=True):
    """All alarms. unavailable: why they are not known."""

    rows: tuple[AlarmSign, ...] | None
    unavailable: Mapping[str, str]


class ReportsApi:
    """The answers below /api/v1/reports, and of /api/v1/alarms."""

    def __init__(self, reporting: Reporting, live: Live, cache: Cache) -> None:
        self._reporting = reporting
        self._live = live
        self._cache = cache

    def endpoints(self) -> dict[str, Callable[[Arguments], Awaitable[Answer]]]:
        """By their paths."""
        found = {f"/api/v1/reports/{each.value}": self._endpoint(each) for each in Report}
        return {**found, "/api/v1/alarms": self.alarms}

    async def alarms(self, arguments: Arguments) -> Answer:
        """Machines that should hash and are dark, as few alarms as say it."""
        Parameters(arguments, ())
        live = await reading(self._live.view())
        if live.value is None:
            return encoded(AlarmsAnswer(None, unavailable(redis=live)))
        role = live.value.roles.accounting
        if role is None:
            return encoded(AlarmsAnswer(None, {"accounting": "it gives no sign of life"}))
        return encoded(AlarmsAnswer(role.alarms, {}))

    def _endpoint(self, report: Report) -> Callable[[Arguments], Awaitable[Answer]]:
        async def answer(arguments: Arguments) -> Answer:
            form, asked = form_of(arguments), asked_of(report, arguments)
            try:
                return shown(await self._cache.get(asked, lambda: self._reporting.make(asked)), form)
            except ReportRefused as refused:
                mend = f"The parameters are {', '.join((*_NAMES[report], *_TIMES[report]))}."
                raise Refusal(404, "no_report", f"There is no such report: {refused}.", mend) from refused
            except SourceUnavailable as unavailable:
                message = f"This cannot be answered now. database: {unavailable}"
                raise Refusal(503, "unavailable", message, "Try again in a few seconds.") from unavailable

        return answer


class Form(enum.StrEnum):
    """How a report is sent: its figures, or as people read it: for the page, or to print."""

    DATA = "data"
    PAPER = "paper"
    HTML = "html"


def form_of(arguments: Arguments) -> Form:
    """Raises Refusal."""
    only = {name: values for name, values in arguments.items() if name == b"form"}
    return Form(Parameters(only, ("form",)).choice("form", tuple(Form), Form.DATA))


def shown(made: Made, form: Form) -> Answer:
    """A report in one of its forms."""
    if form is Form.DATA:
        return encoded(made)
    paper = paper_of(made)
    if form is Form.PAPER:
        return encoded(paper)
    body = html(paper).encode()
    return Answer(200, HTML, body, etag(body), (("Content-Security-Policy", POLICY),))


def asked_of(report: Report, arguments: Arguments) -> Asked:
    """The question of a request. Raises Refusal."""
    parameters = Parameters(arguments, (*_NAMES[report], *_TIMES[report], "form"))
    name = next((text for each in _NAMES[report] if (text := parameters.text(each))), "")
    if report in (Report.RELOCATION, Report.SLA) and not name:
        what = " or ".join(_NAMES[report])
        raise bad_parameter(what, "is missing", "Say of what the report is.")
    times = {f"{each}_ms": _time(parameters, each) for each in _TIMES[report]}
    return Asked(report, name, **times)


def _time(parameters: Parameters, name: str) -> int | None:
    text = parameters.text(name)
    try:
        return parse_time(text) if text else None
    except FleetRefused as refused:
        raise bad_parameter(name, "is not a time", f"{refused} (+ is %2B in an address).") from refused
