#!/usr/bin/env python3
"""How fast the share check is on this machine, as JSON.

hashes_per_second: the nonce search on one core. share_cached_us, share_uncached_us: one JobCheck.check with a
12-level branch, in microseconds, for an extranonce2 seen before and for a new one. sessions_1000_us: the same when
1,000 sessions take turns. The ratios say how many times faster than the reference an implementation is.
"""

import json
import platform
from collections.abc import Callable
from itertools import count
from timeit import repeat
from typing import Any

from native import compiled, reference

LEVELS = 12
JOB = (bytes(60), bytes(140), bytes(32 * LEVELS), bytes(32), 0x1D00FFFF)
UNREACHABLE = bytes(32)
EXTRANONCE1 = b"\x00\x00\x00\x01"
ROLLED = (0x20000000, 1_700_000_000, 12345, UNREACHABLE)
REPEATS = 5


def seconds(call: Callable[[], object], times: int) -> float:
    """The seconds of one call: of several rounds the best, which other programs disturbed least."""
    return min(repeat(call, number=times, repeat=REPEATS)) / times


def measure(twin: Any, shares: int, nonces: int) -> dict[str, float]:
    check = twin.JobCheck(*JOB).check
    fresh = (value.to_bytes(8, "little") for value in count())
    sessions = [value.to_bytes(4, "big") for value in range(1000)]

    def take_turns() -> None:
        for extranonce1 in sessions:
            check(extranonce1, bytes(8), *ROLLED)

    return {
        "hashes_per_second": round(nonces / seconds(lambda: twin.search(bytes(80), UNREACHABLE, 0, nonces), 1)),
        "share_cached_us": 1e6 * seconds(lambda: check(EXTRANONCE1, bytes(8), *ROLLED), shares),
        "share_uncached_us": 1e6 * seconds(lambda: check(EXTRANONCE1, next(fresh), *ROLLED), shares),
        "sessions_1000_us": 1e3 * seconds(take_turns, shares // 1000),
    }


def ratios(fast: dict[str, float], slow: dict[str, float]) -> dict[str, float]:
    return {
        name: round(fast[name] / slow[name] if name == "hashes_per_second" else slow[name] / fast[name], 1)
        for name in fast
    }


def main() -> None:
    results = {"reference": measure(reference, 2000, 20_000)}
    for portable in (True, False):
        name = compiled.use_portable(portable)
        results[name] = measure(compiled, 50_000, 1_000_000)
    faster = {name: ratios(result, results["reference"]) for name, result in results.items() if name != "reference"}
    rounded = {name: {key: round(value, 3) for key, value in result.items()} for name, result in results.items()}
    print(json.dumps({"machine": platform.machine(), **rounded, "times_reference": faster}, indent=2))


if __name__ == "__main__":
    main()
