"""Facts as programs read them: the same rows on the command line and in the API."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, Final

from msgspec import Struct

from payout.contracts import Contract as Steps
from payout.contracts import steps_text
from pool.fleet.facts import BOOKKEEPING, Fact
from pool.fleet.kinds import KINDS, kind_of
from pool.fleet.register import Register

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "fleets": ("fleet",),
    "sites": ("site", "capacity", "site_event", "levy"),
    "contracts": ("contract", "tariff", "reading", "rate"),
    "batches": ("batch", "count", "model"),
    "assignments": ("assignment",),
}
"""Which kinds are shown together."""


class FactView(Struct, frozen=True):
    """A row. number: by which it is corrected. says: its fields; exact fractions as text."""

    kind: str
    number: int
    recorded_ms: int
    replaces: int | None
    says: Mapping[str, Any]


class UnmatchedView(Struct, frozen=True):
    """A worker at work that no assignment of its account fits; its shares are the account's own."""

    account: str
    worker: str


def view(fact: Fact) -> FactView:
    """A row for programs."""
    said = {name: _plain(getattr(fact, name)) for name in fact.__struct_fields__ if name not in BOOKKEEPING}
    return FactView(kind_of(fact), fact.row_id, fact.recorded_ms, fact.replaces, said)


def rows(
    register: Register, kinds: Iterable[str], valid_ms: int | None = None, recorded_ms: int | None = None
) -> list[Fact]:
    """Rows of some kinds, as of what was recorded by a time: those that hold at another, or all but withdrawn ones."""
    found: list[Fact] = []
    for name in kinds:
        if valid_ms is None:
            every = [fact for fact in register.known(KINDS[name], recorded_ms) if not fact.is_withdrawn]
        else:
            every = register.holding(KINDS[name], valid_ms, recorded_ms)
        found += sorted(every, key=lambda fact: (fact.key, fact.valid_from_ms))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Steps):
        return steps_text(value)
    if isinstance(value, enum.Enum):
        return value.value
    return str(value) if isinstance(value, Fraction) else value
