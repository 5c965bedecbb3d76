"""Benchmarks, as JSON: `scripts/bench stratum`, `growth`, `move`, `hostile`, `nodes`, `web`. See docs/benchmarks.md."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import click
from msgspec import Struct

import native
from tests.databases import NAMES
from tests.load.books import accounting, credit, rebuild
from tests.load.growth import measure_growth
from tests.load.hostile import CROWDS, measure_hostile
from tests.load.measure import (
    Figures,
    Load,
    measure_churn,
    measure_connect,
    measure_idle,
    measure_notify,
    measure_shares,
)
from tests.load.mover import measure_looks
from tests.load.moves import measure_move
from tests.load.node import Pool
from tests.load.nodes import MODES, measure_nodes
from tests.load.payouts import measure_payout
from tests.load.processes import BenchmarkFailed, Cores, cores
from tests.load.servers import Floor, Name, Role, RoleOptions, Server, TlsRole
from tests.load.web import measure_web
from tests.load.wire import wired

SYNCS: Final = 500


class Kind(Struct, frozen=True):
    """One thing that can be measured. headline: the figure that decides, which is the smaller the better."""

    measure: Callable[[Server, Cores, Load], Figures]
    headline: str
    connections: tuple[int, ...]
    ratios: tuple[str, ...]
    servers: tuple[Name, ...] = ("floor", "ours")


# As many machines as one relocated fleet has: after a power cut they all come back at once.
KINDS: Final = {
    "shares": Kind(
        measure_shares,
        "cpu_us_per_share",
        (100, 1_000, 10_000),
        ("cpu_us_per_share", "window_cpu_us_per_share", "shares_per_second", "reply_p50_ms", "reply_p99_ms"),
    ),
    "notify": Kind(measure_notify, "last_ms", (10_352,), ("first_ms", "last_ms", "cpu_us_per_session")),
    "connect": Kind(
        measure_connect, "ready_last_ms", (10_352,), ("ready_p50_ms", "ready_last_ms", "cpu_us_per_session")
    ),
    "connect_tls": Kind(measure_connect, "ready_last_ms", (10_352,), (), ("tls",)),
    # From another miner's block at the node, through the work role.
    "block": Kind(measure_notify, "last_ms", (10_000,), (), ("pool",)),
    "idle": Kind(measure_idle, "kib_per_session", (10_000,), ("kib_per_session",)),
    "churn": Kind(measure_churn, "bytes_per_connection", (1_000,), (), ("ours",)),
}


class Plan(Struct, frozen=True):
    """What is measured, how often, and on which servers."""

    load: Load
    role: RoleOptions
    servers: tuple[Name, ...]
    rounds: int = 1


def compare(kind_name: str, plan: Plan, where: Cores) -> dict[str, Any]:
    """The servers in turn, each started anew for every round; the round with the median of the headline stands for each
    server."""
    kind = KINDS[kind_name]
    found: dict[Name, list[Figures]] = {name: [] for name in plan.servers}
    for number, name in enumerate(plan.servers * plan.rounds):
        _say(f"{kind_name}, {plan.load.connections} connections, {name}, round {number // len(plan.servers) + 1}")
        with _start(name, plan.role, where) as server:
            figures = kind.measure(server, where, plan.load)
        _say(f"  {kind.headline} {figures[kind.headline]}")
        found[name].append(figures)
    result: dict[str, Any] = {"connections": plan.load.connections}
    for name, rounds in found.items():
        middle = statistics.median_low(figures[kind.headline] for figures in rounds)
        result[name] = next(figures for figures in rounds if figures[kind.headline] == middle)
        if plan.rounds > 1:
            result[name] = {**result[name], f"{kind.headline}_of_rounds": [each[kind.headline] for each in rounds]}
    if len(found) == 2:
        result["ratio"] = dict(_ratios(kind.ratios, result["ours"], result["floor"]))
    return result


def machine() -> dict[str, Any]:
    """Where the figures were made."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "cores": os.cpu_count(),
        "processor": models[0].partition(":")[2].strip() if models else platform.machine(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "sha256": native.SHA256_IMPLEMENTATION,
    }


def sync_times() -> dict[str, float]:
    """How long the disk takes to sync what was appended to a file, 4 KiB each time: what an answer waits for."""
    took_ms = []
    with tempfile.TemporaryFile(prefix="steppe-bench-", buffering=0) as file:
        for _ in range(SYNCS):
            file.write(bytes(4096))
            before = time.perf_counter()
            os.fdatasync(file.fileno())
            took_ms.append((time.perf_counter() - before) * 1e3)
    cut = statistics.quantiles(took_ms, n=100)
    return {"p50_ms": round(cut[49], 3), "p99_ms": round(cut[98], 3), "max_ms": round(max(took_ms), 3)}


