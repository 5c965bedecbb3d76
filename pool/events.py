"""Every log event of the pool: one function each, fields instead of sentences.

`pool.logs` writes them as JSON lines. A share is a counter, not an event. A field named `message` is for people and
says what to do; the rest is data. Functions stand in alphabetical order.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.python.failure import Failure

from pool.emit import CRITICAL, ERROR, INFO, WARNING, emit, log


def accounting_goes_on(what: str) -> None:
    """What accounting waited for is there again."""
    emit(INFO, "accounting_goes_on", what=what)


def accounting_waits(what: str, message: str) -> None:
    """Something that accounting needs is away: shares are safe in the journal, credits wait."""
    emit(WARNING, "accounting_waits", what=what, message=message)


def address_banned(origin: str, seconds: float, reason: str) -> None:
    """An address, or the /64 of one of IPv6, is shut out for a while. reason: of its last offence."""
    emit(WARNING, "address_banned", origin=origin, seconds=seconds, reason=reason)


def block_accepted(height: int, block_hash_hex: str, reason: str | None) -> None:
    """The node has taken a block of ours into its chain. reason: its word if it had the block before."""
    emit(INFO, "block_accepted", height=height, block_hash=block_hash_hex, reason=reason)


def block_fell_out(height: int, block_hash_hex: str) -> None:
    """A block of ours is no more in the chain that it was in; it is submitted again until its fate is sealed."""
    emit(WARNING, "block_fell_out", height=height, block_hash=block_hash_hex)


def block_found(height: int, block_hash_hex: str, job_id: str, login: str) -> None:
    """A share is a block; it is on its way to disk and node."""
    emit(INFO, "block_found", height=height, block_hash=block_hash_hex, job_id=job_id, login=login)


def block_lost(height: int, block_hash_hex: str, answers: dict[str, str]) -> None:
    """Another block at that height is six deep: a race is lost, and no fault of ours. answers: each node's last one."""
    emit(WARNING, "block_lost", height=height, block_hash=block_hash_hex, answers=answers)


def block_preferred(height: int, block_hash_hex: str, node: str) -> None:
    """A node saw another block at that height first; it is told to stand by ours."""
    emit(INFO, "block_preferred", height=height, block_hash=block_hash_hex, node=node)


def block_recorded(height: int, block_hash_hex: str, account: str, worker: str) -> None:
    """A block candidate is in the books."""
    emit(
        INFO,
        "block_recorded",
        height=height,
        block_hash_hex=block_hash_hex,
        account=account,
        worker=worker,
    )


def block_refused(height: int, block_hash_hex: str, node: str, reason: str | None) -> None:
    """One node refuses a block of ours for good. On any network this wants a person to look: either the block is bad,
    or the node follows other rules than the rest."""
    emit(CRITICAL, "block_refused", height=height, block_hash=block_hash_hex, node=node, reason=reason)


def block_rejected(height: int, block_hash_hex: str, answers: dict[str, str]) -> None:
    """Every node refuses a block of ours: a reward is lost. answers: each node's."""
    emit(CRITICAL, "block_rejected", height=height, block_hash=block_hash_hex, answers=answers)


def block_state_changed(height: int, block_hash_hex: str, before: str, after: str) -> None:
    """A block went from one state of its life to the next, and the ledger with it."""
    emit(INFO, "block_state_changed", height=height, block_hash_hex=block_hash_hex, before=before, after=after)


def block_undecided(height: int, block_hash_hex: str, node: str, problem: str) -> None:
    """A block of ours waits for a node; it is submitted there until its fate is known. Said once for each problem."""
    emit(WARNING, "block_undecided", height=height, block_hash=block_hash_hex, node=node, message=problem)


def bug(where: str, error: BaseException) -> None:
    """Something that cannot happen happened; the traceback goes with it."""
    failure: Any = Failure
    log.failure("", failure=failure(error), level=CRITICAL, event="bug", where=where)


def candidate_not_written(block_hash_hex: str, problem: str) -> None:
    """The disk does not take a candidate or its verdict. The block goes to the node all the same."""
    emit(CRITICAL, "candidate_not_written", block_hash=block_hash_hex, message=problem)


