"""A step of the wall clock moves no timer of a role: Twisted's own reactors would stand still for as long as it went
back, with blocks that wait for their next try."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.chaos.shims import SteppingClock

ROLE = """
import os, signal, struct, sys

from twisted.internet.task import deferLater

from pool.roles.twisted_role import Role, run

class Timed(Role):
    async def start(self):
        waiting = deferLater(reactor, 0.3, print, "the timer fired", flush=True)
        with open(sys.argv[1], "r+b") as orders:
            orders.write(struct.pack("=2q", int(sys.argv[2]) * 10**9, 0))
        waiting.addCallback(lambda _: os.kill(os.getpid(), signal.SIGTERM))

    async def stop(self):
        pass

def build(made, loop):
    global reactor
    reactor = made
    return Timed()

sys.exit(run("timed", build))
"""


def test_a_timer_fires_in_time_although_the_wall_clock_went_back_an_hour(tmp_path: Path) -> None:
    assert "the timer fired" in output_of_a_role_whose_clock_steps(tmp_path, -3600)


def test_a_timer_fires_although_the_wall_clock_went_ahead_an_hour(tmp_path: Path) -> None:
    assert "the timer fired" in output_of_a_role_whose_clock_steps(tmp_path, 3600)


def output_of_a_role_whose_clock_steps(folder: Path, seconds: int) -> str:
    clock = SteppingClock(folder)
    with subprocess.Popen(
        [sys.executable, "-c", ROLE, str(folder / "clock"), str(seconds)],
        env={**os.environ, **clock.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
    return output
