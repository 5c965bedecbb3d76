"""stratum.announcements: what an operator may tell the miners; and the rest of what the protocol knows."""

from __future__ import annotations

from typing import Any

import pytest

from pool.work.share import Outcome
from tests.stratum.scene import AUTHORIZE, NEXT_TIP, SUBSCRIBE, Miner, Pool, make_job, pool_with_job, request, submit

EXTRANONCE_SUBSCRIBE = request("mining.extranonce.subscribe", [], 9)
CONFIGURE = request("mining.configure", [["subscribe-extranonce", "info"], {}], 9)
BOB = request("mining.authorize", ["bob.rig1", "x"], 2)


def miner(pool: Pool, *lines: bytes) -> Miner:
    """At work, its handshake read."""
    it = pool.connect(*(lines or (SUBSCRIBE, AUTHORIZE)))
    it.received()
    return it


class TestMessages:
    def test_a_message_has_a_null_id(self) -> None:
        pool = pool_with_job()
        alice = miner(pool)
        assert pool.server.announcements.show_message("back at ten") == 1
        assert alice.received() == [{"id": None, "method": "client.show_message", "params": ["back at ten"]}]

    def test_it_is_printable_and_as_short_as_firmware_shows(self) -> None:
        pool = pool_with_job()
        alice = miner(pool)
        pool.server.announcements.show_message("a\nb\u2603" + "x" * 1000)
        [message] = alice.received()
        assert message["params"] == ["a?b?" + "x" * 252]

    def test_a_reconnect_has_host_port_and_wait(self) -> None:
        pool = pool_with_job()
        alice = miner(pool)
        pool.server.announcements.reconnect("pool.example", 3333, 5)
        assert alice.received() == [{"id": None, "method": "client.reconnect", "params": ["pool.example", 3333, 5]}]

    def test_one_account_may_be_told_alone(self) -> None:
        pool = pool_with_job()
        alice, bob = miner(pool), miner(pool, SUBSCRIBE, BOB)
        assert pool.server.announcements.show_message("hello", "bob") == 1
        assert (len(alice.received()), len(bob.received())) == (0, 1)

    def test_who_is_not_ready_is_told_nothing(self) -> None:
        pool = pool_with_job()
        pool.connect(SUBSCRIBE)
        assert pool.server.announcements.show_message("hello") == 0


class TestVersion:
    def test_the_request_has_a_whole_number_as_its_id(self) -> None:
        pool = pool_with_job()
        alice = miner(pool)
        pool.server.announcements.ask_version()
        assert alice.received() == [{"id": 1, "method": "client.get_version", "params": []}]

    def test_the_answer_is_the_agent_from_then_on(self) -> None:
        pool = pool_with_job()
        alice = miner(pool)
        pool.server.announcements.ask_version()
        alice.send(b'{"id":1,"result":"cgminer/4.12\\n","error":null}\n')
        assert pool.server.sessions[0].agent == "cgminer/4.12?"
        alice.received()

    @pytest.mark.parametrize("result", ["null", "true", "5", '""', "[]", '{"a":1}', '"\\ud800"'])
    def test_any_other_answer_is_taken_in_silence(self, result: str) -> None:
        pool = pool_with_job()
        alice = miner(pool)
        alice.send(b'{"id":1,"result":%b,"error":null}\n' % result.encode())
        assert pool.server.sessions[0].agent == "cgminer/4.11.1"
        assert alice.received() == []


