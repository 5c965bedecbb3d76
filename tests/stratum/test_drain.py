"""stratum.drain, and the server that drains."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from stratum.drain import GRACE_WAVES, Target
from tests.stratum.scene import SUBSCRIBE, Miner, Pool, make_job, pool_with_job, submit

TARGET = Target("pool.example", 3334, 2)


class Draining:
    """A pool with miners, that is asked to drain."""

    def __init__(self, miners: int, seconds: int, target: Target | None = None) -> None:
        self.pool = pool_with_job()
        self.pool.server.start()
        self.miners = [self.pool.ready() for _ in range(miners)]
        self.done = False
        drained: Deferred[None] = Deferred.fromCoroutine(self.pool.server.draining.begin(seconds, target))
        drained.addCallback(self._note)

    def _note(self, _result: Any) -> None:
        self.done = True

    def second(self) -> None:
        self.pool.pass_seconds(1)
        for miner in self.miners:
            if miner.transport.disconnected and miner.protocol in self.pool.server._links:
                miner.protocol.connectionLost()

    def reset(self) -> int:
        return sum(miner.transport.disconnected for miner in self.miners)


def sent(miner: Miner, method: str) -> list[Any]:
    return [message for message in miner.received() if message.get("method") == method]


class TestWaves:
    def test_the_miners_go_in_even_parts(self) -> None:
        it = Draining(miners=10, seconds=5)
        parts = []
        for _ in range(5):
            it.second()
            parts.append(it.reset())
        assert parts == [2, 4, 6, 8, 10]
        assert it.done

    @given(st.integers(0, 40), st.integers(1, 12))
    def test_nobody_is_left_when_the_time_is_over(self, miners: int, seconds: int) -> None:
        it = Draining(miners, seconds)
        for _ in range(max(seconds, 1)):
            it.second()
        assert it.reset() == miners
        assert it.done

    def test_who_waits_for_its_turn_mines_on(self) -> None:
        it = Draining(miners=2, seconds=10)
        it.second()
        last = it.miners[-1]
        last.send(submit(nonce="7"))
        it.pool.turn()
        it.pool.server.take_job(make_job("a2"))
        assert [message.get("result") for message in last.received()] == [True, None]

    def test_shares_that_wait_for_the_journal_are_answered_before_the_reset(self) -> None:
        it = Draining(miners=1, seconds=1)
        it.pool.share_log.hold = True
        it.miners[0].send(submit(nonce="7"))
        it.second()
        early = it.reset()
        it.pool.share_log.release()
        it.second()
        assert (early, it.reset(), it.miners[0].replies()) == (0, 1, {4: True})


class TestTarget:
    def test_each_is_told_where_to_go_and_reset_a_little_later(self) -> None:
        it = Draining(miners=1, seconds=1, target=TARGET)
        it.second()
        [told] = sent(it.miners[0], "client.reconnect")
        assert (told["id"], told["params"]) == (None, ["pool.example", 3334, 2])
        early = it.reset()
        for _ in range(GRACE_WAVES):
            it.second()
        assert (early, it.reset(), it.done) == (0, 1, True)

    def test_who_goes_by_itself_is_not_waited_for(self) -> None:
        it = Draining(miners=1, seconds=1, target=TARGET)
        it.second()
        it.miners[0].protocol.connectionLost()
        it.second()
        assert it.done

    def test_who_has_no_worker_yet_is_told_nothing(self) -> None:
        pool = Pool()
        pool.server.start()
        miner = pool.connect(SUBSCRIBE)
        Deferred.fromCoroutine(pool.server.draining.begin(1, TARGET))
        pool.pass_seconds(1)
        assert sent(miner, "client.reconnect") == []
        assert miner.transport.disconnected


class TestHurry:
    def test_it_ends_at_once(self) -> None:
        it = Draining(miners=5, seconds=3600)
        it.second()
        it.pool.server.draining.hurry()
        assert it.done

    def test_without_a_drain_there_is_nothing_to_hurry(self) -> None:
        Pool().server.draining.hurry()

    def test_with_nobody_there_it_ends_with_the_first_wave(self) -> None:
        it = Draining(miners=0, seconds=3600)
        it.second()
        it.pool.server.draining.hurry()
        assert it.done
