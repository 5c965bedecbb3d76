"""Accounts, their plans and their addresses in SQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection, Row, Select, insert, select

from payout.accounts import Account, AccountRefused, PayoutAddress, Plan, Scheme, check_name, check_plan
from payout.store.statements import chunks, next_id
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

        What was earned before stays as it is, so that time may not lie in the past, nor before a change that is
        planned already. Raises AccountRefused.
        """
        check_plan(changed)
        if changed.valid_from_ms < now_ms:
            raise AccountRefused(f"the plan of {name} cannot change in the past")
        known = self.get(name)
        if known is None:
            raise AccountRefused(f"account {name} does not exist")
        if changed.valid_from_ms <= known.plans[-1].valid_from_ms:
            raise AccountRefused(f"the plan of {name} already changes at that time or later")
        self._insert_plans([(known.id, changed)])
        return Account(known.id, name, known.created_ms, (*known.plans, changed))

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
            }
            for account_id, new in plans
        ]
        self._connection.execute(insert(plan), rows)


def _with_plans() -> Select[int, str, int, str, int, int]:
    return (
        select(
            account.c.id,
            account.c.name,
            account.c.created_ms,
            plan.c.scheme,
            plan.c.fee_bps,
            plan.c.valid_from_ms,
        )
        .join(plan, plan.c.account_id == account.c.id)
        .order_by(account.c.id, plan.c.valid_from_ms)
    )


def _accounts(rows: Collection[Row[int, str, int, str, int, int]]) -> dict[str, Account]:
    found: dict[str, Account] = {}
    for account_id, name, created_ms, scheme, fee_bps, valid_from_ms in rows:
        before = found[name].plans if name in found else ()
        of_row = Plan(Scheme(scheme), fee_bps, valid_from_ms)
        found[name] = Account(account_id, name, created_ms, (*before, of_row))
    return found