def _start(name: Name, options: RoleOptions, where: Cores) -> Server:
    if name == "floor":
        return Floor(where)
    kinds: dict[Name, type[Role]] = {"ours": Role, "pool": Pool, "tls": TlsRole}
    return kinds[name](where, options)


def _ratios(names: tuple[str, ...], ours: Figures, floor: Figures) -> Iterator[tuple[str, float]]:
    for name in names:
        if floor[name]:
            yield name, round(ours[name] / floor[name], 2)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
def main() -> None:
    """Benchmarks; they print JSON on standard output, and what they do on standard error."""


@main.command()
@click.option("--mode", "modes", type=click.Choice([*KINDS]), multiple=True, help="Default: all.")
@click.option("--connections", type=click.IntRange(1, 60_000), multiple=True, help="Default: those of the goals.")
@click.option(
    "--server",
    "servers",
    type=click.Choice(["floor", "ours"]),
    multiple=True,
    help="Default: both; block and connect_tls have one of their own.",
)
@click.option("--rounds", type=click.IntRange(1, 100), default=1, help="So often in turn; the median is shown.")
@click.option("--seconds", type=click.FloatRange(0.1, 7_200), default=5.0, help="Window of modes shares and churn.")
@click.option(
    "--in-flight", type=click.IntRange(1), default=100, help="Shares without an answer, over all connections."
)
@click.option(
    "--rate", type=click.FloatRange(1), help="Shares a second in mode shares; default: as many as the server takes."
)
@click.option("--shares-per-extranonce2", type=click.IntRange(1), default=1, help="An ASIC finds one or less.")
@click.option("--endpoint", type=click.Choice(["fast", "twisted"]), default="fast", help="Of our role.")
@click.option("--journal", type=click.Choice(["relaxed", "fsync"]), default="relaxed", help="Of our role.")
def stratum(
    modes: tuple[str, ...],
    connections: tuple[int, ...],
    servers: tuple[Name, ...],
    rounds: int,
    seconds: float,
    in_flight: int,
    rate: float | None,
    shares_per_extranonce2: int,
    endpoint: str,
    journal: str,
) -> None:
    """The stratum role beside the least that a server can cost."""
    where = cores()
    report: dict[str, Any] = {"machine": machine(), "endpoint": endpoint, "journal": journal}
    if journal == "fsync":
        report["machine"]["sync"] = sync_times()
    for mode in modes or tuple(KINDS):
        # A refresh in the middle would pass for a block.
        role = RoleOptions(endpoint, journal, refresh_seconds=0.0 if mode == "notify" else 30.0)
        try:
            report[mode] = [
                compare(
                    mode,
                    Plan(load, role, (servers if KINDS[mode].ratios else ()) or KINDS[mode].servers, rounds),
                    where,
                )
                for load in (
                    Load(
                        count,
                        seconds,
                        in_flight=in_flight,
                        shares_per_extranonce2=shares_per_extranonce2,
                        rate=rate or 0.0,
                    )
                    for count in connections or KINDS[mode].connections
                )
            ]
        except BenchmarkFailed as error:
            raise click.ClickException(str(error)) from error
    print(json.dumps(report, indent=2))


@main.command()
@click.option("--few", type=click.IntRange(1, 60_000), default=1_000, help="Connections.")
@click.option("--many", type=click.IntRange(1, 60_000), default=10_000, help="Connections.")
@click.option("--rate", type=click.FloatRange(1), help="Shares a second; default: as many as the server takes.")
@click.option("--rounds", type=click.IntRange(1, 100), default=5, help="So often in turn; medians are shown.")
@click.option("--seconds", type=click.FloatRange(0.1, 300), default=5.0, help="Timed window.")
@click.option("--loopback", is_flag=True, help="Without a wire, where both ends are the server's work; needs no root.")
def growth(few: int, many: int, rate: float | None, rounds: int, seconds: float, loopback: bool) -> None:
    """What a share costs more with many connections than with few: the floor and our role, in turn, on a wire."""
    load = Load(few, seconds, rate=rate or 0.0)
    try:
        with nullcontext(cores()) if loopback else wired(cores()) as where:
            found = measure_growth(where, load, (few, many), rounds)
    except BenchmarkFailed as error:
        raise click.ClickException(str(error)) from error
    print(json.dumps({"machine": machine(), "wire": not loopback, "growth": found}, indent=2))


