"""Money on random pools: `python -m tests.fuzz.money -cases=N` or `-seconds=N`, from `-seed=N` on.

Each case is played in memory in three forms (tests/payout/money_cases.py). One in 500 is also played in SQL, where it
must give the same ledger, and is rebuilt from its journals; beside one in 2,000 a story of payments is told, which ends
with every line paid once, and is rebuilt too. What fails is named by its seed: add that to tests/payout/test_money.py.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.databases import empty_sqlite
from tests.payout.money_cases import check
from tests.payout.payment_story import random_story
from tests.pool.rebuild.rebuilt_cases import check_in_sql, check_payments

IN_SQL_EVERY: Final = 500
PAYMENTS_EVERY: Final = 2_000
TOLD_EVERY: Final = 50_000


def main(*options: str) -> None:
    numbers = {"-cases": 0, "-seconds": 0, "-seed": 0}
    for option in options:
        name, _, number = option.partition("=")
        if name not in numbers or not number.isdecimal():
            raise SystemExit("usage: python -m tests.fuzz.money -cases=N | -seconds=N [-seed=N]")
        numbers[name] = int(number)
    with TemporaryDirectory() as folder:
        empty = empty_sqlite(Path(folder))
    began = time.monotonic()
    cases = in_sql = payments = blocks = rows = 0
    while (not numbers["-cases"] or cases < numbers["-cases"]) and (
        not numbers["-seconds"] or time.monotonic() - began < numbers["-seconds"]
    ):
        seed = numbers["-seed"] + cases
        try:
            told = check(seed)
            if cases % IN_SQL_EVERY == 0:
                check_in_sql(seed, told, empty)
                in_sql += 1
            if cases % PAYMENTS_EVERY == 0:
                check_payments(random_story(random.Random(seed)), empty)
                payments += 1
        except BaseException:
            print(f"money: the case of seed {seed} fails", flush=True)
            raise
        cases += 1
        blocks += sum(block.reward_sat is not None for block in told.blocks.every())
        rows += sum(1 for _ in told.journal.rows())
        if cases % TOLD_EVERY == 0:
            _say(cases, in_sql, payments, blocks, rows, began)
    if cases % TOLD_EVERY:
        _say(cases, in_sql, payments, blocks, rows, began)


def _say(cases: int, in_sql: int, payments: int, blocks: int, rows: int, began: float) -> None:
    print(
        f"money: {cases} cases ({blocks} blocks credited, {rows} rows of ledger), {in_sql} of them in SQL and rebuilt, "
        f"{payments} stories of payments, {time.monotonic() - began:.0f} s, all exact",
        flush=True,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
