"""kill -9 of a process that writes its journal: whatever it acknowledged is there; reliability goal R1."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pool.journal.journal import Durability
from pool.journal.reader import OLDEST, groups
from pool.work.share import Share
from tests.pool.journal.samples import Bench, nonces_in, records_of
from tests.regtest.journal_child import GROUP, WRITERS

KILLS = 10
# Acknowledgements of a life before its end draws near: however slow the disk, all lives fill more than one segment.
ACKNOWLEDGED_MIN = 30


def acknowledged_until(folder: Path, durability: Durability, failpoint: str, *words: str) -> list[int]:
    """Run the writer until it dies at a named place; the numbers that it said were safe."""
    writer = subprocess.run(
        [sys.executable, "-m", "tests.regtest.journal_child", str(folder), durability.value, *words],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "STEPPE_FAILPOINTS": failpoint},
        timeout=60,
        check=False,
    )
    assert writer.returncode == -signal.SIGKILL
    return [int(line) for line in writer.stdout.splitlines(keepends=True) if line.endswith("\n")]


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
        lines = [writer.stdout.readline() for _ in range(ACKNOWLEDGED_MIN)]
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


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    "place", ["journal-written", "journal-synced", "journal-segment-written", "journal-segment-renamed"]
)
@pytest.mark.parametrize("durability", Durability)
def test_all_is_there_after_a_kill_between_two_steps(
    tmp_path: Path, durability: Durability, place: str, count: int
) -> None:
    folder = tmp_path / "journal"
    for _ in range(2):  # the second goes on behind what the first left
        seqs = acknowledged_until(folder, durability, f"{place}={count}")
        Bench(folder).close()
        found = nonces_in(folder)
        assert found == list(range(1, len(found) + 1))
        assert max(seqs, default=0) <= len(found)


@pytest.mark.parametrize(
    "place",
    [
        "journal-segment-changed",
        "journal-pack-written",
        "journal-pack-renamed",
        "journal-pack-synced",
        "journal-pack-plain-removed",
        "journal-segment-removed",
    ],
)
def test_all_that_is_kept_is_there_after_a_kill_while_it_is_compressed_and_shortened(
    tmp_path: Path, place: str
) -> None:
    folder = tmp_path / "journal"
    seqs: list[int] = []
    for count in (1, 2):  # the second may die on what the first left, before it acknowledged anything
        seqs += acknowledged_until(folder, Durability.FSYNC, f"{place}={count}", "upkeep")
        bench = Bench(folder)
        next_seq = bench.journal.next_seq
        bench.close()
        found = [record.nonce for record in records_of(list(groups(folder, OLDEST))) if isinstance(record, Share)]
        assert found == list(range(found[0], next_seq))
        assert seqs[-1] < next_seq


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize(
    "place",
    [
        "journal-pack-renamed",
        "journal-pack-plain-removed",
        "journal-segment-written",
        "journal-segment-renamed",
        "journal-ended",
        "journal-segment-removed",
    ],
)
def test_a_journal_that_nobody_appends_to_keeps_its_end_after_a_kill_while_it_is_removed(
    tmp_path: Path, place: str, count: int
) -> None:
    folder = tmp_path / "0-old"
    bench = Bench(folder, segment_bytes_max=320)
    for nonce in range(1, 11):
        bench.commit(nonce)
    bench.close()
    killed = former_upkeep(folder, f"{place}={count}")
    assert killed == (count == 1 or place.startswith("journal-pack") or place == "journal-segment-removed")
    kept = [record.nonce for record in records_of(list(groups(folder, OLDEST))) if isinstance(record, Share)]
    assert kept == list(range(11 - len(kept), 11))
    bench = Bench(folder)
    assert bench.journal.next_seq == 11
    bench.close()
    assert not former_upkeep(folder, "")
    assert [path.name for path in folder.glob("*.seg*")] == ["0000000000000011.seg"]


def former_upkeep(folder: Path, failpoint: str) -> bool:
    """Compress and remove a journal that nobody appends to; whether that was killed at a named place."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.regtest.former_child", str(folder)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "STEPPE_FAILPOINTS": failpoint},
        timeout=60,
        check=False,
    )
    assert done.returncode in (0, -signal.SIGKILL)
    return done.returncode != 0
