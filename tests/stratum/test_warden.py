"""stratum.warden at work in the server: limits beyond one session, which never cost a good machine its place."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pool.work.share import Outcome
from stratum.limits import (
    ADDRESS_OFFENCES_MAX,
    AUTHORIZE_SECONDS,
    BAD_SHARES_MAX,
    BAD_SHARES_SECONDS,
    BAN_SECONDS,
    FIRST_BYTES_SECONDS,
    GOOD_SECONDS,
    LATE_SHARES_MAX,
    LINE_BYTES_MAX,
    MESSAGES_BEFORE_AUTHORIZE_MAX,
    READ_BYTES_MAX,
    WORKER_OFFENCES_MAX,
)
from tests.stratum.scene import PEER, SUBSCRIBE, logged, make_job, request, submit
from tests.stratum.test_front import HEADER, PROXY, TLS_HELLO, Connection, Door

BAD_SHARE = submit(nonce="0x1", login="mallory.rig")
PING = request("mining.ping", [], 9)


def authorize(login: str) -> bytes:
    return request("mining.authorize", [login, "x"], 2)


def working_door(**options: object) -> Door:
    door = Door(**options)  # type: ignore[arg-type]
    door.pool.server.take_job(make_job())
    door.pool.turn()
    return door


def miner_at(door: Door, login: str, host: str = PEER.host) -> Connection:
    miner = door.connect(host)
    miner.send(SUBSCRIBE + authorize(login))
    return miner


def leave(miner: Connection) -> None:
    miner.transport.protocol.connectionLost()


def counted(door: Door, name: str) -> int:
    return door.pool.server.counters.get(name, 0)


def malformed(door: Door, login: str | None, host: str = PEER.host) -> None:
    """A session that ends for an offence."""
    miner = door.connect(host)
    if login is not None:
        miner.send(SUBSCRIBE + authorize(login))
    miner.send(b'{"id":}\n')
    leave(miner)


class TestSessions:
    def test_a_session_of_bad_shares_only_is_ended(self) -> None:
        door = working_door()
        miner = miner_at(door, "mallory.rig")
        for _ in range(BAD_SHARES_MAX):
            miner.send(BAD_SHARE)
        door.pool.turn()
        assert (miner.transport.disconnecting, door.closed("too_many_bad_shares")) == (True, 1)
        assert miner.answer.count(b'"malformed parameters"') == BAD_SHARES_MAX

    def test_not_if_they_come_slowly(self) -> None:
        door = working_door()
        miner = miner_at(door, "mallory.rig")
        for _ in range(3):
            for _ in range(BAD_SHARES_MAX - 1):
                miner.send(BAD_SHARE)
            door.pool.turn()
            door.pool.clock.advance(BAD_SHARES_SECONDS + 1)
        assert door.closed("too_many_bad_shares") == 0

    def test_not_if_a_good_one_comes_between(self) -> None:
        door = working_door()
        miner = miner_at(door, "mallory.rig")
        for nonce in range(3):
            for _ in range(BAD_SHARES_MAX - 1):
                miner.send(BAD_SHARE)
            miner.send(submit(login="mallory.rig", nonce=f"{nonce:x}"))
            door.pool.turn()
        assert door.closed("too_many_bad_shares") == 0

    def test_late_shares_of_a_new_block_or_a_restart_do_not_end_it(self) -> None:
        door = working_door()
        miner = miner_at(door, "alice.rig")
        door.pool.server.take_job(make_job("a2", prev_hash=bytes(32)))
        for number in range(4 * BAD_SHARES_MAX):
            miner.send(submit(login="alice.rig", nonce=f"{number:x}"))
            miner.send(submit(login="alice.rig", job_id="ff"))
        door.pool.turn()
        assert set(door.pool.outcomes) == {Outcome.STALE, Outcome.UNKNOWN_JOB}
        assert not miner.transport.disconnecting

    def test_a_flood_of_them_does(self) -> None:
        door = working_door()
        miner = miner_at(door, "mallory.rig")
        for _ in range(LATE_SHARES_MAX):
            miner.send(submit(login="mallory.rig", job_id="ff"))
        door.pool.turn()
        assert (miner.transport.disconnecting, door.closed("too_many_bad_shares")) == (True, 1)


class TestRate:
    def test_who_sends_too_much_in_a_second_is_read_on_in_the_next(self) -> None:
        door = working_door()
        door.pool.server.start()
        miner = miner_at(door, "alice.rig")
        states = []
        for _ in range(2):
            while miner.transport.producerState == "producing":
                miner.send(PING * 500)
            states.append(miner.transport.producerState)
            door.pool.pass_seconds(1)
            states.append(miner.transport.producerState)
        assert states == ["paused", "producing"] * 2
        assert counted(door, "throttled") == 2
        assert 500 * len(PING) < READ_BYTES_MAX

    def test_what_it_sends_slowly_adds_up_to_nothing(self) -> None:
        door = working_door()
        door.pool.server.start()
        miner = miner_at(door, "alice.rig")
        size = len(PING * 1000)
        for _ in range(3 * READ_BYTES_MAX // size):
            miner.send(PING * 1000)
            miner.transport.clear()
            door.pool.pass_seconds(1)
        assert counted(door, "throttled") == 0

    def test_what_it_sent_slowly_before_does_not_let_it_send_a_flood(self) -> None:
        door = working_door()
        door.pool.server.start()
        miner = miner_at(door, "alice.rig")
        miner.send(PING * (READ_BYTES_MAX // len(PING) - 100))
        miner.transport.clear()
        door.pool.pass_seconds(5)
        sent = 0
        while miner.transport.producerState == "producing":
            miner.send(PING * 500)
            sent += len(PING * 500)
        assert READ_BYTES_MAX < sent < READ_BYTES_MAX + 2 * len(PING * 500)

    def test_who_leaves_meanwhile_is_forgotten(self) -> None:
        door = working_door()
        door.pool.server.start()
        miner = miner_at(door, "alice.rig")
        while miner.transport.producerState == "producing":
            miner.send(PING * 500)
        leave(miner)
        door.pool.pass_seconds(1)
        assert miner.transport.producerState == "paused"


class TestUnauthorized:
    def test_one_address_has_so_many_at_a_time(self) -> None:
        door = working_door(unauthorized_per_address=2)
        waiting = [door.connect(), door.connect()]
        late = door.connect()
        assert (late.reset, door.closed("too_many_unauthorized")) == (True, 1)
        assert not any(each.reset for each in waiting)

    def test_another_address_has_its_own(self) -> None:
        door = working_door(unauthorized_per_address=1)
        door.connect()
        assert not door.connect("203.0.113.8").reset

    def test_all_of_a_network_of_64_bits_are_one(self) -> None:
        door = working_door(unauthorized_per_address=1)
        door.connect("2001:db8::1")
        assert [door.connect(host).reset for host in ("2001:db8::2", "2001:db8:0:1::2")] == [True, False]

    @pytest.mark.parametrize("first", [b"", SUBSCRIBE, HEADER[:3], TLS_HELLO])
    def test_who_leaves_makes_room(self, first: bytes) -> None:
        door = working_door(unauthorized_per_address=1)
        for _ in range(3):
            miner = door.connect()
            assert not miner.reset
            if first:
                miner.send(first)
            leave(miner)
        assert door.closed("too_many_unauthorized") == 0

    def test_who_is_authorized_makes_room(self) -> None:
        door = working_door(unauthorized_per_address=1)
        miners = [miner_at(door, "alice.rig") for _ in range(5)]
        for miner in miners:
            leave(miner)
        assert door.connect().reset is False
        assert door.connect().reset is True

    def test_who_is_late_makes_room(self) -> None:
        door = working_door(unauthorized_per_address=1)
        door.connect()
        door.pool.reactor.advance(FIRST_BYTES_SECONDS)
        assert not door.connect().reset

    def test_behind_a_proxy_each_miner_has_its_own(self) -> None:
        door = working_door(unauthorized_per_address=1)
        first, second = door.connect(PROXY), door.connect(PROXY)
        first.send(HEADER)
        second.send(HEADER.replace(b"113.99", b"113.98"))
        third = door.connect(PROXY)
        third.send(HEADER)
        assert [each.reset for each in (first, second, third)] == [False, False, True]

    def test_who_is_never_banned_has_any_number(self) -> None:
        door = working_door(unauthorized_per_address=1, never_banned=("203.0.113.0/24",))
        assert [door.connect().reset for _ in range(3)] == [False] * 3


class TestBans:
    def test_a_banned_worker_is_refused_and_told_why(self) -> None:
        door = working_door()
        with logged() as events:
            for _ in range(WORKER_OFFENCES_MAX):
                malformed(door, "mallory.rig")
        miner = miner_at(door, "mallory.rig")
        assert b'"result":false,"error":[24,"banned for a while' in miner.answer
        assert [event["event"] for event in events] == ["worker_banned"]
        assert (counted(door, "banned_worker"), counted(door, "refused_banned")) == (1, 1)

    def test_others_of_its_address_are_not(self) -> None:
        door = working_door()
        for _ in range(WORKER_OFFENCES_MAX):
            malformed(door, "mallory.rig")
        assert b'"id":2,"result":true' in miner_at(door, "alice.rig").answer

    def test_a_banned_address_is_reset_until_its_ban_ends(self) -> None:
        door = working_door()
        with logged() as events:
            for _ in range(ADDRESS_OFFENCES_MAX):
                malformed(door, None)
        assert (door.connect().reset, door.closed("address_banned")) == (True, 1)
        assert [event["event"] for event in events] == ["address_banned"]
        door.pool.clock.advance(BAN_SECONDS)
        assert not door.connect().reset

    def test_behind_a_proxy_it_is_the_miners_own_address(self) -> None:
        door = working_door()
        for _ in range(ADDRESS_OFFENCES_MAX):
            miner = door.connect(PROXY)
            miner.send(HEADER + b'{"id":}\n')
            leave(miner)
        bad, good = door.connect(PROXY), door.connect(PROXY)
        bad.send(HEADER)
        good.send(HEADER.replace(b"113.99", b"113.98"))
        assert (bad.reset, good.reset) == (True, False)

    @pytest.mark.parametrize("first", [TLS_HELLO, b"GET / HTTP/1.1\r\n\r\n", SUBSCRIBE, b""])
    def test_hellos_other_protocols_and_loops_of_connections_ban_nobody(self, first: bytes) -> None:
        door = working_door()
        for _ in range(5 * ADDRESS_OFFENCES_MAX):
            miner = door.connect()
            assert not miner.reset
            if first:
                miner.send(first)
            leave(miner)
        assert counted(door, "banned_address") == 0

    def test_nor_does_being_late(self) -> None:
        door = working_door()
        door.pool.server.start()
        for _ in range(2 * ADDRESS_OFFENCES_MAX):
            door.connect().send(SUBSCRIBE)
        door.pool.pass_seconds(int(AUTHORIZE_SECONDS) + 1)
        assert counted(door, "closed_not_authorized_in_time") == 2 * ADDRESS_OFFENCES_MAX
        assert counted(door, "banned_address") == 0


OFFENCES = {
    "malformed": b'{"id":}\n',
    "too long": b"{" + b"x" * LINE_BYTES_MAX,
    "too deep": b'{"id":' + b"[" * 20,
    "too many": b"{}\n" * (MESSAGES_BEFORE_AUTHORIZE_MAX + 1),
    "bad shares": BAD_SHARE * BAD_SHARES_MAX,
    "hello": TLS_HELLO,
    "nothing": b"",
}
STEPS = st.one_of(
    st.tuples(st.just("mines"), st.sampled_from(["alice.rig1", "alice.rig2", "bob"]), st.booleans()),
    st.tuples(
        st.sampled_from([*OFFENCES]), st.sampled_from([None, "mallory.rig", "eve", "alice.rig1"]), st.integers(1, 30)
    ),
    st.tuples(st.just("waits"), st.none(), st.integers(0, 600)),
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(st.lists(STEPS, max_size=25))
def test_no_good_worker_is_ever_shut_out_because_of_another_behind_its_address(
    steps: list[tuple[str, str | None, int]],
) -> None:
    """All at one address. Whoever mined there within the hour, or mines there now, gets in and mines."""
    door = working_door()
    mined_at: dict[str, float] = {}
    staying: set[str] = set()
    nonce = 0
    for what, login, number in [("mines", "alice.rig1", 0), *steps]:
        now = door.pool.clock.monotonic()
        if what == "waits":
            door.pool.clock.advance(number)
        elif what == "mines":
            assert login is not None
            expected = bool(staying) or any(now - at < GOOD_SECONDS for at in mined_at.values()) or not mined_at
            good_itself = login in staying or now - mined_at.get(login, -GOOD_SECONDS) < GOOD_SECONDS
            miner = miner_at(door, login)
            assert not (expected and miner.reset)
            if good_itself:
                assert b'"id":2,"result":true' in miner.answer
            nonce += 1
            if not miner.reset:
                miner.send(submit(login=login, nonce=f"{nonce:x}"))
                door.pool.turn()
                assert b'"id":4,"result":true' in miner.answer or not good_itself
                if b'"id":4,"result":true' in miner.answer:
                    mined_at[login] = now
                    if number:
                        staying.add(login)
                    else:
                        leave(miner)
        else:
            for _ in range(number if what != "bad shares" else min(number, 6)):
                bad = door.connect() if login is None else miner_at(door, login)
                if not bad.reset and OFFENCES[what]:
                    bad.send(OFFENCES[what])
                    door.pool.turn()
                if not bad.reset:
                    leave(bad)
