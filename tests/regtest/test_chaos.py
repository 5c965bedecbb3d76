"""A short run of chaos on each database; `scripts/chaos` goes on for longer. See docs/chaos.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pool.node.private import PrivateChain, find_bitcoind
from tests.chaos.outages import Outage
from tests.chaos.report import Report, as_table
from tests.chaos.run import Options, run
from tests.postgresql import Databases

SEED = 1
PACE_SECONDS = 2.0
# More than all of them take on a machine with much else to do; one that hangs is ended by its own limit.
SECONDS_MAX = 400.0

pytestmark = pytest.mark.timeout(900)  # the first test of a run waits for all of it

Chaos = Callable[..., Report]

# Every group of faults, on a chain where each share is a block.
ALL_KINDS = (
    "kill work",
    "kill stratum",
    "kill accounting",
    "kill redis",
    "kill node a",
    "redis flushed",
    "redis full",
    "redis read-only",
    "node a paused",
    "reorganization",
    "orphan race",
    "disk full",
    "clock an hour ahead",
    "clock an hour behind",
    "database held",
)
# Ten times as many shares, each synced before its answer, with the ledger in PostgreSQL.
OF_SHARES = (
    "kill work",
    "kill stratum-1",
    "kill accounting",
    "kill redis",
    "kill postgresql",
    "redis flushed",
    "failpoint shares-booked",
    "power cut",
)


@pytest.fixture(scope="module")
def sqlite_run(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return broken(tmp_path_factory.mktemp("chaos"), "regtest", "sqlite", "", "relaxed", ALL_KINDS)


@pytest.fixture(scope="module")
def postgresql_run(tmp_path_factory: pytest.TempPathFactory, postgresql: Databases) -> Report:
    return broken(tmp_path_factory.mktemp("chaos"), "signet", "postgresql", postgresql(""), "fsync", OF_SHARES)


def broken(
    folder: Path, chain: PrivateChain, database: str, database_url: str, journal_mode: str, faults: tuple[str, ...]
) -> Report:
    """A run with each of these faults once. It must come to its end, with work for the oracle to judge."""
    bitcoind = find_bitcoind()
    assert bitcoind is not None
    options = Options(
        bitcoind=bitcoind,
        chain=chain,
        database=database,
        database_url=database_url,
        folder=folder,
        seed=SEED,
        seconds=SECONDS_MAX,
        pace_seconds=PACE_SECONDS,
        faults=faults,
        rounds=1,
        journal_mode=journal_mode,
    )
    report = run(options, lambda what: None)
    assert report.problem is None, as_table(report)
    assert {each.name for each in report.faults} == set(faults), as_table(report)
    assert report.verdict is not None
    assert report.verdict.acknowledged >= len(faults), as_table(report)
    # Statistics and ledger are read for themselves; a job has a record too.
    assert report.rebuilt > 2 * report.verdict.acknowledged, as_table(report)
    return report


def of_group(report: Report, group: str) -> list[Outage]:
    return [each for each in report.faults if each.name.startswith(group)]


@pytest.fixture(params=["sqlite_run", "postgresql_run"])
def report(request: pytest.FixtureRequest) -> Report:
    found: Report = request.getfixturevalue(request.param)
    return found


def test_no_share_that_was_acknowledged_is_lost(report: Report) -> None:
    assert report.verdict is not None
    assert report.verdict.lost == [], as_table(report)


def test_no_share_counts_twice(report: Report) -> None:
    assert report.verdict is not None
    assert report.verdict.doubled == [], as_table(report)


def test_every_block_is_in_the_chain_or_another_one_beat_it(report: Report) -> None:
    assert report.verdict is not None
    assert report.verdict.blocks_lost == [], as_table(report)


def test_blocks_are_found_in_the_midst_of_it(sqlite_run: Report) -> None:
    assert sqlite_run.verdict is not None
    assert sqlite_run.verdict.in_chain >= len(ALL_KINDS), as_table(sqlite_run)


def test_the_books_agree_with_the_journals_and_the_chain_to_the_satoshi(report: Report) -> None:
    assert report.verdict is not None
    assert report.verdict.wrong == [], as_table(report)


def test_a_reorganization_takes_back_what_was_credited_for_its_blocks(sqlite_run: Report) -> None:
    assert sqlite_run.verdict is not None
    assert sqlite_run.verdict.reversed >= 1, as_table(sqlite_run)


def test_redis_may_be_empty_full_or_read_only_and_no_miner_loses_its_session(sqlite_run: Report) -> None:
    assert [each.away for each in of_group(sqlite_run, "redis")] == [0, 0, 0], as_table(sqlite_run)


def test_a_clock_that_steps_an_hour_costs_no_miner_its_session(sqlite_run: Report) -> None:
    assert [each.away for each in of_group(sqlite_run, "clock")] == [0, 0], as_table(sqlite_run)


def test_a_power_cut_takes_nothing_that_was_acknowledged(postgresql_run: Report) -> None:
    [cut] = of_group(postgresql_run, "power cut")
    assert cut.count == 1
    assert postgresql_run.verdict is not None
    assert postgresql_run.verdict.lost == [], as_table(postgresql_run)


def test_a_full_disk_has_miners_sent_away_rather_than_lied_to(sqlite_run: Report) -> None:
    [full] = of_group(sqlite_run, "disk full")
    assert full.away > 0, as_table(sqlite_run)
