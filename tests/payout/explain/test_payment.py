"""payout.explain.payment and balance: what is on its way, and where every part of a balance is."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from payout.accounts import Scheme
from payout.explain import balance, payment
from payout.explain.balance import BalanceExplained
from payout.explain.payment import STATES, PayoutExplained
from payout.payment import State
from payout.store.explained import Explained, Unknown
from tests.payout.conftest import postgresql_books, sqlite_file
from tests.payout.payment_scene import PaymentScene
from tests.payout.scene import START_MS, Scene, job, share

__all__ = ["postgresql_books", "sqlite_file"]


@pytest.fixture
def scene(engine: Engine) -> PaymentScene:
    """Two accounts, and a run that is asked for."""
    made = PaymentScene(engine)
    made.account("alice", 30_000_000)
    made.account("bob", 5_000_000)
    made.run()
    return made


def explained(scene: PaymentScene, account: str | None = None) -> PayoutExplained:
    return Explained(scene.ledger._engine).payout(1, account)


def text(found: PayoutExplained) -> str:
    return "\n".join(payment.words(found))


class TestPayout:
    def test_every_state_has_words(self) -> None:
        assert set(STATES) == set(State)

    def test_one_that_is_final_tells_the_whole_way(self, scene: PaymentScene) -> None:
        scene.finish()
        found = explained(scene)
        batch = scene.batch()
        assert (found.state, found.txid, found.fee_sat) == ("final", batch.confirmed.txid_hex, batch.confirmed.fee_sat)
        said = [what for _, what in found.times]
        order = ["payout.reserved", "transaction 1", "it was sent", "payout.confirmed", "final"]
        assert [next(place for place, what in enumerate(said) if what.startswith(word)) for word in order] == sorted(
            range(len(order))
        )
        assert f"Its network fee is {found.fee_sat:,} sat. The pool bears it" in text(found)

    def test_lines_and_ledger_sum_to_what_was_paid(self, scene: PaymentScene) -> None:
        scene.finish()
        found = explained(scene)
        assert sum(line.amount_sat for line in found.lines) == found.total_sat == 35_000_000
        confirmed = next(row for row in found.ledger if row.kind == "payout.confirmed")
        assert dict(confirmed.entries_sat)["asset:wallet"] == -found.total_sat - (found.fee_sat or 0)

    def test_one_account_sees_its_line_alone(self, scene: PaymentScene) -> None:
        scene.finish()
        found = explained(scene, "bob")
        assert [line.account for line in found.lines] == ["bob"]
        assert all("alice" not in name for row in found.ledger for name, _ in row.entries_sat)
        assert all(sum(sat for _, sat in row.entries_sat) + row.others_sat == 0 for row in found.ledger)

    def test_one_without_a_transaction_says_so(self, scene: PaymentScene) -> None:
        scene.wallet.locked = True
        scene.ticks(3)
        found = explained(scene)
        assert found.state in ("reserved", "built")
        assert "Nothing of it was signed" in text(found)

    @pytest.mark.parametrize(
        ("number", "account", "says"),
        [
            (7, None, "there is no payout 7: payouts are numbered from 1"),
            (1, "carol", "payout 1 has no line for 'carol'"),
        ],
    )
    def test_what_is_not_there_is_refused(
        self, scene: PaymentScene, number: int, account: str | None, says: str
    ) -> None:
        scene.finish()
        with pytest.raises(Unknown, match=says):
            Explained(scene.ledger._engine).payout(number, account)


def of_balance(engine: Engine, name: str, now_ms: int = START_MS) -> BalanceExplained:
    return Explained(engine).balance(name, now_ms)


def sums(found: BalanceExplained) -> tuple[int, int, int]:
    return (
        sum(each.immature_sat for each in found.kinds),
        sum(each.available_sat for each in found.kinds),
        sum(each.reserved_sat for each in found.kinds),
    )


class TestBalance:
    def test_the_kinds_sum_to_it_and_its_parts_make_it_up(self, engine: Engine) -> None:
        scene = Scene(engine)
        scene.account("kz", Scheme.PPS, 100)
        scene.take(share("alice"), share("kz"), share("bob", block="B1", height=100))
        scene.reach(200, B1=100)
        scene.take(share("alice", minute=1, block="B2", height=201))
        scene.reach(201, B2=201)
        scene.take(job(minute=2))
        for name in ("alice", "bob", "kz"):
            found = of_balance(engine, name)
            has = found.balance
            assert sums(found) == (has.immature_sat, has.available_sat, has.reserved_sat)
            assert sum(each.amount_sat for each in found.blocks) == has.immature_sat
        assert [each.left for each in of_balance(engine, "alice").blocks] == [100]

    def test_what_is_reserved_is_in_payouts(self, scene: PaymentScene) -> None:
        scene.ticks(3)
        found = of_balance(scene.ledger._engine, "alice", scene.now_ms)
        assert found.balance.reserved_sat == 30_000_000 == sum(each.amount_sat for each in found.payouts)
        said = "\n".join(balance.words(found))
        assert "in payout 1 (" in said
        assert "To alice." in said

    def test_pay_per_share_that_is_not_posted_is_told(self, engine: Engine) -> None:
        scene = Scene(engine)
        scene.account("kz", Scheme.PPS, 0)
        scene.take(share("kz", "1/4"))
        found = of_balance(engine, "kz")
        assert int(found.pending_psat) > 0
        assert "5. Earned per share and not in the ledger yet" in "\n".join(balance.words(found))

    def test_an_account_that_never_said_where_it_is_paid_is_told_how(self, engine: Engine) -> None:
        Scene(engine).account("new", Scheme.PPLNS)
        assert "It has not said where it is paid" in "\n".join(balance.words(of_balance(engine, "new")))

    def test_an_unknown_account_is_refused(self, engine: Engine) -> None:
        with pytest.raises(Unknown, match="there is no account 'nobody'"):
            of_balance(engine, "nobody")
