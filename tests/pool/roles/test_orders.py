"""pool.roles.orders: what came through the API, on real books without a node."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import insert
from twisted.internet.defer import Deferred

from payout.store.ledger import SqlLedger
from payout.watch_ports import Stray as StrayBlock
from pool import config_file
from pool.dashboard.access.fleet_orders import CloseOrder, End, FleetFiles, MoveOrder, MovePlan, Said
from pool.dashboard.access.money_orders import (
    AddAccount,
    ChangeAddress,
    ChangePlan,
    ChangeThreshold,
    Coins,
    FeeRate,
    ReserveCoins,
    Resume,
    SignedPsbt,
    Txid,
)
from pool.dashboard.access.openapi import TABLE
from pool.dashboard.access.orders import Nothing, Order, OrderRefused, Why
from pool.dashboard.ports import SourceUnavailable
from pool.fleet.views import GROUPS
from pool.roles.counter import open_counter
from pool.roles.database import open_database
from pool.roles.orders import HANDLERS, OfficeOrders
from pool.store.moves import SqlMoves
from pool.store.sql import progress, writing
from tests.pool.dashboard.running import here, result_of
from tests.pool.fleet.moves import LOGINS, PLAN
from tests.pool.test_cli import config
from tests.pool.test_cli_payouts import ADDRESS, pool

__all__ = ["config", "pool"]

HASH = "ab" * 32
SITE = "name,country,time_zone,host,region,valid_from,valid_to,source\n"
GANZI = "ganzi,CN,Asia/Shanghai,,sichuan,2026-01-01T00:00Z,,\n"


class Office:
    """Orders, as the guard would pass them on."""

    def __init__(self, pool: Path) -> None:
        self.config = config_file.load(pool)
        self._orders = OfficeOrders(self.config, here)

    def order(self, action: str, said: Any = None, *names: str) -> Any:
        return result_of(self._orders.carry_out(Order(action, names, said or Nothing(), "operator:anna")))

    def done(self, action: str, said: Any = None, *names: str) -> str:
        return str(self.order(action, said, *names).done)

    def refused(self, action: str, said: Any = None, *names: str) -> str:
        with pytest.raises(OrderRefused) as refusal:
            self.order(action, said, *names)
        return str(refusal.value)

    def is_input(self, action: str, said: Any, *names: str) -> bool:
        with pytest.raises(OrderRefused) as refusal:
            self.order(action, said, *names)
        return refusal.value.is_input


@pytest.fixture
def office(pool: Path) -> Office:
    return Office(pool)


def test_every_operation_with_an_action_is_carried_out_and_nothing_else() -> None:
    assert sorted(each.action for each in TABLE if each.action) == sorted(HANDLERS)


class TestPayouts:
    def test_they_are_stopped_and_go_on_with_their_reasons(self, office: Office) -> None:
        assert office.done("payouts.stop", Why("look")) == "payouts are stopped"
        assert office.order("payouts.status").reason == "look"
        assert "payouts are stopped: look" in office.refused("payouts.run")
        assert office.done("payouts.resume", Resume("found")) == "payouts go on"
        assert "accounting role pays" in office.done("payouts.run")
        assert office.order("payouts.status").batches == {"reserved": 1}

    def test_a_batch_is_released_once(self, office: Office) -> None:
        released = "payout 1 is released: 700 satoshi are available again"
        assert office.done("payouts.release", None, "1") == released
        assert "it is released already" in office.refused("payouts.release", None, "1")

    @pytest.mark.parametrize("verb", ["bump", "cancel"])
    def test_what_cannot_be_done_says_why(self, office: Office, verb: str) -> None:
        assert "payout 1 is reserved" in office.refused(f"payouts.{verb}", FeeRate(5), "1")

    @pytest.mark.parametrize("verb", ["bump", "cancel"])
    def test_what_is_about_another_transaction_than_the_newest_is_refused(self, office: Office, verb: str) -> None:
        said = office.refused(f"payouts.{verb}", FeeRate(5, HASH), "1")
        assert f"the newest transaction of payout 1 is none, not {HASH}" in said

    def test_coins_from_elsewhere_are_booked_once(self, office: Office) -> None:
        assert office.done("payouts.fund", Coins("T1", 500)) == "booked: 500 satoshi, adjust:T1"
        assert "was booked before" in office.refused("payouts.fund", Coins("T1", 500))

    def test_books_that_were_not_restored_know_of_all_that_was_sent(self, office: Office) -> None:
        assert office.order("payouts.foreign").rows == ()
        assert f"{HASH} is no transaction that the books do not know" in office.refused("payouts.adopt", Txid(HASH))

    def test_what_was_paid_since_a_copy_is_asked_of_the_wallet_or_vouched_for(self, office: Office) -> None:
        engine = open_database(office.config)
        with engine.begin() as connection:  # as a restore leaves it
            connection.execute(insert(progress).values(name="payout_restored_height", value=7))
        engine.dispose()
        office.done("payouts.stop", Why("restored"))
        with pytest.raises(SourceUnavailable, match="cookie"):
            office.order("payouts.resume", Resume("looked"))
        assert office.done("payouts.resume", Resume("looked", True)) == "payouts go on"
        assert "vouched for" in office.order("payouts.status").reason

    def test_what_waits_for_no_signature_is_not_given_out(self, office: Office) -> None:
        assert "the wallet signs by itself" in office.refused("payouts.export", None, "1")
        assert "no PSBT of version 0" in office.refused("payouts.import", SignedPsbt("hello"))

    def test_a_dry_run_without_a_node_is_not_a_refusal(self, office: Office) -> None:
        with pytest.raises(SourceUnavailable, match="cookie"):
            office.order("payouts.plan")


class TestBlocks:
    @pytest.mark.parametrize("verb", ["hold", "release"])
    def test_one_that_is_not_there_is_named(self, office: Office, verb: str) -> None:
        assert f"the pool has no block {HASH}" in office.refused(f"blocks.{verb}", Why("look"), HASH)

    def test_one_that_nobody_told_of_is_accepted_once(self, office: Office) -> None:
        engine = open_database(office.config)
        with SqlLedger(engine).write() as books:
            books.strays.add(StrayBlock(bytes.fromhex(HASH)[::-1], 150, 1, 5))
        engine.dispose()
        [waiting] = office.order("blocks.held").rows
        assert (waiting.hash, waiting.why) == (HASH, "stray")
        assert office.done("blocks.accept", Why("a test"), HASH).startswith(f"block {HASH} is accepted")
        assert office.order("blocks.held").rows == ()
        assert "no alarm is on" in office.refused("blocks.accept", Why("a test"), HASH)


class TestAccounts:
    def test_one_is_added_once_with_a_plan(self, office: Office) -> None:
        assert office.done("accounts.add", AddAccount("bob", None, 150, ADDRESS)) == "account bob is added"
        assert "bob" in office.refused("accounts.add", AddAccount("bob"))
        terms = office.order("accounts.terms", None, "bob")
        assert (terms.account.fee_bps, terms.addresses[0].address) == (150, ADDRESS)
        assert terms.threshold.note == "payouts.threshold_sat"

    def test_a_plan_changes_at_a_stated_time_and_the_change_is_taken_back(self, office: Office) -> None:
        said = ChangePlan(None, 50, "2099-01-01T00:00+08:00")
        done = office.done("accounts.plan", said, "alice")
        assert done == "alice: pplns with 50 basis points from 2098-12-31 16:00:00+00:00"
        assert "already" in office.refused("accounts.plan", said, "alice")
        assert [each.state for each in office.order("accounts.terms", None, "alice").account.plans] == [
            "in_force",
            "planned",
        ]
        assert "taken back" in office.done("accounts.plan.cancel", None, "alice")
        assert office.refused("accounts.plan.cancel", None, "alice")

    @pytest.mark.parametrize(
        ("said", "why"),
        [
            (ChangePlan(), "it would change nothing"),
            (ChangePlan(None, 5, "tomorrow"), "from_time: 'tomorrow' is not a time such as"),
            (ChangePlan(None, 5, "2027-01-01T00:00"), "does not say its zone"),
        ],
    )
    def test_a_change_that_is_not_understood_is_wrong_in_itself(
        self, office: Office, said: ChangePlan, why: str
    ) -> None:
        assert why in office.refused("accounts.plan", said, "alice")
        assert office.is_input("accounts.plan", said, "alice")

    def test_a_plan_in_the_past_is_refused(self, office: Office) -> None:
        assert office.refused("accounts.plan", ChangePlan(None, 5, "2020-01-01T00:00Z"), "alice")

    @pytest.mark.parametrize("address", ["hello", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"])
    def test_what_is_no_address_of_this_chain_is_wrong_in_itself(self, office: Office, address: str) -> None:
        assert office.is_input("accounts.address", ChangeAddress(address), "alice")
        assert office.is_input("accounts.add", AddAccount("bob", None, None, address))
        assert [each.address for each in office.order("accounts.terms", None, "alice").addresses] == [ADDRESS]

    def test_a_threshold_is_set_and_given_up(self, office: Office) -> None:
        assert office.done("accounts.threshold", ChangeThreshold(5000), "alice") == (
            "alice: paid from 5000 satoshi on (its own)"
        )
        assert "payouts.threshold_sat" in office.done("accounts.threshold", ChangeThreshold(None), "alice")

    def test_one_that_is_not_there_is_named(self, office: Office) -> None:
        assert "nobody" in office.refused("accounts.terms", None, "nobody")
        assert "no change of the address" in office.refused("accounts.address.cancel", None, "alice")


class TestReserve:
    def test_it_is_funded_once_for_a_ticket(self, office: Office) -> None:
        assert office.order("reserve.show").level == "unused"
        done = office.done("reserve.fund", ReserveCoins("R1", 1_000))
        assert done == "booked: 1000 satoshi; the reserve is unused with 1000 satoshi"
        assert "was booked before" in office.refused("reserve.fund", ReserveCoins("R1", 1_000))
        assert "is not stopped" in office.refused("reserve.resume", Why("funded"))


@pytest.fixture
def moving(office: Office) -> Office:
    """With a move that is planned for an hour from now."""
    now_ms = int(time.time() * 1000)
    plan = replace(PLAN, deadline_ms=now_ms + 3_600_000, planned_on_ms=now_ms + 3_600_000)
    engine = open_database(office.config)
    with writing(engine) as connection:
        SqlMoves(connection).add("out", plan, LOGINS, "ann", now_ms)
    engine.dispose()
    return office


class TestMoves:
    @pytest.mark.parametrize("verb", ["start", "pause", "resume", "rollback"])
    def test_one_that_is_not_there_is_named(self, office: Office, verb: str) -> None:
        assert "there is no move out" in office.refused(f"moves.{verb}", MoveOrder("now"), "out")

    def test_one_is_looked_at_started_and_closed(self, moving: Office) -> None:
        assert [each.login for each in moving.order("moves.due", None, "out").due] == LOGINS
        assert moving.order("moves.due_back", None, "out").due == ()
        assert moving.done("moves.start", MoveOrder("now", "ticket 7"), "out") == "move out is running"
        assert moving.done("moves.start", MoveOrder("now", "ticket 7"), "out") == "move out is running"
        assert "have not arrived" in moving.refused("moves.close", CloseOrder("done"), "out")
        assert moving.done("moves.close", CloseOrder("done", force=True), "out") == "move out is closed"

    def test_a_time_without_a_zone_is_wrong_in_itself(self, office: Office) -> None:
        said = MovePlan("out", "b", "acme", "a", deadline="2027-01-01T09:00")
        assert "deadline: '2027-01-01T09:00' does not say its zone" in office.refused("moves.plan", said)
        assert office.is_input("moves.plan", said)

    def test_an_account_without_strays_has_none_to_confirm(self, office: Office) -> None:
        assert office.order("strays.show").rows == ()
        assert "no worker of alice waits" in office.refused("strays.confirm", None, "alice")


class TestFleets:
    def test_a_fact_is_entered_by_its_cells_and_ended(self, office: Office) -> None:
        said = Said({"name": "ganzi", "country": "CN", "time_zone": "Asia/Shanghai", "valid_from": "2026-01-01T00:00Z"})
        entered = office.order("sites.add", said)
        assert (entered.done, entered.rows[0].says["name"]) == ("1 rows recorded", "ganzi")
        assert office.done("sites.add", said) == "known already"
        ended = office.order("sites.end", End("2027-01-01T00:00Z"), str(entered.rows[0].number))
        assert ended.rows[0].says["valid_to_ms"] == 1_798_761_600_000

    @pytest.mark.parametrize(
        ("said", "why"),
        [
            (Said({"name": "ganzi"}), "country"),
            (Said({"nmae": "ganzi"}), "'nmae' is no field of it; there are name, country"),
            (Said({"name": "x"}, kind="fleet"), "kind: 'fleet' is none of site, capacity"),
        ],
    )
    def test_what_is_not_understood_is_wrong_in_itself(self, office: Office, said: Said, why: str) -> None:
        assert why in office.refused("sites.add", said)
        assert office.is_input("sites.add", said)

    def test_a_notice_opens_a_move_and_the_answer_says_so(self, office: Office) -> None:
        since = {"valid_from": "2026-01-01T00:00Z"}
        for group, kind, said in (
            ("sites", "site", {"name": "ganzi", "country": "CN", "time_zone": "Asia/Shanghai", **since}),
            ("sites", "capacity", {"site": "ganzi", "capacity_w": "1000", **since}),
            ("fleets", "fleet", {"name": "alice/main", **since}),
            ("assignments", "assignment", {"account": "alice", "pattern": "*", "fleet": "alice/main", "site": "ganzi"}),
        ):
            assert office.order(f"{group}.add", Said(said, kind)).moves == ()
        when = {"announced": "2026-01-01T00:00Z", "valid_from": "2099-01-01T00:00Z"}
        closure = Said({"site": "ganzi", "kind": "closure", **when}, "site_event")
        [line] = office.order("sites.add", closure).moves
        assert line.startswith("move ganzi-out is a draft: alice has workers * at ganzi")
        assert "is a draft, and lacks the site to go to" in office.refused("moves.start", MoveOrder(), "ganzi-out")
        assert office.done("moves.close", CloseOrder("a generator"), "ganzi-out") == "move ganzi-out is dropped"

    def test_what_was_exported_can_be_imported_and_is_known_already(self, office: Office) -> None:
        assert office.done("fleets.import", FleetFiles({"site.csv": SITE + GANZI})) == "1 rows recorded"
        files = office.order("fleets.export").files
        assert list(files) == ["site.csv"]
        assert office.order("fleets.export.file", None, "site.csv") == files["site.csv"]
        assert office.done("fleets.import", FleetFiles(files)) == "known already"
        assert office.done("fleets.import.file", files["site.csv"], "site.csv") == "known already"

    def test_each_line_that_is_wrong_is_named_and_nothing_is_kept(self, office: Office) -> None:
        wrong = GANZI.replace("2026-01-01T00:00Z", "soon")
        said = office.refused("fleets.import.file", SITE + GANZI + wrong + "x\n", "site.csv")
        assert [line.partition(":")[0] for line in said.splitlines()] == ["site.csv line 3", "site.csv line 4"]
        assert office.is_input("fleets.import.file", SITE + wrong, "site.csv")
        assert office.order("fleets.export").files == {}
        assert "there is no 'site.csv'" in office.refused("fleets.export.file", None, "site.csv")

    def test_charging_without_readings_does_nothing(self, office: Office) -> None:
        assert office.done("contracts.charge") == "0 new charges, 0.00000000 BTC taken"

    def test_every_group_has_its_orders(self) -> None:
        assert {f"{group}.{verb}" for group in GROUPS for verb in ("add", "end")} <= HANDLERS.keys()


def test_books_that_cannot_be_reached_are_not_a_refusal(pool: Path) -> None:
    text = pool.read_text() + f'\n[database]\nurl = "sqlite:///{pool.parent}/nowhere/at/all.sqlite"\n'
    pool.write_text(text)
    with pytest.raises(SourceUnavailable, match="cannot be used"):
        Office(pool).order("payouts.stop", Why("look"))


def test_it_is_done_in_a_thread(pool: Path) -> None:
    waiting: list[Deferred[str]] = []

    async def elsewhere(_work: object) -> str:
        waiting.append(Deferred())
        return await waiting[-1]

    orders = OfficeOrders(config_file.load(pool), elsewhere)  # type: ignore[arg-type]
    asked = Deferred.fromCoroutine(orders.carry_out(Order("payouts.stop", (), Why("look"), "operator:anna")))
    waiting[0].callback("done there")
    assert asked.result == "done there"
    with open_counter(config_file.load(pool)) as counter:
        assert not counter.status().is_stopped
