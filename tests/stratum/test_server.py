"""stratum.server, with its neighbours faked: jobs in, sessions that come and go."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from pool.work.job import Job
from pool.work.share import Outcome
from stratum.limits import AUTHORIZE_SECONDS, CLOSE_SECONDS
from tests.stratum.scene import (
    AUTHORIZE,
    CONFIGURE,
    NEXT_TIP,
    SUBSCRIBE,
    Pool,
    logged,
    make_job,
    pool_with_job,
    request,
    submit,
)


class TestWork:
    def test_a_new_session_gets_the_current_job_clean(self) -> None:
        pool = pool_with_job()
        pool.server.take_job(make_job("a2"))
        miner = pool.connect(SUBSCRIBE, AUTHORIZE)
        [notify] = [message for message in miner.received() if message.get("method") == "mining.notify"]
        assert (notify["params"][0], notify["params"][8]) == ("a2", True)

    def test_without_a_job_it_waits(self) -> None:
        pool = Pool()
        miner = pool.connect(SUBSCRIBE, AUTHORIZE)
        assert [message["id"] for message in miner.received()] == [1, 2]
        pool.server.take_job(make_job())
        assert [message["method"] for message in miner.received()] == ["mining.set_difficulty", "mining.notify"]

    def test_a_session_that_is_not_authorized_gets_none(self) -> None:
        pool = pool_with_job()
        miner = pool.connect(SUBSCRIBE)
        miner.received()
        pool.server.take_job(make_job("a2"))
        assert miner.received() == []

    @pytest.mark.parametrize(("prev_hash", "clean"), [(make_job().prev_hash, False), (NEXT_TIP, True)])
    def test_a_job_is_clean_exactly_when_the_previous_block_changed(self, prev_hash: bytes, clean: bool) -> None:
        pool = pool_with_job()
        miner = pool.ready()
        # What the job itself says may be about a job that never reached us.
        pool.server.take_job(make_job("a2", prev_hash, clean=not clean))
        [notify] = miner.received()
        assert notify["params"][8] is clean

    def test_a_job_that_the_feed_repeats_is_not_sent_again(self) -> None:
        pool = pool_with_job()
        miner = pool.ready()
        pool.server.take_job(make_job())
        pool.turn()
        assert miner.received() == []
        assert len(pool.share_log.records) == 1

    def test_everyone_gets_a_job_in_one_write(self) -> None:
        pool = pool_with_job()
        miners = [pool.ready() for _ in range(3)]
        pool.server.take_job(make_job("a2", NEXT_TIP))
        assert len({bytes(miner.transport.value()) for miner in miners}) == 1

    def test_live_sessions_have_different_extranonces(self) -> None:
        pool = pool_with_job()
        for _ in range(20):
            pool.ready()
        extranonces = {session.extranonce1 for session in pool.server.sessions}
        assert len(extranonces) == 20

    def test_the_mask_follows_the_template(self) -> None:
        pool = Pool()
        pool.server.take_job(make_job(version=0x30000000))
        miner = pool.connect(CONFIGURE)
        assert miner.received()[0]["result"]["version-rolling.mask"] == "0fffe000"


class TestConnections:
    def test_presence_names_each_worker_with_its_connection(self) -> None:
        pool = pool_with_job()
        pool.ready().send(request("mining.authorize", ["bob", "x"]))
        first, second = pool.server.presence()
        assert (first.account, first.worker, second.account) == ("alice", "rig1", "bob")
        assert (first.remote_address, first.agent, first.difficulty, first.since_ms) == (
            "203.0.113.7",
            "cgminer/4.11.1",
            1e-10,
            pool.clock.time_ms(),
        )

    def test_who_leaves_is_gone_and_its_extranonce_free(self) -> None:
        pool = pool_with_job()
        miner = pool.ready()
        extranonce1 = miner.protocol.session.extranonce1
        miner.protocol.connectionLost()
        assert pool.server.sessions == []
        assert pool.extranonces.released == [extranonce1]

    def test_who_leaves_before_the_answer_disturbs_nobody(self) -> None:
        pool = pool_with_job()
        leaving, staying = pool.ready(), pool.ready()
        leaving.send(submit(nonce="1"))
        staying.send(submit(nonce="2"))
        leaving.protocol.connectionLost()
        pool.turn()
        assert staying.replies() == {4: True}
        assert pool.outcomes == [Outcome.ACCEPTED, Outcome.ACCEPTED]

    def test_who_does_not_authorize_in_time_is_closed(self) -> None:
        pool = pool_with_job()
        pool.server.start()
        silent, slow, ready = pool.connect(), pool.connect(SUBSCRIBE), pool.ready()
        pool.pass_seconds(int(AUTHORIZE_SECONDS))
        assert (silent.closed, slow.closed, ready.closed) == (True, True, False)
        assert pool.server.counters["closed_not_authorized_in_time"] == 2

    def test_who_does_not_go_is_reset(self) -> None:
        pool = pool_with_job()
        pool.server.start()
        miner = pool.connect(b"\x16")
        assert not miner.transport.disconnected
        pool.pass_seconds(int(CLOSE_SECONDS))
        assert miner.transport.disconnected

    def test_shares_before_a_bad_line_are_answered_before_the_close(self) -> None:
        pool = pool_with_job()
        miner = pool.ready()
        miner.send(submit() + b"\x16\x03\n")
        assert not miner.closed
        pool.turn()
        assert (miner.replies(), miner.closed) == ({4: True}, True)

    def test_who_does_not_read_is_reset(self) -> None:
        pool = pool_with_job()
        miner, other = pool.ready(), pool.ready()
        miner.transport.producer.pauseProducing()
        assert (miner.transport.disconnected, other.closed) == (True, False)
        assert pool.server.counters["closed_slow_reader"] == 1

    def test_a_closed_session_gets_no_more_jobs(self) -> None:
        pool = pool_with_job()
        miner = pool.ready()
        miner.send(b"\x16")
        pool.server.take_job(make_job("a2"))
        assert miner.received() == []

    def test_a_bug_ends_its_session_only(self) -> None:
        pool = pool_with_job()
        broken, sound = pool.ready(), pool.ready()
        # Ready, yet without a worker: only a bug could bring that about.
        del broken.protocol.session.logins["alice.rig1"]
        with logged() as events:
            broken.send(submit(login="bob.rig"))
        sound.send(submit())
        pool.turn()
        assert (broken.closed, broken.received(), sound.replies()) == (True, [], {4: True})
        assert [event["event"] for event in events if "event" in event] == ["bug"]

    def test_a_bug_in_a_broadcast_ends_its_session_only(self) -> None:
        pool = pool_with_job()
        broken, sound = pool.ready(), pool.ready()
        broken.transport.write = None
        pool.server.take_job(make_job("a2"))
        assert broken.closed
        assert [message["method"] for message in sound.received()] == ["mining.notify"]

    def test_a_bug_in_a_reply_ends_its_session_only(self) -> None:
        pool = pool_with_job()
        broken, sound = pool.ready(), pool.ready()
        broken.send(submit())
        sound.send(submit(5, nonce="2"))
        broken.transport.write = None
        pool.turn()
        sound.send(submit(6, nonce="3"))
        pool.turn()
        assert sound.replies() == {5: True, 6: True}


LINES = [SUBSCRIBE, AUTHORIZE, CONFIGURE, submit(), submit(5, nonce="2"), request("mining.suggest_difficulty", [2])]


class TestBadInput:
    @settings(max_examples=300)
    @given(st.lists(st.sampled_from(LINES), max_size=6), st.data())
    def test_whatever_one_miner_sends_is_no_bug_and_another_mines_on(
        self, lines: list[bytes], data: st.DataObject
    ) -> None:
        pool = pool_with_job()
        sound = pool.ready()
        sent = bytearray(SUBSCRIBE + AUTHORIZE + b"".join(lines))
        for _ in range(data.draw(st.integers(1, 8))):
            at = data.draw(st.integers(0, len(sent) - 1))
            sent[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        with logged() as events:
            pool.connect(bytes(sent))
            sound.send(submit())
            pool.turn()
        assert (sound.replies(), events) == ({4: True}, [])


class TestStop:
    def test_every_connection_is_reset_so_that_miners_return_at_once(self) -> None:
        pool = pool_with_job()
        miners = [pool.ready() for _ in range(3)]
        Deferred.fromCoroutine(pool.server.stop())
        assert all(miner.transport.disconnected for miner in miners)

    def test_what_was_judged_is_answered_first(self) -> None:
        pool = pool_with_job()
        pool.server.start()
        miner = pool.ready()
        miner.send(submit())
        Deferred.fromCoroutine(pool.server.stop())
        assert not miner.closed
        pool.turn()
        assert (miner.replies(), miner.closed) == ({4: True}, True)

    def test_a_job_that_comes_later_is_not_recorded_for_the_journal_is_closed_next(self) -> None:
        pool = pool_with_job()
        pool.server.start()
        pool.turn()
        Deferred.fromCoroutine(pool.server.stop())
        pool.server.take_job(make_job("a2", NEXT_TIP))
        pool.turn()
        assert [record.job_id for record in pool.share_log.records if isinstance(record, Job)] == ["a1"]
        assert pool.share_log.open == []
