"""The production set-up of docker/compose.yaml, on this machine without containers: its programs with its files.

Only addresses, folders and the chain are others. Grafana is not started: what its board asks, Prometheus is asked here.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from pool.node.loopback import free_port
from pool.node.private import PrivateNode
from tests.docker.compose import DOCKER, composed
from tests.docker.test_alerts import expressions, names
from tests.postgresql import Databases
from tests.regtest.whole_pool import WholePool, eventually


def fitted(file: Path, changes: dict[str, str]) -> str:
    """A file's text for this machine; each of the changes has its place."""
    text = file.read_text()
    for old, new in changes.items():
        assert old in text, f"{file} has no {old}"
        text = text.replace(old, new)
    return text


class Prometheus:
    """One that scrapes a pool each second."""

    def __init__(self, folder: Path, pool: WholePool) -> None:
        self.port = free_port()
        file = folder / "prometheus.yml"
        changes = {"pool:8081": f"127.0.0.1:{pool.admin_port}", "15s": "1s"}
        file.write_text(fitted(DOCKER / "prometheus" / "prometheus.yml", changes))
        shutil.copy(DOCKER / "prometheus" / "alerts.yml", folder)
        program = shutil.which("prometheus")
        assert program is not None, "there is no prometheus; `scripts/setup --test` installs it"
        with (folder / "prometheus.log").open("wb") as log:
            self.process = subprocess.Popen(
                [program, f"--config.file={file}", f"--storage.tsdb.path={folder / 'tsdb'}",
                 f"--web.listen-address=127.0.0.1:{self.port}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def ask(self, path: str, **query: str) -> Any:
        """The data of an answer. Raises OSError while it is not there."""
        with urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}?{urlencode(query)}", timeout=5) as answer:
            return json.loads(answer.read())["data"]

    def targets(self) -> list[str]:
        """The health of each."""
        try:
            return [target["health"] for target in self.ask("targets")["activeTargets"]]
        except OSError:
            return []

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


@contextmanager
def redis(folder: Path) -> Iterator[Path]:
    """The set-up's Redis, by its socket."""
    inside = Path("/data/redis.sock")
    command: list[str] = composed("production")["services"]["redis"]["command"]
    assert str(inside) in command
    served = folder / inside.name
    process = subprocess.Popen(
        [str(served) if word == str(inside) else word for word in command],
        cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        eventually("Redis has its socket", served.exists)
        yield served
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def node(bitcoind_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PrivateNode, str]]:
    """The set-up's node, and where it announces blocks."""
    folder = tmp_path_factory.mktemp("node")
    zmq = f"tcp://127.0.0.1:{free_port()}"
    local = {"tcp://0.0.0.0:28332": zmq, "rpcbind=0.0.0.0": "rpcbind=127.0.0.1"}
    conf = folder / "bitcoin.conf"
    conf.write_text("[regtest]\n" + fitted(DOCKER / "production" / "bitcoin.conf", local))
    started = PrivateNode(bitcoind_program, "regtest", folder, free_port())
    started.start(f"-conf={conf}")
    yield started, zmq
    started.stop()


@pytest.fixture(scope="module")
def redis_socket() -> Iterator[Path]:
    # A socket's path may have a hundred characters.
    with tempfile.TemporaryDirectory(prefix="redis-") as folder, redis(Path(folder)) as served:
        yield served


@pytest.fixture(scope="module")
def pool(
    node: tuple[PrivateNode, str], redis_socket: Path, postgresql: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WholePool]:
    """The set-up's pool, with a worker of a site which finds blocks."""
    folder = tmp_path_factory.mktemp("production")
    bitcoind, zmq = node
    made = WholePool(folder, bitcoind, "regtest")
    changes = {
        'chain = "main"': 'chain = "regtest"',
        'payout_address = ""': f'payout_address = "{bitcoind.payout_address()}"',
        "/var/lib/steppe": str(folder / "data"),
        "http://node:8332": bitcoind.url,
        "/var/lib/bitcoin/.cookie": str(bitcoind.cookie_file),
        "tcp://node:28332": zmq,
        '"0.0.0.0:3333"]': f'"127.0.0.1:{made.stratum_port}"]\ndifficulty = 0.0001\ndifficulty_min = 1e-9',
        "/run/redis/redis.sock": str(redis_socket),
        "postgresql://steppe@/steppe?host=/run/postgresql": postgresql(""),
        "0.0.0.0:8080": f"127.0.0.1:{made.http_port}",
        "0.0.0.0:8081": f"127.0.0.1:{made.admin_port}",
    }
    made.config_path.write_text(fitted(DOCKER / "production" / "steppe.toml", changes))
    made.steppe("account", "add", "alice")
    made.steppe("site", "add", "almaty", "KZ", "Asia/Almaty")
    made.steppe("site", "capacity", "almaty", "20000000")
    made.steppe("fleet", "add", "alice/all")
    made.steppe("assign", "add", "alice", "*", "alice/all", "almaty")
    made.start()
    try:
        # Half of all hashes are blocks of this chain.
        with made.miner("alice.rig", rate_hps=0.5):
            yield made
    finally:
        assert made.stop() == 0


def refuse_a_share(pool: WholePool) -> None:
    """Hand in a share of a job that never was."""
    with socket.create_connection(("127.0.0.1", pool.stratum_port), 10) as miner, miner.makefile("rb") as answers:
        for number, (method, words) in enumerate(
            (
                ("mining.subscribe", []),
                ("mining.authorize", ["alice.rig", "x"]),
                ("mining.submit", ["alice.rig", "ffff", "00000000", "00000000", "00000000"]),
            )
        ):
            miner.sendall(json.dumps({"id": number, "method": method, "params": words}).encode() + b"\n")
        while (answer := json.loads(answers.readline())).get("id") != 2:
            pass
        assert answer["error"], answer


@pytest.fixture(scope="module")
def prometheus(pool: WholePool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    started = Prometheus(tmp_path_factory.mktemp("prometheus"), pool)
    eventually("its target is up", lambda: started.targets() == ["up"])
    # Its first scrape has the counters at zero.
    refuse_a_share(pool)
    yield started
    started.stop()


def test_the_pool_mines_and_books_on_the_stores_of_the_setup(pool: WholePool) -> None:
    assert eventually("a block is in the books", lambda: pool.blocks("immature"))
    assert "alice" in pool.steppe("account", "list")


def test_prometheus_scrapes_the_pool(prometheus: Prometheus) -> None:
    # It gives each scrape a second here; one that took longer is followed by another.
    eventually("its target is up", lambda: prometheus.targets() == ["up"])


def test_every_rule_is_loaded_and_can_be_reckoned(prometheus: Prometheus) -> None:
    def rules() -> list[dict[str, Any]]:
        return [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]

    eventually("each was reckoned", lambda: all(rule["health"] != "unknown" for rule in rules()))
    assert sorted(rule["name"] for rule in rules() if rule["type"] == "alerting") == sorted(names())
    assert [rule["name"] for rule in rules() if rule["type"] == "recording"] == ["steppe:maintenance"]
    assert [rule["lastError"] for rule in rules() if rule["health"] != "ok"] == []


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_what_the_board_asks_has_an_answer(expression: str, prometheus: Prometheus) -> None:
    assert eventually(expression, lambda: prometheus.ask("query", query=expression)["result"])


def pages(prometheus: Prometheus) -> list[dict[str, Any]]:
    """The alerts that wake somebody, or (state `pending`) will when their time is up."""
    return [alert for alert in prometheus.ask("alerts")["alerts"] if alert["labels"]["severity"] == "page"]


def test_no_alert_wakes_anybody_while_all_is_well(prometheus: Prometheus) -> None:
    assert [alert for alert in pages(prometheus) if alert["state"] == "firing"] == []
    # A block that is on its way just now is pending for a moment; what is wrong stays.
    eventually("none is about to", lambda: not pages(prometheus))
