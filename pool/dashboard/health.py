"""Is the pool fit to mine and to pay? One check per dependency, in words, with the mend."""

from __future__ import annotations

from msgspec import Struct

from pool.dashboard import checks_of_books, checks_of_work
from pool.dashboard.checks import Check, State
from pool.dashboard.readings import Reading
from pool.dashboard.role_rows import Roles, StratumRole
from pool.dashboard.rows import LiveView, Totals

CERTIFICATE_WARN_DAYS = 21
"""Automatic renewal happens a month before the end, so by then it has failed."""

_DAY_MS = 86_400_000


class Health(Struct, frozen=True):
    """All checks. ready: none is down or unknown."""

    ready: bool
    checks: tuple[Check, ...]


def judge(live: Reading[LiveView], books: Reading[Totals], now_ms: int) -> Health:
    """The checks of /readyz, the sources first, since the roles are known through one of them."""
    checks = [
        _source(
            "redis", live.reason, "Mining goes on and no share is lost. The pool starts its own Redis again by itself."
        ),
        _source("database", books.reason, "Mining goes on and no share is lost. Credits and payouts wait for it."),
    ]
    if live.value is None:
        names = (*checks_of_work.NAMES, "stratum", "disk", *checks_of_books.NAMES)
        checks += [Check(name, State.UNKNOWN, "not known while Redis is down") for name in names]
    else:
        roles = live.value.roles
        checks += checks_of_work.of_work(roles, now_ms)
        checks += [_stratum(roles.stratum, now_ms), _disk(roles)]
        checks += checks_of_books.of_books(roles.accounting)
    ready = all(check.state in (State.OK, State.WARN) for check in checks)
    return Health(ready, tuple(checks))


def _source(name: str, reason: str | None, mend: str) -> Check:
    if reason is None:
        return Check(name, State.OK, "answers")
    return Check(name, State.DOWN, reason, mend)


def _stratum(roles: tuple[StratumRole, ...], now_ms: int) -> Check:
    if not roles:
        return Check(
            "stratum",
            State.DOWN,
            "no stratum role gives a sign of life; miners cannot connect",
            "`steppe run` restarts it by itself; if it does not stay up, its log says why (the port may be taken).",
        )
    if any(role.is_released for role in roles):
        return Check(
            "stratum",
            State.DOWN,
            "the miners were sent to their backup pools: there is no fresh work",
            "They are taken in by themselves once a node gives work again; see the nodes and the work role.",
        )
    if refusal := next((role.journal_refusal for role in roles if role.journal_refusal), None):
        return Check(
            "stratum",
            State.DOWN,
            f"the journal takes no shares, and the miners are sent away: {refusal}",
            "Make room on its disk, or see to that; it goes on by itself.",
        )
    ends_ms = min((role.certificate_expires_ms for role in roles if role.certificate_expires_ms), default=None)
    if ends_ms is not None and ends_ms - now_ms <= CERTIFICATE_WARN_DAYS * _DAY_MS:
        days = max(0, (ends_ms - now_ms) // _DAY_MS)
        return Check(
            "stratum",
            State.WARN,
            f"the certificate for TLS ends in {days} days" if ends_ms > now_ms else "the certificate for TLS has ended",
            "Renew it: the new files are taken without a restart. `certificate_refused` in the log says what is wrong.",
        )
    processes = "1 process takes" if len(roles) == 1 else f"{len(roles)} processes take"
    return Check("stratum", State.OK, f"{processes} shares")


def _disk(roles: Roles) -> Check:
    several = len(roles.work) > 1
    said = {f"work {region}" if several else "work": role.disk for region, role in roles.work.items()}
    said |= {f"stratum {role.name}": role.disk for role in roles.stratum}
    disks = [(disk, role) for role, disk in said.items() if disk is not None]
    if not disks:
        return Check("disk", State.UNKNOWN, "not known while no role writes to it")
    least, role = min(disks, key=lambda each: (not each[0].is_low, each[0].free_bytes))
    text = f"{least.free_bytes / 2**30:.1f} of {least.total_bytes / 2**30:.1f} GiB are free"
    if least.is_low:
        return Check(
            "disk",
            State.WARN,
            f"{role}: {text}",
            "Make room: on a full disk no share is accepted. `stratum.journal_keep_days` shortens the journal.",
        )
    return Check("disk", State.OK, text)
