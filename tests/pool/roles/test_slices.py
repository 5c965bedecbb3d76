"""pool.roles.slices: the assignments on their way to the share path, without a thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from payout.accounts import Scheme
from payout.store.ledger import SqlLedger
from pool import config_file
from pool.config import Config
from pool.fleet.kinds import Assignment, Capacity, Site
from pool.fleet.register import Entry
from pool.fleet.slices import SliceTable
from pool.fleet_options import RegionOptions
from pool.roles.database import open_database
from pool.roles.slices import SliceFeed, SlicesAway, SliceSource
from pool.store.fleets import SqlFleets
from pool.store.sql import writing
from tests.fakes import FakeClock
from tests.pool.fleet.rows import HOUR_MS, NOW_MS, entries, facts
from tests.pool.test_cli import config as config_path

__all__ = ["config_path"]


@pytest.fixture
def pool(config_path: Path) -> Config:
    loaded = config_file.load(config_path)
    Path(loaded.pool.data_dir).mkdir(exist_ok=True)
    return loaded


def assign(pool: Config, pattern: str = "kz-*") -> None:
    engine = open_database(pool)
    with SqlLedger(engine).write() as books:
        for name in ("bit", "host"):
            if books.accounts.get(name) is None:
                books.accounts.add(name, Scheme.PPLNS, 0, None, NOW_MS)
    with writing(engine) as connection:
        SqlFleets(connection).record(entries(facts(pattern=pattern)), NOW_MS)
    engine.dispose()


def patterns(table: SliceTable | None) -> list[str] | None:
    return None if table is None else [row.pattern for row in table.assignments]


class TestSource:
    def test_it_reads_what_changed_and_nothing_twice(self, pool: Config) -> None:
        assign(pool)
        source = SliceSource(pool, "0")
        assert [patterns(source.changed()) for _ in range(2)] == [["kz-*"], None]
        assign(pool, "tx-long-*")
        assert [patterns(source.changed()) for _ in range(2)] == [["kz-*", "tx-long-*"], None]

    def test_it_knows_which_sites_its_region_serves(self, pool: Config) -> None:
        assign(pool)
        engine = open_database(pool)
        more = [
            Site(name="ganzi", country="CN", time_zone="Asia/Shanghai", region="sichuan", valid_from_ms=NOW_MS),
            Capacity(site="ganzi", capacity_w=1, valid_from_ms=NOW_MS),
        ]
        with writing(engine) as connection:
            fleets = SqlFleets(connection)
            almaty = replace(fleets.sites()[0], region="kz", replaces=1)
            again = facts(site="ganzi", contract="")[-1]
            fleets.record([*entries([almaty, *more]), Entry("here too", again)], NOW_MS)
        engine.dispose()
        for region, slice_id in (("kz", 1), ("sichuan", 2)):
            source = SliceSource(replace(pool, region=RegionOptions(region)), region)
            read = source.changed()
            assert read is not None
            for table in (read, source.kept()):
                assert table.at(NOW_MS + 2 * HOUR_MS).slice_of("bit", "kz-1") == slice_id

    def test_a_process_that_starts_without_a_database_knows_what_the_one_before_read(self, pool: Config) -> None:
        assign(pool)
        assert patterns(SliceSource(pool, "0").changed()) == ["kz-*"]
        Path(pool.pool.data_dir, "ledger.sqlite").unlink()
        source = SliceSource(pool, "0")
        assert patterns(source.kept()) == ["kz-*"]
        with pytest.raises(SlicesAway, match="there are no books at"):
            source.changed()
        assert not Path(pool.pool.data_dir, "ledger.sqlite").exists()
        assert patterns(SliceSource(pool, "1").kept()) == []

    def test_before_there_ever_were_books_nothing_is_amiss(self, pool: Config) -> None:
        source = SliceSource(pool, "0")
        assert (patterns(source.kept()), source.changed()) == ([], None)
        assert not Path(pool.pool.data_dir, "ledger.sqlite").exists()
        assign(pool)
        assert patterns(source.changed()) == ["kz-*"]

    @pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b'{"mark": 1, "assignments": [{}]}', b"[" * 100_000])
    def test_a_file_that_is_damaged_is_named(self, pool: Config, content: bytes) -> None:
        folder = Path(pool.pool.data_dir, "slices")
        folder.mkdir()
        (folder / "0").write_bytes(content)
        with pytest.raises(SlicesAway, match="slices/0"):
            SliceSource(pool, "0").kept()

    def test_a_database_of_another_version_is_away(self, pool: Config) -> None:
        Path(pool.pool.data_dir, "ledger.sqlite").touch()
        with pytest.raises(SlicesAway, match="no such table"):
            SliceSource(pool, "0").changed()


class GivenSource:
    """Answers in turn; one that is an error is raised."""

    def __init__(self, kept: list[Assignment] | SlicesAway, *answers: list[Assignment] | SlicesAway | None) -> None:
        self._kept = kept
        self._answers: Iterator[list[Assignment] | SlicesAway | None] = iter(answers)

    def kept(self) -> SliceTable:
        if isinstance(self._kept, SlicesAway):
            raise self._kept
        return SliceTable(self._kept)

    def changed(self) -> SliceTable | None:
        answer = next(self._answers)
        if isinstance(answer, SlicesAway):
            raise answer
        return None if answer is None else SliceTable(answer)


class TestFeed:
    def told(self, source: GivenSource, seconds: int) -> list[list[str]]:
        """What the share path is told at the start and in the seconds after it."""
        tables: list[list[str]] = []
        reactor = Clock()

        def take(table: SliceTable, time_ms: int) -> None:
            assert time_ms == NOW_MS
            tables.append([each.pattern for each in table.assignments])

        async def at_once(work: object) -> object:
            return work()  # type: ignore[operator]

        feed = SliceFeed(source, take, FakeClock(NOW_MS), reactor, at_once)
        started = Deferred.fromCoroutine(feed.start())
        assert started.called
        for _ in range(seconds):
            reactor.advance(1)
        feed.stop()
        reactor.advance(5)
        return tables

    def test_first_what_was_kept_then_what_is_known_then_each_change(self) -> None:
        def rows(pattern: str) -> list[Assignment]:
            row = facts(pattern=pattern)[-1]
            assert isinstance(row, Assignment)
            return [row]

        source = GivenSource(rows("a"), rows("b"), None, rows("c"), None)
        assert self.told(source, 3) == [["a"], ["b"], ["c"]]

    def test_a_database_that_is_away_changes_nothing_and_is_asked_again(self) -> None:
        away = SlicesAway("the database is locked")
        row = facts(valid_from_ms=NOW_MS + HOUR_MS)[-1]
        assert isinstance(row, Assignment)
        assert self.told(GivenSource(away, away, away, [row]), 2) == [["kz-*"]]
