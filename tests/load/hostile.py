"""What strangers cost the miners: the stratum role with and without them, in one run."""

from __future__ import annotations

import sys
import time
from typing import Any, Final

from tests.load.measure import Figures, Load, measure_shares
from tests.load.miners import Miners
from tests.load.processes import Cores, cpu_ns
from tests.load.servers import Role, RoleOptions

CROWDS: Final = {
    "nobody": (0, 0, 0),
    # As many as there are machines, twice: they are sent away after ten seconds and come back at once.
    "slow": (10_000, 10_000, 0),
    # One sends bad shares, the other late ones.
    "flood": (0, 0, 2),
}
"""By name: connections that say nothing, that only subscribe, that send bad shares."""


class Strangers(Miners):
    """Those who come for nothing. `report` the first time: all are there."""

    def __init__(self, where: Cores, port: int, crowd: tuple[int, int, int]) -> None:
        super().__init__(where, "idle", port, 0)
        self._argv = [sys.executable, "-m", "tests.load.strangers", str(port), *map(str, crowd)]

    def leave(self) -> dict[str, Any]:
        """End them; what became of them."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self.report()


def measure_hostile(where: Cores, load: Load, crowds: tuple[str, ...]) -> Figures:
    """Good miners beside each crowd, all on one address. strangers_busy: part of a core that the crowd costs the role
    when nobody mines."""
    found: Figures = {"connections": load.connections}
    for name in crowds:
        crowd = CROWDS[name]
        with Role(where, RoleOptions()) as role:
            if not any(crowd):
                found[name] = _essence(measure_shares(role, where, load))
                continue
            with Strangers(where, role.port, crowd) as strangers:
                strangers.report()
                before_ns = cpu_ns(role.pid)
                time.sleep(load.seconds)
                busy = (cpu_ns(role.pid) - before_ns) / load.seconds / 1e9
                mined = _essence(measure_shares(role, where, load))
                found[name] = {**mined, "strangers_busy": round(busy, 3), **strangers.leave()}
    return found


def _essence(figures: Figures) -> Figures:
    wanted = ("shares_per_second", "reply_p50_ms", "reply_p99_ms", "reply_max_ms", "accepted", "refused")
    return {name: figures[name] for name in wanted}
