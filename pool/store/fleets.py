"""What is known of fleets, in SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from typing import Any, TypeVar
from zoneinfo import available_timezones

from sqlalchemy import Connection, func, insert, select

from payout.contracts import Contract as Steps
from payout.contracts import parse_steps, steps_text
from pool.fleet.checks import mistakes
from pool.fleet.facts import Fact, known
from pool.fleet.kinds import KINDS, Assignment, ContractKind, EventKind, Reading, Site, SiteEvent, kind_of
from pool.fleet.register import Entry, Mistake, Register
from pool.store.fleet_tables import FLEET_TABLES, fleet_charge
from pool.store.sql import account

F = TypeVar("F", bound=Fact)


class EntriesRefused(ValueError):
    """Nothing of it was recorded, and why."""

    def __init__(self, found: Sequence[Mistake]) -> None:
        super().__init__("\n".join(map(str, found)))
        self.mistakes = found


class SqlFleets:
    """All that is known, and the way to say more."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def register(self) -> Register:
        """All rows there are."""
        return Register(
            _fact(kind, row)
            for name, kind in KINDS.items()
            for row in self._connection.execute(
                select(FLEET_TABLES[name]).order_by(FLEET_TABLES[name].c.row_id)
            ).mappings()
        )

    def record(self, entries: Sequence[Entry], now_ms: int) -> list[Fact]:
        """Keep what is new of entries, in a transaction that writes; what that was. Raises EntriesRefused, for all of
        them if there is a mistake in one."""
        register = self.register()
        # A clock that was set back must not make a correction older than what it corrects.
        recorded_ms = max(now_ms, self._newest_ms())
        recorded = register.add(entries, recorded_ms)
        accounts = set(self._connection.execute(select(account.c.name)).scalars())
        found = mistakes(register, recorded, accounts, recorded_ms, _zones())
        charged = set(self._connection.execute(select(fleet_charge.c.reading)).scalars())
        for entry in recorded:
            if isinstance(entry.fact, Reading) and entry.fact.replaces in charged:
                mend = "enter what was left out as a reading of another meter"
                found.append(Mistake(entry.place, f"reading {entry.fact.replaces} is charged already; {mend}"))
        if found:
            raise EntriesRefused(found)
        for name, table in FLEET_TABLES.items():
            rows = [_row(entry.fact) for entry in recorded if kind_of(entry.fact) == name]
            if rows:
                self._connection.execute(insert(table), rows)
        return [entry.fact for entry in recorded]

    def slices_mark(self) -> int:
        """Something that changes whenever an assignment or a site is recorded."""
        newest = (select(func.coalesce(func.max(FLEET_TABLES[name].c.row_id), 0)) for name in ("assignment", "site"))
        return sum(int(self._connection.execute(each).scalar_one()) for each in newest)

    def assignments(self) -> list[Assignment]:
        """All rows of assignments."""
        rows = self._connection.execute(select(FLEET_TABLES["assignment"])).mappings()
        return [_fact(Assignment, row) for row in rows]

    def sites(self) -> list[Site]:
        """All rows of sites."""
        return [_fact(Site, row) for row in self._connection.execute(select(FLEET_TABLES["site"])).mappings()]

    def events_of(self, site: str) -> list[SiteEvent]:
        """What is said to happen to a site, without what was corrected since."""
        table = FLEET_TABLES["site_event"]
        rows = self._connection.execute(select(table).where(table.c.site == site)).mappings()
        return known(_fact(SiteEvent, row) for row in rows)

    def region_of(self, site: str) -> str | None:
        """The region that a site was said to have last; None if there is no such site."""
        table = FLEET_TABLES["site"]
        newest = select(table.c.region).where(table.c.name == site).order_by(table.c.row_id.desc()).limit(1)
        return self._connection.execute(newest).scalar_one_or_none()

    def _newest_ms(self) -> int:
        newest = (select(func.max(table.c.recorded_ms)) for table in FLEET_TABLES.values())
        return max(self._connection.execute(each).scalar_one() or 0 for each in newest)


@cache
def _zones() -> frozenset[str]:
    """The time zones of this host; none where no database of them is installed."""
    return frozenset(available_timezones())


def _fact(kind: type[F], row: Any) -> F:
    return kind(**{name: _read(name, row[name]) for name in kind.__struct_fields__})


def _row(fact: Fact) -> dict[str, Any]:
    return {name: _write(getattr(fact, name)) for name in fact.__struct_fields__}


def _read(name: str, value: Any) -> Any:
    reads = _READS.get(name)
    return value if reads is None or value is None else reads(value)


def _write(value: Any) -> Any:
    if isinstance(value, Steps):
        return steps_text(value)
    return str(value) if isinstance(value, Fraction) else value


def _kind(value: str) -> ContractKind | EventKind:
    return EventKind(value) if value in set(EventKind) else ContractKind(value)


_READS: dict[str, Callable[[str], Any]] = {
    "steps": parse_steps,
    "kind": _kind,
    "per_kwh": Fraction,
    "price_from": Fraction,
    "price_to": Fraction,
    "sat_per_minor": Fraction,
}
"""Columns that hold text and mean more."""
