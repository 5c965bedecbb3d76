"""The benchmarks of the books, for a moment: they measure what they say."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner

from tests.load.bench import main


def bench(*arguments: str) -> dict[str, Any]:
    run = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert run.exit_code == 0, run.stderr
    report: dict[str, Any] = json.loads(run.stdout)
    return report


def test_rebuild_tells_its_parts_beside_a_plain_read() -> None:
    report = bench("rebuild", "--records", "4000", "--frontends", "2")
    assert (report["records"], report["journals"]) == (4000, 2)
    assert all(report[part]["a_second_of_cpu"] > 0 for part in ("read", "ledger", "statistics", "both"))
    assert set(report["times_a_plain_read"]) == {"ledger", "statistics", "both"}


def test_accounting_takes_shares_on_both_databases() -> None:
    report = bench("accounting", "--batches", "10")
    assert all(report[database]["a_second"] > 0 for database in ("sqlite", "postgresql"))


def test_a_block_is_credited_over_a_window_and_over_twice_the_history() -> None:
    report = bench("credit", "--shares", "1000000")
    for database in ("sqlite", "postgresql"):
        assert [each["history_shares"] for each in report[database]] == [1_002_000, 2_004_000]
