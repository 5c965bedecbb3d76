"""stratum.retarget, through the server: how a difficulty that fits reaches a miner."""

from __future__ import annotations

import math
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

import native
from pool.work.job import Job
from pool.work.share import Outcome
from stratum import retarget
from stratum.difficulty import judged_target
from stratum.jobs import JobBook
from stratum.retarget import LOOKS, ROUND_SECONDS, SILENCE_SECONDS, VARIANT_SECONDS, Retargeting
from stratum.states import State
from tests.stratum.scene import MAINNET_NBITS, NEXT_TIP, NTIME, Miner, Pool, make_job, request

EASY = 1e-6


def burst(miner: Miner, job_id: str = "a1", first: int = 0, count: int = 40) -> None:
    """Shares of a job, whatever they hash to."""
    for nonce in range(first, first + count):
        miner.send(request("mining.submit", ["alice.rig1", job_id, "00" * 8, f"{NTIME:08x}", f"{nonce:08x}"], nonce))


def started(difficulty: float = 1e-10, minimum: float = 1e-10, maximum: float = 1e12) -> Pool:
    """A pool with a job that looks after its sessions."""
    pool = Pool(difficulty, minimum, maximum)
    pool.server.start()
    pool.server.take_job(make_job())
    pool.turn()
    return pool


def check_of(pool: Pool, job_id: str) -> native.JobCheck:
    """Of a job in the journal."""
    records = [*pool.share_log.records, *pool.share_log.open]
    [job] = [record for record in records if isinstance(record, Job) and record.job_id == job_id]
    return native.JobCheck(job.coinb1, job.coinb2, b"".join(job.branch), job.prev_hash, job.nbits)


def methods(miner: Miner) -> list[str]:
    return [message["method"] for message in miner.received() if "method" in message]


def told(miner: Miner) -> list[Any]:
    """Difficulties and job ids, as they come."""
    return [message["params"][0] for message in miner.received() if "method" in message]


class TestSilence:
    def test_while_the_work_role_is_away_everyone_hears_of_us_within_the_minute(self) -> None:
        pool = started()
        miners = [pool.ready(), pool.ready()]
        heard = []
        for _ in range(180):
            pool.pass_seconds(1)
            heard.append([told(miner) for miner in miners])
        for miner in range(2):
            seconds = [second for second, each in enumerate(heard) if each[miner]]
            assert all(later - sooner < 60 for sooner, later in pairwise([0, *seconds, 180]))

    def test_such_a_job_is_one_of_the_same_tip_and_its_shares_are_good(self) -> None:
        pool = started()
        miner = pool.ready()
        pool.pass_seconds(int(SILENCE_SECONDS) + 1)
        (notify,) = [message for message in miner.received() if message.get("method") == "mining.notify"]
        assert (notify["params"][0][:3], notify["params"][8]) == ("a1x", False)
        burst(miner, notify["params"][0], count=1)
        pool.turn()
        assert pool.outcomes == [Outcome.ACCEPTED]

    def test_while_jobs_come_there_are_no_more(self) -> None:
        pool = started()
        miner = pool.ready()
        for number in range(4):
            pool.pass_seconds(30)
            pool.server.take_job(make_job(f"b{number}"))
        assert [each for each in told(miner) if isinstance(each, str)] == ["b0", "b1", "b2", "b3"]


