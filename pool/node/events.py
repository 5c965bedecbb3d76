"""Log events of the link to the nodes; see `pool.events`."""

from __future__ import annotations

from pool.emit import CRITICAL, ERROR, INFO, WARNING, emit


def chain_majority(node: str, reason: str) -> None:
    """A node is on the chain of the majority."""
    emit(INFO, "chain_majority", node=node, reason=reason)


def chain_minority(node: str, reason: str) -> None:
    """A node is not on the chain that the rest of the world mines: no job is made of its templates."""
    emit(
        CRITICAL,
        "chain_minority",
        node=node,
        reason=reason,
        message="Blocks on such a chain are worth nothing. If it is the right one all the same, a [[checkpoint]] says "
        "so.",
    )


def chain_unknown(node: str, reason: str) -> None:
    """Nobody can say whether a node is on the chain of the majority; chain.on_unknown says whether it is mined on."""
    emit(
        WARNING,
        "chain_unknown",
        node=node,
        reason=reason,
        message="A second [[node]], best of another make, can tell.",
    )


def no_node_left(problem: str) -> None:
    """No node gives work; miners go on with the last template for a while. problem: of each node."""
    emit(CRITICAL, "no_node_left", message=problem)


def node_announces(node: str) -> None:
    """A node's announcements of new tips come again."""
    emit(INFO, "node_announces", node=node)


def node_announces_nothing(node: str) -> None:
    """A node has a new tip and did not announce it, though it was configured to."""
    emit(
        WARNING,
        "node_announces_nothing",
        node=node,
        message="New tips are found by asking alone. See that node's zmqpubhashblock, and that `zmq` of this [[node]] "
        "is the same address.",
    )


def node_chosen(node: str) -> None:
    """Of several nodes this one gives the work from now on."""
    emit(INFO, "node_chosen", node=node)


def node_ready(node: str) -> None:
    """A node answers, or is well again."""
    emit(INFO, "node_ready", node=node)


def node_set_aside(node: str, state: str, reason: str) -> None:
    """A node is slow, behind or syncing: another one gives the work, if there is a better one."""
    emit(WARNING, "node_set_aside", node=node, state=state, message=reason)


def node_unavailable(node: str, problem: str) -> None:
    """A node cannot be asked, or gives no template."""
    emit(ERROR, "node_unavailable", node=node, message=problem)


def template_fresh() -> None:
    """A node has given a template again after a long time."""
    emit(INFO, "template_fresh")


def template_old(age_seconds: int, problem: str) -> None:
    """No node has given a template for a minute."""
    emit(WARNING, "template_old", age_seconds=age_seconds, message=problem)


def template_refused(node: str, height: int, job_id: str, reason: str) -> None:
    """A node would refuse the block of a template of its own with our coinbase: the job is withdrawn. On any network
    this wants a person to look."""
    emit(CRITICAL, "template_refused", node=node, height=height, job_id=job_id, reason=reason)


def template_taken(node: str, emptied: bool) -> None:
    """A node that refused a template takes one again. emptied: only without transactions, so their fees are missed."""
    emit(WARNING, "template_taken", node=node, emptied=emptied)


def template_too_old(age_seconds: int, problem: str) -> None:
    """No node has given a template for two minutes: what miners work on may be worth nothing."""
    emit(CRITICAL, "template_too_old", age_seconds=age_seconds, message=problem)


def template_trimmed(height: int, transactions: int, dropped: int) -> None:
    """A template had no room for our coinbase: its last transactions were left out. transactions: of the template."""
    emit(WARNING, "template_trimmed", height=height, transactions=transactions, dropped=dropped)
