"""pool.explain.shares: the shares of a worker in a short time, from the journals."""

from __future__ import annotations

from pathlib import Path

import pytest

from pool.explain import shares as module
from pool.explain.shares import ShareListed, shares_of
from pool.journal.former import FormerJournal
from pool.journal.segments import segment_paths
from tests.pool.journal.samples import JOB, Bench, share

START_MS = JOB.time_ms
WORKERS = ("rack-17", "rack-18", "rack-170")


class Farm:
    """Two journals in which each worker has a share a second for ten minutes, in small segments; alternating."""

    def __init__(self, root: Path) -> None:
        self.journals: dict[str, Path] = {}
        for parity, name in enumerate(("0", "1")):
            bench = Bench(root / name, segment_bytes_max=20_000)
            bench.journal.append(JOB)
            for second in range(parity, 600, 2):
                for worker in WORKERS:
                    bench.journal.append(share(second, time_ms=START_MS + second * 1000, worker=worker))
                bench.commit()
            bench.close()
            self.journals[bench.journal.frontend] = root / name

    def seconds(self, first: int, behind: int, login: str = "aisulu.rack-17") -> list[int]:
        """Of the shares that are found."""
        found = shares_of(self.journals, login, START_MS + first * 1000, START_MS + behind * 1000)
        assert found.next_ms is None
        return [(row.time_ms - START_MS) // 1000 for row in found.rows]


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Farm:
    made = Farm(tmp_path_factory.mktemp("farm"))
    assert all(len(segment_paths(folder)) > 4 for folder in made.journals.values())
    return made


@pytest.mark.parametrize("first", [0, 1, 59, 60, 61, 250, 599])
def test_all_of_the_worker_in_that_time_are_found_in_order(farm: Farm, first: int) -> None:
    assert farm.seconds(first, first + 60) == list(range(first, min(first + 60, 600)))


def test_none_before_and_none_behind(farm: Farm) -> None:
    assert farm.seconds(-600, 0) == farm.seconds(600, 1200) == []


@pytest.mark.parametrize("login", ["aisulu", "aisulu.rack-1", "other.rack-17", "rack-17.aisulu"])
def test_none_of_others(farm: Farm, login: str) -> None:
    assert farm.seconds(0, 60, login) == []


def test_each_has_the_id_by_which_it_is_explained(farm: Farm) -> None:
    frontend, _ = farm.journals
    found = shares_of(farm.journals, "aisulu.rack-17", START_MS, START_MS + 1)
    assert found.rows == (
        ShareListed(f"{frontend}:2", START_MS, "accepted", JOB.job_id, 1024.0, 101, None),
    )  # record 1 is the job


def test_it_is_told_where_to_go_on_if_there_are_more(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_MAX", 7)
    from_ms, to_ms = START_MS + 100_000, START_MS + 130_000
    seen: list[str] = []
    while from_ms < to_ms:
        found = shares_of(farm.journals, "aisulu.rack-17", from_ms, to_ms)
        assert len(found.rows) <= 7
        seen += [row.id for row in found.rows]
        from_ms = found.next_ms or to_ms
    assert len(seen) == len(set(seen)) == 30


def test_no_more_is_read_at_once_than_that(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BYTES_MAX", 40_000)
    found = shares_of(farm.journals, "aisulu.rack-17", START_MS, START_MS + 600_000)
    assert found.next_ms is not None
    assert len(found.rows) == (found.next_ms - START_MS + 999) // 1000 < 600


def test_most_of_a_journal_is_not_read_for_it(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    """It begins at the segment of that time."""
    monkeypatch.setattr(module, "BYTES_MAX", 30_000)
    monkeypatch.setattr(module, "_SLACK_MS", 0)
    assert farm.seconds(500, 510) == list(range(500, 510))


def test_a_journal_of_which_all_was_removed_has_none(farm: Farm, tmp_path: Path) -> None:
    Bench(tmp_path / "0").close()
    journal = FormerJournal(tmp_path / "0")
    journal.close()
    assert shares_of({journal.frontend: tmp_path / "0"}, "aisulu.rack-17", START_MS, START_MS + 1).rows == ()
