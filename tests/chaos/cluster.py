"""The pool under test: `steppe run` with a real configuration, real sockets and three nodes."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import redis
from msgspec import Struct
from sqlalchemy import Engine

from payout.maturity import State
from payout.store.ledger import SqlLedger
from pool import config_file, failpoints
from pool.config import Config
from pool.demo import EVERY_PART, RESERVE_SAT
from pool.node.loopback import free_port
from pool.node.private import PrivateChain
from pool.operations import ensure_account, ensure_reserve
from pool.paths import Paths
from pool.roles.database import reach_database
from pool.service import process_name
from pool.store.redis_link import connect
from pool.store.redis_server import url_of
from pool.supervisor import bound_to_parent
from tests.chaos.disk import JournalDisk
from tests.chaos.nodes import Nodes
from tests.chaos.power import Power
from tests.chaos.shims import SteppingClock, preloaded
from tests.regtest.whole_pool import children_of, eventually

STRATUM_PROCESSES = 2
PROGRAMS = ("work", *(process_name("stratum", n) for n in range(STRATUM_PROCESSES)), "accounting", "web", "redis")
ACCOUNTS = (("alice", "pplns", 100), ("bob", "pps", 200), ("carol", "pplns", 0))
# The supervisor waits up to ten seconds before it starts again what died again and again.
READY_SECONDS = 120.0
STOP_SECONDS = 60.0
REBUILD_SECONDS = 120.0


class Setup(Struct, frozen=True):
    """What a cluster is made of. database_url: empty for SQLite in the data folder. journal_mode: with `fsync` the
    power of its machine may be cut."""

    bitcoind: Path
    chain: PrivateChain
    folder: Path
    database_url: str = ""
    journal_mode: str = "relaxed"


class Rebuilt(Struct, frozen=True):
    """What a rebuild came to. records: that it read. different: one line for each thing that is not as in the pool."""

    records: int
    different: list[str]


class Cluster:
    """Nodes and a pool."""

    def __init__(self, setup: Setup) -> None:
        self.folder = setup.folder
        self.nodes = Nodes(setup.bitcoind, setup.chain, setup.folder)
        self.stratum_port = free_port()
        self._http_port = free_port()
        self._admin_port = free_port()
        self._setup = setup
        self._config_path = setup.folder / "steppe.toml"
        self._process: subprocess.Popen[bytes] | None = None
        self.clock = SteppingClock(setup.folder)
        self.disk = JournalDisk(self.folder, self.paths.journal)
        self.power = Power(self.folder, self.paths.journal) if setup.journal_mode == "fsync" else None
        self.failpoints = ""  # of the next start

    @property
    def config(self) -> Config:
        return config_file.load(self._config_path)

    @property
    def paths(self) -> Paths:
        return Paths(self.folder / "data")

    def start(self) -> None:
        """Start everything and wait until it is ready."""
        self.nodes.start()
        self._config_path.write_text(self._configuration())
        self.disk.open()
        if self.power is not None:
            self.power.on()
        ensure_reserve(self.config, "chaos", RESERVE_SAT)
        for name, scheme, fee_bps in ACCOUNTS:
            ensure_account(self.config, name, scheme, fee_bps)
        self.start_pool()
        self.wait_until_ready()

    def stop(self) -> None:
        """End everything that was started, by force where it must be."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.stop_pool()
        try:
            self.kill_pool()
        finally:
            self.nodes.stop()
            self.disk.close()

    def start_pool(self) -> None:
        """`steppe run`."""
        power = [] if self.power is None else [self.power.environment]
        with (self.folder / "steppe.log").open("ab") as log:
            self._process = subprocess.Popen(
                bound_to_parent([sys.executable, "-m", "pool", "run", "-c", str(self._config_path)]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={
                    **os.environ,
                    **preloaded(self.clock.environment, self.disk.environment, *power),
                    failpoints.VARIABLE: self.failpoints,
                },
                start_new_session=True,
            )

    def stop_pool(self) -> int | None:
        """Ask it to end; its exit code, None if it did not run. Raises TimeoutExpired."""
        if self._process is None:
            return None
        self._process.terminate()
        code = self._process.wait(STOP_SECONDS)
        self._process = None
        return code

    def kill_pool(self) -> None:
        """kill -9 of the supervisor and, as its roles end by themselves then, wait for them."""
        if self._process is None:
            return
        children = children_of(self._process.pid)
        self._process.kill()
        self._process.wait()
        self._process = None
        try:
            eventually("the roles end with their supervisor", lambda: not any(_lives(pid) for pid in children))
        except AssertionError:
            for pid in children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            raise

    def cut_power(self, seed: int) -> None:
        """All of the pool ends at one moment, and of its files there is what the disk had."""
        assert self._process is not None
        assert self.power is not None, "the power is cut only where shares are synced: --journal fsync"
        for pid in (self._process.pid, *children_of(self._process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.kill_pool()
        self.power.cut(seed)
        shutil.rmtree(self.paths.redis / "appendonlydir", ignore_errors=True)

    def rebuild(self) -> Rebuilt:
        """`steppe rebuild`: what the journals give, beside the books, the statistics and the chain as they are."""
        done = subprocess.run(
            [sys.executable, "-m", "pool", "rebuild", "-c", str(self._config_path), "--json"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=REBUILD_SECONDS,
            check=False,
        )
        assert done.stdout, f"the rebuild ended with exit code {done.returncode}: {done.stderr.decode()}"
        report = json.loads(done.stdout)
        found = [f"rebuilt, {each['what']}: {text}" for each in report["checks"] for text in each["differences"]]
        assert (done.returncode == 0) == report["identical"] == (not found), done.stderr.decode()
        return Rebuilt(report["records"], found)

    def is_ready(self) -> bool:
        """As /readyz says."""
        if self._process is None or self._process.poll() is not None:
            raise AssertionError(f"the pool has ended by itself; see {self.folder / 'steppe.log'}")
        with contextlib.suppress(OSError, ValueError):
            return bool(self.get("/readyz")["ready"])
        return False

    def wait_until_ready(self) -> None:
        eventually("the pool is ready", self.is_ready, READY_SECONDS)

    def get(self, path: str) -> Any:
        """The JSON at a path of the API. Raises OSError, ValueError."""
        connection = http.client.HTTPConnection("127.0.0.1", self._http_port, timeout=5)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()

    def pid_of(self, program: str) -> int | None:
        """The process of a program of the pool, if it lives."""
        assert self._process is not None
        wanted = _arguments(program)
        for pid in children_of(self._process.pid):
            if wanted <= set(_command(pid)) and _lives(pid):
                return pid
        return None

    @contextlib.contextmanager
    def database(self) -> Iterator[Engine]:
        """The ledger's, as it is."""
        engine = reach_database(self.config)
        try:
            yield engine
        finally:
            engine.dispose()

    def credited_height(self) -> int:
        """Height of the highest block that is credited, and may still be taken back."""
        with self.database() as engine, SqlLedger(engine).read() as books:
            credited = (block.life.height for block in books.blocks.every() if block.life.state is State.IMMATURE)
            return max(credited, default=0)

    def redis(self) -> redis.Redis:
        """A client of the pool's Redis."""
        return connect(url_of(self.paths.redis))

    def log(self, program: str) -> list[dict[str, Any]]:
        """What a program of the pool said."""
        path = self.paths.log(program)
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        return [json.loads(line) for line in lines if line.startswith("{")]

    def deaths(self, role: str) -> int:
        """How often the supervisor found a process of a role dead."""
        lines = (self.folder / "steppe.log").read_text(errors="replace").splitlines()
        died = [
            event["role"]
            for line in lines
            if line.startswith("{") and (event := json.loads(line))["event"] == "role_died"
        ]
        return sum(name.partition("-")[0] == role for name in died)

    def _configuration(self) -> str:
        nodes = [node.private for node in self.nodes.of_the_pool]
        sections = "".join(f'\n[[node]]\nurl = "{node.url}"\ncookie_file = "{node.cookie_file}"\n' for node in nodes)
        database = f'\n[database]\nurl = "{self._setup.database_url}"\n' if self._setup.database_url else ""
        return f"""\
[pool]
chain = "{self._setup.chain}"
payout_address = "{nodes[0].payout_address()}"
data_dir = "data"
{sections}
[work]
refresh_seconds = 5

[stratum]
listen = ["127.0.0.1:{self.stratum_port}"]
processes = {STRATUM_PROCESSES}
journal_mode = "{self._setup.journal_mode}"
difficulty = 1e-9
difficulty_min = 1e-9
difficulty_max = 1e-9

[accounting]
pps_period_seconds = 5

[web]
listen = "127.0.0.1:{self._http_port}"
admin_listen = "127.0.0.1:{self._admin_port}"
public = {EVERY_PART}
{database}"""


def _arguments(program: str) -> set[str]:
    """What the command line of a program has in it, and that of no other."""
    if program == "redis":
        return {"redis-server"}
    role, _, number = program.partition("-")
    return {"--role", role, "--process", number or "0"} if role == "stratum" else {"--role", role}


def _command(pid: int) -> list[str]:
    """A process's words; Redis puts its title there."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []
    first = words[0].decode(errors="replace").split(" ")[0]
    return [Path(first).name, *(word.decode(errors="replace") for word in words[1:])]


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
