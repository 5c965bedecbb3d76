"""The shims do what they say to a program that knows nothing of them, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.chaos.shims import FailingDisk, SteppingClock, preloaded

HOUR_SECONDS = 3600.0


def says(program: str, environment: dict[str, str], *arguments: str) -> str:
    """What a Python program prints."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    return done.stdout.decode().strip()


class TestClock:
    @pytest.fixture
    def clock(self, tmp_path: Path) -> SteppingClock:
        return SteppingClock(tmp_path)

    def ahead(self, clock: SteppingClock, reading: str) -> float:
        """How far a reading of the clock is ahead of the true time, in hours, rounded."""
        read = float(says(f"import time, datetime; print({reading})", preloaded(clock.environment)))
        return round((read - time.time()) / HOUR_SECONDS, 1)

    @pytest.mark.parametrize("reading", ["time.time()", "time.time_ns() / 1e9", "datetime.datetime.now().timestamp()"])
    @pytest.mark.parametrize("hours", [-1, 0, 1])
    def test_the_wall_clock_steps(self, clock: SteppingClock, hours: int, reading: str) -> None:
        clock.step(hours * HOUR_SECONDS)
        assert self.ahead(clock, reading) == hours

    def test_a_running_program_sees_the_step_at_once(self, clock: SteppingClock) -> None:
        program = "import time\nprint(time.time(), flush=True)\ninput()\nprint(time.time())"
        with subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, **clock.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            before = float(process.stdout.readline())
            clock.step(HOUR_SECONDS)
            after, _ = process.communicate("\n", timeout=60)
        assert HOUR_SECONDS <= float(after) - before < 2 * HOUR_SECONDS

    def test_the_monotonic_clock_does_not(self, clock: SteppingClock) -> None:
        clock.step(HOUR_SECONDS)
        read = float(says("import time; print(time.monotonic())", preloaded(clock.environment)))
        assert abs(read - time.monotonic()) < HOUR_SECONDS / 2

    def test_it_can_stand_still(self, clock: SteppingClock) -> None:
        clock.freeze()
        program = "import time; first = time.time(); time.sleep(0.01); print(time.time() - first)"
        assert float(says(program, preloaded(clock.environment))) == 0

    def test_a_time_before_1970_is_whole_too(self, clock: SteppingClock) -> None:
        clock.step(-time.time() - HOUR_SECONDS - 0.5)
        assert -1.2 < float(says("import time; print(time.time())", preloaded(clock.environment))) / HOUR_SECONDS < -0.9


WRITE = """
import os, sys
descriptor = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
for attempt in (lambda: os.write(descriptor, b"x"), lambda: os.fdatasync(descriptor)):
    try:
        attempt()
        print("good", end=" ")
    except OSError as error:
        print(error.strerror.replace(" ", "-"), end=" ")
"""


class TestDisk:
    @pytest.mark.parametrize(
        ("order", "answer"),
        [
            (FailingDisk.work, ["good", "good"]),
            (FailingDisk.fill, ["No-space-left-on-device", "good"]),
            (FailingDisk.refuse_writes, ["Input/output-error", "good"]),
            (FailingDisk.refuse_syncs, ["good", "Input/output-error"]),
        ],
        ids=["well", "full", "unwritable", "unsyncable"],
    )
    def test_it_fails_as_it_is_told(self, tmp_path: Path, order: object, answer: list[str]) -> None:
        below = tmp_path / "below"
        below.mkdir()
        disk = FailingDisk(tmp_path, below)
        assert callable(order)
        order(disk)
        assert says(WRITE, preloaded(disk.environment), str(below / "file")).split() == answer
        assert says(WRITE, preloaded(disk.environment), str(tmp_path / "elsewhere")).split() == ["good", "good"]

    def test_both_shims_work_together(self, tmp_path: Path) -> None:
        disk, clock = FailingDisk(tmp_path, tmp_path), SteppingClock(tmp_path)
        disk.fill()
        clock.step(HOUR_SECONDS)
        environment = preloaded(disk.environment, clock.environment)
        assert says(WRITE, environment, str(tmp_path / "file")).split()[0] == "No-space-left-on-device"
        assert float(says("import time; print(time.time())", environment)) > time.time() + HOUR_SECONDS / 2
