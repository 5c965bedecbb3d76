"""payout.intake: shares into the books, on both databases."""

from __future__ import annotations

from fractions import Fraction

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from payout.accounts import Plan, Scheme, Stake
from payout.intake import Taken
from payout.ledger import LedgerError
from payout.rewards import UNIT
from payout.scoring import work_of
from pool.ports import ShareBatch
from pool.work.share import Outcome
from tests.payout.scene import MINUTE_MS, RULES, START_MS, Scene, batch, job, share

PPLNS = Scheme.PPLNS


@pytest.fixture
def scene(engine: Engine) -> Scene:
    return Scene(engine)


def window(scene: Scene) -> dict[Stake, int]:
    with scene.ledger.read() as books:
        return books.shares.window(0, books.shares.end())


QUARTER = work_of(share("x", "1/4")).units
HALF = work_of(share("x", "1/2")).units


class TestHighWater:
    def test_a_batch_is_taken_and_its_last_record_kept(self, scene: Scene) -> None:
        assert scene.take(share("alice"), share("bob")) == Taken("f1", 2, records=2, accepted=2)

    def test_a_batch_that_comes_again_changes_nothing(self, scene: Scene) -> None:
        scene.accounting.take(batch([share("alice")]))
        assert scene.accounting.take(batch([share("alice")])) == Taken("f1", 1)
        assert sum(window(scene).values()) == QUARTER

    def test_only_what_is_new_of_a_batch_is_taken(self, scene: Scene) -> None:
        scene.accounting.take(batch([share("alice")]))
        again = scene.accounting.take(batch([share("alice"), share("bob")]))
        assert (again.records, sum(window(scene).values())) == (1, 2 * QUARTER)

    def test_a_batch_after_a_gap_is_refused(self, scene: Scene) -> None:
        scene.accounting.take(batch([share("alice")]))
        assert scene.accounting.take(batch([share("bob")], first_seq=3)) == Taken("f1", 1, gap=True)
        assert sum(window(scene).values()) == QUARTER

    def test_every_journal_counts_for_itself(self, scene: Scene) -> None:
        scene.accounting.take(batch([share("alice")] * 3))
        assert scene.accounting.take(batch([share("bob")], 1, "f2")).high_water == 1
        assert scene.accounting.take(batch([share("bob")], 5, "f1")).gap

    def test_a_batch_that_is_not_what_it_says_stops_everything(self, scene: Scene) -> None:
        whole = batch([share("alice")] * 2)
        for wrong in (replace(whole, count=3), replace(whole, count=1), replace(whole, payload=b"\xc1\xc1")):
            with pytest.raises(LedgerError, match=r"records 1 to [1-3] of journal f1 cannot be read"):
                scene.accounting.take(wrong)
        assert window(scene) == {}


class TestScore:
    def test_a_share_counts_by_its_own_difficulty_and_network(self, scene: Scene) -> None:
        scene.take(share("alice", "1/2"), share("bob", "1/4"))
        assert window(scene) == {Stake("alice", 0, PPLNS, 100): HALF, Stake("bob", 0, PPLNS, 100): QUARTER}

    def test_a_share_is_never_more_than_a_block(self, scene: Scene) -> None:
        scene.take(share("alice", "1000"))
        assert sum(window(scene).values()) == UNIT

    @pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.ACCEPTED])
    def test_a_share_that_was_refused_earns_nothing(self, sqlite: Engine, outcome: Outcome) -> None:
        scene = Scene(sqlite)
        assert scene.take(share("alice", outcome=outcome)) == Taken("f1", 1, records=1)
        with scene.ledger.read() as books:
            assert books.accounts.every() == []

    def test_a_share_that_nobody_should_have_accepted_stops_everything(self, scene: Scene) -> None:
        for wrong in (replace(share("alice"), nbits=0), replace(share("alice"), difficulty=0.0)):
            with pytest.raises(LedgerError, match="was accepted, but cannot be scored"):
                scene.take(wrong)

    def test_an_account_that_nobody_can_be_paid_for_stops_everything(self, scene: Scene) -> None:
        with pytest.raises(LedgerError, match="nobody can be paid for"):
            scene.take(share("a:b"))

    def test_the_slice_of_a_share_stays_with_it(self, scene: Scene) -> None:
        scene.take(share("alice", slice_id=7), share("alice"))
        assert sorted(stake.slice_id for stake in window(scene)) == [0, 7]


class TestPlans:
    def test_an_unknown_account_is_opened_with_the_default_plan(self, scene: Scene) -> None:
        scene.take(share("alice", minute=3))
        with scene.ledger.read() as books:
            opened = books.accounts.get("alice")
        assert opened is not None
        assert opened.plans == (Plan(PPLNS, 100, START_MS + 3 * MINUTE_MS),)

    def test_a_share_has_the_plan_of_its_own_time(self, scene: Scene) -> None:
        scene.account("alice", PPLNS, 50)
        with scene.ledger.write() as books:
            books.accounts.change_plan("alice", Plan(PPLNS, 75, START_MS + MINUTE_MS), START_MS)
        scene.take(share("alice", minute=1), share("alice", minute=0))
        assert {stake.fee_bps for stake in window(scene)} == {50, 75}

    def test_the_default_plan_must_be_one_that_accounts_can_have(self, sqlite: Engine) -> None:
        with pytest.raises(ValueError, match="0 to 10000"):
            Scene(sqlite, replace(RULES, default_fee_bps=10_001))


