"""pool.roles.accounting: what it tells of what the chain decided, with real books."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from payout.accounts import Scheme
from payout.fee_days import DAY_MS, day_of
from pool.roles.accounting import follow_chain
from pool.store.sql import connect
from pool.store.upgrade import upgrade
from tests.payout.scene import MINUTE_MS, RULES, START_MS, Scene, block_hash, job, share
from tests.pool.node.captured import captured_events, names


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path}/books.sqlite")
    upgrade(engine)
    yield engine
    engine.dispose()


def test_a_day_that_settles_while_no_block_goes_on_is_told(engine: Engine) -> None:
    scene = Scene(engine)
    scene.account("fp", Scheme.FPPS)
    day_ms = day_of(START_MS)
    scene.take(share("fp"), job((day_ms + DAY_MS - START_MS) // MINUTE_MS + 1))
    scene.chain.add_day(day_ms, [500])
    with captured_events() as events:
        for _ in range(100):
            follow_chain(scene.accounting, START_MS)
    assert names(events) == ["fee_day_settled"]


def test_a_block_that_is_held_is_told_with_its_step(engine: Engine) -> None:
    scene = Scene(engine, replace(RULES, fee_hold_sat=1))
    scene.take(share("alice", block="B1", height=100))
    scene.chain.tip, scene.chain.ours = 100, {100: block_hash("B1")}
    with captured_events() as events:
        follow_chain(scene.accounting, START_MS)
    assert names(events) == ["block_state_changed", "block_held"]
