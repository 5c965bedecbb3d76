"""The job that miners have now: what it builds on, and whom its coinbase pays."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from pool.dashboard.readings import Reading, unavailable
from pool.dashboard.role_rows import CoinbaseOutput
from pool.dashboard.rows import LiveView
from pool.work.coinbase import EXTRANONCE_BYTES


class CurrentJob(Struct, frozen=True):
    """The newest job. prev_hash_hex: of the block that it builds on. coinbase_bytes: without witness, with the
    extranonce. coinb1_hex, coinb2_hex: as in `mining.notify`."""

    job_id: str
    height: int
    prev_hash_hex: str
    made_ms: int
    template_ms: int
    network_difficulty: float
    transactions: int
    subsidy_sat: int
    fees_sat: int
    tag: str
    coinbase_bytes: int
    coinb1_hex: str
    coinb2_hex: str
    outputs: tuple[CoinbaseOutput, ...]


class JobAnswer(Struct, frozen=True):
    """The answer of /api/v1/job. job: None before the first, and while it cannot be known; `unavailable` says why."""

    job: CurrentJob | None
    unavailable: Mapping[str, str]


def current_job(live: Reading[LiveView]) -> JobAnswer:
    """What the work role says of it."""
    view = live.value
    job = view.roles.work.job if view and view.roles.work else None
    if view is None or job is None or view.coinbase is None:
        return JobAnswer(None, unavailable(redis=live))
    coinbase = view.coinbase
    return JobAnswer(
        CurrentJob(
            job_id=job.job_id,
            height=job.height,
            prev_hash_hex=job.tip_hash_hex,
            made_ms=coinbase.made_ms,
            template_ms=job.template_ms,
            network_difficulty=job.network_difficulty,
            transactions=job.transactions,
            subsidy_sat=coinbase.subsidy_sat,
            fees_sat=coinbase.fees_sat,
            tag=coinbase.tag,
            coinbase_bytes=len(coinbase.coinb1_hex + coinbase.coinb2_hex) // 2 + EXTRANONCE_BYTES,
            coinb1_hex=coinbase.coinb1_hex,
            coinb2_hex=coinbase.coinb2_hex,
            outputs=coinbase.outputs,
        ),
        {},
    )
