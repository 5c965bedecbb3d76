"""The pool in one answer: what is mined, on what, with what luck, and what is wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec import Struct

from pool.dashboard.health import Health
from pool.dashboard.readings import Reading, unavailable
from pool.dashboard.role_rows import Roles
from pool.dashboard.rows import Activity, LiveView, Totals

DIFFICULTY_1_HASHES = 2**256 / ((0xFFFF << 208) + 1)
"""Expected hashes of a block at difficulty 1, 4295032833: Bitcoin Core `chain.cpp`, GetBlockProof of nBits 1d00ffff."""

DAY_SECONDS = 86_400


class About(Struct, frozen=True):
    """Which pool this is. chain: as the node calls it (main, test, signet, regtest). stratum_port: where miners
    connect, on the host that serves this page."""

    name: str
    version: str
    chain: str
    stratum_port: int | None


class Presence(Struct, frozen=True):
    """Machines and connections. workers: connected, or with a share in the last days."""

    workers: int
    workers_online: int
    sessions: int
    accounts: int


class Luck(Struct, frozen=True):
    """What to expect at the hashrate of the last hour.

    expected_seconds: mean time from block to block; None while there is no hashrate. block_within_day: probability.
    effort: work since the newest block in units of the expected work; 1.0 is average luck, 2.0 happens in one round
    of seven.
    """

    expected_seconds: float | None
    block_within_day: float | None
    effort: float | None


class Overview(Struct, frozen=True):
    """The answer of /api/v1/pool. A part whose source is down is None; `unavailable` says why. silenced_until_ms: the
    end of a maintenance, which silences messages; None if none is on, or it is not known."""

    pool: About
    activity: Activity | None
    presence: Presence | None
    roles: Roles | None
    luck: Luck
    books: Totals | None
    health: Health
    unavailable: Mapping[str, str]
    silenced_until_ms: int | None = None


def overview(about: About, live: Reading[LiveView], books: Reading[Totals], health: Health) -> Overview:
    """Everything that the head of the page shows."""
    view = live.value
    return Overview(
        pool=about,
        activity=view.pool if view else None,
        presence=presence(view) if view else None,
        roles=view.roles if view else None,
        luck=luck(view, books.value),
        books=books.value,
        health=health,
        unavailable=unavailable(redis=live, database=books),
        silenced_until_ms=view.silenced_until_ms if view else None,
    )


def presence(view: LiveView) -> Presence:
    """Counts of the view."""
    return Presence(
        workers=len(view.workers),
        workers_online=sum(worker.online for worker in view.workers),
        sessions=sum(role.sessions for role in view.roles.stratum),
        accounts=len(view.accounts),
    )


def luck(view: LiveView | None, totals: Totals | None) -> Luck:
    """Expectations, as far as the sources that answer allow."""
    effort = totals.round_effort if totals else None
    work = view.roles.worst_work if view else None
    job = work.job if work else None
    if view is None or job is None or view.pool.hashrate.hour.hps <= 0:
        return Luck(None, None, effort)
    hashes = job.network_difficulty * DIFFICULTY_1_HASHES
    expected_seconds = hashes / view.pool.hashrate.hour.hps
    # Blocks are a Poisson process: P(at least one within t) = 1 - exp(-t / mean).
    return Luck(expected_seconds, -math.expm1(-DAY_SECONDS / expected_seconds), effort)
