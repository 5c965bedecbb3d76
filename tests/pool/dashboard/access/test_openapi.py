"""The OpenAPI document is what the server does: every path, every parameter, every answer."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from twisted.internet.task import Clock

from payout.store.payout_reports import AttemptReport, EntryReport, LineReport, PayoutDetail, PayoutReport
from pool.dashboard.access.openapi import TABLE, document
from pool.dashboard.access.operations import Operation
from pool.dashboard.views import CachedViews, Sources
from pool.reports.asked import Asked, Report
from pool.reports.facts import Span
from pool.reports.losses import downtime
from pool.reports.papers import Made
from pool.reports.power import power
from pool.reports.progress import commissioning
from pool.reports.uptime import uptime
from pool.reports.weak import weak
from tests.pool.dashboard.access.answers import ANSWERS
from tests.pool.dashboard.access.entering import operator
from tests.pool.dashboard.access.schema import problems
from tests.pool.dashboard.browser import ABOUT, Browser
from tests.pool.dashboard.explained import SHARE, FakeExplaining
from tests.pool.dashboard.fakes import FakeClock, FakeFleets, FakeLive, books, live_view, worker
from tests.pool.dashboard.test_moves import FakeMoves
from tests.pool.reports.kazakhstan import DAY_MS, ON_MS, known
from tests.pool.reports.test_relocation import NOW_MS, story

DOCUMENT = document("0.1.0")
PAID = PayoutDetail(
    PayoutReport(1, "broadcast", 900, 1, 2, 2, "ab", 5, None, None, 0, None),
    (LineReport("texas-2", "address", "00", 600), LineReport("other", "elsewhere", "01", 300)),
    (AttemptReport(1, "pay", "ab", 5, 140, True, ("cd:0",), "00"),),
    (
        EntryReport("payout:1:reserved", "payout.reserved", 1, "liab:texas-2:available", 600),
        EntryReport("payout:1:reserved", "payout.reserved", 1, "liab:other:available", 300),
    ),
)
NAMES = {
    "{login}": "acct.rig-1",
    "{name}": "texas-2",
    "{hash}": f"{0x4A51C08:064x}",
    "{id}": "1",
    "{account}": "texas-2",
    "{file}": "site.csv",
}
ASKED = {
    "/api/v1/explain/credit/{id}": "/api/v1/explain/credit/840000:texas-2",
    "/api/v1/explain/reject/{id}": f"/api/v1/explain/reject/{SHARE}",
    "/api/v1/explain/shares/{login}": "/api/v1/explain/shares/texas-2.rig-1?from=2026-11-28T09:00Z",
    "/api/v1/moves/{name}": "/api/v1/moves/out",
    "/api/v1/reports/relocation": "/api/v1/reports/relocation?move=out",
    "/api/v1/reports/sla": "/api/v1/reports/sla?contract=kz-jv",
}
BODIES: dict[str, Any] = {
    "Resume": {"reason": "a test", "nothing_was_paid": True},
    "Txid": {"txid": "ab" * 32},
    "Why": {"reason": "a test"},
    "FeeRate": {"fee_rate": 7},
    "MoveOrder": {"reason": "a test", "key": "k"},
    "CloseOrder": {"reason": "a test", "force": True},
    "MovePlan": {"name": "out", "account": "bit", "origin": "a", "target": "b", "pace": "20/min"},
    "SignedPsbt": {"psbt": "cHNidP8="},
    "Coins": {"ticket": "T1", "amount_sat": -5},
    "ReserveCoins": {"ticket": "T1", "amount_sat": 5, "from_fees": True},
    "AddAccount": {"name": "alice", "scheme": "pplns", "fee_bps": 100},
    "ChangePlan": {"scheme": "solo", "from_time": "2027-01-01T00:00Z"},
    "ChangeAddress": {"address": "bcrt1q"},
    "ChangeThreshold": {"threshold_sat": None},
    "Said": {"kind": "", "says": {"name": "ganzi"}},
    "End": {"at": "2027-01-01T00:00Z"},
    "FleetFiles": {"files": {"site.csv": "name"}},
    "str": "name\n",
    "Nothing": {},
    "MakeCredential": {"kind": "token", "name": "ci"},
}


class Reports:
    """The fleet of the tests of reports."""

    async def make(self, asked: Asked) -> Made:
        day = Span(ON_MS, ON_MS + DAY_MS)
        match asked.report:
            case Report.RELOCATION:
                return story()
            case Report.COMMISSIONING:
                return commissioning(known(NOW_MS), day)
            case Report.POWER:
                return power(known(NOW_MS), [ON_MS, ON_MS + DAY_MS])
            case Report.DOWNTIME:
                return downtime(known(NOW_MS), day, "bit", [])
            case Report.SLA:
                return uptime(known(NOW_MS), day, "kz-jv", [])
            case Report.WEAK:
                return weak(known(NOW_MS), [])


def path_of(operation: Operation) -> str:
    path = operation.path
    if path in ASKED:
        return ASKED[path]
    for name, value in NAMES.items():
        path = path.replace(name, value)
    return path


def site() -> Browser:
    browser = Browser(
        live=FakeLive(live_view([worker("acct.rig-1")])),
        moves=FakeMoves(),
        reporting=Reports(),
        explaining=FakeExplaining(),
    )
    browser.books.paid = [PAID]
    browser.orders.answers = ANSWERS
    return browser


READ = [each for each in TABLE if each.method == "GET" and each.path != "/api/v1/events"]
each_read = pytest.mark.parametrize("operation", READ, ids=lambda each: each.id)


def test_every_path_that_the_server_reads_is_in_the_document() -> None:
    routes = CachedViews(
        Sources(FakeLive(live_view([])), books(), FakeFleets(), FakeMoves()), FakeClock(), Clock(), ABOUT
    ).full
    below = {pattern.pattern.replace("([^/]+)", "{}") for pattern, _ in routes._below}
    paths = {*routes._fixed, *(f"{prefix}{{}}" for prefix in routes._named), *below}
    own = {"/api/v1/events", "/api/v1/session", "/api/v1/openapi.json"}
    reads = {each.path for each in TABLE if each.method == "GET" and not each.is_admin}
    assert {re.sub(r"\{\w+\}", "{}", path) for path in reads} - own == paths


def test_the_document_has_each_operation_once() -> None:
    said = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]
    assert said == [(each.path, each.method.lower()) for each in sorted(TABLE, key=lambda each: _place(each.path))]
    ids = [each["operationId"] for methods in DOCUMENT["paths"].values() for each in methods.values()]
    assert len(ids) == len(set(ids))


def _place(path: str) -> int:
    return list(DOCUMENT["paths"]).index(path)


@each_read
def test_what_is_read_is_as_the_document_says(operation: Operation) -> None:
    visitor = operator(site())
    answer = visitor.ask(path_of(operation))
    assert answer.status == 200, answer.body
    said = DOCUMENT["paths"][operation.path]["get"]["responses"]["200"]["content"]
    media = answer.headers["content-type"].partition(";")[0]
    assert media in said
    if media == "application/json":
        assert problems(answer.json(), said[media]["schema"], DOCUMENT) == []


@pytest.mark.parametrize("form", ["paper", "html"])
def test_a_report_in_each_of_its_forms_is_as_the_document_says(form: str) -> None:
    answer = operator(site()).ask(f"/api/v1/reports/relocation?move=out&form={form}")
    said = DOCUMENT["paths"]["/api/v1/reports/relocation"]["get"]["responses"]["200"]["content"]
    media = answer.headers["content-type"].partition(";")[0]
    assert (answer.status, media in said) == (200, True)
    if form == "paper":
        assert problems(answer.json(), said[media]["schema"]["anyOf"][1], DOCUMENT) == []


@pytest.mark.parametrize(
    "operation", [each for each in TABLE if each.method == "POST" and each.is_admin], ids=lambda each: each.id
)
def test_what_is_ordered_is_as_the_document_says(operation: Operation) -> None:
    said = DOCUMENT["paths"][operation.path]["post"]
    body = BODIES[operation.body.__name__]
    assert problems(body, said["requestBody"]["content"][operation.media]["schema"], DOCUMENT) == []
    answer = operator(site()).send("POST", path_of(operation), body, Content_Type=operation.media)
    assert answer.status == 200, answer.body
    content = said["responses"]["200"]["content"]["application/json"]
    assert problems(answer.json(), content["schema"], DOCUMENT) == []


@each_read
def test_exactly_the_documented_parameters_are_known(operation: Operation) -> None:
    if not operation.path.startswith("/api/") or operation.part in ("always",) or operation.path == "/api/v1/access":
        return
    answer = operator(site()).ask(path_of(operation).partition("?")[0] + "?no-such=1")
    assert answer.status == 400
    names = ", ".join(each.name for each in operation.parameters) or "none"
    assert answer.json()["error"]["hint"] == f"Known parameters: {names}."


@each_read
def test_a_refusal_is_as_the_document_says(operation: Operation) -> None:
    answer = site().ask(path_of(operation), method="PATCH")
    said = DOCUMENT["paths"][operation.path]["get"]["responses"]["405"]["content"]["application/json"]
    assert answer.status in (403, 405)
    assert problems(answer.json(), said["schema"], DOCUMENT) == []


def test_the_served_document_is_this_one_and_anybody_may_read_it() -> None:
    answer = Browser(public=()).ask("/api/v1/openapi.json")
    assert answer.json() == msgspec.json.decode(msgspec.json.encode(DOCUMENT))
