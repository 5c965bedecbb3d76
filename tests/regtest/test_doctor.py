"""`steppe doctor`: a real set-up, whole and with one thing broken at a time, each found and named with its mend."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, text

from pool.cli import main
from pool.config_file import load
from pool.doctor.examine import examine
from pool.doctor.finding import Finding, Health
from pool.node.loopback import free_port
from pool.node.private import PrivateNode
from pool.roles.clock import SystemClock
from tests.certificates import write_pair
from tests.regtest.conftest import StartNode
from tests.regtest.test_disk_full import mounted
from tests.regtest.whole_pool import WholePool, eventually

SIGNET_ADDRESS = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"


@pytest.fixture(scope="module")
def node(bitcoind: StartNode) -> Iterator[PrivateNode]:
    node = bitcoind("regtest")
    node.mine(101)
    yield node
    node.stop()


@pytest.fixture
def pool(node: PrivateNode, tmp_path: Path) -> WholePool:
    """One that does not run."""
    return WholePool(tmp_path, node, "regtest")


def found(pool: WholePool) -> list[Finding]:
    return examine(pool.config, SystemClock())


def wrong(pool: WholePool) -> dict[str, Finding]:
    """What is not good, by its name."""
    return {each.what: each for each in found(pool) if each.health is not Health.GOOD}


def edit(pool: WholePool, old: str, new: str) -> None:
    before = pool.config_path.read_text()
    assert old in before
    pool.config_path.write_text(before.replace(old, new))
    load(pool.config_path)


def test_all_is_good_before_the_first_start(pool: WholePool) -> None:
    assert wrong(pool) == {}


def test_a_pool_that_runs_tells_what_it_knows_itself(node: PrivateNode, tmp_path: Path) -> None:
    pool = WholePool(tmp_path, node, "regtest")
    pool.start()
    try:
        eventually("a job is there", lambda: wrong(pool).keys() <= {"pool: chain"})
        texts = {each.what: each.text for each in found(pool)}
        assert texts[f"miners' door 127.0.0.1:{pool.stratum_port}"] == "miners are taken in"
        assert texts[f"page 127.0.0.1:{pool.http_port}"] == "the pool runs"
        assert "pool: template" in texts
        assert texts["redis"].startswith("version ")
        assert texts["database"].startswith("the books are of this version")
    finally:
        pool.stop()


def test_a_node_that_is_away(pool: WholePool) -> None:
    edit(pool, pool.node.url, f"http://127.0.0.1:{free_port()}")
    problems = wrong(pool)
    [finding] = [each for name, each in problems.items() if name.startswith("node ")]
    assert (finding.health, finding.mend) == (Health.BAD, "start it, or correct node[0] in the file")
    assert problems["payout address"].health is Health.UNKNOWN


def test_a_node_of_another_chain(pool: WholePool) -> None:
    regtest = f'chain = "regtest"\npayout_address = "{pool.config.pool.payout_address}"'
    edit(pool, regtest, f'chain = "signet"\npayout_address = "{SIGNET_ADDRESS}"')
    [finding] = [each for name, each in wrong(pool).items() if name.startswith("node ")]
    assert "is on the chain 'regtest', the pool on 'signet'" in finding.text


def test_announcements_that_the_node_does_not_make(pool: WholePool) -> None:
    edit(pool, "[work]", f'zmq = "tcp://127.0.0.1:{free_port()}"\n\n[work]')
    [finding] = wrong(pool).values()
    assert finding.health is Health.WARNING
    assert finding.text.startswith("it announces blocks at nowhere, not at tcp://127.0.0.1:")
    assert finding.mend.startswith("-zmqpubhashblock=tcp://")


@contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[int]:
    port = free_port()
    command = ["redis-server", "--port", str(port), "--dir", str(folder), "--save", "", *options]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        assert any("Ready to accept connections" in line for line in server.stdout)
        yield port
    finally:
        server.terminate()
        server.communicate(timeout=30)


def test_a_redis_that_forgets_when_it_is_full(pool: WholePool, tmp_path: Path) -> None:
    with redis_server(tmp_path, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru") as port:
        edit(pool, "[web]", f'[redis]\nurl = "redis://127.0.0.1:{port}/0"\n\n[web]')
        assert wrong(pool)["redis"].mend == "CONFIG SET maxmemory-policy noeviction"


def test_a_redis_that_is_away(pool: WholePool) -> None:
    edit(pool, "[web]", f'[redis]\nurl = "redis://127.0.0.1:{free_port()}/0"\n\n[web]')
    assert wrong(pool)["redis"].health is Health.BAD


@pytest.mark.parametrize(
    ("revision", "health", "says"),
    [("0001", Health.WARNING, "of an older version"), ("9999", Health.BAD, "of a newer version")],
)
def test_books_of_another_version(pool: WholePool, revision: str, health: Health, says: str) -> None:
    folder = pool.folder / "data"
    folder.mkdir(mode=0o700)
    engine = create_engine(f"sqlite:///{folder}/ledger.sqlite")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:it)"), {"it": revision})
    engine.dispose()
    finding = wrong(pool)["database"]
    assert finding.health is health
    assert says in finding.text


def test_a_data_folder_that_is_open_to_all(pool: WholePool) -> None:
    (pool.folder / "data").mkdir()
    (pool.folder / "data").chmod(0o755)
    assert wrong(pool)["data folder"].mend == f"chmod 700 {pool.folder}/data"


def test_a_disk_with_too_little_room(pool: WholePool) -> None:
    edit(pool, "[[node]]", "disk_low_mib = 1048576\ndisk_low_percent = 90\n\n[[node]]")
    assert wrong(pool)["disk"].health is Health.WARNING


def test_a_door_that_somebody_else_holds(pool: WholePool) -> None:
    with socket.create_server(("127.0.0.1", pool.stratum_port)) as other:
        other.settimeout(10)
        door = f"miners' door 127.0.0.1:{pool.stratum_port}"
        assert wrong(pool)[door].text.startswith("something listens there, and does not speak Stratum")


def test_a_page_whose_port_somebody_else_holds(pool: WholePool) -> None:
    with redis_server(pool.folder) as port:
        edit(pool, f'"127.0.0.1:{pool.http_port}"', f'"127.0.0.1:{port}"')
        finding = wrong(pool)[f"page 127.0.0.1:{port}"]
        assert finding.health is Health.BAD
        assert finding.mend.endswith("end that, or set web.listen to another port")


def test_a_door_of_operators_that_somebody_else_holds(pool: WholePool) -> None:
    with socket.create_server(("127.0.0.1", pool.admin_port)):
        problems = wrong(pool)
    assert problems.keys() == {f"operators 127.0.0.1:{pool.admin_port}"}
    assert problems.popitem()[1].mend.endswith("end that, or set web.admin_listen to another port")


@pytest.mark.parametrize(("seconds", "says"), [(3600, "s ahead of the node"), (-3600, "s behind the node")])
def test_a_clock_that_is_off(pool: WholePool, seconds: int, says: str) -> None:
    class Off(SystemClock):
        def time_ms(self) -> int:
            return super().time_ms() + seconds * 1000

    # The test's blocks came so fast that their times are ahead; the node's must be ahead of those to be seen.
    pool.node.call("setmocktime", int(time.time()) + 300)
    try:
        found = {each.what.partition(": ")[2]: each for each in examine(pool.config, Off())}
    finally:
        pool.node.call("setmocktime", 0)
    assert says in found["our clock"].text
    assert found["our clock"].health is Health.WARNING
    assert "NTP" in found["our clock"].mend


def test_a_password_that_is_another_nodes(pool: WholePool) -> None:
    (pool.folder / "password").write_text("not-the-password-of-it\n")
    edit(pool, f'cookie_file = "{pool.node.cookie_file}"', 'user = "pool"\npassword_file = "password"')
    [finding] = [each for name, each in wrong(pool).items() if name.startswith("node ")]
    assert "refuses the user 'pool' with the password in" in finding.text
    assert finding.health is Health.BAD


def test_what_the_start_would_refuse(pool: WholePool) -> None:
    main_address = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
    (pool.folder / "password").write_text("0123456789abcdef0123456789\n")
    (pool.folder / "password").chmod(0o644)
    regtest = f'chain = "regtest"\npayout_address = "{pool.config.pool.payout_address}"'
    edit(pool, regtest, f'chain = "main"\npayout_address = "{main_address}"')
    edit(pool, f'cookie_file = "{pool.node.cookie_file}"', 'user = "pool"\npassword_file = "password"')
    edit(pool, 'data_dir = "data"', 'data_dir = "/dev/shm/steppe-doctor"')
    problems = wrong(pool)
    assert problems["start: readable-secret"].text.endswith("chmod 600 it")
    assert "is in memory (tmpfs)" in problems["start: volatile-journal"].text


def test_a_full_disk(pool: WholePool, tmp_path: Path) -> None:
    with mounted(tmp_path / "small", "tmpfs", 1) as small:
        (small / "filler").write_bytes(bytes(1_000_000))
        edit(pool, 'data_dir = "data"', f'data_dir = "{small}/data"')
        finding = wrong(pool)["disk"]
    assert finding.health is Health.BAD
    assert "no share would be accepted" in finding.text


def test_an_address_that_this_machine_does_not_have(pool: WholePool) -> None:
    # For documentation, RFC 5737: nobody's.
    edit(pool, f'"127.0.0.1:{pool.stratum_port}"', '"192.0.2.1:3333"')
    assert wrong(pool)["miners' door 192.0.2.1:3333"].mend == "this machine does not have that address"


@pytest.mark.parametrize(
    ("days", "health"), [(-1, Health.BAD), (10, Health.WARNING), (90, Health.GOOD)], ids=["ended", "soon", "good"]
)
def test_a_certificate(pool: WholePool, tmp_path: Path, days: int, health: Health) -> None:
    certificate, key = write_pair(tmp_path, days=days)
    edit(pool, "difficulty_min", f'tls_certificate = "{certificate}"\ntls_key = "{key}"\ndifficulty_min')
    [finding] = [each for each in found(pool) if each.what == "certificate"]
    assert finding.health is health


def test_a_wallet_that_is_not_there(pool: WholePool) -> None:
    edit(pool, "[web]", '[payouts]\nenabled = true\nwallet = "none"\n\n[web]')
    assert wrong(pool)["payout wallet"].mend == "load the wallet none, or correct payouts.wallet"


def test_the_command_says_it_in_words_and_in_json_and_by_its_exit_code(pool: WholePool) -> None:
    runner = CliRunner()
    good = runner.invoke(main, ["doctor", "-c", str(pool.config_path)])
    edit(pool, pool.node.url, f"http://127.0.0.1:{free_port()}")
    bad = runner.invoke(main, ["doctor", "--json", "-c", str(pool.config_path)])
    assert (good.exit_code, bad.exit_code) == (0, 1)
    assert all(line.startswith("good ") for line in good.output.splitlines())
    assert json.loads(bad.output)["health"] == "bad"