class TestBurst:
    def test_it_is_answered_within_a_second_by_a_difficulty_and_a_job_of_a_new_id(self) -> None:
        pool = started()
        miner = pool.ready()
        burst(miner)
        pool.turn()
        miner.received()
        pool.pass_seconds(1)
        difficulty, notify = miner.received()
        assert difficulty["method"] == "mining.set_difficulty"
        assert notify["params"][0].startswith("a1x")
        assert notify["params"][8] is False

    def test_the_variant_is_in_the_journal_before_its_shares(self) -> None:
        pool = started()
        miner = pool.ready()
        burst(miner)
        pool.pass_seconds(1)
        pool.turn()
        jobs = [record for record in pool.share_log.records if isinstance(record, Job)]
        assert [job.job_id for job in jobs] == ["a1", told(miner)[-1]]

    def test_shares_of_the_former_job_stay_good_at_their_own_difficulty(self) -> None:
        pool = started()
        miner = pool.ready()
        burst(miner)
        pool.pass_seconds(1)
        burst(miner, first=100)
        pool.turn()
        assert {(share.outcome, share.difficulty) for share in pool.shares} == {(Outcome.ACCEPTED, 1e-10)}

    def test_nothing_hashed_for_the_former_job_is_of_use_for_the_variant(self) -> None:
        pool = started()
        miner = pool.ready()
        burst(miner)
        pool.pass_seconds(1)
        variant = told(miner)[-1]
        place = pool.server.sessions[0].extranonce1, bytes(8), 0x20000000, NTIME, 1
        assert check_of(pool, "a1").header(*place) != check_of(pool, variant).header(*place)

    def test_no_notify_repeats_a_job_id(self) -> None:
        pool = started()
        miner = pool.ready()
        for start in range(0, 4000, 40):
            burst(miner, first=start)
            pool.pass_seconds(1)
        ids = [message["params"][0] for message in miner.received() if message.get("method") == "mining.notify"]
        assert len(ids) == len(set(ids))

    def test_a_new_miner_gets_the_variant_as_its_first_job(self) -> None:
        pool = started()
        burst(pool.ready())
        pool.pass_seconds(1)
        first = [each for each in told(pool.connect(*HANDSHAKE)) if isinstance(each, str)]
        [job_id] = first
        assert job_id.startswith("a1x")

    def test_all_who_need_one_at_a_time_share_one(self) -> None:
        pool = started()
        miners = [pool.ready() for _ in range(3)]
        for miner in miners:
            burst(miner)
        pool.pass_seconds(1)
        assert len({told(miner)[-1] for miner in miners}) == 1

    def test_variants_have_their_distance(self) -> None:
        pool = started()
        first, second = pool.ready(), pool.ready()
        burst(first)
        pool.pass_seconds(1)
        burst(second)
        pool.turn()
        second.received()
        pool.pass_seconds(int(VARIANT_SECONDS) - 1)
        assert methods(second) == [], "the one that is there may have been hashed on before"
        pool.pass_seconds(1)
        assert told(second)[-1] not in (told(first)[-1], "a1")

    def test_after_a_new_tip_there_is_a_variant_of_the_new_job(self) -> None:
        pool = started()
        miner = pool.ready()
        pool.server.take_job(make_job("a2", NEXT_TIP))
        miner.received()
        burst(miner, "a2")
        pool.pass_seconds(1)
        assert told(miner)[-1].startswith("a2x")


class SimpleLink:
    """A link that is ready."""

    session: Any = SimpleNamespace(state=State.READY, difficulty=SimpleNamespace(current=1.0))


def entered(retargeting: Retargeting, count: int) -> list[Any]:
    """So many links that are ready."""
    links: list[Any] = [SimpleLink() for _ in range(count)]
    for link in links:
        retargeting.enter(link)
    return links


