"""Is the pool fit to mine and to pay? One check per dependency, in words, with the mend."""

from __future__ import annotations

import enum

from msgspec import Struct

from pool.bitcoin.amount import format_btc
from pool.dashboard.readings import Reading
from pool.dashboard.role_rows import AccountingRole, Roles, StratumRole, WorkRole
from pool.dashboard.rows import LiveView, Totals

TEMPLATE_WARN_SECONDS = 60
"""The work role asks for a template every 45 s at most, so this is no accident."""

TEMPLATE_DOWN_SECONDS = 120
"""From here on the miners' work is worth less than the fees it misses, or nothing if the tip moved."""

LAG_WARN_SHARES = 120_000
"""A minute of shares at 2,000 a second, the load that the pool is built for: credits are visibly late."""

REFUSAL_WARN_MS = 3_600_000
"""A refused template is replaced within a second, and yet somebody has to look."""

CERTIFICATE_WARN_DAYS = 21
"""Automatic renewal happens a month before the end, so by then it has failed."""

TOLD_MAX = 10
"""So many alarms are told in one line."""

_DAY_MS = 86_400_000


class State(enum.Enum):
    """Of a dependency. UNKNOWN: whoever could tell is down itself."""

    OK = "ok"
    WARN = "warn"
    DOWN = "down"
    UNKNOWN = "unknown"


class Check(Struct, frozen=True):
    """One dependency. text: what is; mend: what to do about it, None when there is nothing to do."""

    name: str
    state: State
    text: str
    mend: str | None = None


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
        checks += [
            Check(name, State.UNKNOWN, "not known while Redis is down")
            for name in (
                "work",
                "blocks",
                "stratum",
                "accounting",
                "reserve",
                "ledger",
                "luck",
                "nodes",
                "chain",
                "proposals",
                "template",
                "moves",
                "fleet",
                "disk",
            )
        ]
    else:
        roles = live.value.roles
        checks += [
            _work(roles),
            _blocks(roles),
            _stratum(roles.stratum, now_ms),
            _accounting(roles.accounting),
            _reserve(roles.accounting),
            _ledger(roles.accounting),
            _luck(roles.accounting),
            _nodes(roles.work),
            _chain(roles.work),
            _proposals(roles.work, now_ms),
            _template(roles.work, now_ms),
            _moves(roles.accounting),
            _fleet(roles.accounting),
            _disk(roles),
        ]
    ready = all(check.state in (State.OK, State.WARN) for check in checks)
    return Health(ready, tuple(checks))


def _source(name: str, reason: str | None, mend: str) -> Check:
    if reason is None:
        return Check(name, State.OK, "answers")
    return Check(name, State.DOWN, reason, mend)


def _work(roles: Roles) -> Check:
    role = roles.work
    if role is not None and (idle := {each.region for each in roles.stratum if _is_idle(each, roles)}):
        return Check(
            "work",
            State.DOWN,
            f"no work role of {', '.join(sorted(idle))} gives a sign of life; miners there keep their last job",
            "Start it there, or see its log; region.name must be the same in the files of a region.",
        )
    if role is None:
        return Check(
            "work",
            State.DOWN,
            "no work role gives a sign of life; miners keep their last job",
            "`steppe run` restarts it by itself; if it does not stay up, its log says why.",
        )
    return Check("work", State.OK, "makes jobs" if role.job else "waits for the node")


def _is_idle(stratum: StratumRole, roles: Roles) -> bool:
    """Whether there is no work role for a stratum role: none at all, or none of its region."""
    return roles.work is None or (bool(stratum.region) and stratum.region not in roles.work_regions)


def _blocks(roles: Roles) -> Check:
    """Those that we found, until a node has them. Not a part of `work`: a work role that is away is no lost block."""
    role = roles.work
    if role is not None and role.blocks_refused:
        return Check(
            "blocks",
            State.WARN,
            f"{role.blocks_refused} of our blocks refused by a node in the last six hours",
            "`block_refused` in the work role's log says by which node and why; the block is in the folder "
            "`candidates`.",
        )
    # A block waits some milliseconds for its verdict always; it is a trouble when the node cannot give one.
    if role is not None and role.candidates_pending and role.node_reason is not None:
        return Check(
            "blocks",
            State.WARN,
            "a block waits for the node's verdict",
            "It is on disk and is submitted again until the node answers; see that the node does.",
        )
    if any(each.candidates_pending and _is_idle(each, roles) for each in roles.stratum):
        return Check(
            "blocks",
            State.WARN,
            "a block waits for the work role",
            "It is kept and sent until the work role takes it; see that the work role runs and can be reached.",
        )
    if role is None:
        return Check("blocks", State.UNKNOWN, "not known while the work role is down")
    return Check("blocks", State.OK, "none of ours waits or was refused")


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


