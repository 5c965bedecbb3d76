"""The web role as it runs in a large pool: a real Redis whose statistics change each second, a real database."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

from msgspec import Struct

from payout.accounts import Scheme
from payout.store.ledger import SqlLedger
from pool import config_file
from pool.dashboard.workers import GROUPINGS
from pool.demo import EVERY_PART
from pool.fleet.facts import Fact
from pool.fleet.kinds import Assignment, Capacity, Fleet, Site
from pool.fleet.register import Entry
from pool.node.loopback import free_port
from pool.roles.database import open_database
from pool.store.fleets import SqlFleets
from pool.store.redis_server import RedisServer
from pool.store.sql import writing
from tests.load.fleet_statistics import ACCOUNTS, SITES
from tests.load.processes import BenchmarkFailed, Cores, cpu_ns, end, pinned, resident_bytes, wait_for

ASKED: Final = {
    "pool": "/api/v1/pool",
    "workers": "/api/v1/workers",
    "workers_page_100": "/api/v1/workers?page=100",
    "workers_sorted": "/api/v1/workers?sort=hashrate_1h&order=desc",
    "workers_sorted_500": "/api/v1/workers?sort=rejected&order=desc&per_page=500",
    "workers_searched": "/api/v1/workers?q=r17&sort=last_share&order=desc",
    "workers_of_account": f"/api/v1/workers?account={ACCOUNTS[1]}&sort=accepted",
    "groups_site": "/api/v1/groups?by=site",
    "groups_rack": "/api/v1/groups?by=rack&sort=hashrate_1h&order=desc&per_page=500",
    "groups_firmware": "/api/v1/groups?by=firmware",
    "workers_of_site": f"/api/v1/workers?site={SITES[0]}&sort=hashrate_5m&order=desc",
    "worker": f"/api/v1/workers/{ACCOUNTS[0]}.{SITES[0]}-r01-0001",
    "accounts": "/api/v1/accounts",
    "account": f"/api/v1/accounts/{ACCOUNTS[0]}",
    "history": "/api/v1/history",
    "unmatched": "/api/v1/unmatched",
    "metrics": "/metrics",
    "readyz": "/readyz",
    "page": "/",
}
"""What is asked, by the names of the figures."""

EXPORTS: Final = {"csv": "/api/v1/workers.csv", "json": "/api/v1/workers.json"}
"""Every worker in one file."""

EXPORTED: Final = 10
"""So often each."""

IDLE_SECONDS: Final = 2.5
"""Longer than anything is remembered."""

REST_SECONDS: Final = 10.0
"""How long it is looked what the role does while nobody asks."""

_CONFIGURATION: Final = """\
[pool]
chain = "main"
payout_address = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
data_dir = "data"
accept_risks = ["sample-address", "volatile-journal", "few-files", "root"]

[[node]]
url = "http://127.0.0.1:1"
cookie_file = "no-node"

[redis]
url = "{redis}"

[web]
listen = "127.0.0.1:{port}"
admin_listen = "127.0.0.1:{admin_port}"
public = {public}
"""


class Web:
    """`steppe run --role web` beside a Redis that a program fills each second; a context manager."""

    def __init__(self, where: Cores, workers: int) -> None:
        self._cores = where
        self._workers = workers
        self._stack = ExitStack()

    def __enter__(self) -> Web:
        self.port = free_port()
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="steppe-bench-")))
            with pinned(self._cores.others):
                redis = RedisServer(folder / "redis", folder / "redis.log")
                stack.callback(redis.stop)
                url = redis.start()
                argv = [sys.executable, "-m", "tests.load.fleet_statistics", url, str(self._workers)]
                filler = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                stack.callback(end, filler)
                assert filler.stdout is not None
                filler.stdout.readline()
                configuration = folder / "steppe.toml"
                said = {"redis": url, "port": self.port, "admin_port": free_port(), "public": EVERY_PART}
                configuration.write_text(_CONFIGURATION.format(**said))
                _fill_books(configuration)
            with pinned(self._cores.server), (folder / "web.log").open("wb") as out:
                argv = [sys.executable, "-m", "pool", "run", "--role", "web", "-c", str(configuration)]
                process = subprocess.Popen(argv, stdout=out, stderr=out)
            self.pid = process.pid
            stack.callback(end, process)
            wait_for("all workers on the page", self._is_ready)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _is_ready(self) -> bool:
        try:
            with closing(Asker(self.port)) as asker:
                status, body, _ = asker.ask("/api/v1/workers?per_page=1")
        except OSError:
            return False
        return status == 200 and f'"total":{self._workers},'.encode() in body


class Asker:
    """One connection that stays."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, path: str, etag: str = "") -> tuple[int, bytes, str]:
        """Status, body and entity tag of an answer."""
        self._connection.request("GET", path, headers={"If-None-Match": etag} if etag else {})
        answer = self._connection.getresponse()
        return answer.status, answer.read(), answer.getheader("ETag") or ""

    def close(self) -> None:
        self._connection.close()


