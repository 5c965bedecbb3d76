"""stratum.redirects, by a server that is turned by hand."""

from __future__ import annotations

from typing import Any

from stratum.redirects import Redirect
from tests.stratum.scene import AUTHORIZE, NTIME, SUBSCRIBE, Miner, Pool, pool_with_job, request, submit

ASKED_MS = NTIME * 1000 + 500  # half a second after everyone connected
GRACE = 10


def order(login: str = "alice.rig1", asked_ms: int = ASKED_MS) -> Redirect:
    return Redirect(login, "kz.pool.example", 3333, 2, GRACE, asked_ms)


def told(miner: Miner) -> list[Any]:
    return [each["params"] for each in miner.received() if each.get("method") == "client.reconnect"]


def scene() -> tuple[Pool, Miner]:
    pool = pool_with_job()
    pool.server.start()
    return pool, pool.ready()


def test_a_worker_is_told_where_to_go_and_how_long_to_wait() -> None:
    pool, miner = scene()
    pool.server.redirects.stand([order()])
    pool.pass_seconds(1)
    assert told(miner) == [["kz.pool.example", 3333, 2]]


def test_it_is_told_once_however_long_the_order_stands() -> None:
    pool, miner = scene()
    for _ in range(5):
        pool.server.redirects.stand([order()])
        pool.pass_seconds(1)
    assert len(told(miner)) == 1


def test_others_hear_nothing() -> None:
    pool, miner = scene()
    other = pool.connect(SUBSCRIBE, request("mining.authorize", ["alice.rig2", "x"], 2))
    pool.server.redirects.stand([order("alice.rig2")])
    pool.pass_seconds(1)
    assert (told(miner), len(told(other))) == ([], 1)


def test_who_ignores_it_is_reset_after_its_wait_and_a_grace() -> None:
    pool, miner = scene()
    pool.server.redirects.stand([order()])
    pool.pass_seconds(2 + GRACE)
    assert not miner.transport.disconnected
    pool.pass_seconds(1)
    assert miner.transport.disconnected


def test_shares_are_accepted_until_the_reset_and_answered_before_it() -> None:
    pool, miner = scene()
    pool.server.redirects.stand([order()])
    pool.pass_seconds(2 + GRACE)
    miner.send(submit())
    pool.pass_seconds(1)
    pool.turn()
    assert miner.replies()[4] is True


def test_who_comes_back_mines_on_and_is_not_told_by_the_same_order() -> None:
    pool, miner = scene()
    pool.server.redirects.stand([order()])
    pool.pass_seconds(3 + GRACE)
    miner.disconnect()
    again = pool.connect(SUBSCRIBE, AUTHORIZE)
    pool.pass_seconds(3 * GRACE)
    again.send(submit())
    pool.turn()
    assert not again.closed
    assert pool.outcomes[-1].name == "ACCEPTED"


def test_a_later_order_tells_it_again() -> None:
    pool, miner = scene()
    pool.server.redirects.stand([order()])
    pool.pass_seconds(3 + GRACE)
    miner.disconnect()
    again = pool.connect(SUBSCRIBE, AUTHORIZE)
    pool.pass_seconds(1)
    pool.server.redirects.stand([order(asked_ms=pool.clock.time_ms())])
    pool.pass_seconds(1)
    assert len(told(again)) == 1


def test_an_order_that_is_withdrawn_resets_nobody() -> None:
    pool, miner = scene()
    pool.server.redirects.stand([order()])
    pool.pass_seconds(1)
    pool.server.redirects.stand([])
    pool.pass_seconds(3 * GRACE)
    assert not miner.transport.disconnected


def test_a_proxy_goes_when_all_of_its_workers_are_to_go() -> None:
    pool, proxy = scene()
    proxy.send(request("mining.authorize", ["alice.rig2", "x"], 3))
    pool.server.redirects.stand([order()])
    pool.pass_seconds(1)
    assert told(proxy) == []
    pool.server.redirects.stand([order(), order("alice.rig2")])
    pool.pass_seconds(1)
    assert len(told(proxy)) == 1


def test_who_was_told_is_reported_once_with_the_order_and_the_time() -> None:
    pool, _ = scene()
    pool.server.redirects.stand([order()])
    pool.pass_seconds(1)
    assert pool.server.redirects.take_told() == {"alice.rig1": (ASKED_MS, NTIME * 1000 + 1000)}
    assert pool.server.redirects.take_told() == {}


def test_a_worker_with_two_machines_goes_with_both() -> None:
    pool, one = scene()
    two = pool.ready()
    pool.server.redirects.stand([order()])
    pool.pass_seconds(1)
    assert [len(told(one)), len(told(two))] == [1, 1]
