"""A fleet that moved, through the real books: the vectors P19 and P20 (docs/payouts.md) with journal and ledger."""

from __future__ import annotations

from fractions import Fraction

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from payout.accounts import Scheme
from payout.explain.credit import CreditExplained, words
from payout.invariants import BLOCKS
from payout.ledger import Entry, LedgerError
from payout.store.explained import Explained
from payout.store.history import SqlHistory
from payout.watch import Watch, check_subject
from pool.store.sql import reading
from tests.payout.scene import RULES, START_MS, Scene, job, share

SICHUAN = "net 700 ganzi"
KAZAKHSTAN = "net 450 kz-operator; share @owner 8000 kz-partner 2000"


@pytest.fixture
def moved(engine: Engine) -> Scene:
    """The fleet of P19: a block is found when it has moved, and its window holds shares of both sites."""
    rules = replace(RULES, window_x=Fraction(3, 2))
    scene = Scene(engine, rules)
    for name in ("ganzi", "kz-operator", "kz-partner"):
        scene.account(name, Scheme.PPLNS)
    scene.account("bitmining", Scheme.PPLNS, 150)
    scene.account("other", Scheme.PPLNS, 200)
    old, new = scene.slice("bitmining", SICHUAN), scene.slice("bitmining", KAZAKHSTAN, minute=3)
    scene.chain.reward_sat = 625_000_000 + 12_345_678
    scene.take(
        share("bitmining", "2/5", slice_id=old),
        share("other", "3/10"),
        share("bitmining", "7/20", slice_id=old),
        share("other", "9/20"),
        share("other", "4/25", minute=3),
        share("bitmining", "1/5", minute=3, slice_id=new),
        share("bitmining", "1/10", minute=3, slice_id=new, block="B1"),
    )
    return scene


IMMATURE = {
    "asset:coinbase_immature": 637_345_678,
    "income:pool_fee:immature": -11_365_997,
    "liab:bitmining:immature": -(136_229_453 + 95_925_624),
    "liab:ganzi:immature": -10_253_829,
    "liab:kz-operator:immature": -5_650_069,
    "liab:kz-partner:immature": -23_981_406,
    "liab:other:immature": -353_939_300,
}


def explained(scene: Scene, name: str) -> CreditExplained:
    found = Explained(scene.engine).credit(f"100:{name}")
    assert isinstance(found, CreditExplained)
    return found


class TestBlock:
    def test_each_host_is_paid_for_the_shares_of_its_site_to_the_satoshi(self, moved: Scene) -> None:
        moved.reach(100, B1=100)
        assert moved.balances() == IMMATURE
        (row,) = moved.rows()
        assert {entry.account for entry in row.posting.entries} == set(IMMATURE)

    def test_statement_and_explanation_of_each_party_are_what_the_ledger_has(self, moved: Scene) -> None:
        moved.reach(100, B1=100)
        for name in ("bitmining", "ganzi", "kz-operator", "kz-partner", "other"):
            owed_sat = -IMMATURE[f"liab:{name}:immature"]
            with reading(moved.engine) as connection:
                lines = SqlHistory(connection).lines(name)
            assert sum(line.immature_sat for line in lines) == owed_sat
            assert explained(moved, name).own_sat == owed_sat
            balance = Explained(moved.engine).balance(name, START_MS)
            assert sum(each.amount_sat for each in balance.blocks) == owed_sat
        assert f"others have {10_253_829:,} sat" in "\n".join(words(explained(moved, "bitmining")))
        assert f"By the contract of slice 1, which is another account's: {10_253_829:,} sat." in "\n".join(
            words(explained(moved, "ganzi"))
        )

    def test_the_watch_holds_a_block_against_the_contracts_of_its_slices(self, moved: Scene) -> None:
        moved.reach(100, B1=100)
        (row,) = moved.rows()
        more_sat = {"liab:ganzi:immature": -5, "liab:kz-partner:immature": 5}
        entries = tuple(
            Entry(each.account, each.amount_sat + more_sat.get(each.account, 0)) for each in row.posting.entries
        )
        with moved.ledger.read() as books:
            assert Watch().look(books) == ()
            (found,) = check_subject(replace(row, posting=replace(row.posting, entries=entries)), books)
        assert found.invariant == BLOCKS

    def test_all_parties_have_the_life_of_the_block(self, moved: Scene) -> None:
        moved.reach(100, B1=100)
        moved.reach(106, B1=0)
        assert moved.balances() == {}
        moved.reach(107, B1=100)
        assert moved.balances() == IMMATURE
        moved.reach(200)
        assert moved.balances() == {
            name.replace("coinbase_immature", "wallet").replace(
                ":immature", "" if name.startswith("income") else ":available"
            ): amount
            for name, amount in IMMATURE.items()
        }

    def test_a_contract_that_has_ended_is_paid_for_its_shares_in_the_window(self, moved: Scene) -> None:
        moved.end_contract("contract-1")
        moved.reach(100, B1=100)
        assert moved.balances() == IMMATURE

    def test_machines_that_are_sold_in_mid_window_pay_each_owner_for_its_time(self, engine: Engine) -> None:
        scene = Scene(engine)
        for name in ("seller", "buyer", "host"):
            scene.account(name, Scheme.PPLNS)
        sold, bought = scene.slice("seller", "net 1000 host"), scene.slice("buyer", "net 1000 host", minute=1)
        scene.take(share("seller", "3/4", slice_id=sold), share("buyer", "1/4", minute=1, slice_id=bought, block="B1"))
        scene.reach(100, B1=100)
        balances = scene.balances()
        parties = {name: -balances[f"liab:{name}:immature"] for name in ("seller", "buyer", "host")}
        assert sum(parties.values()) == scene.chain.reward_sat
        assert parties == {"seller": 675_000, "buyer": 225_000, "host": 100_000}

    def test_a_slice_without_a_contract_is_its_owners(self, engine: Engine) -> None:
        scene = Scene(engine)
        scene.account("alice", Scheme.PPLNS)
        scene.take(share("alice", slice_id=scene.slice("alice", None), block="B1"))
        scene.reach(100, B1=100)
        assert scene.balances()["liab:alice:immature"] == -scene.chain.reward_sat

    def test_a_slice_that_is_not_in_the_books_stops_the_block(self, engine: Engine) -> None:
        scene = Scene(engine)
        scene.take(share("alice", slice_id=9, block="B1"))
        with pytest.raises(LedgerError, match="in slice 9, which is not in the books"):
            scene.reach(100, B1=100)
        assert scene.rows() == []


