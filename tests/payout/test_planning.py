"""payout.planning: who is paid and why the others wait."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from payout.accounts import PayoutAddress, Scheme
from payout.planning import Plan, Policy, Verdicts, addresses, plan
from tests.payout.fake_wallet import script
from tests.payout.payment_scene import COIN, SETTINGS, PaymentScene

POLICY = replace(SETTINGS.policy, threshold_sat=50_000)


@pytest.fixture
def scene(sqlite: Engine) -> PaymentScene:
    return PaymentScene(sqlite)


def planned(scene: PaymentScene, policy: Policy = POLICY, rate: int = 1_000, refused: str = "") -> Plan:
    verdicts = Verdicts(scene.wallet, policy.script_of)
    scene.wallet.bad = {refused: "no"}
    with scene.ledger.read() as books:
        verdicts.judge(addresses(books, scene.now_ms))
        return plan(books, policy, rate, verdicts.refused, scene.now_ms)


def reasons(scene: PaymentScene, **arguments: object) -> dict[str, str]:
    return {each.account: each.reason for each in planned(scene, **arguments).waiting}  # type: ignore[arg-type]


class TestThresholds:
    def test_the_pools_holds_for_who_has_none(self, scene: PaymentScene) -> None:
        scene.account("alice", 49_999)
        scene.account("bob", 50_000)
        assert reasons(scene) == {"alice": "below_minimum"}

    def test_ones_own_holds_instead_higher_or_lower(self, scene: PaymentScene) -> None:
        scene.account("alice", 60_000)
        scene.account("bob", 40_000)
        with scene.ledger.write() as books:
            books.payees.change_threshold("alice", 60_001, 1)
            books.payees.change_threshold("bob", 30_000, 1)
        assert reasons(scene) == {"alice": "below_minimum"}

    def test_a_hundred_times_dust_is_the_least_for_everybody(self, scene: PaymentScene) -> None:
        scene.account("alice", 29_399)
        with scene.ledger.write() as books:
            books.payees.change_threshold("alice", 1, 1)
        [waits] = planned(scene).waiting
        assert (waits.reason, waits.min_sat) == ("below_minimum", 29_400)

    def test_so_is_twenty_times_what_the_output_costs_now(self, scene: PaymentScene) -> None:
        scene.account("alice", 61_999)
        assert planned(scene, rate=100_000).waiting[0].min_sat == 20 * 31 * 100


class TestReasons:
    def test_no_address(self, scene: PaymentScene) -> None:
        scene.account("alice", COIN, address="")
        assert reasons(scene) == {"alice": "no_address"}

    def test_an_address_that_the_node_refuses(self, scene: PaymentScene) -> None:
        scene.account("alice", COIN)
        assert reasons(scene, refused="alice") == {"alice": "address_invalid"}

    def test_an_address_that_means_another_script_now(self, scene: PaymentScene) -> None:
        with scene.ledger.write() as books:
            books.accounts.add("alice", Scheme.PPLNS, 0, PayoutAddress("alice", script("bob")), 1)
        scene.earn("alice", COIN)
        [waits] = planned(scene).waiting
        assert (waits.reason, "another script" in waits.text) == ("address_invalid", True)

    @pytest.mark.parametrize("names", [("alice", "mallory"), ("mallory", "alice")])
    def test_it_hinders_nobody_who_is_paid_there_rightly(self, scene: PaymentScene, names: tuple[str, ...]) -> None:
        """Whichever comes first."""
        for name in names:
            kept = PayoutAddress("alice", script("bob" if name == "mallory" else "alice"))
            with scene.ledger.write() as books:
                books.accounts.add(name, Scheme.PPLNS, 0, kept, 1)
            scene.earn(name, COIN)
        assert [each.line.account for each in planned(scene).lines] == ["alice"]
        assert reasons(scene) == {"mallory": "address_invalid"}

    def test_an_address_that_was_just_changed(self, scene: PaymentScene) -> None:
        scene.account("alice", COIN)
        with scene.ledger.write() as books:
            to = PayoutAddress("elsewhere", script("elsewhere"))
            books.payees.change_address("alice", to, scene.now_ms, hold_ms=1000)
        assert reasons(scene) == {"alice": "address_hold"}
        scene.now_ms += 1000
        assert [each.address for each in planned(scene).lines] == ["elsewhere"]

    def test_no_room_in_the_batch(self, scene: PaymentScene) -> None:
        scene.account("alice", COIN)
        scene.account("bob", 2 * COIN)
        assert reasons(scene, policy=replace(POLICY, outputs_max=1)) == {"alice": "batch_full"}

    def test_coins_that_the_books_do_not_have(self, scene: PaymentScene) -> None:
        scene.account("alice", 9 * COIN)
        scene.account("bob", 2 * COIN)
        assert reasons(scene) == {"bob": "coins_short"}

    def test_what_is_reserved_is_not_there_for_others(self, scene: PaymentScene) -> None:
        scene.account("alice", 9 * COIN)
        scene.run()
        scene.tick()
        scene.account("bob", 2 * COIN)
        assert reasons(scene) == {"bob": "coins_short"}


def test_a_batch_that_is_reserved_keeps_the_address_of_then(scene: PaymentScene) -> None:
    scene.account("alice", COIN)
    scene.run()
    scene.tick()
    with scene.ledger.write() as books:
        books.payees.change_address("alice", PayoutAddress("x", script("x")), scene.now_ms, hold_ms=0)
    scene.finish()
    assert scene.wallet.paid_sat() == {script("alice"): COIN}
