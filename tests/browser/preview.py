"""The dashboard over a farm of fakes, on a port of its own, and for operators on the next; at 0 on any two:
`python -m tests.browser.preview PORT WORKERS [full | closed | trouble | empty | away]`. Prints the ports and
the link of a watcher."""

from __future__ import annotations

import math
import sys
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace
from twisted.internet import reactor

from pool.dashboard.app import Access, dashboard_sites
from pool.dashboard.moves import NoMoves
from pool.dashboard.overview import About
from pool.dashboard.role_rows import CoinbaseOutput, JobCoinbase
from pool.dashboard.rows import LiveView
from pool.dashboard.views import Sources
from pool.ports import Clock
from pool.roles.clock import SystemClock
from pool.stats.history import COARSE_CELLS, FINE_CELLS, Cell, Rings
from tests.browser import sample
from tests.browser.sample_moves import SampleMoves
from tests.pool.dashboard.access.answers import ANSWERS
from tests.pool.dashboard.access.fakes import FakeCredentials, FakeOrders
from tests.pool.dashboard.browser import EVERY_PART
from tests.pool.dashboard.fakes import NOW_MS, FakeBooks, FakeFleets, FakeLive, books, farm, live_view

PAYOUT_SAT = 631_204_517
Shown = TypeVar("Shown", bound=msgspec.Struct)


def coinbase(now_ms: int) -> JobCoinbase:
    outputs = (
        CoinbaseOutput(PAYOUT_SAT, 1.0, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "0014751e76e8", "pool"),
        CoinbaseOutput(0, 0.0, None, "6a24aa21a9ed" + "5c" * 32, "commitment"),
    )
    return JobCoinbase(now_ms - 9_000, 625_000_000, PAYOUT_SAT - 625_000_000, "Steppe", "02" * 90, "ff" * 100, outputs)


def rings(hps: float, workers: int, now_s: int) -> Rings:
    """A day that begins with a slow night, and a step when a batch of machines moved."""

    def cell(start_s: int, step_seconds: int) -> Cell:
        level = 0.72 if start_s < now_s - 9 * 86_400 else 1.0
        noise = (
            1 + math.sin(start_s * 12.9898) * (workers * step_seconds / 10) ** -0.5 + 0.02 * math.sin(start_s / 13_000)
        )
        work, shares = int(hps * step_seconds * level * noise), max(1, workers * step_seconds // 10)
        return Cell(start_s, work, work**2 / shares, shares, shares // 2_500)

    now = now_s // 60 * 60
    fine = tuple(cell(now - 60 * n, 60) for n in range(FINE_CELLS, 0, -1))
    coarse = tuple(cell(now // 1800 * 1800 - 1800 * n, 1800) for n in range(COARSE_CELLS - 1, -1, -1))
    return Rings(fine, coarse, now)


class SampleLive(FakeLive):
    """A view that stays as fresh as it was at first."""

    def __init__(self, view: LiveView, rings: Rings, clock: Clock) -> None:
        super().__init__(view, rings=rings)
        self._clock = clock
        self._since_ms = clock.time_ms()

    async def view(self) -> LiveView:
        return shifted(await super().view(), self._clock.time_ms() - self._since_ms)


def sources(scene: str, workers: int, clock: Clock) -> Sources:
    """Everything that is read. scene: full; closed, behind a login; trouble; empty, before the first miner; away,
    without Redis and SQL."""
    now_ms = clock.time_ms()
    if scene == "empty":
        empty = live_view([])
        roles = shifted(empty.roles, now_ms - NOW_MS)
        roles = replace(roles, work={region: replace(role, job=None) for region, role in roles.work.items()})
        return Sources(FakeLive(replace(empty, roles=roles)), FakeBooks([], ()), FakeFleets(), NoMoves())
    view = live_view(sample.firmware(farm(workers)))
    view = shifted(replace(view, coinbases={"main": coinbase(NOW_MS)}), now_ms - NOW_MS)
    if scene == "trouble":
        roles = sample.troubled(view.roles, now_ms)
        coinbases = dict.fromkeys(roles.work, view.coinbases["main"])
        view = replace(view, roles=roles, coinbases=coinbases, silenced_until_ms=now_ms + 2_400_000)
    live = SampleLive(view, rings(view.pool.hashrate.day.hps, workers, now_ms // 1000), clock)
    live.refused = {view.workers[1].login: sample.rejects(now_ms)}
    kept = books()
    kept.details = [shifted(each, now_ms - NOW_MS) for each in kept.details]
    kept.credits, kept.paid = sample.credits(kept), sample.payouts(now_ms)
    kept.payments = sample.payments(now_ms)
    fleets = FakeFleets(sample.register(now_ms))
    if scene == "trouble":
        kept.stopped = "the wallet has 3.00000000 BTC less than the ledger"
    if scene == "away":
        live.reason = "Redis does not answer at unix:/var/lib/steppe/redis.sock: is it running?"
        kept.reason = fleets.reason = "The database does not answer: connection refused."
    return Sources(
        live, kept, fleets, SampleMoves(), sample.SampleReporting(), explaining=sample.SampleExplaining()
    )  # fmt: skip


def main(port: int, workers: int, scene: str) -> None:
    clock = SystemClock()
    now_ms = clock.time_ms()
    credentials = FakeCredentials(clock)
    link = "" if scene == "empty" else f"#/enter/{sample.admitted(credentials, now_ms)}"
    orders = FakeOrders(answers=ANSWERS | sample.answers(now_ms, is_troubled=scene == "trouble"))
    access = Access(credentials, orders, ("overview", "blocks", "job") if scene == "closed" else EVERY_PART)
    about = About("Steppe", "0.1.0", "regtest" if scene == "trouble" else "main", 3333)
    sites = dashboard_sites(sources(scene, workers, clock), access, clock, reactor, about)
    running: Any = reactor
    opened = [
        running.listenTCP(number, site, interface="127.0.0.1")
        for number, site in ((port, sites.public), (port and port + 1, sites.admin))
    ]
    print(*(each.getHost().port for each in opened), link, flush=True)
    running.run()


def shifted(view: Shown, by_ms: int) -> Shown:
    """The same moments, as if it were now."""

    def walk(value: object, name: str = "") -> object:
        if isinstance(value, msgspec.Struct):
            changed = {field: walk(getattr(value, field), field) for field in value.__struct_fields__}
            return msgspec.structs.replace(value, **changed)
        if isinstance(value, tuple):
            return tuple(walk(each) for each in value)
        if isinstance(value, dict):
            return {key: walk(each) for key, each in value.items()}
        return value + by_ms if name.endswith("_ms") and isinstance(value, int) else value

    moved = walk(view)
    assert isinstance(moved, type(view))
    return moved


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "full")
