"""pool.roles.orders: what came through the API, on real books without a node."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.defer import Deferred

from pool import config_file
from pool.dashboard.access.orders import FeeRate, MoveOrder, Nothing, OrderRefused, Why
from pool.dashboard.ports import SourceUnavailable
from pool.roles.counter import open_counter
from pool.roles.orders import OfficeOrders
from tests.pool.dashboard.running import here, result_of
from tests.pool.test_cli import config
from tests.pool.test_cli_payouts import pool

__all__ = ["config", "pool"]


@pytest.fixture
def orders(pool: Path) -> OfficeOrders:
    return OfficeOrders(config_file.load(pool), here)


def test_payouts_are_stopped_and_go_on_with_their_reasons(orders: OfficeOrders, pool: Path) -> None:
    assert result_of(orders.payouts("stop", 0, Why("look"))) == "payouts are stopped"
    with open_counter(config_file.load(pool)) as counter:
        assert counter.status().reason == "look"
    with pytest.raises(OrderRefused, match="payouts are stopped: look"):
        result_of(orders.payouts("run", 0, Nothing()))
    assert result_of(orders.payouts("resume", 0, Why("found"))) == "payouts go on"
    assert "accounting role pays" in result_of(orders.payouts("run", 0, Nothing()))


def test_a_batch_is_released_once(orders: OfficeOrders) -> None:
    released = "payout 1 is released: 700 satoshi are available again"
    assert result_of(orders.payouts("release", 1, Nothing())) == released
    with pytest.raises(OrderRefused, match="it is released already"):
        result_of(orders.payouts("release", 1, Nothing()))


@pytest.mark.parametrize("verb", ["bump", "cancel"])
def test_what_cannot_be_done_says_why(orders: OfficeOrders, verb: str) -> None:
    with pytest.raises(OrderRefused, match="payout 1 is reserved"):
        result_of(orders.payouts(verb, 1, FeeRate(5)))  # type: ignore[arg-type]


@pytest.mark.parametrize("is_held", [True, False])
def test_a_block_that_is_not_there_is_named(orders: OfficeOrders, is_held: bool) -> None:
    with pytest.raises(OrderRefused, match="the pool has no block " + "ab" * 32):
        result_of(orders.block("ab" * 32, "look", is_held=is_held))


@pytest.mark.parametrize("verb", ["start", "pause", "resume", "rollback"])
def test_a_move_that_is_not_there_is_named(orders: OfficeOrders, verb: str) -> None:
    with pytest.raises(OrderRefused, match="there is no move out"):
        result_of(orders.move("out", verb, MoveOrder("now"), "operator:anna"))  # type: ignore[arg-type]


def test_books_that_cannot_be_reached_are_not_a_refusal(pool: Path) -> None:
    text = pool.read_text() + f'\n[database]\nurl = "sqlite:///{pool.parent}/nowhere/at/all.sqlite"\n'
    pool.write_text(text)
    with pytest.raises(SourceUnavailable, match="cannot be used"):
        result_of(OfficeOrders(config_file.load(pool), here).payouts("stop", 0, Why("look")))


def test_it_is_done_in_a_thread(pool: Path) -> None:
    waiting: list[Deferred[str]] = []

    async def elsewhere(_work: object) -> str:
        waiting.append(Deferred())
        return await waiting[-1]

    orders = OfficeOrders(config_file.load(pool), elsewhere)  # type: ignore[arg-type]
    asked = Deferred.fromCoroutine(orders.payouts("stop", 0, Why("look")))
    waiting[0].callback("done there")
    assert asked.result == "done there"
