"""A pool that is well, and what is said of it and of what is changed in it."""

from __future__ import annotations

from msgspec.structs import replace

from pool.dashboard.checks import Check
from pool.dashboard.health import Health, judge
from pool.dashboard.readings import Reading
from pool.dashboard.role_rows import Roles
from pool.dashboard.rows import Totals
from tests.pool.dashboard.fakes import NOW_MS, live_view, worker

VIEW = live_view([worker("acct.rig-1")])
WORK = VIEW.roles.work["main"]
assert WORK.job is not None
JOB = WORK.job
TOTALS = Totals(0, {}, None, 0, 0, 0.0)


def health(roles: Roles = VIEW.roles) -> Health:
    return judge(Reading(replace(VIEW, roles=roles)), Reading(TOTALS), NOW_MS)


def check(name: str, verdict: Health) -> Check:
    return next(each for each in verdict.checks if each.name == name)
