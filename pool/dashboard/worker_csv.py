"""Workers and refused shares as CSV (RFC 4180, UTF-8): one line for each, nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from itertools import repeat

from payout.instants import format_instant
from payout.statement_formats import cell
from pool.dashboard.places import PlacedWorker
from pool.dashboard.rows import Reject
from pool.work.share import Outcome

REASONS = tuple(outcome.name.lower() for outcome in Outcome if outcome is not Outcome.ACCEPTED)
WORKER_COLUMNS = (
    "login", "account", "worker", "site", "rack", "firmware", "sessions", "hashrate_1m_hps", "hashrate_5m_hps",
    "hashrate_1h_hps", "hashrate_24h_hps", "hashrate_1h_error", "difficulty", "last_share", "accepted", "rejected",
    *(f"rejected_{reason}" for reason in REASONS),
)  # fmt: skip
REJECT_COLUMNS = ("time", "worker", "reason", "told", "job", "job_age_seconds", "id")


def workers_csv(rows: Iterable[PlacedWorker]) -> bytes:
    """A line for each worker. Rates in hashes a second; the error is one standard deviation relative to its rate."""
    return _written(WORKER_COLUMNS, map(_worker, rows))


def rejects_csv(login: str, rows: Iterable[Reject]) -> bytes:
    """A line for each refused share of a worker."""
    return _written(REJECT_COLUMNS, (_reject(login, row) for row in rows))


def _worker(row: PlacedWorker) -> list[object]:
    rate = row.activity.hashrate
    return [
        cell(row.login), cell(row.account), cell(row.worker), cell(row.site), cell(row.rack), cell(row.agent),
        row.sessions, round(rate.minute.hps), round(rate.five_minutes.hps), round(rate.hour.hps), round(rate.day.hps),
        "" if rate.hour.error is None else f"{rate.hour.error:.4f}", "" if row.difficulty is None else row.difficulty,
        _time(row.activity.last_share_ms), row.activity.accepted, row.activity.rejected_total,
        *map(row.activity.rejected.get, REASONS, repeat(0)),
    ]  # fmt: skip


def _reject(login: str, row: Reject) -> list[object]:
    age_seconds = "" if row.job_age_ms is None else row.job_age_ms / 1000
    return [
        _time(row.time_ms),
        cell(login),
        cell(row.reason),
        cell(row.text),
        cell(row.job_id),
        age_seconds,
        cell(row.id),
    ]


def _time(time_ms: int | None) -> str:
    return "" if time_ms is None else format_instant(time_ms)


def _written(columns: Iterable[str], rows: Iterable[list[object]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue().encode()
