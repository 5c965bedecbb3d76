"""A draft of a move: workers stand at a site whose power ends, and nobody has said yet where they go.

A notice opens it, and it follows what is announced; a person makes a plan of it, or drops it.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from pool.fleet.move import Event, MoveRefused, Place, State, Step
from pool.fleet.planning import Asked
from pool.fleet.racks import RACK_RULE, in_order, rack_of
from pool.fleet.report import Machine, MoveReport, Rack
from pool.fleet.travel import Status

NOTICE = "a notice"
"""Who opened a draft, or changed it, if no person did."""

LACKS = ("the site to go to",)


class Draft(Struct, frozen=True):
    """Workers of an account at a site. deadline_ms: when power ends there. events: what happened to it, oldest first;
    at least that it was opened."""

    name: str
    site: str
    account: str
    pattern: str
    deadline_ms: int
    events: tuple[Event, ...]

    @property
    def is_open(self) -> bool:
        """Whether nobody dropped it, and nobody planned the move of its workers under another name."""
        return self.events[-1].step is not Step.CLOSE

    @property
    def who(self) -> tuple[str, str, str]:
        """Which workers, from where."""
        return self.site, self.account, self.pattern

    def after(self, step: Step, time_ms: int, actor: str, reason: str, deadline_ms: int | None = None) -> Draft:
        """The draft when that has happened, too."""
        event = Event(f"{step.value} {len(self.events) + 1}", step, time_ms, actor, reason)
        until_ms = self.deadline_ms if deadline_ms is None else deadline_ms
        return replace(self, deadline_ms=until_ms, events=(*self.events, event))


def only_a_draft(draft: Draft) -> str:
    """Why nothing else can be done about it."""
    if not draft.is_open:
        return f"move {draft.name} was dropped before it was planned: plan one of another name"
    return (
        f"move {draft.name} is a draft, and lacks {' and '.join(LACKS)}: complete it with `steppe move plan "
        f"{draft.name} --to SITE`, or drop it with `steppe move close {draft.name} --reason WHY`"
    )


def completed(asked: Asked, draft: Draft | None) -> Asked:
    """What a person asks for, with what the draft of that name says. Raises MoveRefused."""
    if draft is None or not draft.is_open:
        if not asked.account or not asked.origin:
            known = "was dropped" if draft is not None else "is no draft that a notice opened"
            raise MoveRefused(f"move {asked.name} {known}: say whose machines go, and from where (--account, --from)")
        return replace(asked, pattern=asked.pattern or "*")
    said = {"account": draft.account, "pattern": draft.pattern, "origin": draft.site}
    for field, value in said.items():
        if getattr(asked, field) not in ("", value):
            raise MoveRefused(
                f"move {draft.name} is a draft of workers {draft.pattern} of {draft.account} at {draft.site}: leave "
                "out --account, --workers and --from, or plan under another name"
            )
    return replace(asked, **said)


def draft_report(draft: Draft, region: str, logins: list[str], rack_rule: str = RACK_RULE) -> MoveReport:
    """The draft as a move of which something is lacking. logins: of its workers, those that were seen last in the
    region of its site."""
    racks: dict[str, int] = {}
    for login in sorted(logins, key=lambda login: in_order(login, rack_rule)):
        rack = rack_of(login, rack_rule)
        racks[rack] = racks.get(rack, 0) + 1
    return MoveReport(
        name=draft.name,
        state=(State.DRAFT if draft.is_open else State.DROPPED).value,
        account=draft.account,
        pattern=draft.pattern,
        origin=Place(draft.site, region, "", 0),
        target=None,
        words=draft.events[0].reason,
        planned_ms=draft.events[0].time_ms,
        started_ms=None,
        start_ms=None,
        deadline_ms=draft.deadline_ms,
        planned_on_ms=draft.deadline_ms,
        late_ms=draft.deadline_ms,
        machines=len(logins),
        counts=_all_pending(len(logins)),
        late=0,
        twice=(),
        racks=tuple(Rack(name, _all_pending(machines), (), ()) for name, machines in racks.items()),
        events=draft.events,
        lacks=LACKS if draft.is_open else (),
    )


def draft_machines(logins: list[str], rack_rule: str = RACK_RULE) -> list[Machine]:
    """Its machines, in the order of their turn."""
    return [
        Machine(login, rack_of(login, rack_rule), Status.PENDING.value, None, 0, None, None, None, False, None)
        for login in sorted(logins, key=lambda login: in_order(login, rack_rule))
    ]


def _all_pending(machines: int) -> dict[str, int]:
    return {each.value: machines if each is Status.PENDING else 0 for each in Status}
