"""A pool of two regions on this machine: each with a node, a work role and a stratum role of its own, and between them
one Redis, one database, one accounting role and one web role, as docs/operating.md#several-regions has it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from pool import service
from pool.config import Config
from pool.config_file import load
from pool.demo import EVERY_PART, Api, NoAnswer, steppe
from pool.node.loopback import free_port
from pool.node.private import PrivateNode
from pool.ports import NodeUnavailable
from pool.roles.own_redis import redis_program
from pool.scenario.chains import Chain
from pool.store.redis_server import url_of
from pool.supervisor import CannotSupervise, Child, Program

REGIONS = ("sichuan", "kazakhstan")
START_SECONDS_MAX = 120.0
STOP_SECONDS = 30.0


class ScenarioFailed(Exception):
    """It cannot go on. The text says why."""


class Stopped(Exception):
    """Somebody asked it to end."""


class Endpoint(Struct, frozen=True):
    """Where the miners of a region connect."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class TwoRegions:
    """The nodes, and the processes of the pool. folder: all that it keeps; is_stopped: whether to give up."""

    def __init__(self, bitcoind: Path, folder: Path, is_stopped: Callable[[], bool], chain: Chain) -> None:
        self._folder = folder
        self._chain = chain
        self._is_stopped = is_stopped
        self._nodes = {
            name: PrivateNode(bitcoind, chain.name, folder / name / "bitcoind", free_port()) for name in REGIONS
        }
        self._p2p = {name: free_port() for name in REGIONS}
        self.endpoints: Mapping[str, Endpoint] = {name: Endpoint("127.0.0.1", free_port()) for name in REGIONS}
        self._http_port = free_port()
        self._admin_port = free_port()
        self.api = Api(self._http_port)
        self._children: list[Child] = []

    @property
    def page(self) -> str:
        """Where the pool's page is."""
        return f"http://127.0.0.1:{self._http_port}/"

    @property
    def config(self) -> Config:
        """Of the office, which has the books."""
        return load(self._folder / "office" / "steppe.toml")

    def journal(self, region: str) -> Path:
        """The folder of the journal of a region's stratum role."""
        number = REGIONS.index(region)
        return self._folder / region / "data" / "journal" / str(number)

    def pids(self) -> dict[str, int]:
        """The processes of the pool, by role and place."""
        return {each.program.name: each.process.pid for each in self._children if each.process is not None}

    def call(self, method: str, *params: Any) -> Any:
        """Ask the node of the first region."""
        return self._nodes[REGIONS[0]].call(method, *params)

    def bury(self) -> None:
        """Let the blocks of nobody follow that the chain has at its end."""
        if self._chain.blocks_after:
            self._nodes[REGIONS[0]].mine(self._chain.blocks_after)

    @contextlib.contextmanager
    def running(self, prepare: Callable[[Config], None]) -> Iterator[None]:
        """Start everything, until the context is left. prepare: is done to the books before the first role. Raises
        ScenarioFailed, Stopped."""
        try:
            self._start_nodes()
            self._configure()
            service.prepare(self.config)
            prepare(self.config)
            self._start_roles()
            yield
        finally:
            deadline = time.monotonic() + STOP_SECONDS
            for child in self._children:
                child.ask_to_end()
            for child in reversed(self._children):
                child.stop(deadline)
            for node in self._nodes.values():
                node.stop()

    def tend(self) -> None:
        """Look after the processes. Raises ScenarioFailed if one cannot run, Stopped if somebody asked for the end."""
        if self._is_stopped():
            raise Stopped
        for child in self._children:
            try:
                child.tend(time.monotonic())
            except CannotSupervise as error:
                raise ScenarioFailed(str(error)) from error

    def _start_nodes(self) -> None:
        for name, node in self._nodes.items():
            if self._is_stopped():
                raise Stopped
            try:
                node.start("-listen=1", f"-bind=127.0.0.1:{self._p2p[name]}")
            except NodeUnavailable as error:
                raise ScenarioFailed(str(error)) from error
        self.call("addnode", f"127.0.0.1:{self._p2p[REGIONS[1]]}", "onetry")

    def _configure(self) -> None:
        pays = self._nodes[REGIONS[0]].payout_address()
        for number, name in enumerate(REGIONS):
            self._write(name, pays, [name], number)
        self._write("office", pays, list(REGIONS), len(REGIONS))

    def _write(self, name: str, pays: str, nodes: list[str], number: int) -> None:
        folder = self._folder / name
        folder.mkdir(parents=True, exist_ok=True)
        own = self.endpoints.get(name)
        office = self._folder / "office" / "data"
        lines = [
            "[pool]",
            f'chain = "{self._chain.name}"',
            f'payout_address = "{pays}"',
            'data_dir = "data"',
            *(
                f'[[node]]\nurl = "{self._nodes[node].url}"\ncookie_file = "{self._nodes[node].cookie_file}"'
                for node in nodes
            ),
            "[stratum]",
            f"extranonce_range = {number}",
            *(f"difficulty{end} = {self._chain.difficulty!r}" for end in ("", "_min", "_max")),
            *([] if own is None else [f'listen = ["{own}"]', "[region]", f'name = "{name}"', f'endpoint = "{own}"']),
            "[accounting]",
            f'pplns_window = "{self._chain.pplns_window}"',
            "[web]",
            f'listen = "127.0.0.1:{self._http_port}"',
            f'admin_listen = "127.0.0.1:{self._admin_port}"',
            f"public = {EVERY_PART}",
        ]
        if own is not None:
            lines += ["[redis]", f'url = "{url_of(office / "redis")}"']
            lines += ["[database]", f'url = "sqlite:///{office / "ledger.sqlite"}"']
        (folder / "steppe.toml").write_text("\n".join(lines) + "\n")

    def _start_roles(self) -> None:
        office = self._folder / "office"
        try:
            redis = redis_program(self.config)
        except CannotSupervise as error:
            raise ScenarioFailed(str(error)) from error
        programs = [] if redis is None else [redis]
        places = [("accounting", "office"), *((role, name) for name in REGIONS for role in ("work", "stratum"))]
        for role, place in [*places, ("web", "office")]:
            command = steppe("run", "--role", role, "-c", self._folder / place / "steppe.toml")
            programs.append(Program(f"{role} {place}", command, office.parent / f"{place}-{role}.log"))
        for program in programs:
            self._children.append(Child(program))
            self.tend()
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._is_ready():
            if time.monotonic() > deadline:
                raise ScenarioFailed(f"the pool was not ready within {START_SECONDS_MAX:g} s")
            self.tend()
            time.sleep(0.2)

    def _is_ready(self) -> bool:
        with contextlib.suppress(NoAnswer):
            if self.api.get("/readyz").get("ready"):
                rows = self.api.get("/api/v1/regions").get("rows") or []
                return {row["region"] for row in rows} >= set(REGIONS)
        return False
