"""A move of many connections from one region to the other, with the whole pool of both: the scenario `live-move` with
more machines, less hashing, and a first share as soon as a machine has its job.
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from pool.scenario import live_move
from pool.scenario.chains import SIGNET
from pool.scenario.live_move_report import Report
from pool.scenario.two_regions import ScenarioFailed
from tests.load.processes import BenchmarkFailed, cpu_ns

CHAIN: Final = replace(SIGNET, difficulty=2e-7, shares_per_second=250.0, share_seconds_max=math.inf, first_seconds=0.0)
"""Some 860 hashes a share: a ten-thousandth of a second. One share in 5,600 is a block, so beside the first ones of
those that arrive, which come at once, there is a block each twenty seconds or so, and the machines, a thread of this
process, have time left for the move itself."""

_SEED: Final = 1


class _Cpu:
    """What each process used between the start of the move and the last arrival."""

    def __init__(self) -> None:
        self._before: dict[int, int] = {}
        self.seconds: dict[str, float] = {}

    def watch(self, what: str, pids: Mapping[str, int]) -> None:
        if what == "started":
            self._before = {pid: cpu_ns(pid) for pid in pids.values()}
        else:
            self.seconds = {
                name: round((cpu_ns(pid) - self._before[pid]) / 1e9, 2)
                for name, pid in pids.items()
                if pid in self._before
            }


def measure_move(machines: int, pace: str, deaf_percent: int) -> dict[str, Any]:
    """Seconds from the start of the move until all were told, and until all had a share accepted at the other region;
    shares that were lost or counted twice; CPU seconds of each process meanwhile."""
    cpu = _Cpu()
    with tempfile.TemporaryDirectory(prefix="steppe-bench-") as folder:
        options = live_move.Options(
            machines=machines,
            out=Path(folder) / "out",
            seed=_SEED,
            pace=pace,
            data_dir=None,
            deaf_percent=deaf_percent,
            chain=CHAIN,
        )
        try:
            report = live_move.run(options, _say, cpu.watch)
        except ScenarioFailed as error:
            raise BenchmarkFailed(str(error)) from error
    return {"machines": machines, "pace": pace, "deaf": options.deaf, **figures(report), "cpu_seconds": cpu.seconds}


def figures(report: Report) -> dict[str, Any]:
    """Of the report of the scenario."""
    heard = [each.heard_s for each in report.arrivals if each.heard_s is not None]
    took = sorted(
        each.arrived_s - each.heard_s
        for each in report.arrivals
        if each.arrived_s is not None and each.heard_s is not None
    )
    verdict = report.verdict
    return {
        "told": len(heard),
        "told_last_s": max(heard),
        "arrived": len(took),
        "arrived_last_s": report.lasted_s,
        "on_the_way_p50_s": round(took[len(took) // 2], 1),
        "on_the_way_p99_s": round(took[len(took) * 99 // 100], 1),
        "on_the_way_max_s": round(took[-1], 1),
        "stragglers": sum(map(len, report.stragglers.values())),
        "shares_acknowledged": verdict.acknowledged,
        "shares_refused": verdict.refused,
        "shares_lost": len(verdict.lost),
        "shares_doubled": len(verdict.doubled),
        "wrong": [*report.wrong, *verdict.wrong][:10],
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