class TestBlocks:
    def test_a_share_that_is_a_block_is_a_candidate(self, scene: Scene) -> None:
        found = scene.take(share("alice"), share("bob", block="B1", height=104)).blocks[0]
        assert (found.height, found.finder, found.worker, found.frontend, found.seq) == (104, "bob", "rig", "f1", 2)

    def test_its_window_ends_with_its_own_share(self, scene: Scene) -> None:
        found = scene.take(share("alice"), share("bob", block="B1"), share("carol")).blocks[0]
        assert found.end == 2 * QUARTER

    @pytest.mark.parametrize("outcome", [Outcome.STALE, Outcome.DUPLICATE, Outcome.UNKNOWN_JOB])
    def test_a_block_of_a_share_that_earns_nothing_counts_at_its_place(self, scene: Scene, outcome: Outcome) -> None:
        found = scene.take(share("alice"), share("bob", outcome=outcome, block="B1"), share("carol")).blocks[0]
        assert (found.end, found.outcome) == (QUARTER, outcome.name.lower())

    def test_a_block_that_is_told_twice_is_one(self, scene: Scene) -> None:
        scene.take(share("alice", block="B1"))
        again = scene.take(share("alice"), share("bob", outcome=Outcome.DUPLICATE, block="B1"))
        assert again.blocks == ()

    def test_it_keeps_the_window_and_policy_of_its_time(self, sqlite: Engine) -> None:
        scene = Scene(sqlite, replace(RULES, window_x=Fraction(1, 2)))
        found = scene.take(share("alice", block="B1")).blocks[0]
        assert (found.window_x, found.startup) == ("1/2", "distribute")


class TestPayPerShare:
    """A quarter of a block of 900 000 satoshi is a hair below 225 000: difficulty 1/4 rounds its work down."""

    PRICE_PSAT = 900_000 * 10**12 * work_of(share("x")).share // work_of(share("x")).network

    def test_nothing_is_posted_before_the_period_is_over(self, scene: Scene) -> None:
        scene.account("kz", Scheme.PPS)
        assert scene.take(share("kz"), share("kz")).settled == 0
        assert scene.balances() == {}

    def test_whole_satoshis_are_posted_when_a_record_of_a_later_period_comes(self, scene: Scene) -> None:
        scene.account("kz", Scheme.PPS)
        scene.take(share("kz"))
        assert scene.take(share("alice", minute=1)).settled == 1
        sat = self.PRICE_PSAT // 10**12
        assert scene.balances() == {"equity:pps_reserve": sat, "liab:kz:available": -sat}

    def test_a_job_ends_a_period_too(self, scene: Scene) -> None:
        scene.account("kz", Scheme.PPS)
        scene.take(share("kz"))
        assert scene.take(job(minute=1)).settled == 1

    def test_its_key_names_account_and_period(self, scene: Scene) -> None:
        scene.account("kz", Scheme.PPS)
        scene.take(share("kz"), job(minute=1))
        assert scene.keys() == [f"pps:kz:{START_MS}"]

    def test_it_is_posted_at_the_end_of_the_period(self, scene: Scene) -> None:
        scene.account("kz", Scheme.PPS)
        scene.take(share("kz"), job(minute=9))
        assert scene.rows()[0].posting.time_ms == START_MS + MINUTE_MS

    def test_the_rest_below_a_satoshi_is_carried(self, scene: Scene) -> None:
        scene.account("kz", Scheme.PPS)
        for minute in range(7):
            scene.take(share("kz", minute=minute))
        scene.take(job(minute=7))
        assert -scene.balances()["liab:kz:available"] == 7 * self.PRICE_PSAT // 10**12

    def test_several_periods_in_one_batch_are_several_postings(self, scene: Scene) -> None:
        scene.account("kz", Scheme.PPS)
        scene.take(*(share("kz", minute=minute) for minute in range(7)), job(minute=7))
        assert len(scene.keys()) == 7
        assert -scene.balances()["liab:kz:available"] == 7 * self.PRICE_PSAT // 10**12

    def test_less_than_a_satoshi_posts_nothing(self, scene: Scene) -> None:
        scene.account("kz", Scheme.PPS)
        scene.take(share("kz", "1/1000000"), job(minute=1))
        assert scene.keys() == []

    def test_a_late_share_counts_in_the_current_period(self, scene: Scene) -> None:
        scene.account("kz", Scheme.PPS)
        scene.take(job(minute=5), share("kz", minute=2), job(minute=6))
        assert scene.keys() == [f"pps:kz:{START_MS + 5 * MINUTE_MS}"]

    def test_the_fee_stays_with_the_reserve(self, scene: Scene) -> None:
        scene.account("kz", Scheme.PPS, 250)
        scene.take(share("kz"), job(minute=1))
        assert -scene.balances()["liab:kz:available"] == self.PRICE_PSAT * 9750 // 10_000 // 10**12

    def test_its_shares_stay_in_the_window(self, scene: Scene) -> None:
        scene.account("kz", Scheme.PPS, 250)
        scene.take(share("kz"))
        assert window(scene) == {Stake("kz", 0, Scheme.PPS, 250): QUARTER}

    def test_a_change_of_plan_leaves_what_was_earned(self, scene: Scene) -> None:
        scene.account("kz", Scheme.PPS)
        with scene.ledger.write() as books:
            books.accounts.change_plan("kz", Plan(PPLNS, 0, START_MS + MINUTE_MS), START_MS)
        scene.take(share("kz"), share("kz", minute=1))
        assert -scene.balances()["liab:kz:available"] == self.PRICE_PSAT // 10**12
        assert {stake.scheme for stake in window(scene)} == {Scheme.PPS, PPLNS}


def test_a_batch_knows_its_last_record() -> None:
    assert ShareBatch("f", 5, 3, b"").last_seq == 7
