"""payout.audit: whatever was changed behind the pool's back is found."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from payout.accounts import Scheme
from payout.invariants import GUARDS, Finding
from payout.order import pack
from pool.store.sql import writing
from tests.payout.scene import Scene, job, ordered, share, unsound


@pytest.fixture
def scene(sqlite: Engine) -> Scene:
    """A mature block, an immature one, an orphan, a candidate and a payment per share; without the triggers."""
    made = Scene(sqlite)
    made.account("kz", Scheme.PPS, 100)
    made.take(share("alice"), share("kz", block="B1", height=100), share("bob", block="B3", height=150))
    made.reach(150, B1=100, B3=150)
    made.take(share("alice", minute=1, block="B2", height=200), share("alice", block="B4", height=300), job(2))
    made.reach(200, B2=200, B3=0)
    assert made.balances()["asset:wallet"] == made.balances()["asset:coinbase_immature"] == 1_000_000
    with writing(sqlite) as connection:
        for (trigger,) in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            connection.execute(text(f"DROP TRIGGER {trigger}"))
    return made


def findings(scene: Scene, change: str, **values: object) -> list[Finding]:
    with writing(scene.engine) as connection:
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        assert connection.execute(text(change), values).rowcount
    with scene.ledger.read() as books:
        return [finding for finding in unsound(books) if finding.invariant != GUARDS]


def numbers(found: list[Finding]) -> set[int]:
    return {finding.invariant for finding in found}


def test_books_in_order_have_no_findings(scene: Scene) -> None:
    with scene.ledger.read() as books:
        assert {finding.invariant for finding in unsound(books)} == {GUARDS}


class TestRows:
    def test_an_amount_that_was_changed(self, scene: Scene) -> None:
        found = findings(scene, "UPDATE entry SET amount_sat = amount_sat - 1 WHERE account = 'liab:kz:available'")
        assert any("sum to -1 satoshi" in finding.what for finding in found)

    def test_two_amounts_that_still_sum_to_zero(self, scene: Scene) -> None:
        change = "UPDATE entry SET amount_sat = amount_sat * 2 WHERE journal_id = (SELECT MIN(id) FROM journal)"
        assert Finding(1, "row 1 of the journal was changed: its hash does not fit its content") in findings(
            scene, change
        )

    @pytest.mark.parametrize("column", ["key", "kind", "ref"])
    def test_a_word_that_was_changed(self, scene: Scene, column: str) -> None:
        found = findings(scene, f"UPDATE journal SET {column} = {column} || 'x' WHERE id = 2")
        assert any("row 2 of the journal was changed" in finding.what for finding in found)

    def test_a_time_that_was_changed(self, scene: Scene) -> None:
        assert numbers(findings(scene, "UPDATE journal SET time_ms = time_ms + 1 WHERE id = 2")) == {1}

    def test_a_row_that_was_taken_out(self, scene: Scene) -> None:
        scene_findings = findings(scene, "DELETE FROM entry WHERE journal_id = 2")
        assert any("row 3 of the journal does not follow row 1" in finding.what for finding in scene_findings)

    def test_a_chain_that_was_made_anew_does_not_fit_the_rows_after_it(self, scene: Scene) -> None:
        found = findings(scene, "UPDATE journal SET hash = :hash WHERE id = 1", hash=b"\x01" * 32)
        assert any("row 2 of the journal does not follow" in finding.what for finding in found)


class TestBlocks:
    def test_a_state_without_its_postings(self, scene: Scene) -> None:
        found = findings(scene, "UPDATE block SET state = 'mature' WHERE state = 'immature'")
        assert numbers(found) == {3}
        assert any("asset:wallet has 0 satoshi of it instead of 1000000" in finding.what for finding in found)

    def test_a_reward_that_was_changed(self, scene: Scene) -> None:
        assert 3 in numbers(findings(scene, "UPDATE block SET reward_sat = reward_sat + 1 WHERE state = 'mature'"))

    def test_a_credit_that_was_changed(self, scene: Scene) -> None:
        found = findings(scene, "UPDATE credit SET gross_sat = gross_sat + 1")
        assert numbers(found) == {3, 7}

    def test_credits_that_were_exchanged(self, scene: Scene) -> None:
        found = findings(scene, "UPDATE credit SET fee_sat = fee_sat + 1 WHERE bought_sat = 0")
        assert numbers(found) == {3, 7}

    def test_shares_that_were_changed(self, scene: Scene) -> None:
        shares = pack(ordered([(1, 12345)]))[0]
        found = findings(scene, "UPDATE share_batch SET shares = :shares WHERE id = 1", shares=shares)
        assert numbers(found) == {7}
