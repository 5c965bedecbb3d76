"""The checks of the work roles, one in each region: their jobs, nodes and blocks."""

from __future__ import annotations

from collections.abc import Callable

from pool.dashboard.checks import Check, State
from pool.dashboard.role_rows import Roles, StratumRole, WorkRole

TEMPLATE_WARN_SECONDS = 60
"""The work role asks for a template every 45 s at most, so this is no accident."""

TEMPLATE_DOWN_SECONDS = 120
"""From here on the miners' work is worth less than the fees it misses, or nothing if the tip moved."""

REFUSAL_WARN_MS = 3_600_000
"""A refused template is replaced within a second, and yet somebody has to look."""

_SEVERITY = {State.OK: 0, State.WARN: 1, State.UNKNOWN: 2, State.DOWN: 3}

NAMES = ("work", "blocks", "nodes", "chain", "proposals", "template")


def of_work(roles: Roles, now_ms: int) -> tuple[Check, ...]:
    """Named as in NAMES."""
    return (
        _work(roles),
        _blocks(roles),
        _of_regions("nodes", roles, _nodes),
        _of_regions("chain", roles, _chain),
        _of_regions("proposals", roles, lambda role: _proposals(role, now_ms)),
        _of_regions("template", roles, lambda role: _template(role, now_ms)),
    )


def _of_regions(name: str, roles: Roles, look: Callable[[WorkRole], Check]) -> Check:
    """The checks of all regions as one, no better than the worst: it tells of all that are not well, by region."""
    if not roles.work:
        return Check(name, State.UNKNOWN, "not known while the work role is down")
    found = sorted(
        ((region, look(role)) for region, role in roles.work.items()), key=lambda each: -_SEVERITY[each[1].state]
    )
    worst = found[0][1]
    told = [each for each in found if each[1].state is not State.OK] or found
    if len({check.text for _, check in told}) == 1 and len(told) == len(found):
        return worst
    return Check(name, worst.state, "; ".join(f"{region}: {check.text}" for region, check in told), worst.mend)


def _work(roles: Roles) -> Check:
    if roles.work and (idle := {each.region for each in roles.stratum if _is_idle(each, roles)}):
        return Check(
            "work",
            State.DOWN,
            f"no work role of {', '.join(sorted(idle))} gives a sign of life; miners there keep their last job",
            "Start it there, or see its log; region.name must be the same in the files of a region.",
        )
    if not roles.work:
        return Check(
            "work",
            State.DOWN,
            "no work role gives a sign of life; miners keep their last job",
            "`steppe run` restarts it by itself; if it does not stay up, its log says why.",
        )
    return _of_regions(
        "work", roles, lambda role: Check("work", State.OK, "makes jobs" if role.job else "waits for the node")
    )


def _is_idle(stratum: StratumRole, roles: Roles) -> bool:
    """Whether there is no work role for a stratum role: none at all, or none of its region."""
    return not roles.work or (bool(stratum.region) and stratum.region not in roles.work)


def _blocks(roles: Roles) -> Check:
    """Those that we found, until a node has them. Not a part of `work`: a work role that is away is no lost block."""
    known = _of_regions("blocks", roles, _blocks_of)
    idle = any(each.candidates_pending and _is_idle(each, roles) for each in roles.stratum)
    if idle and known.state is not State.WARN:
        return Check(
            "blocks",
            State.WARN,
            "a block waits for the work role",
            "It is kept and sent until the work role takes it; see that the work role runs and can be reached.",
        )
    return known


def _blocks_of(role: WorkRole) -> Check:
    if role.blocks_refused:
        return Check(
            "blocks",
            State.WARN,
            f"{role.blocks_refused} of our blocks refused by a node in the last six hours",
            "`block_refused` in the work role's log says by which node and why; the block is in the folder "
            "`candidates`.",
        )
    # A block waits some milliseconds for its verdict always; it is a trouble when the node cannot give one.
    if role.candidates_pending and role.node_reason is not None:
        return Check(
            "blocks",
            State.WARN,
            "a block waits for the node's verdict",
            "It is on disk and is submitted again until the node answers; see that the node does.",
        )
    return Check("blocks", State.OK, "none of ours waits or was refused")


def _nodes(role: WorkRole) -> Check:
    mend = "A node's own log says more. Once it is well it is taken back by itself."
    if role.node_reason is not None:
        return Check("nodes", State.DOWN, role.node_reason, mend)
    aside = [f"{node.name} is {node.state}: {node.reason}" for node in role.nodes if node.reason is not None]
    silent = [f"{node.name} announces no blocks over ZMQ" for node in role.nodes if node.is_silent]
    if aside or silent:
        return Check("nodes", State.WARN, "; ".join(aside + silent), mend)
    chosen = next((node.name for node in role.nodes if node.is_chosen), "a node")
    return Check("nodes", State.OK, f"{chosen} gives the work")


def _chain(role: WorkRole) -> Check:
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


def _proposals(role: WorkRole, now_ms: int) -> Check:
    proposals = role.proposals
    if proposals is None or (proposals.last_refused_ms is None and proposals.problem is None):
        return Check("proposals", State.OK, "the nodes would take our blocks")
    mend = "`template_refused` in the work role's log says why. Report it: a block of that job would have been lost."
    if proposals.problem is not None:
        return Check("proposals", State.DOWN, proposals.problem, mend)
    if proposals.last_refused_ms is not None and now_ms - proposals.last_refused_ms < REFUSAL_WARN_MS:
        return Check("proposals", State.WARN, "a node refused a template with our coinbase within the hour", mend)
    return Check("proposals", State.OK, "the nodes would take our blocks")


def _template(role: WorkRole, now_ms: int) -> Check:
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
