"""payout.store.accounts."""

from __future__ import annotations

import pytest

from payout.accounts import Account, AccountRefused, PayoutAddress, Plan, Scheme
from payout.store.ledger import SqlLedger

ADDRESS = PayoutAddress("bc1qexample", b"\x00\x14")


def add(ledger: SqlLedger, name: str, at_ms: int = 1000, address: PayoutAddress | None = None) -> Account:
    with ledger.write() as books:
        return books.accounts.add(name, Scheme.PPLNS, 100, address, at_ms)


class TestAdd:
    def test_an_account_is_found_by_its_name(self, ledger: SqlLedger) -> None:
        opened = add(ledger, "alice")
        with ledger.read() as books:
            assert books.accounts.get("alice") == opened
        assert opened == Account(1, "alice", 1000, (Plan(Scheme.PPLNS, 100, 1000),))

    def test_a_name_can_be_taken_once(self, ledger: SqlLedger) -> None:
        add(ledger, "alice")
        with pytest.raises(AccountRefused, match="account alice exists already"):
            add(ledger, "alice")

    def test_names_differ_by_case(self, ledger: SqlLedger) -> None:
        add(ledger, "alice")
        assert add(ledger, "Alice").id == 2

    def test_all_are_listed_by_the_bytes_of_their_names(self, ledger: SqlLedger) -> None:
        for name in ("b", "a", "B", "a-b", "a_b"):
            add(ledger, name)
        with ledger.read() as books:
            assert [each.name for each in books.accounts.every()] == ["B", "a", "a-b", "a_b", "b"]

    def test_an_address_holds_from_its_time(self, ledger: SqlLedger) -> None:
        add(ledger, "alice", 1000, ADDRESS)
        with ledger.read() as books:
            at = [books.accounts.address_at("alice", time_ms) for time_ms in (999, 1000)]
        assert at == [None, ADDRESS]

    def test_nobody_has_to_have_an_address(self, ledger: SqlLedger) -> None:
        add(ledger, "alice")
        with ledger.read() as books:
            assert books.accounts.address_at("alice", 5000) is None


class TestResolve:
    def test_known_and_unknown_names_are_resolved(self, ledger: SqlLedger) -> None:
        known = add(ledger, "alice")
        with ledger.write() as books:
            found = books.accounts.resolve({"alice": 5000, "bob": 6000}, Scheme.PPS, 50)
        assert (found["alice"], found["bob"].plans) == (known, (Plan(Scheme.PPS, 50, 6000),))


class TestChangePlan:
    def change(self, ledger: SqlLedger, from_ms: int, now_ms: int = 2000, name: str = "alice") -> Account:
        with ledger.write() as books:
            return books.accounts.change_plan(name, Plan(Scheme.PPS, 200, from_ms), now_ms)

    def test_a_plan_changes_at_its_time(self, ledger: SqlLedger) -> None:
        add(ledger, "alice")
        changed = self.change(ledger, 3000)
        with ledger.read() as books:
            assert books.accounts.get("alice") == changed
        assert [plan.valid_from_ms for plan in changed.plans] == [1000, 3000]

    def test_the_past_cannot_be_changed(self, ledger: SqlLedger) -> None:
        add(ledger, "alice")
        with pytest.raises(AccountRefused, match="cannot change in the past"):
            self.change(ledger, 1999)

    def test_a_change_before_a_planned_one_is_refused(self, ledger: SqlLedger) -> None:
        add(ledger, "alice")
        self.change(ledger, 4000)
        with pytest.raises(AccountRefused, match="already changes at that time or later"):
            self.change(ledger, 3000)

    def test_an_account_that_does_not_exist_has_no_plan(self, ledger: SqlLedger) -> None:
        with pytest.raises(AccountRefused, match="account nobody does not exist"):
            self.change(ledger, 3000, name="nobody")
