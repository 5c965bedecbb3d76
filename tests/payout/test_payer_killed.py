"""payout.payer and payout.advance, killed anywhere and on both databases: every line is paid exactly once."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from tests.databases import fresh
from tests.payout.fake_wallet import script
from tests.payout.payment_scene import COIN, Killed
from tests.payout.payment_story import AFTER_A_REORG, OWED_SAT, PLACES, WORDS, pay_out, paying, tell

# `STEPPE_PAYOUT_EXAMPLES=20000` tells that many stories instead of a few.
EXAMPLES = int(os.environ.get("STEPPE_PAYOUT_EXAMPLES", "15"))
Books = Callable[[], AbstractContextManager[Engine]]

OWED = {script(name): sat for name, sat in OWED_SAT.items()}
ON_POSTGRESQL = PLACES if os.environ.get("STEPPE_KILLS") == "all" else ["payout-reserved", "payout-signed-kept"]
KILLS = [("sqlite", place) for place in PLACES] + [("postgresql", place) for place in ON_POSTGRESQL]


@pytest.fixture(scope="module")
def books(sqlite_file: bytes) -> Books:
    """Makes empty books on SQLite, for each example of a property."""
    return lambda: fresh(sqlite_file)


class TestKilled:
    @pytest.mark.parametrize(("engine", "place"), KILLS, indirect=["engine"])
    def test_before_and_after_every_step_every_line_is_paid_once(self, engine: Engine, place: str) -> None:
        scene = paying(engine)
        scene.kill_at = place
        with pytest.raises(Killed):
            scene.finish()
        scene.restart()
        scene.finish()
        assert scene.wallet.paid_sat() == OWED
        assert scene.keys() == ["payout:1:reserved", "payout:1:confirmed"]
        scene.balances()

    def test_a_cancellation_that_leaves_the_chain_again_stops_nobody(self, sqlite: Engine) -> None:
        scene = paying(sqlite)
        tell(scene, [*"tttcttmttRt"])  # cancelled, one block deep, and a reorganization without it
        assert scene.keys() == ["payout:1:reserved", "payout:1:cancelled", "payout:1:unconfirmed"]
        assert scene.stopped() is None
        pay_out(scene)
        assert scene.wallet.paid_sat() == OWED

    def test_these_are_all_the_places_of_a_payout_that_goes_well(self, sqlite: Engine) -> None:
        scene = paying(sqlite)
        scene.finish()
        assert list(dict.fromkeys(scene.hits)) == PLACES

    @settings(max_examples=EXAMPLES)
    @given(story=st.lists(st.sampled_from(WORDS), min_size=5, max_size=40))
    def test_whatever_happens_every_line_is_paid_exactly_once(self, books: Books, story: list[str]) -> None:
        with books() as engine:
            scene = paying(engine)
            tell(scene, story)
            pay_out(scene)
            assert scene.wallet.paid_sat() == OWED
            assert scene.stopped() is None
            scene.balances()


class TestReorg:
    @pytest.mark.parametrize("place", AFTER_A_REORG)
    def test_killed_before_or_after_it_is_taken_back_it_is_paid_once(self, engine: Engine, place: str) -> None:
        scene = paying(engine)
        scene.ticks(4)
        scene.wallet.mine()
        scene.ticks(1)
        scene.wallet.reorg(1, forget=True)
        scene.kill_at = place
        with pytest.raises(Killed):
            scene.ticks(2)
        scene.restart()
        scene.finish()
        assert scene.wallet.paid_sat() == OWED
        assert scene.keys()[-2:] == ["payout:1:unconfirmed", "payout:1:confirmed:1"]
        scene.balances()

    def test_a_payment_that_leaves_the_chain_is_reversed_and_sent_again(self, sqlite: Engine) -> None:
        scene = paying(sqlite)
        scene.ticks(4)
        scene.wallet.mine()
        scene.tick()
        scene.wallet.reorg(1, forget=True)
        assert scene.ticks(2)[0] == "1: confirmed -> broadcast"
        assert scene.balances()["liab:alice:reserved"] == -3 * COIN // 2
        scene.finish()
        assert scene.keys() == [
            "payout:1:reserved",
            "payout:1:confirmed",
            "payout:1:unconfirmed",
            "payout:1:confirmed:1",
        ]
        scene.balances()

    def test_a_node_that_knows_nothing_of_it_decides_nothing(self, sqlite: Engine) -> None:
        scene = paying(sqlite)
        scene.ticks(4)
        scene.wallet.mine()
        scene.tick()
        whole = scene.wallet.blocks
        scene.wallet.blocks = [*whole[:-1], []]
        scene.wallet.known.clear()
        scene.ticks(2)
        assert scene.state() == "confirmed"
