"""What the benchmark needs to know of processes: which cores they run on, what they use, and how they end."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

STOP_SECONDS: Final = 20.0
WAIT_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.02

# The clock of another process's CPU: its id inverted, then three bits, 2 for `CPUCLOCK_SCHED`. Source: Linux,
# `include/linux/posix-timers.h`, `make_process_cpuclock`; what clock_getcpuclockid(3) returns.
_CPUCLOCK_SCHED: Final = 2


class BenchmarkFailed(Exception):
    """A run that cannot be used; the text says why."""


class Net(Struct, frozen=True):
    """What is between the server and the miners: the server's IPv4 address, the first of the miners', who use the
    following ones too, and the network namespace in which they live, if it is not ours."""

    server: str = "127.0.0.1"
    miners: str = "127.0.0.1"
    namespace: str | None = None


class Cores(Struct, frozen=True):
    """Where the server runs, and where everything else: apart if there are two cores."""

    server: frozenset[int]
    others: frozenset[int]
    net: Net = Net()


def cores() -> Cores:
    """The first core that we may use, and the rest."""
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(frozenset(allowed[:1]), frozenset(allowed[1:] or allowed))


@contextmanager
def pinned(to: frozenset[int]) -> Iterator[None]:
    """Within: this thread and what it starts run on these cores alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, to)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_ns(pid: int) -> int:
    """CPU that a process has used since its start, in user and kernel mode, in all its threads."""
    return time.clock_gettime_ns(~pid << 3 | _CPUCLOCK_SCHED)


def thread_cpu_ns(pid: int) -> dict[int, int]:
    """The same by thread; those that have ended are missing. Source: Linux, Documentation/scheduler/sched-stats."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            found[int(task.name)] = int((task / "schedstat").read_text().split()[0])
    return found


def resident_bytes(pid: int) -> int:
    """Memory that a process holds. Source: proc(5), `statm`."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Others:
    """What all but these processes use of the machine, from now on."""

    def __init__(self, *pids: int) -> None:
        self._pids = pids
        self._start = time.monotonic()
        self._before = self._spent_seconds()

    def busy(self) -> float:
        """In cores, on average; what a hypervisor gave to other guests counts."""
        return (self._spent_seconds() - self._before) / (time.monotonic() - self._start)

    def _spent_seconds(self) -> float:
        """Source: proc(5), `stat`: user, nice, system, idle, iowait, irq, softirq, steal."""
        ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        idle = sum(ticks[3:5])
        return (sum(ticks) - idle) / os.sysconf("SC_CLK_TCK") - sum(map(cpu_ns, self._pids)) / 1e9


def wait_for(what: str, condition: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
    """Return when the condition holds. Raises BenchmarkFailed."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise BenchmarkFailed(f"not within {seconds:g} s: {what}")
        time.sleep(_POLL_SECONDS)


def end(process: subprocess.Popen[bytes]) -> int:
    """Ask a process to end, first by closing its standard input; make it, if it does not. Returns its status."""
    if process.stdin is not None:
        process.stdin.close()
    else:
        process.terminate()
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
    finally:
        if process.stdout is not None:
            process.stdout.close()
