"""The commands `steppe scenario`, as a person types them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from twisted.internet.defer import execute
from twisted.python.failure import Failure

from pool.cli import main
from pool.cli_scenario import signals_as_ctrl_c


def test_a_folder_in_use_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    result = CliRunner().invoke(main, ["scenario", "bit-mining-2021", "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert "is not empty, and nothing in it is overwritten: name a new folder with --out" in result.output


def test_without_a_folder_nothing_is_played() -> None:
    result = CliRunner().invoke(main, ["scenario", "bit-mining-2021"])
    assert result.exit_code == 2
    assert "--out" in result.output


def test_json_is_alone_on_stdout(tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = ["scenario", "bit-mining-2021", "--out", str(out), "--seed", "5", "--scale", "200", "--json"]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["seed"], told["scale"]) == (5, 200)
    assert json.loads((out / "summary.json").read_text()) == told
    assert "%" not in result.stderr  # a bar is for terminals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.timeout(120)
def test_who_is_stopped_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    argv = [sys.executable, "-m", "pool", "scenario", "bit-mining-2021", "--out", str(tmp_path / "out"), "--scale", "8"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        while run.poll() is None and not list(tmp_path.glob(".out.*/out/journal/0/*")):
            time.sleep(0.05)
        os.kill(run.pid, number)
        _, said = run.communicate(timeout=60)
    assert run.returncode == 1
    assert said.endswith("Error: stopped before its end; nothing was written\n")
    assert list(tmp_path.iterdir()) == []


def test_a_signal_that_a_deferred_keeps_stops_it_a_moment_later() -> None:
    with signals_as_ctrl_c() as stop_if_asked:
        stop_if_asked()
        kept: list[Failure] = []
        execute(signal.raise_signal, signal.SIGHUP).addErrback(kept.append)
        assert kept[0].check(KeyboardInterrupt)
        with pytest.raises(KeyboardInterrupt):
            stop_if_asked()
