"""What a notice means for a site's machines: whoever stands there then has a move to plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from shlex import quote

from pool.fleet.facts import Fact
from pool.fleet.kinds import Assignment, EventKind, SiteEvent
from pool.fleet.register import Register
from pool.fleet.times import utc

_ENDS_POWER = (EventKind.SUSPENSION, EventKind.CLOSURE)


def moves_to_plan(register: Register, entered: Iterable[Fact]) -> Iterator[str]:
    """A line for each pattern of workers at a site whose power ends, as was just entered."""
    for event in entered:
        if not isinstance(event, SiteEvent) or event.kind not in _ENDS_POWER:
            continue
        for each in register.known(Assignment):
            if each.site == event.site and each.holds_at(event.valid_from_ms):
                who = f"--account {each.account} --workers {quote(each.pattern)}"
                yield (
                    f"{each.account} has workers {each.pattern} at {each.site}, where power ends at "
                    f"{utc(event.valid_from_ms)}: plan where they go with `steppe move plan NAME {who} --from "
                    f"{each.site} --to SITE --pace 10%/15min`; its deadline is this notice"
                )
