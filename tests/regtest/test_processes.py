"""Several stratum processes on one port, as `steppe run` starts them: the kernel deals the miners out among them."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from pool.node.private import PrivateNode
from pool.store.redis import RedisStore
from pool.store.redis_server import url_of
from tests.certificates import write_pair
from tests.regtest.any_nonce import AnyNonceMiner
from tests.regtest.whole_pool import WholePool, eventually

TWO = """\
processes = 2
extranonce_range = 5
tls_certificate = "pool.pem"
tls_key = "pool.key"
"""


@pytest.fixture(scope="module")
def pool(signet_node: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholePool]:
    it = WholePool(tmp_path_factory.mktemp("pool"), signet_node, "signet")
    write_pair(it.folder)
    text = it.config_path.read_text().replace("difficulty = 0.0001", TWO)
    # One hash in four is a share, and hardly one a block.
    it.config_path.write_text(text.replace("difficulty_min = 1e-9", "difficulty = 1e-9\ndifficulty_min = 1e-9"))
    it.start()
    eventually("both processes take shares", lambda: len(processes(it)) == 2)
    yield it
    assert it.stop() == 0


def processes(pool: WholePool) -> dict[str, Any]:
    """What the stratum processes say of themselves, by their range."""
    with closing(RedisStore(url_of(pool.folder / "data" / "redis"))) as store:
        return {sign.name: sign.data for sign in store.read_roles() if sign.role == "stratum"}


class Miner(AnyNonceMiner):
    """accepted: shares of all of them, which are all that the pool of this module gets."""

    accepted = 0

    def share(self) -> Any:
        answer = super().share()
        if answer is True:
            Miner.accepted += 1
        return answer


def miners_on_both(pool: WholePool, stack: ExitStack) -> dict[int, Miner]:
    """One in each process."""
    found: dict[int, Miner] = {}
    for number in range(200):
        miner = Miner(pool.stratum_port, f"alice.rig{number}")
        stack.callback(miner.close)
        found.setdefault(miner.range, miner)
        if len(found) == 2:
            return found
    raise AssertionError(f"all of 200 connections came to {set(found)}")


def loaded(pool: WholePool, program: str) -> int:
    """How often it read its certificate; the files do not change."""
    return sum(line["event"] == "certificate_loaded" for line in pool.log(program))


def come_back(pool: WholePool, login: str) -> Miner:
    """As a miner does: again, if it meets the dying one's queue."""

    def connected() -> Miner | None:
        try:
            return Miner(pool.stratum_port, login)
        except ConnectionError:
            return None

    miner: Miner = eventually("a connection", connected)
    return miner


def booked(pool: WholePool) -> float:
    """Accepted shares of all processes, once the books have every record."""

    def number(series: str) -> float:
        found = re.search(rf"^{series} (\S+)$", pool.text("/metrics"), re.MULTILINE)
        return float(found[1]) if found else -1.0

    eventually("everything is booked", lambda: number("steppe_accounting_lag_shares") == 0)
    return number("steppe_shares_accepted_total")


def passed_on(pool: WholePool) -> int:
    """Connections that one process gave to the other."""
    return sum(data["counters"].get("closed_passed_on", 0) for data in processes(pool).values())


def test_both_take_miners_with_extranonces_of_their_own_ranges(pool: WholePool) -> None:
    with ExitStack() as stack:
        assert set(miners_on_both(pool, stack)) == {5, 6}


def test_shares_of_both_are_counted_and_booked_once(pool: WholePool) -> None:
    with ExitStack() as stack:
        miners = miners_on_both(pool, stack)
        answers = [miner.share() for _ in range(5) for miner in miners.values()]
        assert answers == [True] * 10
        eventually("ten shares are in the books", lambda: booked(pool) == Miner.accepted)


def test_the_page_counts_the_connections_of_both(pool: WholePool) -> None:
    with ExitStack() as stack:
        miners_on_both(pool, stack)
        eventually("sessions in both", lambda: all(data["sessions"] for data in processes(pool).values()))


def test_a_hang_up_has_both_read_their_certificate_again_and_stops_nothing(pool: WholePool) -> None:
    assert pool.process is not None
    with ExitStack() as stack:
        miners = miners_on_both(pool, stack)
        os.kill(pool.process.pid, signal.SIGHUP)
        eventually("both read it again", lambda: [loaded(pool, name) for name in ("stratum", "stratum-1")] == [2, 2])
        assert [miner.share() for miner in miners.values()] == [True, True]


def test_a_miner_that_returns_has_its_session_whichever_process_it_meets(pool: WholePool) -> None:
    first = Miner(pool.stratum_port, "alice.wanders")
    extranonce1, session_id, job = first.extranonce1, first.session_id, first.job
    assert first.share() is True
    claim = ["alice.wanders", job[0], "00" * 8, job[7], f"{first.nonce:08x}"]
    first.close()
    for turn in range(24):
        again = Miner(pool.stratum_port, "alice.wanders", session_id)
        again.nonce = (turn + 1) << 16
        assert (again.extranonce1, again.session_id) == (extranonce1, session_id)
        assert again.ask("mining.submit", claim)[0] in (21, 22), "stale or a duplicate, and never paid twice"
        assert again.share() is True
        again.close()
    # Of 24 connections all come to the session's own process once in 16 million times.
    eventually("a process says that it passed one on", lambda: passed_on(pool))


def test_one_is_killed_its_miners_come_back_to_the_other_and_no_share_is_lost(pool: WholePool) -> None:
    with ExitStack() as stack:
        miners = miners_on_both(pool, stack)
        assert [miner.share() for miner in miners.values()] == [True, True]
        killed = pool.pid_of("stratum-1")
        os.kill(killed, signal.SIGKILL)
        assert miners[6].lost()
        assert miners[5].share() is True
        back = come_back(pool, "alice.back")
        stack.callback(back.close)
        assert back.share() is True
        eventually("all shares are in the books", lambda: booked(pool) == Miner.accepted)
        eventually("it is started again", lambda: pool.pid_of("stratum-1") != killed)
        eventually("both take miners", lambda: set(miners_on_both(pool, stack)) == {5, 6})