class Latency(Struct, frozen=True):
    """Of one question: milliseconds from asking to the last byte, and the size of the answer."""

    p50_ms: float
    p99_ms: float
    max_ms: float
    bytes: int


def measure_web(where: Cores, workers: int, rounds: int, idle_rounds: int) -> dict[str, Any]:
    """Every question in turn, so many times; then the table of workers after a silence each."""
    with Web(where, workers) as web, closing(Asker(web.port)) as asker:
        names = [name for name, path in ASKED.items() if asker.ask(path)[0] not in (400, 404)]
        took: dict[str, list[float]] = {name: [] for name in (*names, "workers_etag")}
        sizes: dict[str, int] = {"workers_etag": 0}
        cpu, began = cpu_ns(web.pid), time.monotonic()
        hits = 0
        for _ in range(rounds):
            for name in names:
                took_ms, status, body, etag = _timed(asker, ASKED[name])
                if status not in (200, 503):
                    raise BenchmarkFailed(f"{ASKED[name]} answered {status}: {body[:200]!r}")
                took[name].append(took_ms)
                sizes[name] = len(body)
                if name == "workers":
                    took_ms, status, body, _ = _timed(asker, ASKED[name], etag)
                    took["workers_etag"].append(took_ms)
                    hits += status == 304
        seconds = time.monotonic() - began
        spent = (cpu_ns(web.pid) - cpu) / 1e9
        idle = []
        for _ in range(idle_rounds):
            time.sleep(IDLE_SECONDS)
            idle.append(_timed(asker, ASKED["workers_sorted"])[0])
        exported = {name: [_timed(asker, path) for _ in range(EXPORTED)] for name, path in EXPORTS.items()}
        rest_cpu = cpu_ns(web.pid)
        time.sleep(REST_SECONDS)
        return {
            "workers": workers,
            "requests": sum(map(len, took.values())),
            "requests_a_second": round(sum(map(len, took.values())) / seconds),
            "etag_hits": f"{hits} of {rounds}",
            "cores": round(spent / seconds, 2),
            "cores_while_nobody_asks": round((cpu_ns(web.pid) - rest_cpu) / REST_SECONDS / 1e9, 3),
            "resident_mib": resident_bytes(web.pid) // 2**20,
            "groups": {by: json.loads(asker.ask(f"/api/v1/groups?by={by}")[1])["total"] for by in GROUPINGS},
            "after_a_silence": _latency(idle, sizes["workers_sorted"]),
            "all": _latency([each for several in took.values() for each in several], 0),
            **{name: _latency(each, sizes[name]) for name, each in took.items()},
            **{
                f"export_{name}": _latency([took_ms for took_ms, *_ in each], len(each[-1][2]))
                | {"rows": each[-1][2].count(b"\n")}
                for name, each in exported.items()
            },
        }


def _timed(asker: Asker, path: str, etag: str = "") -> tuple[float, int, bytes, str]:
    before = time.perf_counter()
    status, body, tag = asker.ask(path, etag)
    return (time.perf_counter() - before) * 1e3, status, body, tag


def _latency(took_ms: list[float], size: int) -> Any:
    cut = quantiles(took_ms, n=100, method="inclusive")
    found = Latency(round(cut[49], 2), round(cut[98], 2), round(max(took_ms), 2), size)
    return {name: getattr(found, name) for name in found.__struct_fields__}


def _fill_books(configuration: Path) -> None:
    """The accounts, and a site for each of their patterns of names."""
    config = config_file.load(configuration)
    Path(config.pool.data_dir).mkdir(mode=0o700)
    engine = open_database(config)
    now_ms = time.time_ns() // 1_000_000
    told_ms = now_ms - 3_600_000
    with SqlLedger(engine).write() as books:
        for name in ACCOUNTS:
            books.accounts.add(name, Scheme.PPLNS, 100, None, told_ms)
    facts: list[Fact] = [Fleet(name=f"{name}/main", valid_from_ms=told_ms) for name in ACCOUNTS]
    for site in SITES:
        facts.append(Site(name=site, country="KZ", time_zone="Asia/Almaty", valid_from_ms=told_ms))
        facts.append(Capacity(site=site, capacity_w=20_000_000, valid_from_ms=told_ms))
        facts += [
            Assignment(
                account=name, pattern=f"{site}-*", fleet=f"{name}/main", site=site, valid_from_ms=told_ms + 60_000
            )
            for name in ACCOUNTS
        ]
    with writing(engine) as connection:
        SqlFleets(connection).record([Entry("bench", fact) for fact in facts], told_ms)
    engine.dispose()
