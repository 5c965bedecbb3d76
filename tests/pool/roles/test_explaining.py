"""pool.roles.explaining: the API says what the command says, of real books and journals."""

from __future__ import annotations

import json
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from twisted.internet.defer import Deferred

from pool import config_file
from pool.dashboard.explain import NotExplained
from pool.dashboard.ports import SourceUnavailable
from pool.explain.words import words
from pool.roles.clock import SystemClock
from pool.roles.database import reach_database
from pool.roles.explaining import WAITING_MAX, SqlExplaining
from tests.payout.scene import START_MS
from tests.pool.dashboard.running import here, result_of
from tests.pool.rebuild.pools import ONE
from tests.pool.test_cli import config
from tests.pool.test_cli_explain import pool
from tests.pool.test_cli_payouts import said

__all__ = ["config", "pool"]


@pytest.fixture
def explaining(pool: Path) -> Iterator[SqlExplaining]:
    loaded = config_file.load(pool)
    engine = reach_database(loaded)
    yield SqlExplaining(engine, Path(loaded.pool.data_dir) / "journal", here, SystemClock())
    engine.dispose()


def asked(explaining: SqlExplaining, kind: str, name: str) -> Coroutine[Any, Any, Any]:
    ask: dict[str, Any] = {
        "credit": explaining.credit, "balance": explaining.balance, "reject": explaining.share,
        "payout": lambda number: explaining.payout(int(number), None),
    }  # fmt: skip
    made: Coroutine[Any, Any, Any] = ask[kind](name)
    return made


@pytest.mark.parametrize(
    ("kind", "name"), [("credit", "100:alice"), ("credit", "100:bob"), ("balance", "alice"), ("reject", f"{ONE}:4")]
)
def test_figures_and_words_are_those_of_the_command(
    explaining: SqlExplaining, pool: Path, kind: str, name: str
) -> None:
    found = result_of(asked(explaining, kind, name))
    assert list(words(found)) == said("explain", kind, name, "-c", pool).output.splitlines()
    figures = json.loads(said("explain", kind, name, "--json", "-c", pool).output)
    assert msgspec.json.decode(msgspec.json.encode(found)) == figures


@pytest.mark.parametrize(
    ("kind", "name", "says"),
    [
        ("credit", "99:alice", "no block at height 99"),
        ("balance", "nobody", "there is no account 'nobody'"),
        ("payout", "1", "there is no payout 1"),
        ("reject", f"{ONE}:99", "has no record 99"),
        ("reject", "f" * 16 + ":1", "is not here"),
    ],
)
def test_what_is_not_there_is_told(explaining: SqlExplaining, kind: str, name: str, says: str) -> None:
    with pytest.raises(NotExplained, match=says):
        result_of(asked(explaining, kind, name))


def test_journals_are_read_for_one_at_a_time_and_few_wait(explaining: SqlExplaining) -> None:
    waiting: list[Deferred[None]] = []

    async def slowly(work: Any) -> Any:
        waiting.append(Deferred())
        await waiting[-1]
        return work()

    explaining._in_thread = slowly
    asking = [Deferred.fromCoroutine(explaining.share(f"{ONE}:4")) for _ in range(WAITING_MAX + 1)]
    with pytest.raises(SourceUnavailable, match="at once"):
        result_of(explaining.share(f"{ONE}:4"))
    assert len(waiting) == 1
    for number in range(WAITING_MAX + 1):
        waiting[number].callback(None)
    assert {each.result.id for each in asking} == {f"{ONE}:4"}  # type: ignore[attr-defined]


def test_the_shares_of_a_worker_are_those_of_the_command(explaining: SqlExplaining, pool: Path) -> None:
    asked_ms = (START_MS, START_MS + 600_000)
    found = result_of(explaining.shares("bob.rig", *asked_ms))
    assert [row.id for row in found.rows] == [f"{ONE}:2", f"{ONE}:4"]
    command = ("explain", "shares", "bob.rig", "--from", str(asked_ms[0]), "--to", str(asked_ms[1]))
    assert json.loads(said(*command, "--json", "-c", pool).output) == msgspec.json.decode(msgspec.json.encode(found))
    lines = said(*command, "-c", pool).output.splitlines()
    assert [line.split("\t")[1:3] for line in lines] == [[f"{ONE}:2", "accepted"], [f"{ONE}:4", "stale"]]
