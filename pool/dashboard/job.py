"""The jobs that miners have now, one in each region: what it builds on, and whom its coinbase pays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from pool.dashboard.readings import Reading, unavailable
from pool.dashboard.role_rows import CoinbaseOutput
from pool.dashboard.rows import LiveView
from pool.work.coinbase import EXTRANONCE_BYTES


class CurrentJob(Struct, frozen=True):
    """The newest job of a region. prev_hash_hex: of the block that it builds on. coinbase_bytes: without witness, with
    the extranonce. coinb1_hex, coinb2_hex: as in `mining.notify`."""

    region: str
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
    """The answer of /api/v1/job. jobs: of each region that has one; none before the first, and while they cannot be
    known: `unavailable` says why."""

    jobs: tuple[CurrentJob, ...]
    unavailable: Mapping[str, str]


def current_jobs(live: Reading[LiveView]) -> JobAnswer:
    """What the work roles say of them."""
    view = live.value
    if view is None:
        return JobAnswer((), unavailable(redis=live))
    return JobAnswer(tuple(_jobs(view)), {})


def _jobs(view: LiveView) -> Iterator[CurrentJob]:
    for region, role in view.roles.work.items():
        job, coinbase = role.job, view.coinbases.get(region)
        if job is None or coinbase is None:
            continue
        yield CurrentJob(
            region=region,
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
        )
