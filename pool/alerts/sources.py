"""What is wrong, as the parts of the pool know it, made into alerts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from payout.instants import format_instant
from pool.alerts.alert import Alert, Severity
from pool.dashboard.checks import State
from pool.dashboard.fleet_rows import AlarmSign
from pool.dashboard.health import Health
from pool.dashboard.rows import Hashrate, LiveView
from pool.dashboard.workers import Group

_SEVERITY: Final[Mapping[State, Severity]] = {State.DOWN: "page", State.WARN: "warn"}

NEVER_SILENT: Final = frozenset(f"health:{name}" for name in ("blocks", "proposals", "ledger", "luck", "reserve"))
"""What is told during a maintenance too, by the keys of the bus: blocks and money. What is lost there nobody meant to
lose, whatever they work on. The rules for Prometheus make the same difference (`docker/prometheus/alerts.yml`)."""

_WHOLE: Final = ("region", "site")
"""What somebody has to look at now."""

ALERTS_MAX: Final = 50
"""That one role may have at once in its sign of life."""


def from_health(health: Health) -> list[Alert]:
    """The checks of /readyz that are down or warn. What nobody can know is told by who should know it, and the alarms
    of fleets one by one."""
    return [
        Alert(check.name, _SEVERITY[check.state], f"{check.name}: {check.text}", check.text, check.mend or "")
        for check in health.checks
        if check.state in _SEVERITY and check.name != "fleet"
    ]


def unknown_in(health: Health) -> list[str]:
    """The keys of the checks that nobody can make now."""
    return [check.name for check in health.checks if check.state is State.UNKNOWN]


def from_fleets(alarms: Iterable[AlarmSign]) -> list[Alert]:
    """Machines in the dark, as the lookout has them: one for what explains them together."""
    return [
        Alert(
            f"{alarm.kind}:{alarm.name}",
            "page" if alarm.kind in _WHOLE else "warn",
            f"{alarm.kind} {alarm.name} is dark: {alarm.dark} of {alarm.machines} machines",
            f"The first sent its last share at {format_instant(alarm.since_ms)}: {', '.join(alarm.parts)}.",
            "Call the site; announce what is planned with `steppe site event`. docs/runbooks.md, SteppeSiteDown.",
        )
        for alarm in alarms
    ]


def groups_of(view: LiveView, sites: Iterable[Group]) -> dict[str, Hashrate]:
    """Accounts and sites by their names for people."""
    accounts = {f"account {account.name}": account.activity.hashrate for account in view.accounts}
    return accounts | {f"site {site.name}": site.activity.hashrate for site in sites}


def alerts_in(role: str, data: Mapping[str, Any]) -> list[Alert]:
    """What a role says is wrong, under `alarms` of its sign of life: a list of alerts. One that is of another version
    says so itself."""
    try:
        return msgspec.convert(data.get("alerts", ()), list[Alert])[:ALERTS_MAX]
    except msgspec.ValidationError as error:
        text = f"Its alerts cannot be read ({error}): run all roles in the same version."
        return [Alert(f"alerts of {role}", "warn", f"{role}: alerts of another version", text)]
