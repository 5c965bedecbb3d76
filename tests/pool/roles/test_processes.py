"""pool.roles.processes: the name of a process, and whether the one that had it has ended."""

from __future__ import annotations

import os
import subprocess
import sys

from pool.roles.processes import has_ended, this_process


def test_this_one_has_not_ended() -> None:
    assert not has_ended(this_process())


def test_one_that_ran_here_and_runs_no_more_has() -> None:
    other = subprocess.run(
        [sys.executable, "-c", "from pool.roles.processes import this_process; print(this_process())"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert has_ended(other.stdout.strip())


def test_another_one_with_its_number_is_not_it() -> None:
    host, pid, _ = this_process().split(":")
    assert has_ended(f"{host}:{pid}:1")


def test_of_another_host_nobody_knows() -> None:
    assert not has_ended(f"elsewhere:{os.getpid()}:1")
