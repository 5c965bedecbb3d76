"""`steppe demo`, as a newcomer runs it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from pool.node.loopback import free_port
from tests.regtest.whole_pool import alive, children_of

DEMO = (sys.executable, "-m", "pool", "demo")


def ports() -> tuple[str, ...]:
    return ("--stratum-port", str(free_port()), "--http-port", str(free_port()))


def test_it_ends_well_once_a_block_is_accepted_matured_and_credited(tmp_path: Path) -> None:
    run = subprocess.run(
        [*DEMO, "--chain", "regtest", "--blocks", "1", "--data-dir", str(tmp_path / "demo"), *ports()],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "account alice: PPLNS, fee 1 %" in run.stdout
    assert "mature: its credits can be paid out" in run.stdout
    assert "BTC credited to 2 accounts" in run.stdout
    assert "accepted, matured and credited" in run.stdout


def test_ctrl_c_stops_everything_that_it_started(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*DEMO, "--chain", "regtest", "--data-dir", str(tmp_path / "demo"), *ports()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        read_until(demo, "accepted, found by")
        started = children_of(demo.pid)
        os.kill(demo.pid, signal.SIGINT)
        demo.stdout.read()
        assert demo.wait(60) == 0
    assert len(started) >= 8
    assert not [pid for pid in started if alive(pid)]


def test_it_ends_with_all_it_started_when_nobody_reads_its_words_any_more(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*DEMO, "--chain", "regtest", "--data-dir", str(tmp_path / "demo"), *ports()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        read_until(demo, "Ctrl-C stops everything")
        started = children_of(demo.pid)
        demo.stdout.close()  # as `scripts/demo | head` does
        assert demo.wait(60) == 1
    assert len(started) >= 8
    assert not [pid for pid in started if alive(pid)]


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = refused("--stratum-port", str(port), "--data-dir", str(tmp_path / "demo"))
    assert run == f"Error: port {port} is taken; choose another or leave the option out\n"


def test_without_a_bitcoind_it_says_what_to_do(tmp_path: Path) -> None:
    said = refused("--data-dir", str(tmp_path / "demo"), env={"PATH": "/nowhere"})
    assert said.startswith("Error: no bitcoind: put one on PATH")


def read_until(demo: subprocess.Popen[str], words: str) -> None:
    """What it says up to there. It gives up by itself when it does not get so far."""
    assert demo.stdout is not None
    assert any(words in line for line in demo.stdout), f"it ended without having said: {words}"


def refused(*arguments: str, env: dict[str, str] | None = None) -> str:
    """What a demo that cannot run says."""
    run = subprocess.run(
        [*DEMO, "--chain", "regtest", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=env,
    )
    assert run.returncode == 1
    return run.stderr
