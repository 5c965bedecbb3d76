"""The measurements, each of one running server."""

from __future__ import annotations

import statistics
import time
from typing import Any, Final

from msgspec import Struct

from tests.load.miners import Miners, TlsMiners
from tests.load.processes import BenchmarkFailed, Cores, Others, cpu_ns, resident_bytes, thread_cpu_ns
from tests.load.servers import Server, TlsRole

WARM_UP_SECONDS: Final = 1.0
SHARES_PER_SECOND_MAX: Final = 100_000
"""More than are hashed ahead for each second; a server that is faster ends its window early."""

NOTIFY_BLOCKS: Final = 5

# Of mode churn: how long each wave of miners mines, and how many waves come while a tip lasts.
_STAY_SECONDS: Final = 1.0
_WAVES_PER_TIP: Final = 10
_CHURN_WARM_UP: Final = 0.5
"""The part of the time in which memory may grow: sessions that ended are remembered up to a number, and freed pieces
find their users."""

# What a server still does when the last miner has its job.
_AFTERWARDS_SECONDS: Final = 0.2

Figures = dict[str, Any]


class Load(Struct, frozen=True):
    """What the miners do. seconds: of the timed window. in_flight: shares without an answer, over all connections.
    rate: shares a second; 0 for as many as the server takes."""

    connections: int
    seconds: float = 5.0
    warm_up_seconds: float = WARM_UP_SECONDS
    in_flight: int = 100
    shares_per_extranonce2: int = 1
    rate: float = 0.0


def measure_shares(server: Server, where: Cores, load: Load) -> Figures:
    """CPU of the server for a share, shares in a second, time to the answer.

    cpu_us_per_share is what all shares cost, those of the warm-up too, until the last has reached the stream and the
    statistics. window_cpu_us_per_share is what the process used in the window for each share of it, whatever it still
    owed; busy is the part of a core that this was. others_busy: cores that other programs took, the hypervisor's other
    guests too; far from 0, the run is worth little.
    """
    options = {
        "seconds": load.seconds,
        "warm-up": load.warm_up_seconds,
        "in-flight": load.in_flight,
        "shares-per-extranonce2": load.shares_per_extranonce2,
        "shares": int((2 * load.rate or SHARES_PER_SECOND_MAX) * (load.seconds + load.warm_up_seconds)),
        "server": server.pid,
        **({"rate": load.rate} if load.rate else {}),
    }
    with Miners(where, "shares", server.port, load.connections, options) as miners:
        miners.report()
        threads_before, others = thread_cpu_ns(server.pid), Others(server.pid, miners.pid)
        seen = miners.report()
        others_busy = others.busy()
        if seen["answered"] != seen["submitted"]:
            raise BenchmarkFailed(f"{seen['submitted'] - seen['answered']} shares were never answered")
        server.settle(seen["answered"])
        end_ns, threads = cpu_ns(server.pid), thread_cpu_ns(server.pid)
    shares = seen["accepted"] + seen["refused"]
    window_ns = seen["server_end_cpu_ns"] - seen["server_start_cpu_ns"]
    return {
        "cpu_us_per_share": round((end_ns - seen["server_ready_cpu_ns"]) / seen["answered"] / 1e3, 2),
        "window_cpu_us_per_share": round(window_ns / shares / 1e3, 2),
        "shares_per_second": round(shares / seen["seconds"]),
        "busy": round(window_ns / seen["seconds"] / 1e9, 3),
        "reply_p50_ms": round(seen["reply_p50_us"] / 1e3, 3),
        "reply_p99_ms": round(seen["reply_p99_us"] / 1e3, 3),
        "reply_max_ms": round(seen["reply_max_us"] / 1e3, 3),
        "accepted": seen["accepted"],
        "refused": seen["refused"] + seen["warm_up_refused"],
        "seconds": round(seen["seconds"], 2),
        "main_thread_part": _part_of(server.pid, threads_before, threads),
        "others_busy": round(others_busy, 2),
        "generator_cpu_us_per_share": seen["generator_cpu_us_per_share"],
        "generator_busy": seen["generator_busy"],
    }


