"""`steppe scenario live-move`, small: pool/scenario/live_move.py and pool/scenario/two_regions.py."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.regtest.whole_pool import alive, children_of, eventually

SCENARIO = (sys.executable, "-m", "pool", "scenario", "live-move", "--machines", "24", "--pace", "34%/2s")


@pytest.fixture(scope="module")
def outs(tmp_path_factory: pytest.TempPathFactory, bitcoind_program: Path) -> dict[str, Path]:
    """The reports of two small moves, one on each chain. Half a minute of each a straggler is given, so both play at
    once."""
    folders = {chain: tmp_path_factory.mktemp(f"live-move-{chain}") for chain in ("regtest", "signet")}
    with contextlib.ExitStack() as stack:
        runs = [
            stack.enter_context(
                subprocess.Popen(
                    [*SCENARIO, "--chain", chain, "--out", str(folder)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    env={**os.environ, "STEPPE_BITCOIND": str(bitcoind_program)},
                )
            )
            for chain, folder in folders.items()
        ]
        for run in runs:
            said, _ = run.communicate(timeout=400)
            assert run.returncode == 0, said
            assert "WRONG" not in said
    return folders


@pytest.fixture(params=["regtest", "signet"])
def chain(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def summary(outs: dict[str, Path], chain: str) -> Any:
    return json.loads((outs[chain] / "summary.json").read_text())


@pytest.mark.timeout(500)
def test_no_acknowledged_share_is_lost_and_none_counts_twice(summary: Any, chain: str) -> None:
    verdict = summary["verdict"]
    assert (verdict["lost"], verdict["doubled"], verdict["wrong"], summary["wrong"]) == ([], [], [], [])
    least, least_of_a_region = {"regtest": (150, 30), "signet": (500, 100)}[chain]
    assert verdict["acknowledged"] > least
    assert min(summary["by_region"].values()) > least_of_a_region
    assert summary["chain"] == chain


def test_all_arrive_but_for_the_deaf_who_are_listed_by_rack(summary: Any) -> None:
    assert summary["arrived"] == 23
    [deaf] = [each["login"] for each in summary["arrivals"] if each["is_deaf"]]
    assert [each["login"] for each in summary["arrivals"] if each["status"] == "straggler"] == [deaf]
    assert summary["stayed_shares"] > 0
    assert summary["stragglers"] == {deaf.removeprefix("bit.").rpartition("-")[0]: [deaf]}
    assert [wave["machines"] for wave in summary["waves"]] == [9, 9, 6]


def test_a_block_after_the_move_pays_the_parties_of_both_sites_to_the_satoshi(summary: Any) -> None:
    before, after = summary["blocks"][0], summary["blocks"][-1]
    assert (before["phase"], after["phase"]) == ("before", "after")
    assert before["found_s"] <= 0
    assert after["found_s"] >= summary["lasted_s"]
    sat = {(each["account"], each["site"]): each["sat"] for each in after["parties"]}
    assert {name for name, _ in sat} == {"bit", "neighbour", "ganzi", "kz-operator", "kz-partner"}
    assert sum(sat.values()) + after["pool_fee_sat"] == after["reward_sat"]
    ganzi_net_sat = sat["bit", "ganzi"] + sat["ganzi", "ganzi"]
    assert sat["ganzi", "ganzi"] == ganzi_net_sat * 700 // 10_000
    there_sat = sum(each for (_, site), each in sat.items() if site == "ekibastuz")
    assert sat["kz-operator", "ekibastuz"] == there_sat * 450 // 10_000
    assert {each["site"] for each in before["parties"]} - {""} == {"ganzi"}


def test_on_regtest_each_share_is_a_block_and_all_that_they_pay_is_mature_in_the_end(outs: dict[str, Path]) -> None:
    summary = json.loads((outs["regtest"] / "summary.json").read_text())
    assert summary["blocks_found"] >= summary["verdict"]["acknowledged"]
    held = [*summary["holdings"], summary["fees"]]
    assert all(each["mature_sat"] > 0 for each in held)
    assert not any(each["immature_sat"] for each in held)
    kept = summary["blocks_found"] - summary["blocks_lost"]
    assert sum(each["mature_sat"] for each in held) == sum(50 * 10**8 >> height // 150 for height in range(1, kept + 1))


def test_on_signet_a_share_is_rarely_one_and_the_subsidy_stays(outs: dict[str, Path]) -> None:
    summary = json.loads((outs["signet"] / "summary.json").read_text())
    assert summary["blocks_found"] < summary["verdict"]["acknowledged"] / 20
    assert {block["reward_sat"] for block in summary["blocks"]} == {50 * 10**8}
    assert not any(each["mature_sat"] for each in summary["holdings"])


def test_the_dry_run_has_the_fleet_by_rack_and_nobody_else(outs: dict[str, Path], chain: str) -> None:
    lines = [line.split("\t") for line in (outs[chain] / "dry-run.txt").read_text().splitlines()]
    assert [login for _, _, login, _ in lines] == [f"bit.sc-r{n // 16 + 1:02}-{n % 16 + 1:02}" for n in range(24)]
    assert all(re.fullmatch(r"client\.reconnect 127\.0\.0\.1 [0-9]+ 0", told) for *_, told in lines)
    assert all(re.fullmatch(r"[0-9-]{10}T[0-9:.]{8,12}Z", at) for at, *_ in lines)


@pytest.mark.timeout(200)
def test_ctrl_c_ends_all_that_it_started(tmp_path: Path, bitcoind_program: Path) -> None:
    with subprocess.Popen(
        [*SCENARIO, "--out", str(tmp_path / "out")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
        env={**os.environ, "STEPPE_BITCOIND": str(bitcoind_program)},
    ) as run:
        assert run.stdout is not None
        eventually("the pool is ready", lambda: "the pool is ready" in run.stdout.readline())  # type: ignore[union-attr]
        started = children_of(run.pid)
        os.kill(run.pid, signal.SIGINT)
        _, said = run.communicate(timeout=90)
    assert (run.returncode, said) == (1, "Error: stopped before its end; nothing was written\n")
    assert len(started) >= 9
    assert not [pid for pid in started if alive(pid)]
    assert not (tmp_path / "out" / "summary.txt").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--data-dir", "FOLDER"], "FOLDER is not empty: name another folder for what the pool keeps"),
        (["--pace", "fast"], "'fast' is no pace: write 20/min (machines each minute), "),
        (
            ["--pace", "10%/15min"],
            "at 10%/15min the last wave comes 105 minutes after the first, and the notice leaves 30: take a faster",
        ),
        (
            ["--machines", "320", "--pace", "10%/2min"],
            "that is about 4,928 shares, each a block on regtest, where the subsidy halves every 150 and is small ",
        ),
        (
            ["--machines", "1000", "--pace", "10%/6s"],
            "at 10%/6s about 16 machines arrive each second, each with a share that is a block on regtest, and most ",
        ),
    ],
)
def test_what_cannot_be_is_refused_at_once(
    tmp_path: Path, bitcoind_program: Path, arguments: list[str], says: str
) -> None:
    used = tmp_path / "used"
    used.mkdir()
    (used / "ledger.sqlite").touch()
    run = subprocess.run(
        [*SCENARIO, "--out", str(tmp_path / "out"), *(each.replace("FOLDER", str(used)) for each in arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "STEPPE_BITCOIND": str(bitcoind_program)},
    )
    assert run.returncode == 1
    assert run.stderr.startswith(f"Error: {says.replace('FOLDER', str(used))}")


@pytest.mark.timeout(200)
def test_a_process_that_cannot_run_ends_it_with_the_reason_and_the_place_of_its_logs(
    tmp_path: Path, bitcoind_program: Path
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for path in filter(Path.is_dir, map(Path, os.environ["PATH"].split(os.pathsep))):
        for each in path.iterdir():
            if each.name != "redis-server" and not (programs / each.name).exists():
                (programs / each.name).symlink_to(each)
    run = subprocess.run(
        [*SCENARIO, "--out", str(tmp_path / "out"), "--data-dir", str(tmp_path / "data")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        env={**os.environ, "STEPPE_BITCOIND": str(bitcoind_program), "PATH": str(programs)},
    )
    assert run.returncode == 1
    assert run.stderr.startswith("Error: redis-server is not on PATH")
    assert run.stderr.endswith(f"; logs, books and journals are kept in {tmp_path / 'data'}\n")
    assert not [each for each in _commands() if str(tmp_path) in each]


def _commands() -> Iterator[str]:
    """Of all processes."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            yield path.read_bytes().decode(errors="replace")
