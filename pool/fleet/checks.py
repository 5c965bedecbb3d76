"""What must be true of all rows together before a new one is recorded: each mistake, where it is, how to mend it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from payout.contracts import parties
from pool.fleet.facts import Fact, overlap, says
from pool.fleet.kinds import (
    STAGES,
    Assignment,
    Batch,
    Capacity,
    Contract,
    Count,
    Fleet,
    Model,
    Reading,
    Site,
    SiteEvent,
    Tariff,
)
from pool.fleet.patterns import common, literal
from pool.fleet.register import Entry, Mistake, Register
from pool.fleet.times import utc

LEAD_MS: Final = 10_000
"""How long before it begins an assignment must be recorded: every stratum process reads the table each second."""


def mistakes(
    register: Register,
    recorded: Sequence[Entry],
    accounts: Collection[str],
    now_ms: int,
    zones: Collection[str] = (),
) -> list[Mistake]:
    """What is wrong with rows that were just added to a register. accounts: those of the pool that exist. zones: the
    time zones there are; none if nobody knows them, and then every name goes."""
    found: list[Mistake] = []
    for entry in recorded:
        texts = list(_of_history(register, entry.fact, now_ms))
        texts += _unknown_zone(register, entry.fact, zones)
        texts += _of_names(register, entry.fact)
        texts += _CHECKS.get(type(entry.fact), _nothing)(register, entry.fact)
        texts += _unknown_accounts(entry.fact, accounts)
        found += [Mistake(entry.place, text) for text in texts]
    return found


def _of_history(register: Register, fact: Fact, now_ms: int) -> Iterator[str]:
    before = register.row(type(fact), fact.replaces)
    if fact.replaces is not None:
        if before is None or before.row_id == fact.row_id:
            yield f"there is no row {fact.replaces} of this kind to replace; see the list"
            return
        if register.times_replaced(fact) > 1:
            yield f"row {fact.replaces} was replaced before; name the row that took its place"
        if before.key != fact.key:
            yield f"row {fact.replaces} is about {' '.join(before.key)}; a correction keeps that; withdraw it"
    for other in register.about(type(fact), fact.key[0]):
        if other.row_id != fact.row_id and other.key == fact.key and overlap(other, fact):
            yield f"{' '.join(fact.key)} overlaps row {other.row_id}, {span(other)}; end that row first, or begin later"
    if isinstance(fact, Assignment):
        yield from _of_time(fact, before if isinstance(before, Assignment) else None, now_ms)
    if isinstance(fact, Contract) and isinstance(before, Contract):
        yield from _unchanged(fact, before, "a contract is never changed; end it and enter another under a new name")


def _of_time(fact: Assignment, before: Assignment | None, now_ms: int) -> Iterator[str]:
    """Which slice a share has was decided when it was accepted, so nothing about the past can be said any more."""
    earliest_ms = now_ms + LEAD_MS
    if before is None:
        if fact.valid_from_ms < earliest_ms and not fact.is_withdrawn:
            yield f"it begins in the past or within {LEAD_MS // 1000} s; begin at {utc(earliest_ms)} or later"
        return
    yield from _unchanged(fact, before, "what a slice stands for never changes; end it and assign the workers anew")
    if fact.valid_to_ms != before.valid_to_ms:
        # A slice that never began can be withdrawn; of one that runs, only what is to come can be ended.
        changes_ms = [end for end in (fact.valid_to_ms, before.valid_to_ms) if end is not None]
        if min(changes_ms) < earliest_ms:
            soon = f"in the past or within {LEAD_MS // 1000} s"
            yield f"it cannot end or go on {soon}; end it at {utc(earliest_ms)} or later"


def _unchanged(fact: Fact, before: Fact, mend: str) -> Iterator[str]:
    may_change = {"valid_to_ms", "source"}
    was, now = says(before), says(fact)
    changed = [name for name in now if name not in may_change and now[name] != was[name]]
    if changed:
        yield f"{', '.join(changed)} differs from row {before.row_id}: {mend}"


def _of_assignment(register: Register, fact: Assignment) -> Iterator[str]:
    if fact.is_withdrawn:
        return
    for contract in register.about(Contract, fact.contract):
        if contract.site and contract.site != fact.site:
            yield f"contract {contract.name} holds at site {contract.site}, not at {fact.site}; name one of this site"
    powered = (each for each in register.about(Capacity, fact.site) if each.holds_at(fact.valid_from_ms))
    if not any(each.capacity_w for each in powered):
        yield (
            f"site {fact.site} has no capacity at {utc(fact.valid_from_ms)}; "
            f"enter it with `steppe site capacity {fact.site} WATTS`"
        )
    yield from _equals(register, fact)


def _of_site(register: Register, fact: Site) -> Iterator[str]:
    """Another region must not make two assignments equal that it told apart."""
    for each in register.known(Assignment):
        if each.site == fact.name:
            yield from _equals(register, each)


def _equals(register: Register, fact: Assignment) -> Iterator[str]:
    """Assignments that mean a worker of this one as well as it does."""
    for other in register.about(Assignment, fact.account):
        if other.key == fact.key or literal(other.pattern) != literal(fact.pattern) or not overlap(other, fact):
            continue
        if "*" not in other.pattern + fact.pattern and other.pattern != fact.pattern:
            continue  # two names of one worker each
        worker = common(other.pattern, fact.pattern)
        if worker is not None and not _told_apart(register, other.site, fact.site):
            yield (
                f"pattern {fact.pattern} and {other.pattern} of slice {other.slice_id} overlap {span(other)} and fit "
                f"{worker!r} equally well; make one of them longer, end that slice first, or name the regions of both "
                "sites, if it is on its way from one to another"
            )


def _told_apart(register: Register, one: str, other: str) -> bool:
    """Whether a share's region says at which of two sites its worker is."""
    regions = [{each.region for each in register.about(Site, name) if not each.is_withdrawn} for name in (one, other)]
    return "" not in regions[0] | regions[1] and not regions[0] & regions[1]


