"""The log events of messages to people: one function each, as in `pool.events`. In alphabetical order."""

from __future__ import annotations

from pool.emit import ERROR, INFO, WARNING, emit


def alert_not_sent(channel: str, attempts: int, problem: str) -> None:
    """A message did not arrive; it is tried again, ever more seldom, with the news of then. The first attempt, and then
    each tenth."""
    emit(WARNING, "alert_not_sent", channel=channel, attempts=attempts, message=problem)


def alert_sent(channel: str, raised: list[str], resolved: list[str], notices: int) -> None:
    """A message arrived: the keys of what is wrong and of what is over, and how much else happened."""
    emit(INFO, "alert_sent", channel=channel, raised=raised, resolved=resolved, notices=notices)


def alerts_not_kept(problem: str) -> None:
    """What was told cannot be written down: after a restart it may be told again."""
    emit(ERROR, "alerts_not_kept", message=problem)


def maintenance_changed(until_ms: int | None, reason: str) -> None:
    """Messages are silenced until then, or, without a time, no more."""
    emit(INFO, "maintenance_changed", until_ms=until_ms, reason=reason)
