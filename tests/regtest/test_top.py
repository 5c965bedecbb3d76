"""`steppe top` as an operator has it: a process in a real terminal, on a real Redis and the books of a pool."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pool.stats.hashrate import Hashrate
from pool.stats.tally import Snapshot, Tally
from pool.work.share import Outcome
from tests.regtest.redis_child import RedisChild, redis_child
from tests.regtest.whole_pool import eventually
from tests.terminal import STEPPE, Terminal

CONFIGURATION = """\
[pool]
chain = "regtest"
payout_address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
data_dir = "data"

[[node]]
url = "http://127.0.0.1:1"
cookie_file = "none"

[redis]
url = "{redis}"
"""


@pytest.fixture
def redis() -> Iterator[RedisChild]:
    with redis_child() as child:
        yield child


@pytest.fixture
def config(tmp_path: Path, redis: RedisChild) -> Path:
    file = tmp_path / "steppe.toml"
    file.write_text(CONFIGURATION.format(redis=redis.url))
    subprocess.run([sys.executable, "-m", "pool", "account", "add", "acct", "-c", str(file)], check=True)
    return file


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for each in opened:
        each.close()


def tally(terahashes: int, accepted: int, stale: int) -> Tally:
    """Of a machine that has hashed so fast for a minute, in twelve shares."""
    counts = [0] * len(Outcome)
    counts[Outcome.ACCEPTED], counts[Outcome.STALE] = accepted, stale
    now_s = int(time.time())
    rate, work = Hashrate(now_s - 60, now_s - 60), terahashes * 5 * 10**12
    for second in range(now_s - 55, now_s + 1, 5):
        rate = rate.add(second, work, work * work)
    return Tally((now_s - 60) * 1000, now_s * 1000, rate, now_s * 1000, tuple(counts), difficulty=1.0)


@pytest.fixture
def fleet(redis: RedisChild) -> None:
    """Thirty machines, the last the fastest; one of them has a tenth of its shares refused."""
    workers = {f"acct.rack-{n}": tally(100 + n, 1000, 0) for n in range(1, 31)}
    workers["acct.rack-7"] = tally(107, 900, 100)
    whole = tally(3465, 29_900, 100)
    snapshot = Snapshot(workers, {"acct": whole}, whole)
    assert redis.store.publish_tallies("f", snapshot, 1, previous=None)


def first_of(terminal: Terminal, title: str) -> str:
    """The login below a title; what is drawn comes piece by piece."""
    below = terminal.text().partition(title)[2].splitlines()[1:2]
    return "".join(word for line in below for word in line.split()[1:2])


def top(config: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pool", "top", "-c", str(config), *words],
        check=True,
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env=os.environ | {"COLUMNS": "100"},
    )
    return done.stdout.decode()


@pytest.mark.usefixtures("fleet")
class TestInATerminal:
    @pytest.fixture
    def terminal(self, config: Path, terminals: list[Terminal]) -> Terminal:
        found = Terminal(*STEPPE, "top", "-c", str(config), "--interval", "0.5")
        terminals.append(found)
        found.shows("30 workers by hashrate")
        return found

    def test_keys_sort_filter_and_end(self, terminal: Terminal) -> None:
        eventually("the fastest is the first", lambda: first_of(terminal, "30 workers by hash") == "acct.rack-30")
        terminal.type("r")
        terminal.shows("30 workers by rejects")
        eventually("the worst is the first", lambda: first_of(terminal, "30 workers by rejects") == "acct.rack-7")
        terminal.type("/rack-12")
        terminal.shows("filter: rack-12_")
        terminal.shows("1 like rack-12 by rejects")
        terminal.type("\r")
        terminal.shows("q quit")
        terminal.type("\x1b")
        terminal.shows("30 workers by rejects")
        terminal.type("q")
        assert terminal.end() == 0
        assert terminal.is_as_it_was()

    def test_it_is_drawn_anew_when_the_terminal_is_resized(self, terminal: Terminal) -> None:
        terminal.resize(44, 30)
        eventually("no line is longer", lambda: all(len(line) <= 44 for line in terminal.text().splitlines()))
        terminal.shows("rejects")

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_signals_leave_the_terminal_as_it_was(self, terminal: Terminal, number: signal.Signals) -> None:
        terminal.process.send_signal(number)
        assert terminal.end() == 0
        assert terminal.is_as_it_was()

    def test_ctrl_c_too(self, terminal: Terminal) -> None:
        terminal.type("\x03")
        assert terminal.end() == 0
        assert terminal.is_as_it_was()

    def test_redis_may_go_and_come(self, terminal: Terminal, redis: RedisChild) -> None:
        redis.server.stop()
        terminal.shows("NOT READY")
        terminal.shows("no table while Redis is away")
        redis.server.start()
        eventually("Redis is there", redis.client.ping)
        terminal.shows("workers by hashrate")

    def test_no_color_means_none(self, config: Path, terminals: list[Terminal]) -> None:
        for no_color, is_coloured in (("", True), ("1", False)):
            terminal = Terminal(*STEPPE, "top", "-c", str(config), NO_COLOR=no_color)
            terminals.append(terminal)
            terminal.shows("30 workers by hashrate")
            colours = {cell.fg for row in terminal.screen.buffer.values() for cell in row.values()}
            assert (colours != {"default"}) is is_coloured

    def test_a_dumb_terminal_is_told_of_the_other_way(self, config: Path, terminals: list[Terminal]) -> None:
        terminal = Terminal(*STEPPE, "top", "-c", str(config), TERM="dumb")
        terminals.append(terminal)
        assert terminal.end() == 1
        assert "--once prints one frame" in terminal.text()


@pytest.mark.usefixtures("fleet")
class TestForScripts:
    def test_once_is_a_frame(self, config: Path) -> None:
        lines = top(config, "--once", "--rows", "3", "--sort", "name").splitlines()
        assert lines[0].startswith("Steppe")
        assert [line.split()[1] for line in lines[-3:]] == ["acct.rack-1", "acct.rack-2", "acct.rack-3"]
        assert max(map(len, lines)) <= 100

    def test_json_is_an_object(self, config: Path) -> None:
        found = json.loads(top(config, "--json", "--rows", "2"))
        assert [row["login"] for row in found["workers"]["rows"]] == ["acct.rack-30", "acct.rack-29"]
        assert found["overview"]["presence"]["workers"] == 30
        assert found["unavailable"] == {}

    def test_without_redis_it_says_why(self, config: Path, redis: RedisChild) -> None:
        redis.server.stop()
        assert "redis: Redis at" in top(config, "--once")
        found = json.loads(top(config, "--json"))
        assert "Redis at" in found["unavailable"]["redis"]
        assert found["workers"] is None

    def test_without_a_terminal_the_other_way_is_told(self, config: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "pool", "top", "-c", str(config)], stdin=subprocess.DEVNULL, capture_output=True
        )
        assert done.returncode == 1
        assert b"--once prints one frame" in done.stderr
