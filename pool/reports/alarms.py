"""From machines in the dark to as few alarms as say it: a region, a site, racks of a site, a firmware, and the rest.

Only machines that should hash count: who is in transit, or at a site without power by announcement, belongs to no
group. Every machine that is dark and should not be is in exactly one alarm.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

from msgspec import Struct

GROUP_MIN: Final = 3
"""Fewer machines are no group: they are named one by one."""

DOWN_BPS: Final = 9_000
"""So much of a group must be dark: some machines may go on for a while, on a battery or over another line."""

STILL_DOWN_BPS: Final = 5_000
"""A group that was down stays so until less of it is dark, or one that comes back machine by machine would be told as
site, racks and machines in turn."""

_BPS = 10_000


class Kind(enum.StrEnum):
    """What went dark. RACKS: of one site; MACHINES: of one site, those that nothing else explains."""

    REGION = "region"
    SITE = "site"
    RACKS = "racks"
    FIRMWARE = "firmware"
    MACHINES = "machines"


class Watched(Struct, frozen=True):
    """A machine that is assigned somewhere. firmware: what it says it is; empty if nobody knows. since_ms: its last
    share if it is dark, else None. excuse: why it may be; empty if it may not."""

    login: str
    site: str
    region: str
    rack: str
    firmware: str
    since_ms: int | None
    excuse: str = ""


class Alarm(Struct, frozen=True):
    """One alarm. machines: of the group, that should hash; dark: of these. since_ms: the last share of the first that
    went dark. parts: sites of a region, racks of a site, or machines; logins: all that are dark."""

    kind: Kind
    name: str
    machines: int
    dark: int
    since_ms: int
    parts: tuple[str, ...]
    logins: tuple[str, ...]

    @property
    def key(self) -> Key:
        return self.kind, self.name

    @property
    def groups(self) -> frozenset[Key]:
        """What is down by it: of racks each one, since another of the site need not be."""
        if self.kind is not Kind.RACKS:
            return frozenset({self.key})
        return frozenset((self.kind, _rack(self.name, part)) for part in self.parts)


Key = tuple[Kind, str]


def judge(machines: Iterable[Watched], standing: Collection[Key] = ()) -> list[Alarm]:
    """The alarms there should be, by kind and name. standing: the groups of those that there were before."""
    due = [each for each in machines if not each.excuse]
    found: list[Alarm] = []
    sites = _grouped(due, lambda each: each.site)
    down = {name for name, own in sites.items() if _is_down(own, (Kind.SITE, name) in standing, least=1)}
    covered: set[str] = set()

    def take(alarm: Alarm) -> None:
        found.append(alarm)
        covered.update(alarm.logins)

    for region, own in _grouped(due, lambda each: each.region).items():
        names = {each.site for each in own}
        is_standing = (Kind.REGION, region) in standing
        all_down = names <= down or (is_standing and _is_down(own, is_standing=True, least=1))
        if region and len(names) > 1 and all_down and len(own) >= GROUP_MIN:
            take(_alarm(Kind.REGION, region, own, sorted(names)))
    for name, own in sites.items():
        left = [each for each in own if each.login not in covered]
        if name in down and len(left) >= GROUP_MIN and any(each.since_ms is not None for each in left):
            take(_alarm(Kind.SITE, name, left, sorted({each.rack for each in left if each.rack})))
    for name, own in sites.items():
        _take_racks(name, [each for each in own if each.login not in covered], own, standing, take)
    for name, own in _grouped(due, lambda each: each.firmware).items():
        left = [each for each in own if each.login not in covered]
        if name and _is_down(left, (Kind.FIRMWARE, name) in standing):
            take(_alarm(Kind.FIRMWARE, name, left, sorted({each.site for each in left})))
    for name, own in sites.items():
        left = [each for each in own if each.login not in covered and each.since_ms is not None]
        if left:
            alarm = _alarm(Kind.MACHINES, name, left, sorted(each.login for each in left))
            take(Alarm(alarm.kind, name, len(own), alarm.dark, alarm.since_ms, alarm.parts, alarm.logins))
    return sorted(found, key=lambda each: (list(Kind).index(each.kind), each.name))


def _take_racks(
    site: str,
    left: Sequence[Watched],
    own: Sequence[Watched],
    standing: Collection[Key],
    take: Callable[[Alarm], None],
) -> None:
    """Racks of a site that is not down as a whole: one alarm for all of them."""
    if len(left) < len(own):
        return
    racks = {name: each for name, each in _grouped(own, lambda one: one.rack).items() if name}
    dark = sorted(name for name, each in racks.items() if _is_down(each, (Kind.RACKS, _rack(site, name)) in standing))
    if dark:
        take(_alarm(Kind.RACKS, site, [each for name in dark for each in racks[name]], dark))


def _rack(site: str, rack: str) -> str:
    return f"{site}/{rack}"


def _is_down(own: Sequence[Watched], is_standing: bool, least: int = GROUP_MIN) -> bool:
    dark = sum(each.since_ms is not None for each in own)
    return len(own) >= least and dark * _BPS >= len(own) * (STILL_DOWN_BPS if is_standing else DOWN_BPS)


def _alarm(kind: Kind, name: str, own: Sequence[Watched], parts: Sequence[str]) -> Alarm:
    dark = sorted((each for each in own if each.since_ms is not None), key=lambda each: each.login)
    since_ms = min((each.since_ms for each in dark if each.since_ms is not None), default=0)
    return Alarm(kind, name, len(own), len(dark), since_ms, tuple(parts), tuple(each.login for each in dark))


def _grouped(machines: Iterable[Watched], name_of: Callable[[Watched], str]) -> dict[str, list[Watched]]:
    found: dict[str, list[Watched]] = {}
    for each in machines:
        found.setdefault(name_of(each), []).append(each)
    return dict(sorted(found.items()))
