"""A planned move: a fleet leaves one site's region for another's, in waves, until a deadline.

Nothing here does anything: what a person orders and what is seen of the machines go in, what is to be told to whom
comes out. Whoever carries it out may die between any two lines: what is done twice does no harm, what was not done is
done next.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from pool.fleet.pace import Pace
from pool.fleet.racks import RACK_RULE


class MoveRefused(ValueError):
    """It cannot be done. The text says what, why, and what can be done instead."""


class State(enum.Enum):
    """Of a move. DRAFT, DROPPED: it has no plan, see `pool.fleet.draft`. ROLLING_BACK: who went is told to come back;
    ROLLED_BACK: that is over, or nobody had been told."""

    DRAFT = "draft"
    DROPPED = "dropped"
    PLANNED = "planned"
    RUNNING = "running"
    PAUSED = "paused"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    CLOSED = "closed"


OPEN = frozenset({State.DRAFT, State.PLANNED, State.RUNNING, State.PAUSED, State.ROLLING_BACK})


class Step(enum.Enum):
    """What a person, the plan itself, or to a draft a notice does to a move."""

    OPEN = "open"
    FOLLOW = "follow"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    ROLL_BACK = "rollback"
    CLOSE = "close"


_AFTER: Mapping[State, Mapping[Step, State]] = {
    State.DRAFT: {},
    State.DROPPED: {},
    State.PLANNED: {Step.START: State.RUNNING, Step.ROLL_BACK: State.ROLLED_BACK},
    State.RUNNING: {Step.PAUSE: State.PAUSED, Step.ROLL_BACK: State.ROLLING_BACK, Step.CLOSE: State.CLOSED},
    State.PAUSED: {Step.RESUME: State.RUNNING, Step.ROLL_BACK: State.ROLLING_BACK, Step.CLOSE: State.CLOSED},
    State.ROLLING_BACK: {Step.CLOSE: State.ROLLED_BACK},
    State.ROLLED_BACK: {},
    State.CLOSED: {},
}


class Place(Struct, frozen=True):
    """An end of a move. site: as people call it; host, port: the endpoint of its region, as miners see it."""

    site: str
    region: str
    host: str
    port: int


class Plan(Struct, frozen=True):
    """What was planned; it never changes.

    account, pattern: whose machines, and which. deadline_ms: when the old site goes dark. planned_on_ms, tolerance_ms:
    when all should mine at the new one, and how much later a machine is late. wait_seconds: what machines are told to
    wait; grace_seconds: whoever is still there so long after that is reset. retry_ms, tries: whoever stays is told
    again after that, so often in all. start_ms: begins by itself then; None: when somebody says so.
    """

    account: str
    pattern: str
    origin: Place
    target: Place
    pace: Pace
    deadline_ms: int
    planned_on_ms: int
    tolerance_ms: int
    start_ms: int | None = None
    wait_seconds: int = 0
    grace_seconds: int = 10
    retry_ms: int = 600_000
    tries: int = 3
    rack_rule: str = RACK_RULE
    words: str = ""

    @property
    def late_ms(self) -> int:
        """Who has not arrived by then is late."""
        return self.planned_on_ms + self.tolerance_ms


class Event(Struct, frozen=True):
    """A step that was taken. key: the same key is the same step, whatever comes with it."""

    key: str
    step: Step
    time_ms: int
    actor: str
    reason: str = ""


class Move(Struct, frozen=True):
    """A plan and what was done about it since, oldest first."""

    name: str
    plan: Plan
    planned_ms: int
    events: tuple[Event, ...] = ()

    @property
    def state(self) -> State:
        state = State.PLANNED
        for event in self.events:
            state = _AFTER[state][event.step]
        return state

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def is_back(self) -> bool:
        """Whether its machines go, or went, back."""
        return any(event.step is Step.ROLL_BACK for event in self.events)

    @property
    def since_ms(self) -> int | None:
        """Since when machines are told, in this direction; None while none is."""
        if self.state not in (State.RUNNING, State.ROLLING_BACK):
            return None
        return self.events[-1].time_ms

    @property
    def started_ms(self) -> int | None:
        """When the first machine could be told."""
        return next((event.time_ms for event in self.events if event.step is Step.START), None)

    @property
    def source(self) -> Place:
        """From where machines are sent now."""
        return self.plan.target if self.is_back else self.plan.origin

    @property
    def destination(self) -> Place:
        """To where."""
        return self.plan.origin if self.is_back else self.plan.target

    def take(self, event: Event) -> Move:
        """The move after a step; itself if it has that one already. Raises MoveRefused."""
        if any(each.key == event.key for each in self.events):
            return self
        if event.step not in _AFTER[self.state]:
            can = " or ".join(step.value for step in _AFTER[self.state])
            mend = f"it can only {can}" if can else "nothing can be done about it any more: plan another"
            raise MoveRefused(
                f"move {self.name} is {self.state.value.replace('_', ' ')}, so {event.step.value} is refused: {mend}"
            )
        if self.events and event.time_ms < self.events[-1].time_ms:
            event = replace(event, time_ms=self.events[-1].time_ms)  # a clock stepped back: the order stays
        return replace(self, events=(*self.events, event))