class TestPerShare:
    @pytest.mark.parametrize("scheme", [Scheme.PPS, Scheme.FPPS, Scheme.PPS_PLUS])
    def test_what_a_slice_earned_is_divided_when_it_is_settled(self, engine: Engine, scheme: Scheme) -> None:
        scene = Scene(engine)
        scene.account("host", Scheme.PPLNS)
        scene.account("kz", scheme)
        number = scene.slice("kz", "net 1000 host; left 100 tax:KZ")
        scene.take(job(0), share("kz", "1/2", slice_id=number), share("kz", "1/2"))
        scene.take(job(1))
        # The target of a half is a little more than that: 449 999 in the slice, 450 000 in none.
        assert scene.balances() == {
            "equity:pps_reserve": 899_999,
            "liab:host:available": -44_999,
            "liab:kz:available": -(450_000 + 400_950),
            "liab:tax:KZ:available": -4_050,
        }

    def test_so_is_what_fpps_adds_to_it(self, engine: Engine) -> None:
        scene = Scene(engine)
        scene.account("host", Scheme.PPLNS)
        scene.account("kz", Scheme.FPPS, 100)
        number = scene.slice("kz", "net 1000 host")
        scene.take(job(0), share("kz", "1/2", slice_id=number), share("kz", "1/2"))
        scene.take(job(1))
        before = scene.balances()
        assert before["liab:host:available"] == -44_549
        assert scene.end_day([90_000]) is not None
        more = {name: amount - before.get(name, 0) for name, amount in scene.balances().items()}
        # Fees of a tenth: 89 099 after the pool's fee, half of it in the slice.
        assert more == {"equity:pps_reserve": 89_099, "liab:host:available": -4_454, "liab:kz:available": -84_645}

    def test_the_carry_of_an_account_does_not_move_with_its_machines(self, engine: Engine) -> None:
        scene = Scene(engine)
        scene.account("host", Scheme.PPLNS)
        scene.account("kz", Scheme.PPS, 250)
        old, new = scene.slice("kz", "net 700 host"), scene.slice("kz", "net 450 host")
        scene.take(*(share("kz", "1/7", minute=at, slice_id=each) for at, each in enumerate((old, new, old, new))))
        scene.take(job(9))
        balances = scene.balances()
        paid_sat = balances["equity:pps_reserve"]
        assert paid_sat == 4 * 900_000 * 975 // 7000
        assert -balances["liab:kz:available"] - balances["liab:host:available"] == paid_sat
