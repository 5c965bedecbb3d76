"""pool.store.redis_ranges on a real Redis, and what a stratum role says that meets its range in use."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from pool.node.private import PrivateNode
from pool.store.redis_ranges import Claim, RedisRanges
from pool.store.redis_server import url_of
from tests.regtest.redis_child import RedisChild, redis_child
from tests.regtest.whole_pool import WholePool, eventually

ONE, TWO = Claim("a:1:10", "sichuan", "x/1"), Claim("b:2:20", "kazakhstan", "y/2")


@pytest.fixture(scope="module")
def server() -> Iterator[RedisChild]:
    with redis_child() as started:
        yield started


@pytest.fixture
def ranges(server: RedisChild) -> Iterator[RedisRanges]:
    server.client.flushall()
    made = RedisRanges(server.url)
    yield made
    made.close()


class TestRanges:
    def test_the_first_has_it_and_keeps_it(self, ranges: RedisRanges) -> None:
        assert [ranges.take(3, each, 60_000) for each in (ONE, TWO, ONE)] == [ONE, ONE, ONE]
        assert ranges.take(4, TWO, 60_000) == TWO

    def test_it_is_free_once_nobody_renews_it(self, ranges: RedisRanges) -> None:
        ranges.take(3, ONE, 50)
        deadline = time.monotonic() + 30
        while ranges.take(3, TWO, 60_000) != TWO:
            assert time.monotonic() < deadline

    def test_only_its_own_claim_is_given_back(self, ranges: RedisRanges) -> None:
        ranges.take(3, ONE, 60_000)
        ranges.release(3, TWO)
        assert ranges.take(3, TWO, 60_000) == ONE
        ranges.release(3, ONE)
        assert ranges.take(3, TWO, 60_000) == TWO

    def test_that_of_one_that_has_ended_is_taken_over_and_no_other(self, ranges: RedisRanges) -> None:
        ranges.take(3, ONE, 60_000)
        assert ranges.take(3, TWO, 60_000, Claim("c:3:30", "", "")) == ONE
        assert ranges.take(3, TWO, 60_000, ONE) == TWO


def test_a_second_region_with_the_same_range_ends_with_the_reason_and_the_first_mines_on(
    signet_node: PrivateNode, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pool = WholePool(tmp_path_factory.mktemp("first"), signet_node, "signet")
    pool.start()
    try:
        redis = url_of(pool.folder / "data" / "redis")
        books = f"sqlite:///{pool.folder}/data/ledger.sqlite"
        more = f'[redis]\nurl = "{redis}"\n[database]\nurl = "{books}"\n[region]\nname = "kazakhstan"\n'
        other = WholePool(tmp_path_factory.mktemp("second"), signet_node, "signet", more)
        done = subprocess.run(
            [sys.executable, "-m", "pool", "run", "--role", "stratum", "-c", str(other.config_path)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 78
        assert "stratum.extranonce_range 0 is taken by process" in done.stderr
        assert "of region main: both would give their miners the same work" in done.stderr
        assert '"event": "bug"' not in done.stderr
        eventually("the first is ready as before", pool.is_ready)
    finally:
        assert pool.stop() == 0