def _accounting(role: AccountingRole | None) -> Check:
    if role is None:
        return Check(
            "accounting",
            State.DOWN,
            "the accounting role gives no sign of life; shares are safe in the journal, credits wait",
            "`steppe run` restarts it by itself; if it does not stay up, its log says why.",
        )
    if role.lag_shares is not None and role.lag_shares > LAG_WARN_SHARES:
        return Check(
            "accounting",
            State.WARN,
            "credits are late: many shares wait to be booked",
            "It catches up by itself unless the database is too slow for the share rate.",
        )
    return Check("accounting", State.OK, "books shares")


def _ledger(role: AccountingRole | None) -> Check:
    """Never down: mining goes on, whatever is wrong with the money."""
    if role is None:
        return Check("ledger", State.UNKNOWN, "not known while the accounting role is down")
    if role.broken:
        first = role.broken[0]
        more = f", and {len(role.broken) - 1} more" if len(role.broken) > 1 else ""
        text = f"payouts are stopped: invariant {first.invariant} is broken: {first.what}{more}"
        return Check("ledger", State.WARN, text, f"{first.mend} Then `steppe payout resume REASON`.")
    if role.payouts_stopped is not None:
        mend = "`steppe payout status` says more. Once all is well: `steppe payout resume REASON`."
        return Check("ledger", State.WARN, f"payouts are stopped: {role.payouts_stopped}", mend)
    if role.held:
        first_held = role.held[0]
        text = f"{len(role.held)} of our blocks are held: {first_held.hash_hex}: {first_held.reason}"
        return Check("ledger", State.WARN, text, "Look at it, then `steppe block release HASH REASON`.")
    return Check("ledger", State.OK, "every invariant holds")


def _luck(role: AccountingRole | None) -> Check:
    if role is None:
        return Check("luck", State.UNKNOWN, "not known while the accounting role is down")
    if role.suspected:
        first = role.suspected[0]
        text = f"blocks are missing from {len(role.suspected)} groups, first {first.kind} {first.name}"
        return Check("luck", State.WARN, text, f"`steppe withholding` has the figures. {first.told}")
    return Check("luck", State.OK, "nobody finds fewer blocks than luck allows")


def _reserve(role: AccountingRole | None) -> Check:
    if role is None:
        return Check("reserve", State.UNKNOWN, "not known while the accounting role is down")
    found = role.reserve
    if found is None:
        return Check("reserve", State.OK, "not looked at yet")
    held = f"the reserve of pay per share holds {format_btc(found.held_sat)} BTC"
    mend = "`steppe reserve show` says what is needed; `steppe reserve fund` books what you add."
    match found.level:
        case "unused":
            return Check("reserve", State.OK, "nobody is paid per share")
        case "low":
            return Check("reserve", State.WARN, f"{held}, below {_btc(found.alarm_sat)}", mend)
        case "closed":
            text = f"{held}, below {_btc(found.close_sat)}: no account more is paid per share"
            return Check("reserve", State.WARN, text, mend)
        case "stopped":
            text = f"{held}: it was used up, and new jobs are paid by PPLNS"
            return Check("reserve", State.WARN, text, f"{mend} Then `steppe reserve resume`.")
        case _:
            return Check("reserve", State.OK, held)


def _btc(amount_sat: int | None) -> str:
    if amount_sat is None:
        return "any amount: the lowest fee does not cover the losses"
    return f"{format_btc(amount_sat)} BTC"


def _nodes(role: WorkRole | None) -> Check:
    if role is None:
        return Check("nodes", State.UNKNOWN, "not known while the work role is down")
    mend = "A node's own log says more. Once it is well it is taken back by itself."
    if role.node_reason is not None:
        return Check("nodes", State.DOWN, role.node_reason, mend)
    aside = [f"{node.name} is {node.state}: {node.reason}" for node in role.nodes if node.reason is not None]
    silent = [f"{node.name} announces no blocks over ZMQ" for node in role.nodes if node.is_silent]
    if aside or silent:
        return Check("nodes", State.WARN, "; ".join(aside + silent), mend)
    chosen = next((node.name for node in role.nodes if node.is_chosen), "a node")
    return Check("nodes", State.OK, f"{chosen} gives the work")


def _chain(role: WorkRole | None) -> Check:
    if role is None:
        return Check("chain", State.UNKNOWN, "not known while the work role is down")
    if role.chain is None:
        return Check("chain", State.DOWN, "no node has said yet what its chain is", "See that a node answers.")
    match role.chain.verdict:
        case "majority":
            return Check("chain", State.OK, role.chain.reason)
        case "unknown":
            mend = "Add a second `[[node]]`, best of another make: two can be compared, one cannot."
            return Check("chain", State.WARN, role.chain.reason, mend)
        case _:
            mend = "No jobs are made of such a chain. See which chain others are on, and mend or replace the node."
            return Check("chain", State.DOWN, role.chain.reason, mend)


