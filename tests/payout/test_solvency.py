"""payout.solvency: what is owed against what is there, said plainly."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from payout import solvency
from payout.accounts import Scheme
from payout.payment_ports import Tip
from payout.pps import PSAT
from payout.solvency import Accounts, Solvency, report, words
from payout.store.solvency import accounts_of
from pool.bitcoin.transaction import OutPoint
from pool.ports import NodeUnavailable
from tests.payout.payment_scene import PaymentScene
from tests.payout.scene import START_MS, Scene, job, share

BOOKS = Accounts(
    {
        "asset:wallet": 900,
        "asset:coinbase_immature": 300,
        "liab:alice:available": -500,
        "liab:alice:immature": -200,
        "liab:bob:reserved": -100,
        "liab:tax:KZ": -10,
        "equity:pps_reserve": -40,
        "equity:pplns_startup": -7,
        "income:pool_fee": -343,
    },
    3 * PSAT + 1,
    (),
    100,
)


class Wallet:
    """A wallet whose chain grows by itself so many times while it is asked."""

    def __init__(self, wallet_sat: int = 900, immature_sat: int = 300, grows: int = 0) -> None:
        self.sat = wallet_sat, immature_sat
        self.grows = grows
        self.height = 100

    def tip(self) -> Tip:
        return Tip(self.height, self.height.to_bytes(32, "little"))

    def confirmed_sat(self, claimed: Collection[OutPoint]) -> int:
        self.height, self.grows = self.height + (self.grows > 0), self.grows - 1
        return self.sat[0]

    def immature_sat(self) -> int:
        return self.sat[1]


def of(wallet: Wallet, books: Accounts = BOOKS) -> Solvency:
    return report(lambda: books, wallet, START_MS)


def test_what_is_owed_is_told_by_kind_and_what_is_there_by_the_wallet() -> None:
    found = of(Wallet())
    assert (found.available_sat, found.immature_sat, found.reserved_sat, found.other_sat) == (500, 200, 100, 10)
    assert found.accrued_sat == 4  # of 3 sat and a picosatoshi: never too little
    assert (found.owed_sat, found.held_sat, found.surplus_sat) == (814, 1_200, 386)
    assert (found.reserve_sat, found.startup_sat) == (40, 7)
    assert (found.coverage_bps, found.due_coverage_bps) == (1_200 * 10_000 // 814, 900 * 10_000 // 614)


def test_a_pool_that_covers_it_says_so_and_at_which_block() -> None:
    said = "\n".join(words(of(Wallet())))
    assert said.startswith(f"At block 100, {100:064x}")
    assert "COVERED: 147.42 % of what is owed; 386 sat are the pool's own." in said
    assert "SHORTFALL" not in said


def test_a_shortfall_is_said_plainly() -> None:
    found = of(Wallet(wallet_sat=500))
    said = "\n".join(words(found))
    assert not found.is_covered
    assert "SHORTFALL: 14 sat = 0.00000014 BTC are missing; only 98.28 % of what is owed is there." in said
    assert "The books take 900 sat for spendable coins; the wallet has -400 sat." in said


def test_one_satoshi_less_than_owed_is_a_shortfall_and_equal_is_none() -> None:
    assert of(Wallet(514, 300)).is_covered
    assert not of(Wallet(513, 300)).is_covered


def test_a_pool_that_owes_nothing_is_covered_without_a_ratio() -> None:
    found = of(Wallet(0, 0), Accounts({}, 0, (), 100))
    assert (found.coverage_bps, found.is_covered) == (None, True)


def test_wallet_and_books_are_read_at_one_block() -> None:
    assert of(Wallet(grows=2)).block_height == 102
    with pytest.raises(NodeUnavailable, match="the chain grew"):
        of(Wallet(grows=3))


def test_books_that_lag_behind_the_chain_say_so() -> None:
    said = "\n".join(words(of(Wallet(), replace(BOOKS, height=98))))
    assert "have not seen the newest 2 blocks" in said


class TestBooks:
    def test_every_satoshi_of_the_ledger_is_owed_or_the_pool_s_own(self, engine: Engine) -> None:
        scene = Scene(engine)
        scene.account("kz", Scheme.PPS, 200)
        scene.take(share("alice"), share("kz"), share("bob", block="B1", height=100))
        scene.reach(200, B1=100)
        scene.take(share("alice", minute=1, block="B2", height=201))
        scene.reach(201, B2=201)
        scene.take(job(minute=2), share("kz", minute=2))
        books = accounts_of(engine)
        found = solvency.report(lambda: books, Wallet(), START_MS)
        owed_sat = -sum(sat for name, sat in books.balances_sat.items() if name.startswith("liab:"))
        assert found.owed_sat == owed_sat + found.accrued_sat
        assert found.accrued_sat > 0
        assert found.immature_sat > 0

    def test_what_payouts_on_their_way_spend_is_the_wallet_s_until_it_is_in_the_chain(self, engine: Engine) -> None:
        scene = PaymentScene(engine)
        scene.account("alice", 30_000_000)
        scene.run()
        scene.ticks(6)
        books = accounts_of(engine)
        assert books.claimed
        assert scene.wallet.confirmed_sat(books.claimed) == 1_000_000_000
        assert -books.balances_sat["liab:alice:reserved"] == 30_000_000
