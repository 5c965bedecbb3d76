"""What a pool of the main chain does not start with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from pool.config import Config
from pool.preflight import FILES_MIN, FileFacts, RedisFacts, describe, refusals

OURS = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"


class FakeMachine:
    """A machine on which all is well, but for what a test says."""

    def __init__(
        self,
        root: bool = False,
        files_max: int = FILES_MIN,
        files: dict[str, FileFacts] | None = None,
        file_system: str = "ext4",
        redis: RedisFacts | None = None,
    ) -> None:
        self._root, self._files_max, self._file_system, self._redis = root, files_max, file_system, redis
        self._files = files or {}
        self.asked: list[str] = []

    def is_root(self) -> bool:
        return self._root

    def files_max(self) -> int:
        return self._files_max

    def file(self, path: Path) -> FileFacts | None:
        return self._files.get(str(path))

    def file_system(self, folder: Path) -> str:
        assert folder == Path("/srv/steppe/journal")
        return self._file_system

    def redis(self, url: str) -> RedisFacts | None:
        self.asked.append(url)
        return self._redis


def config(chain: str = "main", node: dict[str, str] | None = None, **sections: Any) -> Config:
    pool = {"chain": chain, "payout_address": OURS, "data_dir": "/srv/steppe"} | sections.pop("pool", {})
    nodes = [{"url": "http://127.0.0.1:8332"} | (node or {"cookie_file": "/cookie"})]
    return msgspec.convert({"pool": pool, "node": nodes, **sections}, Config)


def refused(config: Config, machine: FakeMachine) -> list[str]:
    return [each.risk for each in refusals(config, machine)]


WITH_PASSWORD = {"user": "pool", "password_file": "/password"}
REMOTE_REDIS = {"url": "redis://10.0.0.5/0"}


def test_with_all_well_nothing_is_refused() -> None:
    assert refused(config(), FakeMachine()) == []


@pytest.mark.parametrize("secret", ["password", "ChangeMe", "short", "", "foobared"])
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    machine = FakeMachine(files={"/password": FileFacts(0o600, secret)})
    assert refused(config(node=WITH_PASSWORD), machine) == ["weak-secret"]


def test_a_password_within_an_address_is_looked_at_too() -> None:
    redis, database = {"url": "redis://:redis@127.0.0.1/0"}, {"url": "postgresql://steppe:p%61ssword@db/s"}
    assert refused(config(redis=redis, database=database), FakeMachine()) == ["weak-secret", "weak-secret"]


def test_the_secret_itself_is_never_shown() -> None:
    machine = FakeMachine(files={"/password": FileFacts(0o644, "hunter2")})
    assert "hunter2" not in "\n".join(describe(refusals(config(node=WITH_PASSWORD), machine)))


def test_a_secret_that_every_user_can_read_is_refused() -> None:
    files = {"/password": FileFacts(0o644, "a9f3c2d4e5b6a7c8"), "/key.pem": FileFacts(0o604, "-----BEGIN")}
    with_tls = config(node=WITH_PASSWORD, stratum={"tls_certificate": "/cert.pem", "tls_key": "/key.pem"})
    assert refused(with_tls, FakeMachine(files=files)) == ["readable-secret", "readable-secret"]


def test_the_secrets_of_messages_are_secrets_too() -> None:
    files = {"/smtp": FileFacts(0o600, "password"), "/hook": FileFacts(0o644, "a9f3c2d4e5b6a7c8")}
    alerts = {"smtp_password_file": "/smtp", "webhook_secret_file": "/hook"}
    assert refused(config(alerts=alerts), FakeMachine(files=files)) == ["weak-secret", "readable-secret"]


def test_a_secret_that_its_group_can_read_is_good() -> None:
    machine = FakeMachine(files={"/password": FileFacts(0o640, "a9f3c2d4e5b6a7c8")})
    assert refused(config(node=WITH_PASSWORD), machine) == []


def test_a_file_that_is_not_there_is_for_whoever_needs_it_to_tell() -> None:
    assert refused(config(node=WITH_PASSWORD), FakeMachine()) == []


@pytest.mark.parametrize("binds", [("0.0.0.0",), ("*", "-::*"), (), ("127.0.0.1", "10.0.0.5"), ("::",)])
def test_a_redis_without_a_password_that_others_reach_is_refused(binds: tuple[str, ...]) -> None:
    machine = FakeMachine(redis=RedisFacts(binds, is_protected=False))
    assert refused(config(redis=REMOTE_REDIS), machine) == ["open-redis"]


@pytest.mark.parametrize(
    "facts", [None, RedisFacts(("127.0.0.1", "-::1"), is_protected=False), RedisFacts(("*",), is_protected=True)]
)
def test_a_redis_that_only_this_machine_or_nobody_reaches_is_good(facts: RedisFacts | None) -> None:
    assert refused(config(redis=REMOTE_REDIS), FakeMachine(redis=facts)) == []


def test_redis_is_asked_without_the_password_that_is_configured() -> None:
    machine = FakeMachine()
    refusals(config(redis={"url": "redis://:a9f3c2d4e5b6a7c8@10.0.0.5:7000/3"}), machine)
    assert machine.asked == ["redis://10.0.0.5:7000"]


def test_our_own_redis_on_its_socket_is_not_asked() -> None:
    machine = FakeMachine()
    refusals(config(), machine)
    refusals(config(redis={"url": "unix:///run/redis.sock"}), machine)
    assert machine.asked == []


@pytest.mark.parametrize(
    "address", ["bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"]
)
def test_an_example_as_payout_address_is_refused(address: str) -> None:
    assert refused(config(pool={"payout_address": address}), FakeMachine()) == ["sample-address"]


@pytest.mark.parametrize("kind", ["tmpfs", "ramfs"])
def test_a_journal_in_memory_is_refused(kind: str) -> None:
    assert refused(config(), FakeMachine(file_system=kind)) == ["volatile-journal"]


def test_too_few_files_are_refused() -> None:
    assert refused(config(), FakeMachine(files_max=FILES_MIN - 1)) == ["few-files"]


def test_root_is_refused() -> None:
    assert refused(config(), FakeMachine(root=True)) == ["root"]


def test_each_refusal_says_how_to_mend_it_and_all_how_to_go_on() -> None:
    lines = list(describe(refusals(config(), FakeMachine(root=True, file_system="tmpfs"))))
    assert lines[0].startswith("refused (volatile-journal): pool.data_dir: /srv/steppe/journal is in memory (tmpfs)")
    assert "useradd" in lines[1]
    assert lines[2].endswith('accept_risks = ["volatile-journal", "root"] in [pool].')


def test_a_risk_that_is_accepted_is_no_refusal() -> None:
    accepting = config(pool={"accept_risks": ["root"]})
    assert refused(accepting, FakeMachine(root=True, file_system="tmpfs")) == ["volatile-journal"]


@pytest.mark.parametrize("chain", ["testnet4", "signet", "regtest"])
def test_on_a_test_chain_nothing_is_refused(chain: str) -> None:
    machine = FakeMachine(root=True, files_max=10, file_system="tmpfs", redis=RedisFacts((), is_protected=False))
    assert refused(config(chain, redis=REMOTE_REDIS), machine) == []
