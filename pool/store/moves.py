"""Moves in SQL. Methods that write belong into a transaction of `pool.store.sql.writing`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Row, bindparam, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from pool.fleet.move import Event, Move, MoveRefused, Plan, Step
from pool.fleet.report import Stray
from pool.fleet.travel import Leg, Traveller
from pool.store.move_tables import move, move_event, move_worker, stray, worker_region

_AT_ONCE = 500
_plan_of = msgspec.json.Decoder(Plan).decode
_LEG = ("asked_ms", "tries", "told_ms", "gone_ms", "arrived_ms")


class Kept(Struct, frozen=True):
    """A move as it is kept. actor: who planned it."""

    id: int
    actor: str
    move: Move


class SqlMoves:
    """Plans and their events are never changed; only the machines' places are."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, name: str, plan: Plan, logins: Iterable[str], actor: str, now_ms: int) -> Kept:
        """Keep a new plan with its machines. Raises MoveRefused if there is a move of that name."""
        if self._connection.execute(select(move.c.id).where(move.c.name == name)).one_or_none() is not None:
            raise MoveRefused(f"there is a move {name} already: `steppe move show {name}`; take another name")
        newest = self._connection.execute(select(func.max(move.c.id))).scalar_one_or_none() or 0
        text = msgspec.json.encode(plan).decode()
        self._connection.execute(
            insert(move).values(id=newest + 1, name=name, planned_ms=now_ms, actor=actor, plan=text)
        )
        self.join(newest + 1, logins)
        return Kept(newest + 1, actor, Move(name, plan, now_ms))

    def join(self, move_id: int, logins: Iterable[str]) -> None:
        """These machines belong to a move."""
        rows = [{"move_id": move_id, **_columns(Traveller(login))} for login in logins]
        if rows:
            self._connection.execute(insert(move_worker), rows)

    def get(self, name: str) -> Kept:
        """A move. Raises MoveRefused if there is none of that name."""
        row = self._connection.execute(select(move).where(move.c.name == name)).one_or_none()
        if row is None:
            raise MoveRefused(f"there is no move {name}; `steppe move list` shows those that are")
        events = select(move_event).where(move_event.c.move_id == row.id).order_by(move_event.c.number)
        return _kept(row, [_event(each) for each in self._connection.execute(events)])

    def every(self) -> list[Kept]:
        """All moves, newest first."""
        events: dict[int, list[Event]] = {}
        for row in self._connection.execute(select(move_event).order_by(move_event.c.move_id, move_event.c.number)):
            events.setdefault(row.move_id, []).append(_event(row))
        rows = self._connection.execute(select(move).order_by(move.c.id.desc())).all()
        return [_kept(row, events.get(row.id, ())) for row in rows]

    def open(self) -> list[Kept]:
        """Those that are not over, oldest first."""
        return [kept for kept in reversed(self.every()) if kept.move.is_open]

    def take(self, name: str, event: Event) -> Kept:
        """Do a step; the same key is done once. Raises MoveRefused."""
        kept = self.get(name)
        after = kept.move.take(event)
        if after is not kept.move:
            taken = after.events[-1]
            self._connection.execute(
                insert(move_event).values(
                    move_id=kept.id,
                    number=len(after.events),
                    key=taken.key,
                    step=taken.step.value,
                    time_ms=taken.time_ms,
                    actor=taken.actor,
                    reason=taken.reason,
                )
            )
        return Kept(kept.id, kept.actor, after)

    def travellers(self, move_id: int) -> list[Traveller]:
        """The machines of a move, by name."""
        rows = self._connection.execute(
            select(move_worker).where(move_worker.c.move_id == move_id).order_by(move_worker.c.login)
        )
        return [_traveller(row) for row in rows]

    def save(self, move_id: int, travellers: Sequence[Traveller]) -> None:
        """Where these machines are now."""
        if not travellers:
            return
        rows = [{"of_move": move_id, "of_login": each.login, **_columns(each)} for each in travellers]
        statement = (
            update(move_worker)
            .where(move_worker.c.move_id == bindparam("of_move"), move_worker.c.login == bindparam("of_login"))
            .values({name: bindparam(name) for name in _columns(travellers[0]) if name != "login"})
        )
        self._connection.execute(statement, [{k: v for k, v in row.items() if k != "login"} for row in rows])

    def busy(self) -> dict[str, str]:
        """By login, the open move that it belongs to."""
        names = {kept.id: kept.move.name for kept in self.open()}
        rows = self._connection.execute(
            select(move_worker.c.login, move_worker.c.move_id).where(move_worker.c.move_id.in_(names))
        )
        return {row.login: names[row.move_id] for row in rows}

    def regions(self) -> dict[str, str]:
        """By login, where it was seen last."""
        rows = self._connection.execute(select(worker_region.c.login, worker_region.c.region))
        return {row.login: row.region for row in rows}

    def planned_places(self, logins: Collection[str], since_ms: int) -> dict[str, set[str]]:
        """By login, the regions where a move that is open, or was due since then, lets it be."""
        recent = {kept.id: kept.move for kept in self.every() if logins}
        plans = {number: move.plan for number, move in recent.items() if move.is_open or move.plan.late_ms >= since_ms}
        places: dict[str, set[str]] = {}
        asked = list(logins)
        for at in range(0, len(asked), _AT_ONCE):
            query = select(move_worker.c.login, move_worker.c.move_id).where(
                move_worker.c.move_id.in_(plans), move_worker.c.login.in_(asked[at : at + _AT_ONCE])
            )
            for row in self._connection.execute(query):
                plan = plans[row.move_id]
                places.setdefault(row.login, set()).update((plan.origin.region, plan.target.region))
        return places

    def flagged(self, since_ms: int) -> set[tuple[str, str]]:
        """Who was flagged since then, confirmed or not, or waits to be confirmed: login, and where it came on."""
        query = select(stray.c.login, stray.c.to_region).where(
            or_(stray.c.seen_ms >= since_ms, stray.c.confirmed_ms.is_(None))
        )
        return {(row.login, row.to_region) for row in self._connection.execute(query)}

    def settle(self, seen: Iterable[tuple[str, str]], now_ms: int) -> None:
        """These workers are in these regions now."""
        rows = [{"login": login, "region": region, "since_ms": now_ms} for login, region in seen]
        if rows:
            dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
            fresh = dialect.insert(worker_region)
            here = {"region": fresh.excluded.region, "since_ms": fresh.excluded.since_ms}
            self._connection.execute(fresh.on_conflict_do_update(index_elements=["login"], set_=here), rows)

    def flag(self, strays: Iterable[tuple[str, str, str]], now_ms: int) -> None:
        """These came on in another region, and nobody planned it: login, from where, to where."""
        newest = self._connection.execute(select(func.max(stray.c.id))).scalar_one_or_none() or 0
        rows = [
            {
                "id": newest + number,
                "login": login,
                "account": login.partition(".")[0],
                "from_region": origin,
                "to_region": target,
                "seen_ms": now_ms,
            }
            for number, (login, origin, target) in enumerate(strays, 1)
        ]
        if rows:
            self._connection.execute(insert(stray), rows)

    def strays(self, account: str | None = None) -> list[Stray]:
        """Who was flagged and not confirmed yet, oldest first."""
        query = select(stray).where(stray.c.confirmed_ms.is_(None)).order_by(stray.c.id)
        if account is not None:
            query = query.where(stray.c.account == account)
        return [
            Stray(row.id, row.login, row.account, row.from_region, row.to_region, row.seen_ms)
            for row in self._connection.execute(query)
        ]

    def confirm(self, account: str, actor: str, now_ms: int) -> list[Stray]:
        """Somebody says that this is as it should be; returns who was flagged."""
        found = self.strays(account)
        self._connection.execute(
            update(stray)
            .where(stray.c.account == account, stray.c.confirmed_ms.is_(None))
            .values(confirmed_ms=now_ms, confirmed_by=actor)
        )
        return found


def _kept(row: Row[tuple[int, str, int, str, str]], events: Iterable[Event]) -> Kept:
    return Kept(row.id, row.actor, Move(row.name, _plan_of(row.plan), row.planned_ms, tuple(events)))


def _event(row: Row[tuple[object, ...]]) -> Event:
    return Event(row.key, Step(row.step), row.time_ms, row.actor, row.reason)


def _columns(traveller: Traveller) -> dict[str, object]:
    legs = {"out": traveller.out, "back": traveller.back}
    return {
        "login": traveller.login,
        "twice_ms": traveller.twice_ms,
        **{f"{leg}_{name}": getattr(value, name) for leg, value in legs.items() for name in _LEG},
    }


def _traveller(row: Row[tuple[object, ...]]) -> Traveller:
    of = row._mapping
    out, back = (Leg(*(of[f"{leg}_{name}"] for name in _LEG)) for leg in ("out", "back"))
    return Traveller(of["login"], out, back, of["twice_ms"])
