"""payout.payer and payout.advance: batches through their life. Killed anywhere: test_payer_killed.py."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from payout.checks import FeeCaps
from payout.payer import DAY_MS, HOUR_MS, SHORT_COUNTS, TERM, Payer
from payout.payment import State
from payout.planning import Policy
from pool.bitcoin.transaction import parse_transaction
from pool.ports import NodeUnavailable
from pool.store.sql import writing
from tests.payout.fake_wallet import OUR_CHANGE, script
from tests.payout.payment_scene import COIN, SETTINGS, START_MS, Killed, PaymentScene
from tests.payout.payment_scene import settings as other_settings
from tests.payout.payment_story import paying

WAY = [
    "1: new -> reserved",
    "1: reserved -> built",
    "1: built -> signed",
    "1: signed -> broadcast",
    "1: broadcast -> confirmed",
    "1: confirmed -> final",
]


class TestTheWay:
    def test_a_batch_goes_through_its_states_one_at_a_time(self, engine: Engine) -> None:
        scene = paying(engine)
        told = scene.ticks(4)
        scene.wallet.mine()
        told += scene.ticks(2)
        scene.wallet.mine(5)
        told += scene.ticks(2)
        assert [each for each in told if "waits" not in each] == WAY

    def test_the_chain_pays_what_was_owed_and_the_ledger_says_so(self, engine: Engine) -> None:
        scene = paying(engine)
        scene.finish()
        assert scene.wallet.paid_sat() == {script("alice"): 3 * COIN // 2, script("bob"): COIN // 2}
        fee_sat = scene.batch().confirmed.fee_sat
        assert scene.balances() == {
            "asset:wallet": 8 * COIN - fee_sat,
            "expense:network_fee": fee_sat,
            "income:pool_fee": -8 * COIN,
        }
        assert scene.keys() == ["payout:1:reserved", "payout:1:confirmed"]

    def test_nothing_is_sent_before_it_is_in_the_books(self, sqlite: Engine) -> None:
        scene = paying(sqlite)
        scene.kill_at = "payout-signed"
        with pytest.raises(Killed):
            scene.ticks()
        assert (scene.wallet.sends, scene.state()) == (0, "built")

    def test_it_is_sent_again_at_every_tick_until_it_is_in_the_chain(self, sqlite: Engine) -> None:
        scene = paying(sqlite)
        scene.ticks(5)
        scene.wallet.forget_mempool()
        scene.tick()
        assert list(scene.wallet.mempool) == [scene.batch().attempts[0].txid]

    def test_no_more_than_the_set_number_of_outputs_go_into_a_batch(self, sqlite: Engine) -> None:
        scene = paying(sqlite, policy=Policy(1_000_000, 1, script))
        scene.finish()
        with scene.ledger.read() as books:
            assert [line.line.account for number in (1, 2) for line in books.payouts.lines(number)] == ["alice", "bob"]

    def test_accounts_with_one_script_share_an_output(self, sqlite: Engine) -> None:
        scene = PaymentScene(sqlite)
        scene.account("alice", COIN)
        scene.account("second", COIN, address="alice")
        scene.run()
        scene.finish()
        assert scene.wallet.paid_sat() == {script("alice"): 2 * COIN}
        outputs = parse_transaction(scene.batch().attempts[0].raw).outputs
        assert [output.value_sat for output in outputs if output.script != OUR_CHANGE] == [2 * COIN]

    def test_whoever_cannot_be_paid_hinders_nobody(self, sqlite: Engine) -> None:
        scene = paying(sqlite)
        scene.account("carol", COIN)
        scene.account("dave", COIN, address="")
        scene.wallet.bad = {"carol": "the node does not take carol"}
        scene.finish()
        assert scene.wallet.paid_sat() == {script("alice"): 3 * COIN // 2, script("bob"): COIN // 2}
        assert {"liab:carol:available", "liab:dave:available"} <= scene.balances().keys()


class TestAnswers:
    def test_an_answer_that_is_lost_after_the_broadcast_pays_once(self, sqlite: Engine) -> None:
        scene = paying(sqlite)
        scene.ticks(3)
        scene.wallet.lose_answers = 1
        with pytest.raises(NodeUnavailable):
            scene.tick()
        assert scene.state() == "signed"
        scene.finish()
        assert scene.wallet.paid_sat()[script("alice")] == 3 * COIN // 2

    def test_a_locked_wallet_waits_and_goes_on(self, sqlite: Engine) -> None:
        scene = paying(sqlite)
        scene.wallet.locked = True
        assert scene.ticks(4)[-1] == "payout 1 waits: the wallet is locked"
        scene.wallet.locked = False
        scene.finish()

    def test_a_wallet_without_coins_waits_for_them(self, sqlite: Engine) -> None:
        scene = PaymentScene(sqlite, coins=1)
        scene.account("alice", 9 * COIN // 10)
        scene.post("mature", {"asset:wallet": COIN, "income:pool_fee": -COIN})
        scene.account("bob", 9 * COIN // 10)
        scene.run()
        assert scene.ticks(4)[-1] == "payout 1 waits: Insufficient funds"
        scene.wallet.fund(COIN)
        scene.finish()
        assert scene.wallet.paid_sat() == {script("alice"): 9 * COIN // 10, script("bob"): 9 * COIN // 10}

    def test_a_node_below_what_was_seen_decides_nothing(self, sqlite: Engine) -> None:
        scene = paying(sqlite)
        scene.ticks(4)
        del scene.wallet.blocks[-3:]
        with pytest.raises(NodeUnavailable, match="was seen before"):
            scene.tick()

    def test_a_node_that_is_syncing_is_not_believed(self, sqlite: Engine) -> None:
        scene = paying(sqlite)
        scene.wallet.synced = False
        with pytest.raises(NodeUnavailable, match="syncing"):
            scene.tick()

    def test_a_fee_rate_above_the_cap_waits(self, sqlite: Engine) -> None:
        scene = paying(sqlite)
        scene.wallet.rate = 100_001
        assert "more than payouts.fee_rate_max" in scene.ticks(1)[0]
        scene.wallet.rate = 100_000
        scene.finish()

    def test_a_fee_above_the_cap_in_total_waits(self, sqlite: Engine) -> None:
        scene = paying(sqlite, caps=FeeCaps(100_000, 500))
        assert "more than payouts.fee_max_sat (500)" in scene.ticks(3)[-1]
        assert scene.wallet.aside == set()

    def test_an_input_that_is_gone_makes_it_built_again(self, sqlite: Engine) -> None:
        scene = paying(sqlite)
        scene.ticks(2)
        taken = scene.batch().draft
        assert taken is not None
        del scene.wallet.blocks[1]
        scene.wallet.fund(*[COIN] * 9)
        scene.wallet.mine()
        told = scene.ticks(1)
        assert told[0] == "1: built -> reserved"
        scene.ticks(1)
        assert scene.batch().draft != taken

    def test_a_wallet_that_pays_somebody_in_secret_stops_payouts(self, sqlite: Engine) -> None:
        scene = paying(sqlite)
        scene.wallet.foreign = script("thief")
        assert scene.ticks(2)[-1].startswith("stopped: the transaction")
        assert (scene.state(), scene.wallet.sends) == ("reserved", 0)


class TestStop:
    def test_while_stopped_nothing_is_sent_but_the_chain_is_followed(self, sqlite: Engine) -> None:
        scene = paying(sqlite)
        scene.ticks(4)
        with scene.ledger.write() as books:
            books.payouts.set_switch(is_stopped=True, reason="a person", time_ms=0)
        sends = scene.wallet.sends
        scene.ticks(2)
        assert scene.wallet.sends == sends
        scene.wallet.mine()
        assert scene.ticks(1) == ["1: broadcast -> confirmed"]

    def test_a_line_that_the_ledger_does_not_hold_stops_payouts_at_once(self, sqlite: Engine) -> None:
        scene = paying(sqlite)
        scene.ticks(2)
        with writing(sqlite) as connection:
            connection.execute(text("DROP TRIGGER payout_line_no_update"))
            connection.execute(text("UPDATE payout_line SET amount_sat = amount_sat + 1 WHERE amount_sat = 50000000"))
        scene.restart()
        assert scene.ticks(1)[0].startswith(
            "stopped: invariant 4 is broken: row 4 of the journal does not book the lines of payout 1"
        )
        assert scene.wallet.sends == 0

    @pytest.mark.parametrize("other", ["expense:network_fee", "income:pool_fee"])
    def test_a_fee_that_no_transaction_of_the_batch_has_stops_payouts(self, sqlite: Engine, other: str) -> None:
        scene = paying(sqlite)
        scene.ticks(4)
        scene.post_as("payout.cancelled", "1", {"asset:wallet": -7, other: 7})
        scene.restart()
        assert scene.ticks(1)[0] == (
            "stopped: invariant 4 is broken: row 5 of the journal does not book a transaction of payout 1"
        )

    def test_a_row_of_the_ledger_that_was_changed_stops_payouts(self, sqlite: Engine) -> None:
        scene = paying(sqlite)
        scene.ticks(1)
        with writing(sqlite) as connection:
            connection.execute(text("DROP TRIGGER journal_no_update"))
            connection.execute(text("UPDATE journal SET time_ms = 1 WHERE id = 2"))
        scene.restart()
        assert scene.ticks(1)[0] == (
            "stopped: invariant 1 is broken: row 2 of the journal was changed: its hash does not fit its content"
        )

    def test_missing_coins_stop_payouts_once_they_are_missed_for_long(self, sqlite: Engine) -> None:
        scene = PaymentScene(sqlite)
        del scene.wallet.blocks[1]
        scene.wallet.fund(*[COIN] * 9)
        told = [told for _ in range(SHORT_COUNTS) for told in scene.tick(seconds=10)]
        assert [type(each).__name__ for each in told] == ["Stopped"]
        assert scene.stopped() == (
            f"invariant 5 is broken: the wallet holds {9 * COIN} satoshi and the books say {10 * COIN}"
        )

    def test_coins_that_nobody_booked_are_named_and_stop_nothing(self, sqlite: Engine) -> None:
        scene = PaymentScene(sqlite)
        scene.wallet.fund(777)
        assert scene.tick(seconds=10) == []  # accounting may not have seen the newest block yet
        [told] = scene.tick(seconds=10)
        assert "777 satoshi that the books do not know of" in str(told)
        assert scene.stopped() is None


class TestLease:
    def test_a_second_payer_waits_while_the_first_lives(self, sqlite: Engine) -> None:
        scene = paying(sqlite)
        scene.tick()
        twin = Payer(scene.ledger, scene.wallet, SETTINGS, "twin", lambda holder: False, scene.hit)
        assert [told.text for told in twin.tick(scene.now_ms)] == [  # type: ignore[union-attr]
            "life 1 pays; this process takes over when that one ends"
        ]

    def test_it_takes_over_when_the_lease_has_run_out(self, sqlite: Engine) -> None:
        scene = paying(sqlite)
        scene.tick()
        twin = Payer(scene.ledger, scene.wallet, SETTINGS, "twin", lambda holder: False, scene.hit)
        list(twin.tick(scene.now_ms + TERM.lasts_ms))
        assert scene.state() == "built"

    def test_one_that_leaves_lets_the_next_pay_at_once(self, sqlite: Engine) -> None:
        scene = paying(sqlite)
        scene.tick()
        scene.payer.leave()
        twin = Payer(scene.ledger, scene.wallet, SETTINGS, "twin", lambda holder: False, scene.hit)
        list(twin.tick(scene.now_ms))
        assert scene.state() == "built"

    def test_a_stalled_twin_cannot_commit_so_it_cannot_send(self, engine: Engine) -> None:
        scene = paying(engine)
        scene.ticks(2)
        stalled = scene.payer.tick(scene.now_ms)
        scene.restart()
        scene.ticks(1)
        told = list(stalled)
        assert "has the lease" in str(told)
        assert scene.batch().state is State.SIGNED
        assert len(scene.batch().attempts) == 1


class TestRuns:
    @pytest.mark.parametrize(("hour", "batches"), [(0, 1), (12, 0), (None, 0)])
    def test_the_daily_run_begins_at_its_hour(self, sqlite: Engine, hour: int | None, batches: int) -> None:
        scene = PaymentScene(sqlite, other_settings(hour_utc=hour))
        scene.account("alice", COIN)
        scene.now_ms = START_MS + 11 * HOUR_MS
        assert len([each for each in scene.ticks(2) if "new" in each]) == batches

    def test_there_is_one_a_day(self, sqlite: Engine) -> None:
        scene = PaymentScene(sqlite, other_settings(hour_utc=3))
        scene.now_ms = START_MS + 4 * HOUR_MS
        scene.ticks(2)
        scene.account("alice", COIN)
        assert scene.ticks(2) == []
        scene.now_ms = START_MS + DAY_MS
        assert scene.ticks(1) == []
        scene.now_ms = START_MS + DAY_MS + 3 * HOUR_MS
        assert scene.ticks(1)[0] == "1: new -> reserved"

    def test_a_run_that_was_broken_off_goes_on(self, sqlite: Engine) -> None:
        scene = paying(sqlite, policy=Policy(1_000_000, 1, script))
        scene.kill_at = "payout-reserved"
        with pytest.raises(Killed):
            scene.tick()
        scene.restart()
        scene.finish()
        assert scene.wallet.paid_sat() == {script("alice"): 3 * COIN // 2, script("bob"): COIN // 2}

    def test_nobody_is_paid_with_coins_that_the_books_do_not_have(self, sqlite: Engine) -> None:
        scene = PaymentScene(sqlite, coins=1)
        scene.post("immature", {"asset:coinbase_immature": 2 * COIN, "income:pool_fee": -2 * COIN})
        scene.account("alice", 2 * COIN)
        scene.account("bob", COIN // 2)
        scene.wallet.fund(5 * COIN)
        scene.run()
        scene.finish()
        assert scene.wallet.paid_sat() == {script("bob"): COIN // 2}
