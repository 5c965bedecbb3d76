"""From a template to a job."""

from __future__ import annotations

from pool.bitcoin.merkle import branch
from pool.work.coinbase import Coinbase, halves
from pool.work.job import Job
from pool.work.template import Template
from pool.work.variant import NO_MARK

# A node takes no header further in its future. Source: Bitcoin Core, `MAX_FUTURE_BLOCK_TIME` in `chain.h`.
FUTURE_SECONDS_MAX = 2 * 60 * 60


def next_job_id(previous: str | None, now_ms: int) -> str:
    """A job id above every earlier one: the Unix milliseconds in lower-case hex, or one more than the last."""
    number = now_ms if previous is None else max(int(previous, 16) + 1, now_ms)
    return f"{number:x}"


def make_job(
    template: Template, coinbase: Coinbase, job_id: str, now_ms: int, clean: bool, template_age_ms: int = 0
) -> Job:
    """The job of a template. clean: its previous block is another than the last job's. template_age_ms: since a node
    gave it."""
    salt = bytes.fromhex(job_id.zfill(len(job_id) + len(job_id) % 2)) + NO_MARK
    coinb1, coinb2 = halves(coinbase, template, salt)
    return Job(
        job_id=job_id,
        time_ms=now_ms,
        height=template.height,
        version=template.version,
        prev_hash=template.prev_hash,
        coinb1=coinb1,
        coinb2=coinb2,
        branch=branch([transaction.txid for transaction in template.transactions]),
        nbits=template.nbits,
        ntime=template.time,
        ntime_min=template.time_min,
        ntime_max=template.time + FUTURE_SECONDS_MAX,
        subsidy_sat=template.coinbase_value_sat - template.fees_sat,
        fees_sat=template.fees_sat,
        clean=clean,
        template_age_ms=template_age_ms,
    )
