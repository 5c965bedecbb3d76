"""Every seed, and what once broke a target, runs through it; then the fuzzer for a moment. Longer: `scripts/fuzz`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.targets import CORPUS, TARGETS

RUNS = {"session": 1_000, "front": 1_000, "proxy": 3_000}
SEEDS = [seed for name in TARGETS for seed in sorted((CORPUS / name).iterdir())]


def test_each_target_has_seeds() -> None:
    assert {seed.parent.name for seed in SEEDS} == TARGETS.keys() == {folder.name for folder in CORPUS.iterdir()}


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"{seed.parent.name}/{seed.name}")
def test_a_seed_breaks_nothing(seed: Path) -> None:
    TARGETS[seed.parent.name](seed.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_neither_do_a_thousand_mutations(name: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.fuzz",
            name,
            f"-runs={RUNS[name]}",
            "-seed=1",
            f"-artifact_prefix={tmp_path}/",
            str(tmp_path),
            str(CORPUS / name),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
