"""Accounts, their plans and their addresses in SQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Select, and_, func, insert, or_, select

from payout.accounts import Account, AccountRefused, PayoutAddress, Plan, Scheme, check_name, check_plan
from payout.store.shares import SqlShares
from payout.store.statements import chunks, next_id
from pool.store.scheme_tables import plan_cancel
from pool.store.sql import account, payout_address, plan


class SqlAccounts:
    """Satisfies payout.ports.Accounts, and is what operators change accounts by."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def resolve(self, first_seen_ms: Mapping[str, int], scheme: Scheme, fee_bps: int) -> dict[str, Account]:
        """The accounts of these names; those that do not exist are opened with this plan."""
        found = self._named(first_seen_ms)
        fresh = {name: time_ms for name, time_ms in first_seen_ms.items() if name not in found}
        if fresh:
            first_id = next_id(self._connection, account)
            opened = [
                Account(number, check_name(name), time_ms, (check_plan(Plan(scheme, fee_bps, time_ms)),))
                for number, (name, time_ms) in enumerate(fresh.items(), first_id)
            ]
            self._insert(opened)
            found.update((each.name, each) for each in opened)
        return found

    def add(self, name: str, scheme: Scheme, fee_bps: int, address: PayoutAddress | None, at_ms: int) -> Account:
        """Open an account. Raises AccountRefused, also if the name is taken."""
        check_name(name)
        first = check_plan(Plan(scheme, fee_bps, at_ms))
        if self._named([name]):
            raise AccountRefused(f"account {name} exists already")
        opened = Account(next_id(self._connection, account), name, at_ms, (first,))
        self._insert([opened])
        if address is not None:
            self._connection.execute(
                insert(payout_address).values(
                    account_id=opened.id, valid_from_ms=at_ms, address=address.address, script=address.script
                )
            )
        return opened

    def change_plan(self, name: str, changed: Plan, now_ms: int) -> Account:
        """Give an account another plan from a time on.

        What was earned before stays as it is, so that time may not lie in the past, nor before a share that is in the
        books, nor before a change that is planned already. Raises AccountRefused.
        """
        check_plan(changed)
        if changed.valid_from_ms < now_ms:
            ago_ms = now_ms - changed.valid_from_ms
            raise AccountRefused(
                f"the plan of {name} cannot change in the past: that was {ago_ms} ms ago; choose a time to come"
            )
        known = self._known(name)
        self._check_unbooked(name, changed.valid_from_ms)
        if changed.valid_from_ms <= known.plans[-1].valid_from_ms:
            raise AccountRefused(
                f"the plan of {name} already changes at that time or later; take that back first (`--cancel`)"
            )
        if self._is_cancelled(known.id, changed.valid_from_ms):
            raise AccountRefused(
                f"a change of the plan of {name} at exactly that time was taken back: choose another second"
            )
        changed = replace(changed, requested_ms=now_ms)
        self._insert_plans([(known.id, changed)])
        return replace(known, plans=(*known.plans, changed))

    def cancel_plan(self, name: str, now_ms: int) -> Account:
        """Take back the last change of plan that is not yet in force. Raises AccountRefused."""
        known = self._known(name)
        last = known.plans[-1]
        if len(known.plans) == 1 or last.valid_from_ms <= now_ms:
            raise AccountRefused(f"no change of the plan of {name} is planned")
        self._check_unbooked(name, last.valid_from_ms)
        cancelled = {"account_id": known.id, "valid_from_ms": last.valid_from_ms, "cancelled_ms": now_ms}
        self._connection.execute(insert(plan_cancel).values(cancelled))
        return replace(known, plans=known.plans[:-1])

    def find(self, names: Collection[str]) -> dict[str, Account]:
        """Those of these accounts that exist."""
        return self._named(names)

    def get(self, name: str) -> Account | None:
        """One account."""
        return self._named([name]).get(name)

    def every(self) -> list[Account]:
        """All accounts, by name."""
        accounts = _accounts(self._connection.execute(_with_plans()).all())
        return sorted(accounts.values(), key=lambda each: each.name)

    def address_at(self, name: str, time_ms: int) -> PayoutAddress | None:
        """Where an account is paid at a time, if it has said so."""
        row = self._connection.execute(
            select(payout_address.c.address, payout_address.c.script)
            .join(account, account.c.id == payout_address.c.account_id)
            .where(account.c.name == name, payout_address.c.valid_from_ms <= time_ms)
            .order_by(payout_address.c.valid_from_ms.desc())
            .limit(1)
        ).one_or_none()
        return None if row is None else PayoutAddress(row.address, row.script)

    def _known(self, name: str) -> Account:
        known = self.get(name)
        if known is None:
            raise AccountRefused(f"account {name} does not exist; `steppe account list` shows them")
        return known

    def _check_unbooked(self, name: str, time_ms: int) -> None:
        """A share that is booked keeps its plan: else books and journals would no longer say the same."""
        newest_ms = SqlShares(self._connection).newest_ms()
        if newest_ms >= time_ms:
            raise AccountRefused(
                f"the plan of {name} cannot change at that time: shares that were accepted until "
                f"{newest_ms - time_ms} ms after it are in the books; choose a later time"
            )

    def _is_cancelled(self, account_id: int, valid_from_ms: int) -> bool:
        of_key = plan_cancel.c.account_id == account_id, plan_cancel.c.valid_from_ms == valid_from_ms
        return self._connection.execute(select(plan_cancel.c.account_id).where(*of_key)).one_or_none() is not None

    def _named(self, names: Collection[str]) -> dict[str, Account]:
        found: dict[str, Account] = {}
        for chunk in chunks(names):
            found.update(_accounts(self._connection.execute(_with_plans().where(account.c.name.in_(chunk))).all()))
        return found

    def _insert(self, opened: Sequence[Account]) -> None:
        rows = [{"id": each.id, "name": each.name, "created_ms": each.created_ms} for each in opened]
        self._connection.execute(insert(account), rows)
        self._insert_plans([(each.id, new) for each in opened for new in each.plans])

    def _insert_plans(self, plans: Iterable[tuple[int, Plan]]) -> None:
        rows = [
            {
                "account_id": account_id,
                "valid_from_ms": new.valid_from_ms,
                "scheme": new.scheme.value,
                "fee_bps": new.fee_bps,
                "requested_ms": new.requested_ms,
            }
            for account_id, new in plans
        ]
        self._connection.execute(insert(plan), rows)