class TestTurns:
    """Who is looked at when."""

    @pytest.fixture
    def retargeting(self) -> Retargeting:
        unused: Any = None
        return Retargeting(JobBook(), unused, unused, unused, unused, unused)

    def test_all_are_looked_at_once_a_round_and_few_at_a_time(self, retargeting: Retargeting) -> None:
        links = entered(retargeting, 3 * LOOKS)
        turns = [list(retargeting.due(1)) for _ in range(LOOKS)]
        assert {len(turn) for turn in turns} == {3}
        assert {link for turn in turns for link in turn} == set(links)

    def test_who_comes_and_goes_leaves_the_turns_of_the_others_alone(self, retargeting: Retargeting) -> None:
        first = entered(retargeting, LOOKS)
        before = [set(retargeting.due(1)) for _ in range(LOOKS)]
        for link in entered(retargeting, LOOKS // 2) + first[::2]:
            retargeting.leave(link)
        assert [set(retargeting.due(1)) for _ in range(LOOKS)] == [turn - set(first[::2]) for turn in before]

    def test_who_is_gone_is_not_looked_at_however_much_in_a_hurry(self, retargeting: Retargeting) -> None:
        (link,) = entered(retargeting, 1)
        retargeting.hurry(link)
        retargeting.leave(link)
        assert list(retargeting.due(LOOKS)) == []

    @pytest.mark.parametrize("parts", [2, LOOKS, 3 * LOOKS])
    def test_what_a_delay_left_out_is_made_up_for_once(self, retargeting: Retargeting, parts: int) -> None:
        entered(retargeting, LOOKS)
        assert len(list(retargeting.due(parts))) == min(parts, LOOKS)

    def test_who_is_in_a_hurry_comes_with_the_next_part_and_once(self, retargeting: Retargeting) -> None:
        last = entered(retargeting, LOOKS)[-1]
        retargeting.hurry(last)
        assert last in retargeting.due(1)
        assert last not in retargeting.due(1)


class TestPatience:
    @pytest.fixture(autouse=True)
    def no_job_comes_to_break_the_silence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(retarget, "SILENCE_SECONDS", math.inf)

    def test_a_small_change_waits_for_the_next_job(self) -> None:
        pool = started(EASY)
        miner = pool.ready()
        pace = pool.server.sessions[0].pace
        for _ in range(30):
            pool.pass_seconds(ROUND_SECONDS)
            for _ in range(2):
                pace.flow.take(EASY)
        assert methods(miner) == []
        pool.server.take_job(make_job("a2"))
        [difficulty, job_id] = told(miner)
        assert (difficulty, job_id) == (pytest.approx(2 * EASY, rel=0.1), "a2")

    def test_who_finds_nothing_gets_easier_shares_soon(self) -> None:
        pool = started(1024.0)
        miner = pool.ready()
        pool.pass_seconds(60 + 2 * ROUND_SECONDS)
        assert told(miner)[0] == 256

    def test_a_difficulty_of_the_password_stays_whatever_the_pace(self) -> None:
        pool = started()
        miner = pool.connect(HANDSHAKE[0], request("mining.authorize", ["alice.rig1", "d=0.0000000001"], 2))
        burst(miner)
        miner.received()
        pool.pass_seconds(300)
        assert methods(miner) == []

    def test_with_no_room_between_the_ports_bounds_nothing_changes(self) -> None:
        pool = started(maximum=1e-10)
        miner = pool.ready()
        burst(miner)
        pool.turn()
        miner.received()
        pool.pass_seconds(300)
        assert methods(miner) == []


HANDSHAKE = (request("mining.subscribe", ["cgminer/4.11.1"]), request("mining.authorize", ["alice.rig1", "x"], 2))


class HashingMiner:
    """A miner that really hashes, and only submits what meets the difficulty it was told with the job. It takes up new
    work late, as much firmware does."""

    def __init__(self, miner: Miner, hashes_per_second: int, lag_seconds: int) -> None:
        self._miner = miner
        self._hashes = hashes_per_second
        self._lag = lag_seconds
        self._difficulty = 0.0
        self._work: list[tuple[int, str, float]] = []
        self._nonce = 0
        self._second = 0
        self.errors: list[Any] = []
        self.extranonce1 = b""

    def read(self) -> None:
        for message in self._miner.received():
            if message.get("method") == "mining.set_difficulty":
                self._difficulty = message["params"][0]
            elif message.get("method") == "mining.notify":
                self._work.append((self._second + self._lag, message["params"][0], self._difficulty))
            elif isinstance(message.get("result"), list):
                self.extranonce1 = bytes.fromhex(message["result"][1])
            elif message.get("error"):
                self.errors.append(message["error"])

    def mine(self, pool: Pool) -> None:
        """One second."""
        self._second += 1
        taken_up = [work for work in self._work if work[0] <= self._second]
        if not taken_up:
            return
        self._work = self._work[len(taken_up) - 1 :]
        _, job_id, difficulty = taken_up[-1]
        header = check_of(pool, job_id).header(self.extranonce1, bytes(8), 0x20000000, NTIME, 0)
        target = judged_target(difficulty, MAINNET_NBITS)
        end = self._nonce + self._hashes
        while (found := native.search(header, target, self._nonce, end - self._nonce)) is not None:
            burst(self._miner, job_id, found, 1)
            self._nonce = found + 1
            if self._nonce >= end:
                break
        self._nonce = end


@pytest.mark.parametrize(("hashes_per_second", "lag_seconds"), [(200, 0), (3000, 3), (20_000, 7)])
def test_no_share_is_refused_because_the_difficulty_changed(hashes_per_second: int, lag_seconds: int) -> None:
    pool = started(1e-6, 1e-9)
    link = pool.connect(*HANDSHAKE)
    miner = HashingMiner(link, hashes_per_second, lag_seconds)
    told_difficulties = set()
    for second in range(1, 900):
        if second % 30 == 0:
            pool.server.take_job(make_job(f"b{second:x}"))
        miner.read()
        miner.mine(pool)
        pool.pass_seconds(1)
        told_difficulties.add(pool.server.sessions[0].difficulty.current)
    miner.read()
    assert miner.errors == []
    assert len(told_difficulties) > 1
    assert set(pool.outcomes) == {Outcome.ACCEPTED}
    late = sum(1 for share in pool.shares if share.time_ms > (NTIME + 600) * 1000)
    assert 10 <= late <= 80


class TestFirstJob:
    """Nobody chooses the difficulty of a job after hashing on it; decision 0010."""

    def test_who_names_a_difficulty_after_its_extranonce_gets_a_job_that_nobody_has_seen(self) -> None:
        pool = started()
        miner = pool.connect(HANDSHAKE[0], request("mining.authorize", ["alice.rig1", "d=1e-9"], 2))
        difficulty, job_id = told(miner)
        assert (difficulty, job_id[:3]) == (1e-9, "a1x")

    def test_who_names_it_before_gets_the_newest_one(self) -> None:
        pool = started()
        miner = pool.connect(request("mining.authorize", ["alice.rig1", "d=1e-9"], 2), HANDSHAKE[0])
        assert told(miner) == [1e-9, "a1"]

    def test_who_names_none_gets_the_newest_one(self) -> None:
        assert told(started().connect(*HANDSHAKE)) == [1e-10, "a1"]

    def test_many_at_once_wait_a_quarter_of_a_second_and_share_one(self) -> None:
        pool = started()
        lines = HANDSHAKE[0], request("mining.authorize", ["alice.rig1", "d=1e-9"], 2)
        pool.connect(*lines)
        miners = [pool.connect(*lines) for _ in range(5)]
        assert [told(miner) for miner in miners] == [[]] * 5
        pool.clock.advance(0.25)
        pool.reactor.advance(0.25)
        assert len({told(miner)[1] for miner in miners}) == 1

    def test_a_new_tip_meanwhile_is_as_good(self) -> None:
        pool = started()
        lines = HANDSHAKE[0], request("mining.authorize", ["alice.rig1", "d=1e-9"], 2)
        pool.connect(*lines)
        miner = pool.connect(*lines)
        miner.received()
        pool.server.take_job(make_job("b1", NEXT_TIP))
        assert told(miner) == [1e-9, "b1"]
        pool.clock.advance(1)
        pool.reactor.advance(1)
        assert told(miner) == []

    def test_a_variant_that_others_were_sent_is_unknown(self) -> None:
        pool = started()
        other = pool.ready()
        pool.connect(HANDSHAKE[0], request("mining.authorize", ["bob.rig1", "d=1e-9"], 2))
        [variant] = [each.job_id for each in pool.share_log.open if isinstance(each, Job)]
        burst(other, variant, count=1)
        pool.server.take_job(make_job("a2"))
        burst(other, variant, count=1)
        pool.turn()
        assert pool.outcomes == [Outcome.UNKNOWN_JOB] * 2
