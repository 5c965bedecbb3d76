"""payout.desk: what an operator may do, and what is refused and why."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from payout.desk import DeskRefused
from payout.payment import Purpose
from pool.bitcoin.transaction import Output
from tests.payout.fake_wallet import psbt_of, script, signed, unsigned
from tests.payout.payment_scene import COIN, PaymentScene
from tests.payout.payment_scene import settings as other_settings


@pytest.fixture
def scene(sqlite: Engine) -> PaymentScene:
    return owing(PaymentScene(sqlite))


def owing(scene: PaymentScene) -> PaymentScene:
    scene.account("alice", COIN)
    scene.account("bob", COIN // 2)
    scene.run()
    return scene


@pytest.fixture
def elsewhere(sqlite: Engine) -> PaymentScene:
    """Keys that are elsewhere, and a batch that waits for them."""
    scene = owing(PaymentScene(sqlite, other_settings(signs=False)))
    scene.ticks(3)
    assert scene.state() == "built"
    return scene


def refused(scene: PaymentScene, what: str, *arguments: object) -> str:
    with pytest.raises(DeskRefused) as error:
        getattr(scene.desk, what)(*arguments)
    return str(error.value)


class TestRelease:
    def test_what_was_not_signed_is_available_again(self, scene: PaymentScene) -> None:
        scene.ticks(2)
        scene.desk.release(1, scene.now_ms)
        assert scene.state() == "released"
        assert scene.balances()["liab:alice:available"] == -COIN
        scene.finish()
        assert scene.wallet.paid_sat() == {}
        scene.run()
        scene.finish()
        assert scene.wallet.paid_sat() == {script("alice"): COIN, script("bob"): COIN // 2}

    def test_what_was_signed_is_not(self, scene: PaymentScene) -> None:
        scene.ticks(3)
        assert "nothing proves it dead; cancel it" in refused(scene, "release", 1, 0)

    def test_a_batch_that_is_not_there_is_named(self, scene: PaymentScene) -> None:
        assert refused(scene, "release", 9, 0) == "there is no payout 9; `steppe payout list` shows them"

    def test_a_payer_that_signs_meanwhile_keeps_nothing(self, scene: PaymentScene) -> None:
        scene.ticks(2)
        batch = scene.batch()
        scene.desk.release(1, scene.now_ms)
        with pytest.raises(Exception, match="it went on meanwhile"), scene.ledger.write() as books:
            books.payouts.move(batch, batch)
        scene.ticks(3)
        assert scene.wallet.sends == 0

    def test_what_somebody_else_has_killed_may_be_once_it_is_six_deep(self, scene: PaymentScene) -> None:
        scene.ticks(4)
        [attempt] = scene.batch().attempts
        thief = signed(unsigned([attempt.inputs[0]], [Output(COIN - 1000, script("thief"))]))
        scene.wallet.mempool.clear()
        scene.wallet.blocks.append([thief])
        assert "once that one is 6 blocks deep" in scene.ticks(1)[0].lower()
        assert "nothing proves it dead" in refused(scene, "release", 1, 0)
        scene.wallet.forget_mempool()
        scene.wallet.mine(5)
        scene.desk.release(1, scene.now_ms)
        assert scene.state() == "released"


class TestBump:
    def test_the_same_lines_are_paid_by_another_transaction_with_the_same_input(self, scene: PaymentScene) -> None:
        scene.ticks(4)
        scene.desk.bump(1, 50_000)
        scene.ticks(2)
        first, second = scene.batch().attempts
        assert first.inputs == second.inputs
        assert second.fee_sat > first.fee_sat
        assert list(scene.wallet.mempool) == [second.txid]
        scene.finish()
        assert scene.wallet.paid_sat() == {script("alice"): COIN, script("bob"): COIN // 2}
        assert scene.balances()["expense:network_fee"] == second.fee_sat

    def test_the_first_one_may_win_and_its_fee_is_booked(self, scene: PaymentScene) -> None:
        scene.ticks(4)
        scene.desk.bump(1, 50_000)
        scene.wallet.mine()
        scene.finish()
        first = scene.batch().attempts[0]
        assert scene.batch().confirmed == first
        assert scene.balances()["expense:network_fee"] == first.fee_sat

    def test_a_bump_that_comes_too_late_is_given_up(self, scene: PaymentScene) -> None:
        scene.ticks(4)
        scene.desk.bump(1, 6_000)
        scene.wallet.mempool.clear()
        scene.wallet.mine()
        scene.finish()
        assert scene.state() == "final"

    def test_only_what_is_broadcast_can_be(self, scene: PaymentScene) -> None:
        scene.ticks(1)
        assert "only one that is broadcast can be bumped" in refused(scene, "bump", 1, None)

    def test_one_that_is_repeated_because_its_answer_was_lost_raises_the_fee_once(self, scene: PaymentScene) -> None:
        scene.ticks(4)
        [first] = scene.batch().attempts
        scene.desk.bump(1, 50_000, first.txid_hex)
        scene.desk.bump(1, 50_000, first.txid_hex)  # nothing was signed meanwhile: another draft in place of the first
        scene.ticks(2)
        second = scene.batch().attempts[-1]
        said = refused(scene, "bump", 1, 50_000, first.txid_hex)
        assert f"the newest transaction of payout 1 is {second.txid_hex}, not {first.txid_hex}" in said
        assert "the newest transaction" in refused(scene, "cancel", 1, None, first.txid_hex)
        scene.ticks(2)
        assert len(scene.batch().attempts) == 2

    def test_no_rate_above_the_cap(self, scene: PaymentScene) -> None:
        scene.ticks(4)
        assert "fee_rate_max" in refused(scene, "bump", 1, 100_001)


class TestCancel:
    def test_six_deep_the_money_is_available_again_and_the_fee_is_booked(self, scene: PaymentScene) -> None:
        scene.ticks(4)
        scene.desk.cancel(1, None)
        scene.ticks(2)
        pay, cancel = scene.batch().attempts
        assert (cancel.purpose, set(cancel.inputs) <= set(pay.inputs)) == (Purpose.CANCEL, True)
        assert cancel.fee_sat > pay.fee_sat
        scene.wallet.mine()
        scene.ticks(1)
        assert scene.state() == "cancelled"
        assert scene.balances()["liab:alice:reserved"] == -COIN
        scene.finish()
        assert scene.state() == "released"
        assert scene.wallet.paid_sat() == {}
        balances = scene.balances()
        assert (balances["liab:alice:available"], balances["expense:network_fee"]) == (-COIN, cancel.fee_sat)
        assert scene.keys() == ["payout:1:reserved", "payout:1:cancelled", "payout:1:released"]

    def test_a_reorg_takes_it_back_and_the_payment_may_still_win(self, scene: PaymentScene) -> None:
        scene.ticks(4)
        scene.desk.cancel(1, None)
        scene.ticks(2)
        scene.wallet.mine()
        scene.ticks(1)
        scene.wallet.reorg(1, forget=True)
        scene.wallet.send(scene.batch().attempts[0].raw)
        scene.wallet.mine()
        scene.finish()
        assert scene.wallet.paid_sat() == {script("alice"): COIN, script("bob"): COIN // 2}
        assert scene.keys() == [
            "payout:1:reserved",
            "payout:1:cancelled",
            "payout:1:unconfirmed",
            "payout:1:confirmed:1",
        ]

    def test_what_was_not_signed_is_released_instead(self, scene: PaymentScene) -> None:
        scene.ticks(2)
        assert "release it instead" in refused(scene, "cancel", 1, None)

    def test_what_is_paid_cannot_be(self, scene: PaymentScene) -> None:
        scene.ticks(4)
        scene.wallet.mine()
        assert "spent in the chain" in refused(scene, "cancel", 1, None)


class TestSignerElsewhere:
    def test_what_goes_out_and_comes_back_is_paid(self, elsewhere: PaymentScene) -> None:
        psbt = elsewhere.desk.export(1, 1)
        assert elsewhere.state() == "exported"
        elsewhere.desk.take_signed(psbt + "\n", 1)
        assert elsewhere.state() == "signed"
        elsewhere.finish()
        assert elsewhere.wallet.paid_sat() == {script("alice"): COIN, script("bob"): COIN // 2}

    def test_it_can_be_exported_again(self, elsewhere: PaymentScene) -> None:
        assert elsewhere.desk.export(1, 1) == elsewhere.desk.export(1, 2)
        assert len(elsewhere.batch().attempts) == 1

    def test_what_was_altered_is_refused(self, elsewhere: PaymentScene) -> None:
        elsewhere.desk.export(1, 1)
        draft = elsewhere.batch().draft
        assert draft is not None
        altered = psbt_of(unsigned(list(draft.inputs), [Output(COIN, script("thief"))]))
        assert "it is not ours, or was altered" in refused(elsewhere, "take_signed", altered + "\n", 1)
        assert elsewhere.state() == "exported"

    @pytest.mark.parametrize("text", ["", "hello", "cHNidP8A"])
    def test_what_is_no_psbt_is_refused(self, elsewhere: PaymentScene, text: str) -> None:
        assert "no PSBT of version 0" in refused(elsewhere, "take_signed", text, 1)

    def test_one_without_signatures_is_refused(self, elsewhere: PaymentScene) -> None:
        psbt = elsewhere.desk.export(1, 1)
        assert "lacks signatures" in refused(elsewhere, "take_signed", psbt, 1)

    def test_the_same_twice_is_refused(self, elsewhere: PaymentScene) -> None:
        psbt = elsewhere.desk.export(1, 1)
        elsewhere.desk.take_signed(psbt + "\n", 1)
        assert "has the signatures" in refused(elsewhere, "take_signed", psbt + "\n", 1)

    def test_what_was_exported_may_be_signed_by_somebody_so_it_is_not_released(self, elsewhere: PaymentScene) -> None:
        elsewhere.desk.export(1, 1)
        assert "given out to be signed" in refused(elsewhere, "release", 1, 1)

    def test_a_signer_that_sends_it_itself_is_noticed(self, elsewhere: PaymentScene) -> None:
        elsewhere.desk.export(1, 1)
        elsewhere.wallet.send(signed(elsewhere.batch().attempts[0].raw))
        elsewhere.finish()
        assert elsewhere.keys() == ["payout:1:reserved", "payout:1:confirmed"]
        elsewhere.balances()

    def test_what_was_exported_can_be_cancelled_by_the_signer(self, elsewhere: PaymentScene) -> None:
        elsewhere.desk.export(1, 1)
        elsewhere.desk.cancel(1, None)
        elsewhere.desk.take_signed(elsewhere.desk.export(1, 2) + "\n", 3)
        elsewhere.finish()
        assert (elsewhere.state(), elsewhere.wallet.paid_sat()) == ("released", {})

    def test_with_the_keys_in_the_wallet_nothing_is_exported(self, scene: PaymentScene) -> None:
        scene.ticks(2)
        assert "the wallet signs by itself" in refused(scene, "export", 1, 1)

    def test_where_nothing_waits_nothing_is_exported(self, elsewhere: PaymentScene) -> None:
        elsewhere.desk.release(1, 1)
        assert "nothing of payout 1 (released) waits" in refused(elsewhere, "export", 1, 1)


class TestFund:
    def test_coins_from_elsewhere_are_booked_once_under_their_ticket(self, scene: PaymentScene) -> None:
        scene.desk.fund("T-1", 500, 1)
        assert scene.balances()["adjust:T-1"] == -500
        assert "was booked before" in refused(scene, "fund", "T-1", 500, 2)
        assert "booked before with other content" in refused(scene, "fund", "T-1", 501, 2)

    @pytest.mark.parametrize(("ticket", "sat"), [("", 5), ("a b", 5), ("ok", 0)])
    def test_nonsense_is_refused(self, scene: PaymentScene, ticket: str, sat: int) -> None:
        assert "a ticket has 1 to 64" in refused(scene, "fund", ticket, sat, 1)

    def test_more_than_the_wallet_has_cannot_leave_it(self, scene: PaymentScene) -> None:
        assert "wrong side of zero" in refused(scene, "fund", "T-1", -11 * COIN, 1)


def test_a_dry_run_changes_nothing(scene: PaymentScene) -> None:
    before = scene.balances()
    plan = scene.desk.plan(scene.now_ms)
    assert [(each.line.account, each.line.amount_sat) for each in plan.lines] == [("alice", COIN), ("bob", COIN // 2)]
    assert scene.balances() == before
    with scene.ledger.read() as books:
        assert books.payouts.live() == []
