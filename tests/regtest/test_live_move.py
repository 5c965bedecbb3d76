"""A move between two regions that are far apart: three hosts and a fleet in network namespaces, with delay and loss."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from payout.store.ledger import SqlLedger
from pool import config_file
from pool.demo import EVERY_PART
from pool.fleet.checks import LEAD_MS
from pool.fleet.facts import Fact
from pool.fleet.kinds import Assignment, Capacity, Fleet
from pool.fleet.kinds import Site as SiteFact
from pool.fleet.register import Entry
from pool.node.private import PrivateNode
from pool.operations import ensure_account
from pool.roles.fleets import open_fleets
from pool.scenario.acknowledged import read_journals
from pool.store.sql import connect
from pool.supervisor import bound_to_parent
from tests.chaos.evidence import Chain, Evidence, behind, read_booked, read_journal
from tests.chaos.memory import Memory
from tests.chaos.oracle import judge
from tests.postgresql import Databases
from tests.regtest.wan import Host, far_apart, why_not
from tests.regtest.wanderers import Wanderers
from tests.regtest.whole_pool import ANSWER_SECONDS_MAX, eventually

DELAY_SECONDS = 0.04
LOST_PART = 0.01
STRATUM_PORT = 3333
RPC_PORT, P2P_PORT, REDIS_PORT, HTTP_PORT = 18443, 18444, 6379, 8080
LOGINS = [f"acme.sc-r{rack}-{number:02}" for rack in range(1, 5) for number in range(1, 11)]
DEAF = {"acme.sc-r2-04", "acme.sc-r4-09"}  # 5 %
SHARES_PER_SECOND = 40.0


class Site:
    """A host with its own node and data folder, and the roles that run there."""

    def __init__(self, host: Host, folder: Path, bitcoind: Path) -> None:
        self.host = host
        self.folder = folder
        folder.mkdir()
        self.node = PrivateNode(bitcoind, "signet", folder / "node", RPC_PORT)
        self.config_path = folder / "steppe.toml"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start_node(self) -> None:
        self.host.run(lambda: self.node.start("-listen=1", f"-bind={self.host.address}:{P2P_PORT}"))

    def start(self, name: str, command: list[str]) -> None:
        """A process there."""

        def begin() -> subprocess.Popen[bytes]:
            with (self.folder / f"{name}.log").open("ab") as log:
                return subprocess.Popen(
                    bound_to_parent(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )

        self._processes[name] = self.host.run(begin)

    def start_role(self, role: str) -> None:
        self.start(role, [sys.executable, "-m", "pool", "run", "--role", role, "-c", str(self.config_path)])

    def kill(self, name: str) -> None:
        """kill -9."""
        self._processes[name].kill()
        self._processes[name].wait()

    def stop(self) -> None:
        for process in reversed(self._processes.values()):
            process.terminate()
        for process in reversed(self._processes.values()):
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.host.run(self.node.stop)

    def steppe(self, *words: str) -> str:
        """What a command says there."""
        command = [sys.executable, "-m", "pool", *words, "-c", str(self.config_path)]
        done = self.host.run(lambda: subprocess.run(command, capture_output=True, text=True, timeout=60, check=False))
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, path: str) -> Any:
        def ask() -> Any:
            with contextlib.closing(
                http.client.HTTPConnection("127.0.0.1", HTTP_PORT, timeout=ANSWER_SECONDS_MAX)
            ) as connection:
                connection.request("GET", path)
                return json.loads(connection.getresponse().read())

        return self.host.run(ask)


class TwoRegions:
    """Headquarters with books, Redis and page; two regions with a node, a work role and a stratum role each."""

    def __init__(self, hosts: dict[str, Host], folder: Path, bitcoind: Path, database_url: str) -> None:
        self.sites = {name: Site(hosts[name], folder / name, bitcoind) for name in ("hq", "sichuan", "kazakhstan")}
        self.hq, self.sichuan, self.kazakhstan = self.sites.values()
        self.database_url = database_url
        for site in self.sites.values():
            site.start_node()
        for site in (self.sichuan, self.kazakhstan):
            peer = f"{site.host.address}:{P2P_PORT}"
            self.hq.host.run(partial(self.hq.node.call, "addnode", peer, "onetry"))
        pays = self.hq.host.run(self.hq.node.payout_address)
        for number, (name, site) in enumerate(self.sites.items()):
            site.config_path.write_text(self._configuration(name, number, site, pays))
        ensure_account(config_file.load(self.hq.config_path), "acme", "pplns", 100)
        redis = [
            shutil.which("redis-server") or "redis-server",
            "--bind",
            self.hq.host.address,
            "--port",
            str(REDIS_PORT),
            "--protected-mode",
            "no",
        ]
        self.hq.start("redis", [*redis, "--save", "", "--dir", str(self.hq.folder)])
        self.hq.start_role("accounting")
        self.hq.start_role("web")
        for site in (self.sichuan, self.kazakhstan):
            site.start_role("work")
            site.start_role("stratum")

    def stop(self) -> None:
        for site in reversed(self.sites.values()):
            site.stop()

    def show(self) -> Any:
        return json.loads(self.hq.steppe("move", "show", "out", "--machines", "--json"))

    def move(self) -> Any:
        """As the page has it: a command takes a second or more of a core each time."""
        return self.hq.get("/api/v1/moves/out")["move"]

    def arrived(self) -> int:
        return int(self.move()["counts"]["arrived"])

    def _configuration(self, name: str, number: int, site: Site, pays: str) -> str:
        return f"""\
