"""Series of sites, and of single workers where the operator wants them: as many as are allowed, never more.

A site is a word of the operator's, a login has plain characters only; whatever else came here becomes no label.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from pool.dashboard.rows import Worker
from pool.dashboard.workers import Group

SITES_MAX: Final = 100
"""Sites with series of their own, three each; beyond them they are counted as left out."""

WORKERS_MAX: Final = 500
"""The most that an operator may ask for: with three series each, and all that the pool has, below 2,000."""

_NAME: Final = re.compile(r"[A-Za-z0-9_.:-]{1,129}", re.ASCII)


class FleetSeries(Struct, frozen=True):
    """What of the fleets is told. sites: in the order of names. workers: in the order of logins, which stays, so that
    no series comes and goes with a hashrate; as many of them as `workers_max` have series."""

    sites: Sequence[Group] = ()
    workers: Sequence[Worker] = ()
    workers_max: int = 0


def fleet_metrics(series: FleetSeries) -> Iterable[Metric]:
    """All families; those of workers only if there may be some."""
    named = [group for group in series.sites if _NAME.fullmatch(group.name)]
    yield from _sites(named[:SITES_MAX])
    left_out = GaugeMetricFamily("steppe_series_left_out", "Sites and workers beyond their limits", labels=("of",))
    left_out.add_metric(("sites",), max(0, len(named) - SITES_MAX))
    if series.workers_max:
        workers = [row for row in series.workers if _NAME.fullmatch(row.login)]
        yield from _workers(workers[: series.workers_max])
        left_out.add_metric(("workers",), max(0, len(workers) - series.workers_max))
    yield left_out


def _sites(sites: Iterable[Group]) -> Iterable[Metric]:
    workers = GaugeMetricFamily("steppe_site_workers", "Workers of a site seen within a day", labels=("site",))
    online = GaugeMetricFamily("steppe_site_workers_online", "Workers of a site with a connection", labels=("site",))
    rate = GaugeMetricFamily("steppe_site_hashrate_hps", "Hashes per second of a site over an hour", labels=("site",))
    for site in sites:
        workers.add_metric((site.name,), site.workers)
        online.add_metric((site.name,), site.workers_online)
        rate.add_metric((site.name,), site.activity.hashrate.hour.hps)
    yield from (workers, online, rate)


def _workers(workers: Iterable[Worker]) -> Iterable[Metric]:
    rate = GaugeMetricFamily(
        "steppe_worker_hashrate_hps", "Hashes per second of a worker over 5 minutes", labels=("worker",)
    )
    accepted = CounterMetricFamily("steppe_worker_shares_accepted", "Accepted shares of a worker", labels=("worker",))
    rejected = CounterMetricFamily("steppe_worker_shares_rejected", "Refused shares of a worker", labels=("worker",))
    for row in workers:
        rate.add_metric((row.login,), row.activity.hashrate.five_minutes.hps)
        accepted.add_metric((row.login,), row.activity.accepted)
        rejected.add_metric((row.login,), row.activity.rejected_total)
    yield from (rate, accepted, rejected)
