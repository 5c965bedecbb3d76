"""docker/compose.yaml, read by Compose itself: all set-ups are whole, and shut towards the world."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.docker.compose import DOCKER, SETUPS, composed

Setup = tuple[str, dict[str, Any]]
STORES_AND_BOARD = {"node", "redis", "database", "pool", "prometheus", "grafana"}


@pytest.fixture(scope="module", params=SETUPS)
def setup(request: pytest.FixtureRequest) -> Setup:
    """A set-up's name, and what Compose makes of it."""
    return request.param, composed(request.param)


def mounts(config: dict[str, Any], service: str) -> dict[str, str]:
    """Of a service: by the place within it, the volume or the file outside."""
    return {each["target"]: each["source"] for each in config["services"][service]["volumes"]}


def test_production_has_stores_monitoring_and_no_miner(setup: Setup) -> None:
    name, config = setup
    assert set(config["services"]) == STORES_AND_BOARD | (set() if name == "production" else {"miner"})


def test_no_two_share_a_volume(setup: Setup) -> None:
    name, config = setup
    assert config["name"] == f"steppe-{name}"
    assert all(each["name"].startswith(f"steppe-{name}_") for each in config["volumes"].values())


def test_every_file_that_is_mounted_is_there(setup: Setup) -> None:
    for service in setup[1]["services"].values():
        for mount in service.get("volumes", ()):
            if mount["type"] == "bind":
                assert Path(mount["source"]).exists(), mount
                assert mount["read_only"]


def test_the_pool_is_given_the_set_ups_own_configuration(setup: Setup) -> None:
    name, config = setup
    assert mounts(config, "pool")["/etc/steppe/steppe.toml"] == str(DOCKER / name / "steppe.toml")
    assert mounts(config, "node")["/etc/bitcoin/bitcoin.conf"] == str(DOCKER / name / "bitcoin.conf")


def test_only_the_door_of_the_miners_is_open_to_other_machines(setup: Setup) -> None:
    published = [port for each in setup[1]["services"].values() for port in each.get("ports", ())]
    assert [port["published"] for port in published if port.get("host_ip") != "127.0.0.1"] == ["3333"]


def test_what_the_pool_connects_to_is_a_service_or_a_socket_of_one(setup: Setup) -> None:
    name, config = setup
    options = tomllib.loads((DOCKER / name / "steppe.toml").read_text())
    inside, services = mounts(config, "pool"), config["services"]
    for node in options["node"]:
        assert urlsplit(node["url"]).hostname in services
        assert inside["/var/lib/bitcoin"] == mounts(config, "node")["/var/lib/bitcoin"]
        assert node["cookie_file"].startswith("/var/lib/bitcoin/")
    socket = Path(urlsplit(options["redis"]["url"]).path)
    command = config["services"]["redis"]["command"]
    served = Path(command[command.index("--unixsocket") + 1])
    assert (inside[str(socket.parent)], socket.name) == (mounts(config, "redis")[str(served.parent)], served.name)
    [folder] = parse_qs(urlsplit(options["database"]["url"]).query)["host"]
    assert inside[folder] == mounts(config, "database")["/var/run/postgresql"]
    assert inside[options["pool"]["data_dir"]] == "pool"


def test_prometheus_and_grafana_ask_services_at_the_ports_that_these_have(setup: Setup) -> None:
    name, config = setup
    options = tomllib.loads((DOCKER / name / "steppe.toml").read_text())
    [target] = re.findall(r'targets: \["(.+)"\]', (DOCKER / "prometheus" / "prometheus.yml").read_text())
    assert target == f"pool:{options['web']['admin_listen'].rpartition(':')[2]}"
    source = DOCKER / "grafana" / "provisioning" / "datasources" / "prometheus.yml"
    [host, port] = re.findall(r"url: http://(\w+):(\d+)", source.read_text())[0]
    assert host in config["services"]
    assert [each["target"] for each in config["services"][host]["ports"]] == [int(port)]
