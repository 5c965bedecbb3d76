"""The unit for systemd: what it is exposed to, and what it hears from a pool that runs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pool.node.loopback import free_port

UNIT = Path(__file__).parents[2] / "systemd" / "steppe.service"
EXPOSURE_MAX_TENTHS = 20

CONFIG = """\
[pool]
chain = "regtest"
payout_address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

[[node]]
url = "http://127.0.0.1:1"
cookie_file = "cookie"

[stratum]
listen = ["127.0.0.1:{stratum}"]

[web]
listen = "127.0.0.1:{web}"
admin_listen = "127.0.0.1:{admin}"
"""


def test_the_service_is_exposed_to_little() -> None:
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX_TENTHS}", str(UNIT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-200:] + done.stderr


@pytest.mark.parametrize("drop_in", [None, "one-role.conf"])
def test_systemd_understands_every_line_of_it(tmp_path: Path, drop_in: str | None) -> None:
    program = tmp_path / "steppe"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    places = {UNIT: tmp_path / UNIT.name}
    if drop_in is not None:
        places[UNIT.with_name(drop_in)] = tmp_path / f"{UNIT.name}.d" / drop_in
    for source, place in places.items():
        place.parent.mkdir(exist_ok=True)
        place.write_text(source.read_text().replace("/opt/steppe/bin/steppe", str(program)))
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / UNIT.name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if UNIT.name in line or f"{drop_in}" in line]
    assert ours == []


def test_it_hears_when_the_pool_is_there_and_that_it_lives_and_when_it_goes(tmp_path: Path) -> None:
    (tmp_path / "steppe.toml").write_text(CONFIG.format(stratum=free_port(), web=free_port(), admin=free_port()))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        environment = os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
        pool = subprocess.Popen(
            [sys.executable, "-m", "pool", "run", "-c", str(tmp_path / "steppe.toml")],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            heard = [manager.recv(100).decode() for _ in range(4)]
            pool.send_signal(signal.SIGHUP)
            while not heard[-1].startswith("RELOADING=1"):
                heard.append(manager.recv(100).decode())
            assert manager.recv(100) == b"READY=1"
            pool.terminate()
            while not heard[-1].startswith("STOPPING=1"):
                heard.append(manager.recv(100).decode())
            assert heard[:2] == ["READY=1", "WATCHDOG=1"]
        finally:
            pool.terminate()
            assert pool.wait(60) == 0
