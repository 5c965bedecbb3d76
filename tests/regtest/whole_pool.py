"""The whole pool as processes, as an operator runs it, on a node of the test's own."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from payout.accounts import PER_SHARE, Scheme
from pool import config_file
from pool.config import Config
from pool.demo import EVERY_PART, RESERVE_SAT
from pool.node.loopback import free_port
from pool.node.private import PrivateNode
from pool.operations import ensure_account, ensure_reserve
from tests.regtest.any_nonce import AnyNonceMiner

WAIT_SECONDS_MAX = 60.0
POLL_SECONDS = 0.1
# How long a machine may take that has much else to do.
ANSWER_SECONDS_MAX = 30.0
START_SECONDS_MAX = 120.0
STOP_SECONDS_MAX = 60.0


def eventually(what: str, condition: Callable[[], Any], seconds: float = WAIT_SECONDS_MAX) -> Any:
    """The first true value of the condition; fails when it does not come in time."""
    deadline = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(POLL_SECONDS)


class WholePool:
    """`steppe run` with its configuration file, its API and miners."""

    def __init__(self, folder: Path, node: PrivateNode, chain: str, extra: str = "") -> None:
        self.folder = folder
        self.node = node
        self.stratum_port = free_port()
        self.http_port = free_port()
        self.admin_port = free_port()
        self.config_path = folder / "steppe.toml"
        self.config_path.write_text(
            f"""\
[pool]
chain = "{chain}"
payout_address = "{node.payout_address()}"
data_dir = "data"

[[node]]
url = "{node.url}"
cookie_file = "{node.cookie_file}"

[work]
refresh_seconds = 2

[stratum]
listen = ["127.0.0.1:{self.stratum_port}"]
difficulty = 0.0001
difficulty_min = 1e-9

[accounting]
pps_period_seconds = 2

[web]
listen = "127.0.0.1:{self.http_port}"
admin_listen = "127.0.0.1:{self.admin_port}"
public = {EVERY_PART}
{extra}"""
        )
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def config(self) -> Config:
        return config_file.load(self.config_path)

    def add_account(self, name: str, scheme: str, fee_bps: int) -> None:
        if Scheme(scheme) in PER_SHARE:
            ensure_reserve(self.config, "reserve", RESERVE_SAT)
        ensure_account(self.config, name, scheme, fee_bps)

    def start(self, *, is_fit: bool = True) -> None:
        """Start it and wait until it is ready; is_fit: or, if it cannot be, until it has work and keeps its books."""
        with (self.folder / "steppe.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pool", "run", "-c", str(self.config_path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        eventually("the pool is ready", self.is_ready if is_fit else self.is_at_work, START_SECONDS_MAX)

    def is_at_work(self) -> bool:
        with contextlib.suppress(OSError):
            checks = {check["name"]: check["state"] for check in self.get("/readyz")["checks"]}
            return all(checks[name] in ("ok", "warn") for name in ("work", "stratum", "accounting", "template"))
        return False

    def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "steppe.log").read_text()
        with contextlib.suppress(OSError):
            return bool(self.get("/readyz")["ready"])
        return False

    def stop(self) -> int:
        """Ask it to end; returns its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(STOP_SECONDS_MAX)

    def get(self, path: str) -> Any:
        """The JSON at a path of the API. Raises OSError while nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=ANSWER_SECONDS_MAX)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()

    def text(self, path: str) -> str:
        """The text at a path."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=ANSWER_SECONDS_MAX)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def blocks(self, state: str | None = None) -> list[dict[str, Any]]:
        blocks: list[dict[str, Any]] = self.get("/api/v1/blocks?per_page=100")["rows"] or []
        return [block for block in blocks if state is None or block["state"] == state]

    def steppe(self, *words: str) -> str:
        """What a command about this pool prints."""
        done = subprocess.run(
            [sys.executable, "-m", "pool", *words, "-c", str(self.config_path)],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=60,
        )
        return done.stdout.decode()

    def mine(self, user: str, shares: int, rate_hps: float | None = None) -> None:
        """Mine until so many shares are accepted, over real Stratum."""
        rate = [] if rate_hps is None else ["--rate", f"{rate_hps:g}"]
        door = f"127.0.0.1:{self.stratum_port}"
        subprocess.run(
            [sys.executable, "-m", "pool", "miner", door, "-u", user, "--shares", str(shares), *rate],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            timeout=120,
        )

    def mine_blocks(self, user: str, blocks: int) -> None:
        """Find so many where each share is a block; each is in the chain before the next, or two of one height would
        not both be. Nothing is hashed."""
        for _ in range(blocks):
            before = len(self.blocks("immature"))
            with contextlib.closing(AnyNonceMiner(self.stratum_port, user)) as miner:
                assert miner.share() is True
            eventually("the block in the chain", lambda: len(self.blocks("immature")) > before)  # noqa: B023 - at once

    @contextlib.contextmanager
    def miner(self, user: str, rate_hps: float) -> Iterator[subprocess.Popen[bytes]]:
        """A miner in the background."""
        door = f"127.0.0.1:{self.stratum_port}"
        with (self.folder / f"miner-{user}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "pool", "miner", door, "-u", user, "--rate", f"{rate_hps:g}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(STOP_SECONDS_MAX)

    def log(self, role: str) -> list[dict[str, Any]]:
        """A role's events."""
        return events_of(self.folder / "data" / "logs" / f"{role}.log")

    def pid_of(self, role: str) -> int:
        """The process of a role, from what it said at its newest start."""
        started = [line["pid"] for line in self.log(role) if line["event"] == "role_started"]
        return int(started[-1])

    def kill(self, role: str) -> int:
        """kill -9; returns the pid that was."""
        pid = self.pid_of(role)
        os.kill(pid, signal.SIGKILL)
        return pid


def events_of(log: Path) -> list[dict[str, Any]]:
    """What is in a log by now; of a line that is just being written there may be only a part."""
    lines = log.read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]


def children_of(pid: int) -> set[int]:
    """All processes below a process. Source: proc(5)."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                stat = (entry / "stat").read_text()
                parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found: set[int] = set()
    fresh = {pid}
    while fresh:
        fresh = {child for child, parent in parents.items() if parent in fresh} - found
        found |= fresh
    return found


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    return _state(Path(f"/proc/{pid}")) not in ("Z", "")


def halt(pid: int) -> None:
    """SIGSTOP, and wait until every thread stands still: on a busy machine some go on for a while, and answer."""
    os.kill(pid, signal.SIGSTOP)
    threads = Path(f"/proc/{pid}/task")
    eventually("it stands still", lambda: {_state(thread) for thread in threads.iterdir()} == {"T"})


def _state(task: Path) -> str:
    """A letter of proc(5); empty when it is gone."""
    try:
        return (task / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""
