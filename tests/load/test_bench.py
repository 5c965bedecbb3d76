"""The benchmark itself, for a moment: the whole stratum role over real sockets, beside the floor."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from pool.bitcoin.target import difficulty_from_target, target_from_nbits
from tests.load import measure
from tests.load.bench import KINDS, main
from tests.load.job import LEVELS, mainnet_job
from tests.load.node import Pool
from tests.load.processes import cores, cpu_ns, end, pinned, thread_cpu_ns, wait_for
from tests.load.programs import program
from tests.load.servers import DIFFICULTY
from tests.namespaces import why_not

CONNECTIONS = 30
SECONDS = 1.0
"""Of a timed window: long enough that something is answered in it, whoever else has the core for a moment."""

SCARCE = 20
"""Shares a second that are hashed ahead: far fewer than the slowest machine's floor answers."""


def bench(*arguments: str) -> dict[str, Any]:
    """A report of the command."""
    short = ("--connections", str(CONNECTIONS), "--seconds", str(SECONDS), "--in-flight", "20")
    run = CliRunner().invoke(main, ["stratum", *short, *arguments], catch_exceptions=False)
    assert run.exit_code == 0, run.stderr
    report: dict[str, Any] = json.loads(run.stdout)
    return report


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """A run of everything beside the floor, as short as can be."""
    return bench(*(f"--mode={mode}" for mode, kind in KINDS.items() if kind.ratios))


@pytest.fixture(scope="module")
def scarce() -> Iterator[dict[str, Any]]:
    """Shares of a run that has hashed far fewer ahead than the server can take."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "SHARES_PER_SECOND_MAX", SCARCE)
        yield bench("--mode", "shares", "--server", "floor")["shares"][0]["floor"]


@pytest.fixture(scope="module")
def other() -> dict[str, Any]:
    """Shares on the other endpoint, with the other journal."""
    options = ("--endpoint", "twisted", "--journal", "fsync", "--shares-per-extranonce2", "5", "--rounds", "2")
    return bench("--mode", "shares", "--server", "ours", *options)


@pytest.mark.parametrize("server", ["floor", "ours"])
class TestEachServer:
    def test_every_share_is_accepted(self, report: dict[str, Any], server: str) -> None:
        shares = report["shares"][0][server]
        assert shares["refused"] == 0 < shares["accepted"]

    def test_nobody_is_turned_away(self, report: dict[str, Any], server: str) -> None:
        assert report["connect"][0][server]["refused"] == 0

    def test_a_new_block_reaches_the_first_miner_before_the_last(self, report: dict[str, Any], server: str) -> None:
        notify = report["notify"][0][server]
        assert 0 < notify["first_ms"] <= notify["last_ms"]

    def test_idle_sessions_hold_memory(self, report: dict[str, Any], server: str) -> None:
        assert report["idle"][0][server]["resident_mib"] > 0


def test_waves_of_miners_come_and_go_and_memory_is_looked_at_after_each() -> None:
    churn = bench("--mode", "churn")["churn"][0]["ours"]
    assert churn["came"] >= 4 * CONNECTIONS
    assert len(churn["resident_mib"]) == 10
    assert 0 < churn["resident_mib"][0] <= churn["resident_last_mib"] * 2


def test_both_servers_send_notifications_of_the_same_size(report: dict[str, Any]) -> None:
    notify = report["notify"][0]
    assert notify["floor"]["bytes"] == notify["ours"]["bytes"]


@pytest.mark.parametrize("mode", [mode for mode, kind in KINDS.items() if kind.ratios])
def test_each_mode_says_how_often_the_floor_goes_into_ours(report: dict[str, Any], mode: str) -> None:
    assert report[mode][0]["ratio"].keys() <= set(KINDS[mode].ratios)


def test_shares_are_accepted_on_the_other_endpoint_and_journal(other: dict[str, Any]) -> None:
    shares = other["shares"][0]["ours"]
    assert shares["refused"] == 0 < shares["accepted"]


def test_a_server_too_fast_for_the_shares_hashed_ahead_is_measured_over_a_shorter_time(scarce: dict[str, Any]) -> None:
    assert 0 < scarce["accepted"] <= SECONDS * SCARCE + CONNECTIONS
    assert scarce["seconds"] < SECONDS


def test_nobody_is_turned_away_who_comes_over_tls() -> None:
    came = bench("--mode", "connect_tls")["connect_tls"][0]["tls"]
    assert (came["connections"], came["refused"]) == (CONNECTIONS, 0)


def test_a_block_at_the_node_reaches_every_miner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pool, "transactions", 20)
    block = bench("--mode", "block")["block"][0]["pool"]
    assert 0 < block["first_ms"] <= block["last_ms"]


def test_of_several_rounds_one_with_the_median_is_shown(other: dict[str, Any]) -> None:
    shares = other["shares"][0]["ours"]
    assert shares["cpu_us_per_share"] == min(shares["cpu_us_per_share_of_rounds"])


@pytest.mark.parametrize("net", [[], ["--loopback"]])
def test_growth_is_told_of_each_server_with_few_and_many_connections(net: list[str]) -> None:
    if not net and (reason := why_not()) is not None:
        pytest.skip(reason)
    arguments = ("--few", "5", "--many", "20", "--rate", "500", "--rounds", "1", "--seconds", str(SECONDS))
    run = CliRunner().invoke(main, ["growth", *net, *arguments], catch_exceptions=False)
    report = json.loads(run.stdout)
    assert report["wire"] is not bool(net)
    growth = report["growth"]
    assert growth["connections"] == [5, 20]
    for server in ("floor", "ours"):
        found = growth[server]
        few, many = (found[which]["cpu_us_per_share"] for which in ("few", "many"))
        assert found["refused"] == 0 < few
        assert found["more_us"] == pytest.approx(many - few, abs=0.01)


def test_the_job_is_of_mainnet_size() -> None:
    job = mainnet_job()
    assert (len(job.branch), len(job.prev_hash)) == (LEVELS, 32)
    assert 200 <= len(job.coinb1) + 12 + len(job.coinb2) <= 255


def test_its_block_is_far_beyond_its_shares() -> None:
    assert difficulty_from_target(target_from_nbits(mainnet_job().nbits)) > 1e20 * DIFFICULTY


def test_the_processor_time_of_another_process_is_that_of_its_threads() -> None:
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        # Equal once it waits for its input.
        wait_for("equal times", lambda: 0 < cpu_ns(process.pid) == sum(thread_cpu_ns(process.pid).values()))
    finally:
        assert end(process) == 0


def test_what_is_started_while_pinned_runs_on_those_cores_alone() -> None:
    before = os.sched_getaffinity(0)
    with pinned(cores().server):
        assert os.sched_getaffinity(0) == cores().server
    assert os.sched_getaffinity(0) == before


def test_a_program_is_compiled_once() -> None:
    compiled = program("floor").stat()
    again = program("floor").stat()
    assert (again.st_ino, again.st_mtime_ns) == (compiled.st_ino, compiled.st_mtime_ns)