def candidate_resent(block_hash_hex: str, job_id: str, login: str) -> None:
    """A block that the journal has from a run before is handed to the work role, which may have it already."""
    emit(INFO, "candidate_resent", block_hash_hex=block_hash_hex, job_id=job_id, login=login)


def candidate_sent(height: int, block_hash_hex: str, job_id: str, login: str, outcome: str) -> None:
    """A share meets the network's target and is on its way to the work role. outcome: of the share, whatever it is."""
    emit(
        INFO,
        "candidate_sent",
        height=height,
        block_hash_hex=block_hash_hex,
        job_id=job_id,
        login=login,
        outcome=outcome,
    )


def candidate_unbuildable(block_hash_hex: str, job_id: str, login: str, problem: str) -> None:
    """A share is a block that cannot be put together; what there is of it is kept beside the candidates."""
    fields = {"block_hash": block_hash_hex, "job_id": job_id, "login": login}
    emit(CRITICAL, "candidate_unbuildable", **fields, message=problem)


def candidate_unreadable(block_hash_hex: str, problem: str) -> None:
    """A candidate that an earlier run left cannot be read from the disk and is not submitted."""
    emit(CRITICAL, "candidate_unreadable", block_hash=block_hash_hex, message=problem)


def block_share_recovered(block_hash_hex: str, job_id: str, login: str) -> None:
    """A run before was killed between a block and its share's record; it is recorded now."""
    emit(INFO, "block_share_recovered", block_hash_hex=block_hash_hex, job_id=job_id, login=login)


def cannot_go_on(message: str) -> None:
    """The supervisor ends: starting again would not help."""
    emit(CRITICAL, "cannot_go_on", message=message)


def certificate_expires(file: str, expires_ms: int) -> None:
    """The certificate for TLS ends within three weeks, or has ended; said daily. expires_ms: Unix time."""
    emit(
        ERROR,
        "certificate_expires",
        file=file,
        expires_ms=expires_ms,
        message="Renew the certificate: from its end on, miners that check it cannot connect over TLS.",
    )


def certificate_loaded(file: str, expires_ms: int) -> None:
    """This certificate serves new TLS connections. expires_ms: Unix time."""
    emit(INFO, "certificate_loaded", file=file, expires_ms=expires_ms)


def certificate_refused(file: str, problem: str) -> None:
    """A new certificate or key cannot be used; the old pair goes on."""
    emit(
        ERROR,
        "certificate_refused",
        file=file,
        problem=problem,
        message="The former certificate stays in use. Mend what `problem` says; the files are read again when they "
        "change, and on SIGHUP.",
    )


def control_not_open(problem: str) -> None:
    """A stratum process takes no orders of an operator; all else goes on."""
    emit(ERROR, "control_not_open", message=problem)


def miners_welcome() -> None:
    """There is work again; a stratum process takes miners in."""
    emit(INFO, "miners_welcome")


def neighbours_not_met(problem: str) -> None:
    """A stratum process cannot give connections to the others: miners that return begin anew; all else goes on."""
    emit(ERROR, "neighbours_not_met", message=problem)


def drain_begun(sessions: int, seconds: float, target: str) -> None:
    """The stratum role takes nobody in any more and sends its miners away in waves."""
    emit(INFO, "drain_begun", sessions=sessions, seconds=seconds, target=target)


def feed_down(address: str, problem: str) -> None:
    """A stratum process has lost the work role, or not found it; it goes on with the last job and tries again."""
    emit(WARNING, "feed_down", address=address, message=problem)


def feed_frame_refused(peer: str, problem: str) -> None:
    """The other end of the job feed sent what we do not understand: another version, or not of this pool."""
    emit(ERROR, "feed_frame_refused", peer=peer, message=problem)


def feed_up(address: str) -> None:
    """A stratum process has found the work role."""
    emit(INFO, "feed_up", address=address)


def job_ids_not_reserved(path: str, problem: str) -> None:
    """The disk does not take the job ids set aside; jobs go on."""
    emit(ERROR, "job_ids_not_reserved", path=path, message=problem)


def ledger_stopped(message: str) -> None:
    """The books are not what they should be: accounting stops until a person has looked; mining goes on."""
    emit(CRITICAL, "ledger_stopped", message=message)