def measure_notify(server: Server, where: Cores, load: Load) -> Figures:
    """From a new block to the first and to the last of all connections that has its job; medians of some blocks."""
    first_ms, last_ms, size = [], [], 0
    with Miners(where, "notify", server.port, load.connections) as miners:
        miners.report()
        before_ns = cpu_ns(server.pid)
        for _ in range(NOTIFY_BLOCKS):
            block_ns = server.new_block()
            seen = miners.report()
            first_ms.append((seen["first_ns"] - block_ns) / 1e6)
            last_ms.append((seen["last_ns"] - block_ns) / 1e6)
            size = seen["bytes"] // load.connections
        time.sleep(_AFTERWARDS_SECONDS)
        cpu_us = (cpu_ns(server.pid) - before_ns) / NOTIFY_BLOCKS / load.connections / 1e3
    return {
        "first_ms": round(statistics.median(first_ms), 3),
        "last_ms": round(statistics.median(last_ms), 3),
        "last_max_ms": round(max(last_ms), 3),
        "cpu_us_per_session": round(cpu_us, 2),
        "bytes": size,
    }


def measure_connect(server: Server, where: Cores, load: Load) -> Figures:
    """All connections at once, from nothing to holding a job."""
    before_ns = cpu_ns(server.pid)
    if isinstance(server, TlsRole):
        coming: Miners = TlsMiners(where, server.port, load.connections, server.certificate)
    else:
        coming = Miners(where, "connect", server.port, load.connections)
    with coming as miners:
        seen = miners.report()
        cpu_us = (cpu_ns(server.pid) - before_ns) / load.connections / 1e3
    return {**seen, "cpu_us_per_session": round(cpu_us, 1)}


def measure_idle(server: Server, where: Cores, load: Load) -> Figures:
    """Memory that a session holds which does nothing, without what the kernel holds for its socket."""
    before = resident_bytes(server.pid)
    with Miners(where, "idle", server.port, load.connections) as miners:
        miners.report()
        after = resident_bytes(server.pid)
    return {
        "kib_per_session": round((after - before) / load.connections / 1024, 2),
        "resident_before_mib": round(before / 2**20, 1),
        "resident_mib": round(after / 2**20, 1),
    }


def measure_churn(server: Server, where: Cores, load: Load) -> Figures:
    """Miners that come, mine and go, wave after wave, with a new tip now and then: memory that stays behind.

    bytes_per_connection: by the line through what is resident after each wave, without the first half of the time.
    mib_per_hour: the same at a hundred connections a second.
    """
    options = {"seconds": _STAY_SECONDS, "warm-up": 0.05, "in-flight": 100, "shares": 4 * load.connections, "rate": 2e3}
    came: list[int] = []
    resident: list[int] = []
    began = time.monotonic()
    while time.monotonic() - began < load.seconds or len(came) < 4:
        if len(came) % _WAVES_PER_TIP == 0:
            server.new_block()
        with Miners(where, "shares", server.port, load.connections, options) as miners:
            miners.report()
            miners.report()
        came.append((len(came) + 1) * load.connections)
        resident.append(resident_bytes(server.pid))
    first = int(len(came) * _CHURN_WARM_UP)
    slope = statistics.linear_regression(came[first:], resident[first:]).slope
    return {
        "came": came[-1],
        "bytes_per_connection": round(slope, 2),
        "mib_per_hour": round(slope * 360_000 / 2**20, 3),
        "resident_mib": [round(resident[len(resident) * part // 10] / 2**20, 1) for part in range(10)],
        "resident_last_mib": round(resident[-1] / 2**20, 1),
    }


def _part_of(main: int, before: dict[int, int], after: dict[int, int]) -> float:
    """How much of the CPU that the process used was its main thread's."""
    spent = {thread: ns - before.get(thread, 0) for thread, ns in after.items()}
    return round(spent[main] / max(1, sum(spent.values())), 3)