def _proposals(role: WorkRole | None, now_ms: int) -> Check:
    if role is None:
        return Check("proposals", State.UNKNOWN, "not known while the work role is down")
    proposals = role.proposals
    if proposals is None or (proposals.last_refused_ms is None and proposals.problem is None):
        return Check("proposals", State.OK, "the nodes would take our blocks")
    mend = "`template_refused` in the work role's log says why. Report it: a block of that job would have been lost."
    if proposals.problem is not None:
        return Check("proposals", State.DOWN, proposals.problem, mend)
    if proposals.last_refused_ms is not None and now_ms - proposals.last_refused_ms < REFUSAL_WARN_MS:
        return Check("proposals", State.WARN, "a node refused a template with our coinbase within the hour", mend)
    return Check("proposals", State.OK, "the nodes would take our blocks")


def _template(role: WorkRole | None, now_ms: int) -> Check:
    if role is None:
        return Check("template", State.UNKNOWN, "not known while the work role is down")
    mend = "Ask the node: `bitcoin-cli getblockchaininfo`. Its log and the work role's say what is wrong."
    if role.job is None:
        return Check("template", State.DOWN, role.node_reason or "the node has given none yet", mend)
    age_seconds = (now_ms - role.job.template_ms) / 1000
    if age_seconds > TEMPLATE_DOWN_SECONDS:
        reason = (
            role.node_reason or f"the newest is older than {TEMPLATE_DOWN_SECONDS} s: miners may be working in vain"
        )
        return Check("template", State.DOWN, reason, mend)
    if role.node_reason is not None:
        return Check("template", State.WARN, role.node_reason, mend)
    if age_seconds > TEMPLATE_WARN_SECONDS:
        return Check("template", State.WARN, f"the newest is older than {TEMPLATE_WARN_SECONDS} s", mend)
    return Check("template", State.OK, "fresh")


def _moves(role: AccountingRole | None) -> Check:
    if role is None or role.moves is None:
        return Check("moves", State.UNKNOWN if role is None else State.OK, "not known while nobody looks after them")
    if role.moves.late:
        late = ", ".join(f"{name}: {count}" for name, count in sorted(role.moves.late.items()))
        mend = "`steppe move show` lists who is missing, by rack; close the move when no more are to come."
        return Check("moves", State.WARN, f"relocation late, machines that have not arrived: {late}", mend)
    if role.moves.strays:
        return Check(
            "moves",
            State.WARN,
            f"{role.moves.strays} workers came on in another region without a planned move",
            "`steppe move strays` lists them. Their accounts' addresses cannot be changed until `steppe move confirm`.",
        )
    if role.moves.drafts:
        [first, *more] = role.moves.drafts
        which = f"{first} and {len(more)} more" if more else first
        mend = (
            f"`steppe move plan {first} --to SITE` says where; `steppe move close {first} --reason WHY` that they stay."
        )
        return Check("moves", State.WARN, f"power ends at a site, and nobody said where its machines go: {which}", mend)
    text = f"{role.moves.open} open" if role.moves.open else "none is open"
    return Check("moves", State.OK, text)


def _fleet(role: AccountingRole | None) -> Check:
    if role is None:
        return Check("fleet", State.UNKNOWN, "not known while nobody looks after it")
    if not role.alarms:
        return Check("fleet", State.OK, "no machine that should hash is known to be dark")
    told = [f"{each.kind} {each.name}: {each.dark:,} of {each.machines:,}" for each in role.alarms[:TOLD_MAX]]
    mend = "The page Fleets says since when. Call the site; announce what is planned with `steppe site event`."
    return Check("fleet", State.WARN, f"machines are dark: {'; '.join(told)}", mend)


def _disk(roles: Roles) -> Check:
    disks = [role.disk for role in (roles.work, *roles.stratum) if role is not None and role.disk is not None]
    if not disks:
        return Check("disk", State.UNKNOWN, "not known while no role writes to it")
    least = min(disks, key=lambda disk: disk.free_bytes)
    text = f"{least.free_bytes / 2**30:.1f} of {least.total_bytes / 2**30:.1f} GiB are free"
    if any(disk.is_low for disk in disks):
        return Check(
            "disk",
            State.WARN,
            text,
            "Make room: on a full disk no share is accepted. `stratum.journal_keep_days` shortens the journal.",
        )
    return Check("disk", State.OK, text)
