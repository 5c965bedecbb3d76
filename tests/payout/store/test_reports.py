"""payout.store.reports: what the dashboard shows of the books."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from payout.accounts import Scheme
from payout.maturity import State
from payout.pps import PSAT
from payout.rewards import UNIT
from payout.scoring import work_of
from payout.store.reports import SqlReports
from tests.payout.scene import START_MS, Scene, block_hash, job, share


@pytest.fixture
def scene(engine: Engine) -> Scene:
    """Two blocks, one mature and one immature; kz is paid per share."""
    made = Scene(engine)
    made.account("kz", Scheme.PPS, 200)
    made.take(share("alice"), share("kz", block="B1", height=100))
    made.reach(200, B1=100)
    made.take(share("alice", minute=1), share("bob", "1/2", minute=1, block="B2", height=200))
    made.reach(200, B2=200)
    made.take(share("kz", minute=1), share("alice", minute=1))
    return made


@pytest.fixture
def reports(scene: Scene) -> SqlReports:
    return SqlReports(scene.engine)


class TestTotals:
    def test_they_are_those_of_the_whole_pool(self, reports: SqlReports) -> None:
        totals = reports.totals()
        assert (totals.accounts, totals.blocks) == (3, {State.MATURE: 1, State.IMMATURE: 1})
        assert totals.chain_height == 200

    def test_the_round_is_what_came_after_the_newest_block(self, reports: SqlReports) -> None:
        assert reports.totals().round_units == 2 * work_of(share("x")).units

    def test_what_is_owed_is_positive(self, reports: SqlReports) -> None:
        totals = reports.totals()
        owed = [each.available_sat for each in reports.accounts(START_MS)]
        assert totals.available_sat == sum(owed) > 0
        assert totals.immature_sat == sum(each.immature_sat for each in reports.accounts(START_MS)) > 0

    def test_an_empty_pool_has_nothing(self, sqlite: Engine) -> None:
        totals = SqlReports(sqlite).totals()
        assert (totals.accounts, totals.blocks, totals.last_block_ms, totals.round_units) == (0, {}, None, 0)


class TestAccounts:
    def test_they_come_by_name_with_their_plans(self, reports: SqlReports) -> None:
        plans = [(each.account.name, each.plan.scheme, each.plan.fee_bps) for each in reports.accounts(START_MS)]
        assert plans == [("alice", Scheme.PPLNS, 100), ("bob", Scheme.PPLNS, 100), ("kz", Scheme.PPS, 200)]

    def test_pay_per_share_shows_what_is_not_yet_in_the_ledger(self, reports: SqlReports) -> None:
        kz = reports.account("kz", START_MS)
        assert kz is not None
        earned_psat = 900_000 * PSAT * work_of(share("x")).share // work_of(share("x")).network * 98 // 100
        assert kz.available_sat * PSAT + kz.pps_psat == 2 * earned_psat

    def test_an_account_counts_its_blocks(self, reports: SqlReports) -> None:
        assert [each.credits for each in reports.accounts(START_MS)] == [2, 1, 0]

    def test_an_unknown_account_is_none(self, reports: SqlReports) -> None:
        assert reports.account("nobody", START_MS) is None


class TestBlocks:
    def test_the_newest_comes_first(self, reports: SqlReports) -> None:
        blocks = reports.blocks(None, 0, 10)
        assert [(each.height, each.state, each.confirmations) for each in blocks] == [
            (200, State.IMMATURE, 1),
            (100, State.MATURE, 101),
        ]

    def test_they_can_be_asked_for_by_state_and_page(self, reports: SqlReports) -> None:
        assert [each.height for each in reports.blocks(State.MATURE, 0, 10)] == [100]
        assert [each.height for each in reports.blocks(None, 1, 1)] == [100]

    def test_a_block_has_a_finder_a_reward_and_credits(self, reports: SqlReports) -> None:
        newest = reports.blocks(None, 0, 1)[0]
        assert (newest.finder, newest.worker, newest.reward_sat, newest.credits) == ("bob", "rig", 1_000_000, 3)

    def test_one_block_has_everything_about_it(self, reports: SqlReports) -> None:
        detail = reports.block(block_hash("B1"))
        assert detail is not None
        assert [(each.account, each.scheme, each.gross_sat, each.net_sat) for each in detail.credits] == [
            ("alice", Scheme.PPLNS, 500_000, 495_000),
            ("kz", Scheme.PPS, 500_000, 500_000),
        ]
        assert [row.posting.kind for row in detail.rows] == ["block.immature", "block.mature"]
        assert all(each.weight <= UNIT for each in detail.credits)

    def test_a_block_of_somebody_else_is_none(self, reports: SqlReports) -> None:
        assert reports.block(block_hash("B9")) is None


class TestEarnings:
    def test_the_newest_come_first(self, reports: SqlReports) -> None:
        assert [(each.height, each.state) for each in reports.earnings("alice", 10)] == [
            (200, State.IMMATURE),
            (100, State.MATURE),
        ]

    def test_they_are_what_the_ledger_holds(self, reports: SqlReports) -> None:
        alice = reports.account("alice", START_MS)
        assert alice is not None
        assert [each.amount_sat for each in reports.earnings("alice", 10)] == [alice.immature_sat, alice.available_sat]

    def test_a_period_of_pay_per_share_is_one(self, scene: Scene, reports: SqlReports) -> None:
        scene.take(job(minute=2))
        assert [each.key for each in reports.earnings("kz", 1)] == [f"pps:kz:{START_MS + 60_000}"]

    def test_no_more_than_asked_for_are_told(self, reports: SqlReports) -> None:
        assert len(reports.earnings("alice", 1)) == 1
