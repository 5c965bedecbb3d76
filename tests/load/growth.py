"""What a share costs more where there are more connections: the floor and our role, with few and with many, in turn."""

from __future__ import annotations

import statistics
import sys
from typing import Final

import msgspec

from tests.load.measure import Figures, Load, measure_shares
from tests.load.processes import Cores
from tests.load.servers import Floor, Role, RoleOptions, Server

SERVERS: Final = ("floor", "ours")
_FIGURES: Final = ("cpu_us_per_share", "window_cpu_us_per_share", "shares_per_second", "busy")
_Pair = tuple[Figures, Figures]


def measure_growth(where: Cores, load: Load, connections: tuple[int, int], rounds: int) -> Figures:
    """For each server, medians over the rounds: its figures with few and with many connections, and what a share costs
    more with many, as a factor and in microseconds. The runs of a round follow each other, so that a machine that
    drifts meets all of them alike."""
    each = [{name: _measured(name, where, load, connections) for name in SERVERS} for _ in range(rounds)]
    found = {name: _growth([servers[name] for servers in each]) for name in SERVERS}
    return {"connections": connections, "rate": load.rate, "rounds": rounds, **found}


def _measured(name: str, where: Cores, load: Load, connections: tuple[int, int]) -> _Pair:
    pair = []
    for count in connections:
        server: Server = Floor(where) if name == "floor" else Role(where, RoleOptions())
        with server:
            pair.append(measure_shares(server, where, msgspec.structs.replace(load, connections=count)))
    few, many = pair
    costs = f"{few['cpu_us_per_share']}, {many['cpu_us_per_share']}"
    print(f"growth, {name}: {costs} us", file=sys.stderr, flush=True)
    return few, many


def _growth(rounds: list[_Pair]) -> Figures:
    few, many = (
        {figure: statistics.median(run[figure] for run in runs) for figure in _FIGURES}
        for runs in zip(*rounds, strict=True)
    )
    costs = [(before["cpu_us_per_share"], after["cpu_us_per_share"]) for before, after in rounds]
    return {
        "few": few,
        "many": many,
        "factor": round(statistics.median(after / before for before, after in costs), 3),
        "more_us": round(statistics.median(after - before for before, after in costs), 2),
        "refused": sum(run["refused"] for runs in rounds for run in runs),
    }
