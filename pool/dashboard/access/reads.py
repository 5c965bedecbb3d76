"""The operations that only read, with the types of their answers."""

from __future__ import annotations

from typing import Any

from payout.solvency import Solvency
from payout.statement import Statement
from payout.store.payout_reports import PayoutDetail
from pool.dashboard import metrics, tables, workers, workers_api
from pool.dashboard.access.operations import Operation, Parameter, Part
from pool.dashboard.answers import CSV, HTML
from pool.dashboard.api import ROW_MAX, AccountAnswer, LuckAnswer, PayoutsAnswer, WorkerAnswer
from pool.dashboard.explain import BalanceTold, CreditTold, PayoutTold, RejectTold
from pool.dashboard.health import Health
from pool.dashboard.history import SPANS, History
from pool.dashboard.job import JobAnswer
from pool.dashboard.moves import MoveDetail, MovesAnswer, RegionsAnswer
from pool.dashboard.overview import Overview
from pool.dashboard.places import PlacedWorker
from pool.dashboard.query import PAGE_MAX, PER_PAGE_DEFAULT, PER_PAGE_MAX, SEARCH_CHARACTERS_MAX
from pool.dashboard.reports import AlarmsAnswer, Form
from pool.dashboard.rows import Block, BlockDetail, Reject
from pool.dashboard.workers_api import EXPORT_LIMIT_MAX
from pool.explain.shares import SharesListed
from pool.fleet.views import GROUPS, FactView, UnmatchedView
from pool.reports.asked import Report
from pool.reports.document import Document
from pool.reports.losses import Downtime
from pool.reports.power import Power
from pool.reports.progress import Commissioning
from pool.reports.relocation import Relocation
from pool.reports.uptime import Uptime
from pool.reports.weak import Weak