[pool]
chain = "signet"
payout_address = "{pays}"
data_dir = "data"

[[node]]
url = "{site.node.url}"
cookie_file = "{site.node.cookie_file}"

[stratum]
listen = ["{site.host.address}:{STRATUM_PORT}"]
extranonce_range = {number}
difficulty = 1e-9
difficulty_min = 1e-9
difficulty_max = 1e-9

[region]
name = "{name}"
endpoint = "{site.host.address}:{STRATUM_PORT}"

[redis]
url = "redis://{self.hq.host.address}:{REDIS_PORT}/0"

[database]
url = "{self.database_url}"

[web]
listen = "127.0.0.1:{HTTP_PORT}"
public = {EVERY_PART}
"""


@pytest.fixture(scope="module")
def regions(
    tmp_path_factory: pytest.TempPathFactory, bitcoind_program: Path, postgresql: Databases
) -> Iterator[tuple[TwoRegions, Host]]:
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    with far_apart(["hq", "sichuan", "kazakhstan", "fleet"], DELAY_SECONDS, LOST_PART) as hosts:
        pool = TwoRegions(hosts, tmp_path_factory.mktemp("regions"), bitcoind_program, postgresql(""))
        try:
            yield pool, hosts["fleet"]
        finally:
            pool.stop()


@pytest.mark.timeout(900)  # three hosts, two crossings of forty machines, and half a minute that a straggler is given
def test_a_fleet_moves_in_waves_and_no_acknowledged_share_is_lost(regions: tuple[TwoRegions, Host]) -> None:
    pool, fleet = regions
    memory = Memory()
    home, away = ((site.host.address, STRATUM_PORT) for site in (pool.sichuan, pool.kazakhstan))
    load = Wanderers(fleet.namespace, home, LOGINS, DEAF, SHARES_PER_SECOND, memory, seed=7)
    load.start()
    try:
        eventually("all mine at the old place", lambda: load.ready == load.size, 90)
        eventually("both regions give a sign of life", lambda: _can_plan(pool))
        deadline = (datetime.now(UTC) + timedelta(minutes=30)).isoformat()
        assigned_ms = _assign(pool)
        plan = ["move", "plan", "out", "--account", "acme", "--workers", "sc-*", "--from", "ganzi"]
        plan += ["--to", "ekibastuz", "--pace", "240/min", "--deadline", deadline, "--grace", "3"]
        dry = pool.hq.steppe(*plan, "--dry-run").splitlines()
        assert [line.split("\t")[2] for line in dry[:-1]] == LOGINS
        assert dry[0].endswith(f"client.reconnect {away[0]} {away[1]} 0")
        pool.hq.steppe(*plan)
        pool.hq.steppe("move", "start", "out", "--reason", "the notice")

        eventually("some have arrived", lambda: pool.arrived() >= 5)
        for site, role in ((pool.hq, "accounting"), (pool.kazakhstan, "stratum")):
            site.kill(role)
            site.start_role(role)

        eventually("the whole fleet but the deaf has arrived", lambda: pool.arrived() == len(LOGINS) - len(DEAF), 120)
        eventually("the deaf are stragglers", lambda: pool.move()["counts"]["straggler"] == len(DEAF), 90)
        shown = pool.show()
        racks = {rack["rack"]: rack["stragglers"] for rack in shown["move"]["racks"]}
        assert racks == {"sc-r1": [], "sc-r2": ["acme.sc-r2-04"], "sc-r3": [], "sc-r4": ["acme.sc-r4-09"]}
        obedient = [each for each in shown["machines"] if each["login"] not in DEAF]
        assert all(each["asked_ms"] <= each["told_ms"] + 1000 for each in obedient)
        assert all(load.at[login] == (home if login in DEAF else away) for login in LOGINS)
        # Where looks are slow the role was killed when all had arrived, a moment ago.
        eventually("stragglers mine on where they are, and the others after the kill", lambda: load.ready == load.size)
        assert [load.miners[login].times_told for login in DEAF] == [1, 1]
        assert shown["move"]["counts"]["arrived"] == len(LOGINS) - len(DEAF)

        pool.hq.steppe("move", "rollback", "out", "--reason", "no network there")
        eventually("all who went are back", lambda: pool.move()["state"] == "rolled_back", 120)
        assert set(load.at.values()) == {home}
        _settle(pool, load)
    finally:
        if load.is_alive():
            load.stop()
    assert load.problem is None
    verdict = judge(memory.shares(), _evidence(pool))
    assert verdict.is_good, verdict
    assert verdict.acknowledged > 1000
    after = [each for each in read_journals(_journal_of(pool)) if each.time_ms >= assigned_ms]
    assert {(each.region, each.slice_id) for each in after} == {("sichuan", 1), ("kazakhstan", 2)}


def _assign(pool: TwoRegions) -> int:
    """The fleet may be at either site; from when on its shares say at which they were."""
    with open_fleets(config_file.load(pool.hq.config_path)) as desk:
        now_ms = int(time.time() * 1000)  # once it is open: they must be entered before the lead begins
        since: dict[str, Any] = {"valid_from_ms": now_ms}
        begins_ms = now_ms + LEAD_MS + 2000
        facts: list[Fact] = [Fleet(name="acme/main", **since)]
        for site, region in (("ganzi", "sichuan"), ("ekibastuz", "kazakhstan")):
            facts += [
                SiteFact(name=site, country="CN", time_zone="UTC", region=region, **since),
                Capacity(site=site, capacity_w=1_000_000, **since),
                Assignment(account="acme", pattern="sc-*", fleet="acme/main", site=site, valid_from_ms=begins_ms),
            ]
        desk.enter([Entry("test", fact) for fact in facts])
    eventually("the assignments hold", lambda: time.time() * 1000 > begins_ms)
    return begins_ms


def _journal_of(pool: TwoRegions) -> dict[str, Path]:
    """By region, the journal of its one stratum process."""
    sites = {"sichuan": pool.sichuan, "kazakhstan": pool.kazakhstan}
    found = {name: list((site.folder / "data" / "journal").iterdir()) for name, site in sites.items()}
    return {name: folder for name, [folder] in found.items()}


def _can_plan(pool: TwoRegions) -> bool:
    with contextlib.suppress(OSError):  # the page may start later than the regions
        signs = {sign["region"] for sign in pool.hq.get("/api/v1/regions")["rows"] or []}
        return {"sichuan", "kazakhstan"} <= signs
    return False


def _journals(pool: TwoRegions) -> list[Path]:
    return [site.folder / "data" / "journal" for site in (pool.sichuan, pool.kazakhstan)]


def _settle(pool: TwoRegions, load: Wanderers) -> None:
    load.hold()
    eventually("every share has its answer", lambda: load.unanswered == 0)
    load.stop()
    engine = connect(pool.database_url)
    ledger = SqlLedger(engine)
    for journals in _journals(pool):
        eventually("the books have every record", partial(_has_all, journals, ledger))
    engine.dispose()


def _has_all(journals: Path, ledger: SqlLedger) -> bool:
    return not behind(journals, ledger)


def _evidence(pool: TwoRegions) -> Evidence:
    engine = connect(pool.database_url)
    journals = [folder for journals in _journals(pool) for folder in sorted(journals.iterdir()) if folder.is_dir()]
    evidence = Evidence(
        journal=[share for folder in journals for share in read_journal(folder)],
        booked=list(read_booked(engine)),
        blocks=[],
        spool={},
        chain=Chain({}, {}, frozenset()),
        findings=[],
    )
    engine.dispose()
    return evidence