def miners_released(sessions: int, age_seconds: int) -> None:
    """The work is too old to mine on: a stratum process resets its sessions and takes nobody in until there is new
    work, so that miners go to their backup pools. age_seconds: since a node gave the newest template."""
    emit(CRITICAL, "miners_released", sessions=sessions, age_seconds=age_seconds)


def miners_told(what: str, account: str | None, sessions: int) -> None:
    """An operator had the miners told something: those of one account, or all."""
    emit(INFO, "miners_told", what=what, account=account, sessions=sessions)


def proxy_header_refused(proxy: str, problem: str) -> None:
    """A source listed in `proxy_from` sends no PROXY header, or a bad one; said once until it sends a good one."""
    emit(
        WARNING,
        "proxy_header_refused",
        proxy=proxy,
        problem=problem,
        message="Miners cannot connect through it: have it send the PROXY header, or take it off stratum.proxy_from.",
    )


def redis_ready(role: str) -> None:
    """Redis answers again."""
    emit(INFO, "redis_ready", role=role)


def redis_socket_elsewhere(path: Path, reason: str) -> None:
    """The socket of our own Redis is not in the data folder."""
    emit(INFO, "redis_socket_elsewhere", path=path, reason=reason)


def redis_unavailable(role: str, message: str) -> None:
    """Redis cannot be asked; mining goes on, statistics and credits wait."""
    emit(WARNING, "redis_unavailable", role=role, message=message)


def role_cannot_start(role: str, message: str) -> None:
    """A role cannot work with this configuration on this machine."""
    emit(CRITICAL, "role_cannot_start", role=role, message=message)


def role_died(role: str, status: int, reason: str, restart_seconds: float) -> None:
    """A role ended without being told to, or could not be started again; it is tried again. status: exit code, or minus
    the signal. reason: what it said last."""
    emit(ERROR, "role_died", role=role, status=status, reason=reason, restart_seconds=restart_seconds)


def role_started(role: str, pid: int) -> None:
    """A role is ready to work."""
    emit(INFO, "role_started", role=role, pid=pid)


def role_stopping(role: str, reason: str) -> None:
    """A role winds down."""
    emit(INFO, "role_stopping", role=role, reason=reason)


def role_left_threads(role: str, threads: int) -> None:
    """A role has stopped and does not wait any longer for threads of it that hang, perhaps for a store."""
    emit(WARNING, "role_left_threads", role=role, threads=threads)


def sessions_not_written(path: str, problem: str) -> None:
    """The disk does not take the difficulties of the workers; it is tried again."""
    emit(WARNING, "sessions_not_written", path=path, message=problem)


def sessions_unreadable(path: str, problem: str) -> None:
    """A file of workers' difficulties is none: it is passed over, those workers begin at their port's difficulty."""
    emit(WARNING, "sessions_unreadable", path=path, message=problem)


def share_commit_failed(shares: int, error: str) -> None:
    """The share journal could not be written: these shares are not acknowledged, their sessions are closed. Said once
    until a commit succeeds again."""
    emit(
        CRITICAL,
        "share_commit_failed",
        shares=shares,
        error=error,
        message="No share is acknowledged until the journal's disk can be written again: check its space and health.",
    )


def share_gap(frontend: str, high_water: int) -> None:
    """Shares after high_water are missing in the transport; their journal sends them again."""
    emit(WARNING, "share_gap", frontend=frontend, high_water=high_water)


def shares_refused(shares: int, workers_total: int, workers: dict[str, dict[str, int]]) -> None:
    """Shares of the last minute were refused. workers: counts by reason of those with the most."""
    emit(INFO, "shares_refused", shares=shares, workers_total=workers_total, workers=workers)


def template_not_written(job_id: str, problem: str) -> None:
    """The disk does not take the template of a job; a block of it would not survive a crash of the work role."""
    emit(ERROR, "template_not_written", job_id=job_id, message=problem)


def tip_changed(height: int, prev_hash_hex: str, job_id: str) -> None:
    """Miners have a job on a new tip. height: of the block that is mined on."""
    emit(INFO, "tip_changed", height=height, prev_hash=prev_hash_hex, job_id=job_id)


def worker_banned(origin: str, login: str, seconds: float, reason: str) -> None:
    """A worker is refused for a while, at this address only. reason: of its last offence."""
    emit(WARNING, "worker_banned", origin=origin, login=login, seconds=seconds, reason=reason)
