"""An alarm for templates that are old: what a node gave, not the jobs that were made of it since."""

from __future__ import annotations

from pool.node import events

# The work role asks for one each 45 seconds at most, so this is no accident.
WARN_SECONDS = 60.0

# From here on the miners' work misses fees, and is worth nothing if there is a new block that no node has told of.
PAGE_SECONDS = 120.0


class AgeAlarm:
    """Says each step up once, and that it is over."""

    def __init__(self) -> None:
        self._step = 0

    def look(self, age_seconds: float, problem: str | None) -> None:
        """problem: why no node gives a new one, if that is known."""
        step = (age_seconds >= WARN_SECONDS) + (age_seconds >= PAGE_SECONDS)
        if step == 0 and self._step > 0:
            events.template_fresh()
        elif step > self._step:
            log = events.template_old if step == 1 else events.template_too_old
            log(round(age_seconds), problem or "the nodes answer, but none has given a template")
        self._step = step
