"""The miner of the chaos: what it remembers, and what it sends again."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from pool.work.job import Job
from pool.work.share import Outcome, Share
from tests.chaos.evidence import header_hash
from tests.chaos.memory import Memory
from tests.chaos.miner import Miner

REGTEST_NBITS = 0x207FFFFF
COINB1, COINB2, PREV_HASH, BRANCH = b"\x01" * 40, b"\x02" * 30, bytes(range(32)), (b"\x03" * 32,)
SESSION, EXTRANONCE1 = "c0ffee", "0a0b0c0d"
SUBSCRIPTIONS = [["mining.set_difficulty", SESSION], ["mining.notify", SESSION]]


class Never(random.Random):
    """A chance that never comes."""

    def randrange(self, *_: Any) -> int:
        return 99


class Always(random.Random):
    """One that always does."""

    def randrange(self, *_: Any) -> int:
        return 0


class Talk:
    """A miner, and what it says."""

    def __init__(self, chance: random.Random | None = None) -> None:
        self.memory = Memory()
        self.miner = Miner("alice.rig", self.memory, chance or Never(), 0)

    def says(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.miner.outgoing().splitlines()]

    def hear(self, *messages: dict[str, Any], now: float = 1) -> None:
        self.miner.receive(b"".join(json.dumps(each).encode() + b"\n" for each in messages), now)

    def log_in(self, extranonce1: str = EXTRANONCE1, now: float = 1) -> dict[str, Any]:
        """Returns what it subscribed with."""
        self.miner.connected()
        [subscribe] = self.says()
        self.hear({"id": 1, "result": [SUBSCRIPTIONS, extranonce1, 8], "error": None}, now=now)
        [authorize] = self.says()
        assert authorize["params"] == ["alice.rig", "x"]
        self.hear(
            {"id": 2, "result": True, "error": None},
            {"id": None, "method": "mining.set_difficulty", "params": [1e-9]},
            {"id": None, "method": "mining.notify", "params": notify()},
            now=now,
        )
        return subscribe

    def share(self) -> dict[str, Any]:
        """Mines one; returns what it submits."""
        self.miner.mine()
        [submit] = self.says()
        return submit


def notify() -> list[Any]:
    words = b"".join(PREV_HASH[at : at + 4][::-1] for at in range(0, 32, 4)).hex()
    branch = [each.hex() for each in BRANCH]
    return ["1a", words, COINB1.hex(), COINB2.hex(), branch, "20000000", f"{REGTEST_NBITS:08x}", "6543210f", True]


@pytest.fixture
def talk() -> Talk:
    return Talk()


def test_it_remembers_a_share_by_the_hash_that_a_journal_gives_it(talk: Talk) -> None:
    talk.log_in()
    _, job_id, extranonce2, ntime, nonce = talk.share()["params"]
    job = Job(job_id, 0, 1, 0x20000000, PREV_HASH, COINB1, COINB2, BRANCH, REGTEST_NBITS, 0, 0, 0, 0, 0, True)
    record = Share(
        *(0, Outcome.ACCEPTED, job_id, "alice", "rig", bytes.fromhex(EXTRANONCE1), bytes.fromhex(extranonce2)),
        *(0x20000000, int(ntime, 16), int(nonce, 16), 1e-9, REGTEST_NBITS, 1),
    )
    [remembered] = talk.memory.shares()
    assert remembered.hash == header_hash(job, record)
    assert (remembered.account, remembered.is_block) == ("alice", True)


def test_true_is_an_acknowledgement_and_an_error_none(talk: Talk) -> None:
    talk.log_in()
    good, bad = talk.share(), talk.share()
    talk.hear({"id": good["id"], "result": True, "error": None}, now=5)
    talk.hear({"id": bad["id"], "result": None, "error": [21, "stale", None]})
    assert [(each.acknowledged, each.refused) for each in talk.memory.shares()] == [
        (1, []),
        (0, ["[21, 'stale', None]"]),
    ]
    assert talk.memory.acknowledged_at() == [5]


def test_no_two_of_its_shares_are_the_same(talk: Talk) -> None:
    talk.log_in()
    for _ in range(20):
        talk.share()
    assert len(talk.memory.shares()) == 20


def test_it_comes_back_to_its_session_and_sends_again_what_was_not_answered(talk: Talk) -> None:
    talk.log_in()
    answered, open_ = talk.share(), talk.share()
    talk.hear({"id": answered["id"], "result": True, "error": None})
    talk.miner.lost(2)
    assert talk.log_in()["params"] == ["chaos", SESSION]
    assert [each["params"] for each in talk.says()] == [open_["params"]]
    assert len(talk.memory.shares()) == 2


def test_what_was_open_survives_a_connection_that_came_to_nothing(talk: Talk) -> None:
    talk.log_in()
    open_ = talk.share()
    talk.miner.lost(2)
    talk.miner.connected()
    talk.miner.lost(3)
    talk.log_in()
    assert [each["params"] for each in talk.says()] == [open_["params"]]


def test_in_another_session_it_does_not_for_that_would_be_another_share(talk: Talk) -> None:
    talk.log_in()
    talk.share()
    talk.miner.lost(2)
    talk.log_in(extranonce1="0a0b0c0e")
    assert talk.says() == []


def test_a_greedy_one_sends_again_what_was_answered() -> None:
    talk = Talk(Always())
    talk.log_in()
    share = talk.share()
    talk.hear({"id": share["id"], "result": True, "error": None})
    assert [each["params"] for each in talk.says()] == [share["params"]]


def test_it_was_away_from_the_loss_of_its_session_until_it_could_mine_again(talk: Talk) -> None:
    talk.log_in(now=1)
    talk.miner.lost(10)
    assert not talk.miner.is_ready
    talk.log_in(now=12)
    assert [(each.since, each.until) for each in talk.memory.absences()] == [(0, 1), (10, 12)]
