"""A ledger in SQL is the one in memory, and its rebuild is the same: a few cases of `scripts/fuzz money`."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest

from tests.payout.money_cases import check
from tests.payout.payment_story import random_story
from tests.pool.rebuild.rebuilt_cases import check_in_sql, check_payments

CASES = int(os.environ.get("STEPPE_MONEY_CASES", "2000"))
SEEDS = range(0, CASES, 100)
STORIES = range(0, CASES, 200)


def test_the_ledger_in_sql_is_the_one_in_memory_and_so_is_its_rebuild(sqlite_file: bytes) -> None:
    for seed in SEEDS:
        try:
            check_in_sql(seed, check(seed), sqlite_file)
        except AssertionError as error:
            raise AssertionError(f"the case of seed {seed}") from error


@pytest.mark.parametrize("seed", STORIES)
def test_whatever_happens_every_line_is_paid_once_and_a_rebuild_is_the_same_ledger(
    sqlite_file: bytes, seed: int
) -> None:
    check_payments(random_story(random.Random(seed)), sqlite_file)


def test_a_long_run_says_how_many_cases_it_was() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.money", "-cases=3", "-seed=7"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("money: 3 cases (")
    assert "1 of them in SQL and rebuilt, 1 stories of payments" in run.stdout