@main.command()
@click.option("--crowd", "crowds", type=click.Choice([*CROWDS]), multiple=True, help="Default: all.")
@click.option("--connections", type=click.IntRange(1, 60_000), default=1_000, help="Of good miners.")
@click.option("--seconds", type=click.FloatRange(0.1, 300), default=10.0, help="Timed window.")
@click.option("--in-flight", type=click.IntRange(1), default=4, help="Good shares without an answer.")
def hostile(crowds: tuple[str, ...], connections: int, seconds: float, in_flight: int) -> None:
    """Good miners beside strangers who flood the role or hold its connections, all from one address."""
    load = Load(connections, seconds, in_flight=in_flight)
    try:
        found = measure_hostile(cores(), load, crowds or tuple(CROWDS))
    except BenchmarkFailed as error:
        raise click.ClickException(str(error)) from error
    print(json.dumps({"machine": machine(), "hostile": found}, indent=2))


@main.command("block-path")
@click.option("--rounds", type=click.IntRange(1, 10_000), default=200, help="So many blocks of each size.")
@click.option("--nodes", type=click.IntRange(1, 8), default=2, help="That each block goes to.")
def block_path(rounds: int, nodes: int) -> None:
    """A found block in the work role: milliseconds to the kernel, to the nodes, to the disk."""
    # A reactor is for a process.
    argv = [sys.executable, "-m", "tests.load.block_path", str(rounds), str(nodes)]
    found = json.loads(subprocess.run(argv, check=True, stdout=subprocess.PIPE).stdout)
    print(json.dumps({"machine": machine(), "block_path": found}, indent=2))


@main.command()
@click.option("--mode", "modes", type=click.Choice([*MODES]), multiple=True, help="Default: all.")
@click.option("--rounds", type=click.IntRange(1, 100), default=5, help="So often each.")
def nodes(modes: tuple[str, ...], rounds: int) -> None:
    """The whole pool on two nodes: seconds until a lost one is noticed, and until a miner has new work."""
    try:
        found = measure_nodes(modes or tuple(MODES), rounds)
    except BenchmarkFailed as error:
        raise click.ClickException(str(error)) from error
    print(json.dumps({"machine": machine(), "nodes_seconds": found}, indent=2))


@main.command()
@click.option("--workers", type=click.IntRange(6, 100_000), default=10_352)
@click.option("--rounds", type=click.IntRange(2, 100_000), default=200, help="So often each question.")
@click.option("--idle-rounds", type=click.IntRange(2, 1_000), default=10, help="So often after a silence.")
def web(workers: int, rounds: int, idle_rounds: int) -> None:
    """The web role beside a Redis that changes each second: milliseconds until its answers are there."""
    try:
        found = measure_web(cores(), workers, rounds, idle_rounds)
    except BenchmarkFailed as error:
        raise click.ClickException(str(error)) from error
    print(json.dumps({"machine": machine(), "web": found}, indent=2))


@main.command()
@click.option("--machines", type=click.IntRange(16, 20_000), default=10_000, help="With a connection each.")
@click.option("--pace", default="10%/1s", help="Of the waves, as in `steppe move plan`.")
@click.option("--deaf-percent", type=click.IntRange(0, 50), default=0, help="Of them ignore the redirect.")
def move(machines: int, pace: str, deaf_percent: int) -> None:
    """A planned move between two regions: seconds until all are told and have arrived, lost shares, CPU."""
    try:
        found = measure_move(machines, pace, deaf_percent)
    except BenchmarkFailed as error:
        raise click.ClickException(str(error)) from error
    print(json.dumps({"machine": machine(), "move": found}, indent=2))


@main.command()
@click.option("--machines", type=click.IntRange(16, 20_000), default=10_000, help="Of one move.")
@click.option("--pace", default="10%/1s", help="Of the waves, as in `steppe move plan`.")
def mover(machines: int, pace: str) -> None:
    """What accounting does each second of a move: processor time of a look."""
    print(json.dumps({"machine": machine(), "mover": measure_looks(machines, pace)}, indent=2))


@main.command()
@click.option("--accounts", type=click.IntRange(1, 100_000), default=10_000)
@click.option("--database", "names", type=click.Choice(NAMES), multiple=True, help="Default: both.")
def payout(accounts: int, names: tuple[str, ...]) -> None:
    """A payout run on regtest: from balances in the books to confirmed transactions."""
    try:
        found = {name: measure_payout(accounts, name) for name in names or NAMES}
    except BenchmarkFailed as error:
        raise click.ClickException(str(error)) from error
    print(json.dumps({"machine": machine(), "accounts": accounts, "payout": found}, indent=2))


for command in (rebuild, accounting, credit):
    main.add_command(command)


if __name__ == "__main__":
    main()