_PAGES = (
    Parameter("page", "Which page, from 1.", {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": 1}),
    Parameter(
        "per_page",
        "Rows of a page.",
        {"type": "integer", "minimum": 1, "maximum": PER_PAGE_MAX, "default": PER_PAGE_DEFAULT},
    ),
)


def _text(name: str, text: str) -> Parameter:
    return Parameter(name, text, {"type": "string", "maxLength": SEARCH_CHARACTERS_MAX})


def _choice(name: str, text: str, values: Any, default: str) -> Parameter:
    return Parameter(name, text, {"type": "string", "enum": list(values), "default": default})


def _table(sorts: Any, default: str) -> tuple[Parameter, ...]:
    return (
        _text("q", "Only rows whose name contains each of these words."),
        _choice("sort", "By what the rows are sorted.", sorts, default),
        _choice("order", "Upwards or downwards.", ("asc", "desc"), "asc"),
        *_PAGES,
    )


_SELECTION = (
    _text("account", "Only of this account."),
    _text("site", "Only at this site; empty: at none."),
    _text("rack", "Only of this rack; empty: of none."),
    _text("firmware", "Only of this firmware; empty: of none that is known."),
)
_EXPORT = (
    *_SELECTION,
    _text("q", "Only rows whose name contains each of these words."),
    _text("after", "Only behind this login."),
    Parameter(
        "limit",
        "Rows at most.",
        {"type": "integer", "minimum": 1, "maximum": EXPORT_LIMIT_MAX, "default": EXPORT_LIMIT_MAX},
    ),
)
_FORMAT = _choice("format", "JSON or CSV.", ("json", "csv"), "json")
_WAITING = _choice("machines", "All, or those that wait for a person.", ("all", "waiting"), "all")
_REPORT = {
    "move": _text("move", "Of this move."),
    "fleet": _text("fleet", "Of this fleet or account; empty: of all."),
    "site": _text("site", "Of this site; empty: of all."),
    "contract": _text("contract", "Of this contract."),
    "from": _text("from", "Its beginning, as 2026-12-01T09:00Z."),
    "to": _text("to", "Its end; default: now."),
    "off": _text("off", "Without a move: when the fleet went dark."),
    "on": _text("on", "Without a move: when it was back."),
    "known": _text("known", "As it was known at this time; default: as it is known now."),
}
_FORM = _choice(
    "form",
    "Its figures; or as people read it, as facts, tables and charts, or as a page that prints.",
    tuple(Form),
    "data",
)
_REPORTS = (
    (
        Report.RELOCATION,
        "A fleet before, during and after its move: what it cost, and who earned what.",
        Relocation,
        ("move", "fleet", "from", "to", "off", "on", "known"),
    ),
    (Report.COMMISSIONING, "How far each batch of machines is.", Commissioning, ("fleet", "from", "to", "known")),
    (Report.POWER, "What a site draws, and may draw.", Power, ("site", "from", "to", "known")),
    (Report.DOWNTIME, "When machines were dark, and what that cost.", Downtime, ("fleet", "from", "to", "known")),
    (Report.SLA, "What a host promised, and kept.", Uptime, ("contract", "from", "to", "known")),
    (Report.WEAK, "Machines that do less than their model should.", Weak, ("fleet",)),
)
_EXPLAINED: tuple[tuple[str, Part, str, Any, tuple[Parameter, ...]], ...] = (
    (
        "credit/{id}",
        "accounts",
        "How a credit came about: BLOCK:ACCOUNT by height or hash, pps:ACCOUNT:PERIOD or fpps:DAY:ACCOUNT.",
        CreditTold,
        (),
    ),
    (
        "payout/{id}",
        "payouts",
        "Whom a payout pays, how far it is, and who bore its fee.",
        PayoutTold,
        (_text("account", "Only the line of this account."),),
    ),
    ("balance/{name}", "accounts", "How a balance came about, and where each part of it is.", BalanceTold, ()),
    ("reject/{id}", "workers", "Why a share was refused, by its id of the worker's list.", RejectTold, ()),
)
_INSTANT = "As 2026-12-01T09:00Z, or Unix milliseconds."

READS = (
    Operation("GET", "/api/v1/pool", "overview", "Hashrate, presence, tip, luck, blocks by state, health.", Overview),
    Operation(
        "GET", "/api/v1/events", "overview", "The same as server-sent events, whenever it changed.", "text/event-stream"
    ),
    Operation(
        "GET",
        "/api/v1/history",
        "overview",
        "The pool's hashrate over time, with its error and the shares.",
        History,
        (_choice("span", "How far back.", SPANS, "24h"),),
    ),
    Operation("GET", "/api/v1/job", "job", "The job of each region, and whom its coinbase pays.", JobAnswer),
    Operation(
        "GET",
        "/api/v1/workers",
        "workers",
        "The table of workers.",
        tables.Page[PlacedWorker],
        (*_SELECTION, *_table(workers.WORKER_SORTS, "login")),
        own=True,
    ),
    Operation(
        "GET",
        "/api/v1/workers.json",
        "workers",
        "All workers that are selected; the header Link leads to the rest.",
        workers_api.ExportedWorkers,
        _EXPORT,
        own=True,
    ),
    Operation(
        "GET", "/api/v1/workers.csv", "workers", "The same for a spreadsheet.", CSV.partition(";")[0], _EXPORT, own=True
    ),
    Operation(
        "GET",
        "/api/v1/groups",
        "workers",
        "Workers added up by site, rack or firmware; the search is of the names of groups.",
        workers.GroupPage,
        (
            _choice("by", "What they are grouped by.", workers.GROUPINGS, "site"),
            *_SELECTION,
            *_table(workers.GROUP_SORTS, "name"),
        ),
        own=True,
    ),
    Operation(
        "GET",
        "/api/v1/workers/{login}",
        "workers",
        "One worker, with its newest refused shares and why they were refused.",
        WorkerAnswer,
        own=True,
        refusals=(404, 503),
    ),
    Operation(
        "GET",
        "/api/v1/workers/{login}/rejects",
        "workers",
        "The newest refused shares of a worker.",
        tuple[Reject, ...],
        (_FORMAT,),
        own=True,
        also={CSV.partition(";")[0]: {"type": "string"}},
        refusals=(503,),
    ),
    Operation(
        "GET",
        "/api/v1/accounts",
        "accounts",
        "The table of accounts.",
        tables.Page[tables.AccountRow],
        _table(tables.ACCOUNT_SORTS, "name"),
        own=True,
    ),
    Operation(
        "GET",
        "/api/v1/accounts/{name}",
        "accounts",
        "One account: its balance and its newest credits.",
        AccountAnswer,
        own=True,
        refusals=(404, 503),
    ),
    Operation(
        "GET",
        "/api/v1/accounts/{name}/statement",
        "accounts",
        "What an account had, got and was paid between two moments.",
        Statement,
        (
            _text("from", f"The first moment. {_INSTANT}"),
            _text("to", f"The moment after the last. {_INSTANT}"),
            Parameter("row", "Up to this row of the ledger.", {"type": "integer", "minimum": 0, "maximum": ROW_MAX}),
            _FORMAT,
        ),
        own=True,
        also={CSV.partition(";")[0]: {"type": "string"}},
        refusals=(404, 503),
    ),
    Operation(
        "GET",
        "/api/v1/blocks",
        "blocks",
        "The table of blocks, newest first. Finders are named to who may know them.",
        tables.Page[Block],
        (_choice("state", "Only those in this state.", ("", *metrics.BLOCK_STATES), ""), *_PAGES),
        own=True,
    ),
    Operation(
        "GET",
        "/api/v1/blocks/{hash}",
        "blocks",
        "One block, with those of its credits and ledger rows that the asker may know.",
        BlockDetail,
        own=True,
        refusals=(404, 503),
    ),
    Operation("GET", "/api/v1/payouts", "payouts", "The table of payouts, newest first.", PayoutsAnswer, _PAGES),
    Operation(
        "GET",
        "/api/v1/payouts/{id}",
        "payouts",
        "One payout: its lines, transactions and ledger rows.",
        PayoutDetail,
        own=True,
        refusals=(404, 503),
    ),
    Operation(
        "GET", "/api/v1/withholding", "accounts", "Groups of machines: blocks expected and blocks found.", LuckAnswer
    ),
    Operation(
        "GET",
        "/api/v1/solvency",
        "payouts",
        "What the pool owes against what its wallet has on chain.",
        Solvency,
        refusals=(503,),
    ),
    *(
        Operation(
            "GET",
            f"/api/v1/explain/{path}",
            part,
            f"{text} In figures and words, as `steppe explain` prints.",
            answer,
            parameters,
            own=True,
            refusals=(404, 503),
        )
        for path, part, text, answer, parameters in _EXPLAINED
    ),
    Operation(
        "GET",
        "/api/v1/explain/shares/{login}",
        "workers",
        "The shares of a worker in a short time, accepted and refused, each with its id, from the journals here.",
        SharesListed,
        (
            _text("from", f"The first moment. {_INSTANT}"),
            _text("to", f"The moment after the last, ten minutes later at most; default: a minute later. {_INSTANT}"),
        ),
        own=True,
        refusals=(404, 503),
    ),
    Operation("GET", "/api/v1/moves", "moves", "All moves, newest first.", MovesAnswer),
    Operation(
        "GET",
        "/api/v1/moves/{name}",
        "moves",
        "One move with its machines.",
        MoveDetail,
        (_WAITING,),
        refusals=(404, 503),
    ),
    Operation("GET", "/api/v1/regions", "moves", "The regions that give a sign of life.", RegionsAnswer),
    *(
        Operation(
            "GET",
            f"/api/v1/{group}",
            "fleets",
            f"What is known of {group}: each of {', '.join(kinds)}.",
            tables.Page[FactView],
            (
                _choice("kind", "Only facts of this kind.", ("", *kinds), ""),
                _text("at", "As it was or will be at this time; default: all times."),
                _text("known", "As it was known at this time; default: as it is known now."),
                *_PAGES,
            ),
        )
        for group, kinds in GROUPS.items()
    ),
    *(
        Operation(
            "GET",
            f"/api/v1/reports/{report.value}",
            "fleets",
            text,
            answer,
            (*(_REPORT[name] for name in names), _FORM),
            also={HTML.partition(";")[0]: {"type": "string"}},
            other=Document,
            refusals=(404, 503),
        )
        for report, text, answer, names in _REPORTS
    ),
    Operation(
        "GET",
        "/api/v1/alarms",
        "fleets",
        "Machines that should hash and are dark, as few alarms as say it.",
        AlarmsAnswer,
    ),
    Operation(
        "GET",
        "/api/v1/unmatched",
        "fleets",
        "Workers at work that no assignment of their account fits.",
        tables.Page[UnmatchedView],
        _PAGES,
    ),
    Operation("GET", "/healthz", "always", "This process lives.", dict[str, bool]),
    Operation(
        "GET",
        "/readyz",
        "always",
        "Whether every dependency is up; each check in words to who may know.",
        Health,
    ),
    Operation("GET", "/metrics", "metrics", "For Prometheus.", "text/plain"),
)