def _of_batch(register: Register, fact: Batch) -> Iterator[str]:
    for count in register.about(Count, fact.name):
        if overlap(count, fact) and count.machines != fact.machines:
            yield (
                f"the counts of row {count.row_id}, {span(count)}, add up to {count.machines}, the batch has "
                f"{fact.machines} machines; enter them again in the same import"
            )


def _of_count(register: Register, fact: Count) -> Iterator[str]:
    for batch in register.about(Batch, fact.batch):
        if overlap(batch, fact) and fact.machines != batch.machines:
            parts = ", ".join(f"{getattr(fact, name)} {name}" for name in STAGES if getattr(fact, name))
            yield (
                f"the counts add up to {fact.machines} ({parts or 'nothing'}), batch {fact.batch} has {batch.machines} "
                "machines; those that are lost or sold are retired"
            )
    earlier = [each for each in register.about(Count, fact.batch) if each.valid_from_ms < fact.valid_from_ms]
    before = max(earlier, key=lambda each: each.valid_from_ms, default=None)
    if before is not None and not fact.reason:
        fell = [stage for stage in STAGES[1:-1] if fact.at_least(stage) < before.at_least(stage)]
        if fell or fact.retired != before.retired:
            where = fell[-1] if fell else "in use"
            yield f"fewer machines are {where} than before; give the reason (lost, damaged, moved ...)"


def _nothing(_register: Register, _fact: Any) -> Iterator[str]:
    return iter(())


def _of_names(register: Register, fact: Fact) -> Iterator[str]:
    """A thing that is named must be there for as long as what names it."""
    for field, kind in REFERENCES.get(type(fact), {}).items():
        yield from _missing(register, fact, kind, getattr(fact, field))
    if fact.replaces is None:
        return
    for kind, fields in REFERENCES.items():
        for field in (field for field, named in fields.items() if named is type(fact)):
            for each in register.known(kind):
                if getattr(each, field) == fact.key[0]:
                    for text in _missing(register, each, type(fact), fact.key[0]):
                        yield f"{_word(kind)} {' '.join(each.key)} names it: {text}"


def _missing(register: Register, fact: Fact, kind: type[Fact], name: str) -> Iterator[str]:
    if fact.is_withdrawn or not name:
        return
    there = [each for each in register.about(kind, name) if not each.is_withdrawn]
    if not there:
        yield f"{_word(kind)} {name} does not exist; enter it first"
    elif not _together(there, fact):
        spans = ", ".join(map(span, there))
        yield f"{_word(kind)} {name} is there {spans}, but this holds {span(fact)}; change one of the two"


def _together(there: Iterable[Fact], fact: Fact) -> bool:
    """Whether rows that follow each other hold for as long as one that names them."""
    at_ms: int | None = fact.valid_from_ms
    for each in sorted(there, key=lambda each: each.valid_from_ms):
        if at_ms is not None and each.holds_at(at_ms):
            at_ms = each.valid_to_ms
    return at_ms is None or (fact.valid_to_ms is not None and fact.valid_to_ms <= at_ms)


def _unknown_accounts(fact: Fact, accounts: Collection[str]) -> Iterator[str]:
    named: set[str] = set()
    if isinstance(fact, Fleet | Assignment | Reading):
        named = {fact.account}
    elif isinstance(fact, Contract):
        named = parties(fact.steps)
    elif isinstance(fact, Tariff):
        named = {fact.party}
    for name in sorted(named - set(accounts)):
        yield f"account {name} does not exist; open it with `steppe account add {name}`"


def _unknown_zone(register: Register, fact: Fact, zones: Collection[str]) -> Iterator[str]:
    zone = getattr(fact, "time_zone", "")
    before = register.row(type(fact), fact.replaces)
    # A row that was taken before zones were checked can still be ended.
    if not zone or not zones or zone in zones or zone == getattr(before, "time_zone", None):
        return
    near = get_close_matches(zone, zones, 1)
    mend = f"did you mean {near[0]}?" if near else "names are as Asia/Almaty, by continent and city"
    yield f"time_zone {zone!r} is not in the IANA database of time zones; {mend}"


def span(fact: Fact) -> str:
    """When a row holds, in words."""
    until = "on" if fact.valid_to_ms is None else f"to {utc(fact.valid_to_ms)}"
    return f"from {utc(fact.valid_from_ms)} {until}"


def _word(kind: type[Fact]) -> str:
    return kind.__name__.lower()


REFERENCES: Final[Mapping[type[Fact], Mapping[str, type[Fact]]]] = {
    Capacity: {"site": Site},
    SiteEvent: {"site": Site},
    Contract: {"site": Site},
    Batch: {"fleet": Fleet, "model": Model},
    Count: {"batch": Batch},
    Assignment: {"fleet": Fleet, "site": Site, "batch": Batch, "contract": Contract},
    Tariff: {"contract": Contract},
    Reading: {"site": Site, "contract": Contract},
}
"""Which fields name what."""

_CHECKS: Final[Mapping[type[Fact], Callable[[Register, Any], Iterator[str]]]] = {
    Batch: _of_batch,
    Count: _of_count,
    Assignment: _of_assignment,
    Site: _of_site,
}
