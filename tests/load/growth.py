"""What a share costs more where there are more connections: the floor and our role, with few and with many, in turn."""

from __future__ import annotations

import statistics
import sys
from typing import Final

import msgspec

from tests.load.measure import Figures, Load, measure_shares
from tests.load.processes import Cores
from tests.load.servers import Floor, Role, RoleOptions

SERVERS: Final = ("floor", "ours")
_FIGURES: Final = ("cpu_us_per_share", "window_cpu_us_per_share", "shares_per_second", "busy")


def measure_growth(where: Cores, load: Load, connections: tuple[int, int], rounds: int) -> Figures:
    """For each server, medians over the rounds: its figures with few and with many connections, and what a share costs
    more with many, as a factor and in microseconds. The four runs of a round follow each other, so that a machine that
    drifts meets all of them alike."""
    runs: dict[str, list[tuple[Figures, Figures]]] = {name: [] for name in SERVERS}
    for number in range(rounds):
        for name in SERVERS:
            few, many = (_run(name, where, msgspec.structs.replace(load, connections=count)) for count in connections)
            runs[name].append((few, many))
            costs = f"{few['cpu_us_per_share']}, {many['cpu_us_per_share']}"
            print(f"growth, {name}, round {number + 1}: {costs} us", file=sys.stderr, flush=True)
    return {"connections": connections, "rate": load.rate, **{name: _growth(found) for name, found in runs.items()}}


def _run(name: str, where: Cores, load: Load) -> Figures:
    with Floor(where) if name == "floor" else Role(where, RoleOptions()) as server:
        return measure_shares(server, where, load)


def _growth(rounds: list[tuple[Figures, Figures]]) -> Figures:
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
