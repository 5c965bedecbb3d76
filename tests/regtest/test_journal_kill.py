"""kill -9 of a process that writes its journal: whatever it acknowledged is there; reliability goal R1."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pool.journal.journal import Durability
from tests.pool.journal.samples import Bench, nonces_in
from tests.regtest.journal_child import GROUP, WRITERS

KILLS = 10


def acknowledged(folder: Path, durability: Durability, life_seconds: float) -> list[int]:
    """Run the writer, kill it, and return the numbers that it said were safe."""
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.regtest.journal_child", str(folder), durability.value],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert writer.stdout is not None
    with writer.stdout:
        lines = [writer.stdout.readline()]  # it is at work
        time.sleep(life_seconds)
        writer.kill()
        lines += writer.stdout.readlines()
    writer.wait()
    return [int(line) for line in lines if line.endswith("\n")]


@pytest.mark.parametrize("durability", Durability)
def test_all_that_was_acknowledged_is_there_after_each_kill(tmp_path: Path, durability: Durability) -> None:
    folder = tmp_path / "journal"
    chance = random.Random(20_260_101)
    for _ in range(KILLS):
        seqs = acknowledged(folder, durability, chance.uniform(0.0, 0.15))
        bench = Bench(folder)  # opening repairs what the kill left
        bench.close()
        found = nonces_in(folder)
        assert found == list(range(1, len(found) + 1))
        assert seqs[-1] <= len(found) <= seqs[-1] + GROUP * WRITERS
    assert len(list(folder.glob("*.seg"))) > 1