def standing_plans(time_ms: int) -> Select[Any]:
    """The plan of each account that is in force at a time, and those that are planned."""
    in_force = (
        _PLANS.with_only_columns(plan.c.account_id, func.max(plan.c.valid_from_ms).label("valid_from_ms"))
        .where(plan.c.valid_from_ms <= time_ms)
        .group_by(plan.c.account_id)
        .subquery()
    )
    return _PLANS.outerjoin(in_force, in_force.c.account_id == plan.c.account_id).where(
        or_(in_force.c.valid_from_ms.is_(None), plan.c.valid_from_ms >= in_force.c.valid_from_ms)
    )


_PLANS = (
    select(plan)
    .outerjoin(
        plan_cancel,
        and_(plan_cancel.c.account_id == plan.c.account_id, plan_cancel.c.valid_from_ms == plan.c.valid_from_ms),
    )
    .where(plan_cancel.c.account_id.is_(None))
)
"""The plans that were not taken back."""


def _with_plans() -> Select[Any]:
    return (
        _PLANS.add_columns(account.c.id, account.c.name, account.c.created_ms)
        .join(account, account.c.id == plan.c.account_id)
        .order_by(account.c.id, plan.c.valid_from_ms)
    )


def _accounts(rows: Collection[Any]) -> dict[str, Account]:
    found: dict[str, Account] = {}
    for row in rows:
        before = found[row.name].plans if row.name in found else ()
        of_row = Plan(Scheme(row.scheme), row.fee_bps, row.valid_from_ms, row.requested_ms)
        found[row.name] = Account(row.id, row.name, row.created_ms, (*before, of_row))
    return found
