"""pool.failpoints: a process ends where its environment says, at that time and not before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from pool.failpoints import VARIABLE, parse

_PASSES_THREE_TIMES = """
from pool.failpoints import hit
for number in range(3):
    hit("elsewhere")
    print(number, flush=True)
    hit("here")
"""


def run(failpoints: str) -> tuple[int, str]:
    environment = {**os.environ, VARIABLE: failpoints}
    ended = subprocess.run(
        [sys.executable, "-c", _PASSES_THREE_TIMES], env=environment, capture_output=True, text=True, check=False
    )
    return ended.returncode, ended.stdout


def test_without_a_name_nothing_happens() -> None:
    assert run("") == (0, "0\n1\n2\n")


def test_the_process_is_killed_at_the_named_place() -> None:
    assert run("here=1") == (-signal.SIGKILL, "0\n")


def test_or_when_it_comes_there_for_the_nth_time() -> None:
    assert run("here=3") == (-signal.SIGKILL, "0\n1\n2\n")


def test_a_name_that_is_never_passed_kills_nothing() -> None:
    assert run("nowhere=1") == (0, "0\n1\n2\n")


@pytest.mark.parametrize("text", ["here", "here=", "here=0", "here=-1", "=1", "here=x"])
def test_what_is_no_failpoint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=VARIABLE):
        parse(text)
