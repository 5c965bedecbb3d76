"""stratum.remembered, and how a server uses it."""

from __future__ import annotations

import msgspec
import pytest

from stratum import remembered
from stratum.remembered import REMEMBERED_MS, RememberedDifficulties
from stratum.retarget import ROUND_SECONDS
from tests.stratum.scene import MINUTE, NTIME, SUBSCRIBE, Miner, Pool, make_job, request, submit

NOW_MS = NTIME * 1000
AUTHORIZE = request("mining.authorize", ["alice.rig1", "x"], 2)
SUGGEST = request("mining.suggest_difficulty", [1e-9], None)


class TestMemory:
    def test_a_worker_is_known_by_its_login(self) -> None:
        memory = RememberedDifficulties()
        memory.note("alice.rig1", 512.0, 1000)
        assert (memory.recall("alice.rig1", 2000), memory.recall("alice.rig2", 2000)) == (512.0, None)

    def test_for_a_day(self) -> None:
        memory = RememberedDifficulties()
        memory.note("alice", 512.0, 1000)
        assert memory.recall("alice", 1000 + REMEMBERED_MS) is None
        assert memory.entries(1000 + REMEMBERED_MS) == {}

    def test_what_is_newer_holds(self) -> None:
        memory = RememberedDifficulties()
        memory.note("alice", 512.0, 1000)
        memory.learn({"alice": (1.0, 999), "bob": (2.0, 1001)}, 2000)
        memory.learn({"bob": (3.0, 1002)}, 2000)
        assert (memory.recall("alice", 2000), memory.recall("bob", 2000)) == (512.0, 3.0)

    def test_from_another_region_a_worker_starts_at_a_quarter(self) -> None:
        memory = RememberedDifficulties()
        memory.note("alice", 512.0, 1000)
        memory.learn_elsewhere({"alice": (1024.0, 2000), "bob": (64.0, 2000)}, 3000)
        assert (memory.recall("alice", 3000), memory.recall("bob", 3000)) == (256.0, 16.0)

    def test_what_was_proven_here_since_holds(self) -> None:
        memory = RememberedDifficulties()
        memory.learn_elsewhere({"alice": (1024.0, 1000)}, 3000)
        memory.note("alice", 512.0, 2000)
        assert memory.recall("alice", 3000) == 512.0

    def test_what_another_region_knows_is_not_given_out_as_ours(self) -> None:
        memory = RememberedDifficulties()
        memory.learn_elsewhere({"alice": (1024.0, 1000)}, 3000)
        assert (memory.entries(3000), memory.noted_since(0)) == ({}, {})

    def test_who_was_noted_since_a_time(self) -> None:
        memory = RememberedDifficulties()
        memory.note("alice", 1.0, 1000)
        memory.note("bob", 2.0, 2000)
        assert memory.noted_since(2000) == {"bob": (2.0, 2000)}

    def test_a_time_to_come_is_none(self) -> None:
        memory = RememberedDifficulties()
        memory.learn({"alice": (1.0, 10**15)}, 2000)
        assert memory.entries(2000) == {"alice": (1.0, 2000)}

    def test_it_has_an_end_and_the_oldest_go_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(remembered, "REMEMBERED_MAX", 16)
        memory = RememberedDifficulties()
        for number in range(100):
            memory.note(f"alice.{number}", 1.0, 1000 + number)
            assert len(memory) <= 18
        assert set(memory.entries(2000)) == {f"alice.{number}" for number in range(84, 100)}


def prove(pool: Pool, miner: Miner) -> None:
    """So many shares that the difficulty rises, and a few of that."""
    for nonce in range(40):
        miner.send(submit(nonce, nonce=f"{nonce:x}"))
    pool.pass_seconds(1 + ROUND_SECONDS)
    session = pool.server.sessions[0]
    for _ in range(3):
        assert session.difficulty.current is not None
        session.flow.take(session.difficulty.current)
        pool.pass_seconds(ROUND_SECONDS)


def first_difficulty(miner: Miner) -> float:
    [told] = [message for message in miner.received() if message.get("method") == "mining.set_difficulty"]
    return float(told["params"][0])


@pytest.fixture
def pool() -> Pool:
    pool = Pool(maximum=1.0)
    pool.server.start()
    pool.server.take_job(make_job())
    return pool


class TestServer:
    def test_who_returns_begins_with_the_difficulty_it_had(self, pool: Pool) -> None:
        miner = pool.ready()
        prove(pool, miner)
        had = pool.server.sessions[0].difficulty.current
        miner.disconnect()
        assert first_difficulty(pool.connect(SUBSCRIBE, AUTHORIZE)) == had != 1e-10

    def test_whatever_its_firmware_suggests(self, pool: Pool) -> None:
        miner = pool.ready()
        prove(pool, miner)
        had = pool.server.sessions[0].difficulty.current
        miner.disconnect()
        returned = pool.connect(SUBSCRIBE, SUGGEST, AUTHORIZE, SUGGEST)
        assert first_difficulty(returned) == had
        pool.server.take_job(make_job("a2"))
        assert [message["method"] for message in returned.received()] == ["mining.notify"]

    def test_unless_its_owner_asks_for_one(self, pool: Pool) -> None:
        miner = pool.ready()
        prove(pool, miner)
        miner.disconnect()
        returned = pool.connect(SUBSCRIBE, request("mining.authorize", ["alice.rig1", "d=0.5"], 2))
        assert first_difficulty(returned) == 0.5

    def test_a_difficulty_without_a_share_proves_nothing(self, pool: Pool) -> None:
        miner = pool.connect(SUBSCRIBE, request("mining.suggest_difficulty", [0.5], None), AUTHORIZE)
        pool.pass_seconds(10 * MINUTE)
        miner.disconnect()
        assert first_difficulty(pool.connect(SUBSCRIBE, AUTHORIZE)) == 1e-10

    def test_another_server_can_learn_it(self, pool: Pool) -> None:
        miner = pool.ready()
        prove(pool, miner)
        had = pool.server.sessions[0].difficulty.current
        other = Pool(maximum=1.0)
        other.server.remembered.learn(pool.server.remembered.entries(NOW_MS), NOW_MS)
        other.server.take_job(make_job())
        assert first_difficulty(other.connect(SUBSCRIBE, AUTHORIZE)) == had

    def test_what_is_remembered_can_be_written(self, pool: Pool) -> None:
        prove(pool, pool.ready())
        assert list(msgspec.json.decode(msgspec.json.encode(pool.server.remembered.entries(NOW_MS)))) == ["alice.rig1"]