class TestExtranonce:
    @pytest.mark.parametrize("asked", [EXTRANONCE_SUBSCRIBE, CONFIGURE])
    def test_who_asked_for_it_gets_one_and_at_once_a_clean_job_of_a_new_id(self, asked: bytes) -> None:
        pool = pool_with_job()
        alice = miner(pool, SUBSCRIBE, AUTHORIZE, asked)
        assert pool.server.announcements.change_extranonce() == 1
        change, notify = alice.received()
        assert (change["method"], change["id"]) == ("mining.set_extranonce", None)
        assert change["params"] == [pool.server.sessions[0].extranonce1.hex(), 8] != ["07000000", 8]
        assert (notify["params"][0][:3], notify["params"][8]) == ("a1x", True)

    def test_who_did_not_ask_gets_none(self) -> None:
        pool = pool_with_job()
        alice = miner(pool)
        assert pool.server.announcements.change_extranonce() == 0
        assert alice.received() == []

    def test_jobs_sent_before_keep_their_own(self) -> None:
        pool = pool_with_job()
        alice = miner(pool, SUBSCRIBE, AUTHORIZE, EXTRANONCE_SUBSCRIBE)
        pool.server.announcements.change_extranonce()
        new_job = alice.received()[1]["params"][0]
        alice.send(submit(), submit(job_id=new_job, nonce="2"))
        pool.turn()
        assert pool.outcomes == [Outcome.ACCEPTED, Outcome.ACCEPTED]
        first, second = pool.shares
        assert first.extranonce1 == b"\x07\0\0\0"
        assert second.extranonce1 == pool.server.sessions[0].extranonce1 != first.extranonce1

    def test_all_of_them_are_held_until_the_session_is_gone(self) -> None:
        pool = pool_with_job()
        alice = miner(pool, SUBSCRIBE, AUTHORIZE, EXTRANONCE_SUBSCRIBE)
        pool.server.announcements.change_extranonce()
        session = pool.server.sessions[0]
        both = {b"\x07\0\0\0", session.extranonce1}
        assert not both & set(pool.extranonces.released)
        alice.disconnect()
        assert both <= set(pool.extranonces.released)

    def test_many_at_once_share_the_job_and_no_extranonce(self) -> None:
        pool = pool_with_job()
        miners = [miner(pool, SUBSCRIBE, AUTHORIZE, EXTRANONCE_SUBSCRIBE) for _ in range(5)]
        assert pool.server.announcements.change_extranonce() == 5
        told: list[Any] = [each.received() for each in miners]
        assert len({change["params"][0] for change, _ in told}) == 5
        assert len({notify["params"][0] for _, notify in told}) == 1

    def test_it_can_be_done_again_and_again(self) -> None:
        pool = pool_with_job()
        alice = miner(pool, SUBSCRIBE, AUTHORIZE, EXTRANONCE_SUBSCRIBE)
        jobs = ["a1"]
        for _ in range(3):
            pool.server.announcements.change_extranonce()
            jobs.append(alice.received()[1]["params"][0])
        for number, job_id in enumerate(jobs):
            alice.send(submit(job_id=job_id, nonce=f"{number}"))
        pool.turn()
        assert pool.outcomes == [Outcome.ACCEPTED] * 4
        assert len({share.extranonce1 for share in pool.shares}) == 4

    def test_a_new_tip_goes_on_with_the_new_one(self) -> None:
        pool = pool_with_job()
        alice = miner(pool, SUBSCRIBE, AUTHORIZE, EXTRANONCE_SUBSCRIBE)
        pool.server.announcements.change_extranonce()
        pool.server.take_job(make_job("b1", NEXT_TIP))
        alice.send(submit(job_id="b1"))
        pool.turn()
        assert pool.shares[0].extranonce1 == pool.server.sessions[0].extranonce1


class TestSuggestTarget:
    @pytest.mark.parametrize("request_id", [None, 5])
    def test_it_is_a_difficulty_and_has_no_answer(self, request_id: int | None) -> None:
        pool = pool_with_job()
        target = f"{0xFFFF << 208 >> 9:064x}"
        it = pool.connect(request("mining.suggest_target", [target], request_id), SUBSCRIBE, AUTHORIZE)
        messages = it.received()
        assert [message.get("id") for message in messages[:2]] == [1, 2]
        assert messages[2]["params"] == [512]

    @pytest.mark.parametrize("target", ["", "0" * 64, "f" * 63, "0x" + "f" * 62, 5, None, "\uff11" * 64, "f" * 65])
    def test_nothing_else_is_a_target(self, target: object) -> None:
        pool = pool_with_job()
        it = pool.connect(request("mining.suggest_target", [target], None), SUBSCRIBE, AUTHORIZE)
        assert it.received()[2]["params"] == [1e-10]
