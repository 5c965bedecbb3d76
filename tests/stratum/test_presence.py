"""Who is connected; stratum/presence.py."""

from __future__ import annotations

from tests.stratum.scene import Pool, make_job, pool_with_job, request


def workers(pool: Pool) -> list[str]:
    return [each.worker for each in pool.server.presence()]


def test_each_worker_of_a_connection_is_there() -> None:
    pool = pool_with_job()
    miner = pool.ready()
    miner.send(request("mining.authorize", ["alice.rig2", "x"]))
    assert workers(pool) == ["rig1", "rig2"]


def test_who_has_no_worker_yet_is_not() -> None:
    pool = pool_with_job()
    pool.connect(request("mining.subscribe", ["x"]))
    assert workers(pool) == []


def test_who_leaves_is_gone() -> None:
    pool = pool_with_job()
    gone, _ = pool.ready(), pool.ready()
    gone.disconnect()
    assert workers(pool) == ["rig1"]


def test_another_difficulty_shows_within_ten_seconds() -> None:
    pool = Pool(1e-10, maximum=1.0)
    pool.server.start()
    pool.server.take_job(make_job())
    miner = pool.ready()
    miner.send(request("mining.suggest_difficulty", [1e-9]))
    before = [each.difficulty for each in pool.server.presence()]
    pool.server.take_job(make_job("a2"))
    for _ in range(10):
        pool.pass_seconds(1)
    assert (before, [each.difficulty for each in pool.server.presence()]) == ([1e-10], [1e-9])
