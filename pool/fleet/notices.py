"""What notices mean for the machines of their sites: which drafts of moves open, follow, or close because of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from msgspec import Struct

from pool.fleet.draft import NOTICE, Draft
from pool.fleet.facts import Fact
from pool.fleet.kinds import Assignment, EventKind, SiteEvent
from pool.fleet.move import Event, Move, Step
from pool.fleet.register import Register
from pool.fleet.times import utc

_ENDS_POWER = (EventKind.SUSPENSION, EventKind.CLOSURE)
_NAME_CHARACTERS_MAX = 56


class Leaving(Struct, frozen=True):
    """Workers that stand at a site when its power ends."""

    site: str
    account: str
    pattern: str
    notice: SiteEvent

    @property
    def who(self) -> tuple[str, str, str]:
        """Which workers, from where."""
        return self.site, self.account, self.pattern


class Said(Struct, frozen=True):
    """What a notice came to, for people. draft: as it is from now on, if there is one that changed. is_warning: whether
    somebody has to do something about a move that is planned."""

    text: str
    draft: Draft | None = None
    is_warning: bool = False


def is_planned_by(workers: Leaving | Draft, move: Move) -> bool:
    """Whether a move has all of these workers."""
    plan = move.plan
    return (plan.account, plan.origin.site) == (workers.account, workers.site) and plan.pattern in (
        workers.pattern,
        "*",
    )


def end_of_power(events: Iterable[SiteEvent], now_ms: int) -> SiteEvent | None:
    """The first time that a site will go dark, by what is said of it; if none is to come, since when it is dark. Where
    sources disagree the earliest one counts: to be gone too soon costs little."""
    ends = [each for each in events if each.kind in _ENDS_POWER and not each.is_withdrawn]
    to_come = [each for each in ends if each.valid_from_ms > now_ms]
    if to_come:
        return min(to_come, key=lambda each: each.valid_from_ms)
    return max((each for each in ends if each.holds_at(now_ms)), key=lambda each: each.valid_from_ms, default=None)


def heed(
    register: Register, entered: Iterable[Fact], drafts: Sequence[Draft], moves: Sequence[Move], now_ms: int
) -> list[Said]:
    """What follows from what was just entered, which the register has. drafts, moves: all there are; a draft whose name
    a move has is planned."""
    notices = [each for each in entered if isinstance(each, SiteEvent) and each.kind in _ENDS_POWER]
    touched = sorted({each.site for each in notices})
    leaving = {each.who: each for each in _leaving(register, now_ms)}
    names = {each.name for each in moves}
    opened = {each.who: each for each in drafts if each.is_open and each.name not in names}
    said = [*_followed(register, leaving, opened.values(), now_ms)]
    taken = {*names, *(each.name for each in drafts)}
    for each in leaving.values():
        if each.who not in opened and each.notice.valid_from_ms > now_ms and not _is_settled(each, drafts, moves):
            draft = _open(each, taken, now_ms)
            taken.add(draft.name)
            mend = f"say where they go with `steppe move plan {draft.name} --to SITE`"
            said.append(Said(f"{_words(draft)}: {mend}", draft))
    said += _overtaken(register, touched, moves, now_ms)
    said += [Said(text) for each in notices if (text := _without_a_move(each, leaving.values(), now_ms))]
    return said


def _without_a_move(notice: SiteEvent, leaving: Iterable[Leaving], now_ms: int) -> str:
    """Why a notice opens no move, if it cannot."""
    if notice.is_withdrawn:
        return ""
    if notice.valid_from_ms <= now_ms:
        return f"power at {notice.site} ended at {utc(notice.valid_from_ms)}, in the past: no move opens"
    if not any(each.site == notice.site for each in leaving):
        return f"no workers are assigned to {notice.site} at {utc(notice.valid_from_ms)}: no move opens"
    return ""


def _leaving(register: Register, now_ms: int) -> Iterator[Leaving]:
    for site in sorted({each.site for each in register.known(SiteEvent)}):
        notice = end_of_power(register.about(SiteEvent, site), now_ms)
        for each in register.known(Assignment) if notice is not None else ():
            if each.site == site and notice is not None and each.holds_at(notice.valid_from_ms):
                yield Leaving(site, each.account, each.pattern, notice)


def _is_settled(leaving: Leaving, drafts: Iterable[Draft], moves: Iterable[Move]) -> bool:
    """Whether a person has said of this notice where these workers go, or that they stay."""
    notice = leaving.notice
    dropped = [each for each in drafts if each.who == leaving.who and each.events[-1].actor != NOTICE]
    decided = [(each.deadline_ms, each.events[-1].time_ms) for each in dropped]
    decided += [(each.plan.deadline_ms, each.planned_ms) for each in moves if is_planned_by(leaving, each)]
    still_open = any(each.is_open and is_planned_by(leaving, each) for each in moves)
    return still_open or any(
        deadline_ms == notice.valid_from_ms or since_ms >= notice.recorded_ms for deadline_ms, since_ms in decided
    )


def _open(leaving: Leaving, taken: Collection[str], now_ms: int) -> Draft:
    notice = leaving.notice
    first = f"{leaving.site[:_NAME_CHARACTERS_MAX]}-out"
    name = next(each for each in _numbered(first) if each not in taken)
    event = Event("open 1", Step.OPEN, now_ms, NOTICE, _reason(notice))
    return Draft(name, leaving.site, leaving.account, leaving.pattern, notice.valid_from_ms, (event,))


def _numbered(first: str) -> Iterator[str]:
    yield first
    number = 1
    while True:
        number += 1
        yield f"{first}-{number}"


def _followed(
    register: Register, leaving: dict[tuple[str, str, str], Leaving], opened: Collection[Draft], now_ms: int
) -> Iterator[Said]:
    """Drafts whose notice was changed, or withdrawn, or whose workers are no more there by then."""
    for draft in opened:
        found = leaving.get(draft.who)
        if found is not None and found.notice.valid_from_ms != draft.deadline_ms:
            after = draft.after(Step.FOLLOW, now_ms, NOTICE, _reason(found.notice), found.notice.valid_from_ms)
            yield Said(f"{_words(after)} now, not at {utc(draft.deadline_ms)}: the draft follows", after)
        elif found is None and draft.deadline_ms > now_ms:
            if end_of_power(register.about(SiteEvent, draft.site), now_ms) is None:
                why = f"no suspension or closure of {draft.site} is announced any more"
            else:
                why = f"{draft.account} has no workers {draft.pattern} at {draft.site} any more when its power ends"
            yield Said(f"draft {draft.name} is dropped: {why}", draft.after(Step.CLOSE, now_ms, NOTICE, why))


def _overtaken(register: Register, touched: Iterable[str], moves: Iterable[Move], now_ms: int) -> Iterator[Said]:
    """Open moves with another deadline than what was just said of the site that they leave."""
    for site in touched:
        notice = end_of_power(register.about(SiteEvent, site), now_ms)
        for move in moves:
            if not move.is_open or move.plan.origin.site != site:
                continue
            planned = f"move {move.name} is {move.state.value.replace('_', ' ')} for {utc(move.plan.deadline_ms)}"
            if notice is None:
                mend = "roll it back if they are to stay"
                yield Said(f"{planned}, and no end of power at {site} is announced any more: {mend}", is_warning=True)
            elif notice.valid_from_ms != move.plan.deadline_ms:
                ends = f"power at {site} ends at {utc(notice.valid_from_ms)} by what is announced now"
                yield Said(f"{planned}, and {ends}: if that matters, roll it back and plan another", is_warning=True)


def _words(draft: Draft) -> str:
    return (
        f"move {draft.name} is a draft: {draft.account} has workers {draft.pattern} at {draft.site}, where power ends "
        f"at {utc(draft.deadline_ms)}"
    )


def _reason(notice: SiteEvent) -> str:
    said = ", ".join(filter(None, (notice.wording, notice.time_zone, notice.source)))
    return f"{notice.kind.value} of {notice.site} from {utc(notice.valid_from_ms)}" + (f": {said}" if said else "")
