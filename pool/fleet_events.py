"""The log events of fleets and their moves: one function each, as in `pool.events`. In alphabetical order."""

from __future__ import annotations

from pool.emit import ERROR, INFO, WARNING, emit


def energy_charged(account: str, party: str, amount_sat: int, open_sat: int) -> None:
    """Energy of a meter's period is charged. open_sat: what the balance does not cover, an invoice."""
    emit(INFO, "energy_charged", account=account, party=party, amount_sat=amount_sat, open_sat=open_sat)


def fleet_dark(kind: str, name: str, dark: int, machines: int, since_ms: int, parts: list[str]) -> None:
    """Machines that should hash do not, told once for all that one thing explains. kind: region, site, racks, firmware
    or machines. since_ms: the last share of the first of them. parts: sites, racks or machines, at most twenty."""
    emit(WARNING, "fleet_dark", kind=kind, name=name, dark=dark, machines=machines, since_ms=since_ms, parts=parts)


def fleet_lit(kind: str, name: str) -> None:
    """What was dark is so no more, or another alarm tells it now."""
    emit(INFO, "fleet_lit", kind=kind, name=name)


def lookout_goes_on() -> None:
    """The lookout sees again which machines are dark."""
    emit(INFO, "lookout_goes_on")


def lookout_waits(message: str) -> None:
    """Database or Redis are away: nobody sees which machines are dark meanwhile."""
    emit(WARNING, "lookout_waits", message=message)


def move_changed(name: str, before: str, after: str, actor: str, reason: str) -> None:
    """A planned move went from one state to the next by itself: at its time, or because all are back."""
    emit(INFO, "move_changed", move=name, before=before, after=after, actor=actor, reason=reason)


def move_draft(name: str, step: str, site: str, account: str, pattern: str, deadline_ms: int, message: str) -> None:
    """A notice opened a draft of a move (step open), changed its deadline (follow), or has none left (close)."""
    told = {"step": step, "site": site, "account": account, "pattern": pattern, "deadline_ms": deadline_ms}
    emit(INFO, "move_draft", move=name, **told, message=message)


def move_joined(name: str, machines: int, first: str) -> None:
    """Machines came on where a move begins after it was planned, and its pattern means them: they go with it."""
    emit(INFO, "move_joined", move=name, machines=machines, first=first)


def move_overtaken(message: str) -> None:
    """What is said of a site was changed, and a move that is planned from there says something else."""
    emit(WARNING, "move_overtaken", message=message)


def move_progress(name: str, counts: dict[str, int]) -> None:
    """Machines of a move were told, went, arrived or stayed; how many are where, at most each ten seconds."""
    emit(INFO, "move_progress", move=name, **counts)


def moves_go_on() -> None:
    """What planned moves waited for is there again."""
    emit(INFO, "moves_go_on")


def moves_wait(message: str) -> None:
    """Database or Redis are away, or another accounting role carries the moves out: nobody is told to go meanwhile."""
    emit(WARNING, "moves_wait", message=message)


def relocation_late(name: str, late: int, machines: int, racks: list[str], message: str) -> None:
    """Machines of a move should mine at the new site by now, and do not. Said again when their number changes."""
    emit(WARNING, "relocation_late", move=name, late=late, machines=machines, racks=racks, message=message)


def slices_not_kept(problem: str) -> None:
    """The assignments were read, but their copy for a start without a database cannot be written."""
    emit(ERROR, "slices_not_kept", message=problem)


def slices_not_read(problem: str, assignments: int) -> None:
    """A stratum process cannot read the assignments: shares go to the slices that it knew. assignments: how many."""
    emit(ERROR, "slices_not_read", message=problem, assignments=assignments)


def slices_read(assignments: int) -> None:
    """A stratum process has other assignments than before, or has them again."""
    emit(INFO, "slices_read", assignments=assignments)


def worker_strayed(login: str, before: str, after: str) -> None:
    """A worker came on in another region, and no move says so: its shares count, and changes of its account's address
    are held until somebody confirms it."""
    emit(WARNING, "worker_strayed", login=login, before=before, after=after)


def worker_twice(name: str, login: str) -> None:
    """A worker of a move mines at both ends: two machines have one name, or one was copied."""
    emit(WARNING, "worker_twice", move=name, login=login)
