"""What a backup of a folder and of real books has in it."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select

from pool.backup.books import copy_books
from pool.backup.files import secrets_of
from pool.backup.manifest import BackupFailed
from pool.journal.format import Header
from pool.journal.inspect import verify
from pool.journal.segments import create, segment_paths
from pool.store.sql import connect, high_water, reading, writing
from tests.pool.backup.pools import CONFIGURATION, Pool


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


class TestWhatIsTaken:
    def test_truth_and_guards_and_no_caches(self, pool: Pool) -> None:
        manifest = pool.take()
        found = names(pool.folder / "backup")
        assert {each.name for each in manifest.files} == found - {"manifest.json"}
        assert {"candidates/1-ab.block", "candidates/job-ids", "extranonces/7", "sessions/key"} <= found
        assert not [name for name in found if "redis" in name or "reserve" in name or name.endswith("/lock")]

    def test_the_manifest_states_up_to_which_record(self, pool: Pool) -> None:
        manifest = pool.take()
        [journal] = manifest.journals
        assert (journal.range, journal.frontend, journal.first_seq, journal.last_seq) == ("7", pool.frontend, 1, 7)
        assert manifest.books.high_water == {pool.frontend: 5, "elsewhere": 9}
        assert manifest.elsewhere == ("elsewhere",)
        assert manifest.books.rows == 1

    def test_of_the_open_segment_only_what_is_whole(self, pool: Pool) -> None:
        newest = max((pool.data / "journal" / "7").glob("*.seg"))
        with newest.open("ab") as file:
            file.write(b"half a group")
        pool.take()
        assert verify(pool.folder / "backup" / "journal" / "7").last_seq == 7

    def test_nobody_else_can_read_it(self, pool: Pool) -> None:
        pool.take()
        pool.take("backup.tar")
        assert (pool.folder / "backup").stat().st_mode & 0o077 == 0
        assert (pool.folder / "backup.tar").stat().st_mode & 0o077 == 0
        assert all(path.stat().st_mode & 0o077 == 0 for path in (pool.folder / "backup").rglob("*"))

    def test_without_secrets_no_password_is_in_it(self, pool: Pool) -> None:
        pool.take()
        everything = b"".join(path.read_bytes() for path in (pool.folder / "backup").rglob("*") if path.is_file())
        assert b"very-secret-word" not in everything
        assert b"correct horse" not in everything
        assert "redis://steppe:***@" in (pool.folder / "backup/config/steppe.toml").read_text()

    def test_with_secrets_all_are(self, pool: Pool) -> None:
        assert pool.take(with_secrets=True).has_secrets
        assert (pool.folder / "backup/config/steppe.toml").read_text() == CONFIGURATION
        secret = pool.folder / "backup/config/secrets/node[0].password_file"
        assert secret.read_text() == "correct horse battery staple\n"
        assert [each.option for each in secrets_of(pool.config)] == ["node[0].password_file"]

    def test_a_place_in_use_is_refused_and_left_as_it_is(self, pool: Pool) -> None:
        pool.take()
        before = names(pool.folder / "backup")
        with pytest.raises(BackupFailed, match="is there already"):
            pool.take()
        assert names(pool.folder / "backup") == before

    def test_a_failure_leaves_nothing_behind(self, pool: Pool) -> None:
        with writing(pool.engine) as connection:
            connection.execute(high_water.update().where(high_water.c.seq == 5).values(seq=8))
        before = set(pool.folder.iterdir())
        with pytest.raises(BackupFailed, match="ends with record 7, but the books have up to 8"):
            pool.take()
        assert set(pool.folder.iterdir()) == before

    def test_a_segment_that_is_compressed_meanwhile_is_taken_as_it_is_then(
        self, pool: Pool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from pool.backup import files
        from pool.journal.packing import Packing

        listed = files.live  # type: ignore[attr-defined]

        def packed_behind_it(*arguments: object) -> object:
            found = listed(*arguments)  # type: ignore[arg-type]
            monkeypatch.setattr(files, "live", listed)
            packing = Packing(pool.data / "journal/7", lambda: 7, threading.Lock(), lambda: 0.0)
            while packing.step() == 0.0:
                pass
            packing.close()
            return found

        monkeypatch.setattr(files, "live", packed_behind_it)
        pool.bench.clock.advance(1)
        pool.take()
        assert [name for name in names(pool.folder / "backup") if name.endswith(".segz")]
        assert verify(pool.folder / "backup" / "journal" / "7").last_seq == 7

    @pytest.mark.parametrize("place", ["copy_books", "copy_journals"])
    def test_records_that_are_removed_meanwhile_are_not_missing_in_silence(
        self, pool: Pool, monkeypatch: pytest.MonkeyPatch, place: str
    ) -> None:
        """The ledger got them when the books were copied, so retention took them before the journals were."""
        from pool.backup import take

        copy = getattr(take, place)

        def removed_before_it(*arguments: object) -> object:
            if place == "copy_books":
                found = copy(*arguments)
                end_and_remove(pool)
                return found
            end_and_remove(pool)
            return copy(*arguments)

        monkeypatch.setattr(take, place, removed_before_it)
        with pytest.raises(BackupFailed, match=r"records 6 to 7 of journal 7 were removed.*try again"):
            pool.take()

    def test_records_that_are_removed_while_they_are_copied_are_not_missing_either(
        self, pool: Pool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from pool.backup import files

        copy = files._copy_segment

        def removed_before_it(*arguments: object, **more: object) -> object:
            monkeypatch.setattr(files, "_copy_segment", copy)
            end_and_remove(pool)
            return copy(*arguments, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(files, "_copy_segment", removed_before_it)
        with pytest.raises(BackupFailed, match=r"went away.*try again"):
            pool.take()

    def test_a_journal_that_lacks_them_all_along_is_taken_as_it_is(self, pool: Pool) -> None:
        end_and_remove(pool)
        [kept] = pool.take().journals
        assert (kept.first_seq, kept.last_seq) == (8, 7)


def end_and_remove(pool: Pool) -> None:
    """As `pool.journal.retention` leaves a journal that nobody appends to."""
    before = segment_paths(pool.data / "journal/7")
    create(pool.data / "journal/7", Header(99, 8, pool.frontend)).close()
    for path in before:
        path.unlink()


def test_books_that_are_written_to_all_the_time_are_copied_as_of_one_moment(sqlite: Engine, tmp_path: Path) -> None:
    """Two rows that change together are never seen apart, and the copy comes to its end."""
    with writing(sqlite) as connection:
        connection.execute(insert(high_water), [{"frontend": name, "seq": 0} for name in ("a", "b")])
        connection.exec_driver_sql("CREATE TABLE padding (data BLOB)")
        connection.exec_driver_sql("INSERT INTO padding SELECT zeroblob(16000000)")
    is_over = threading.Event()

    def write() -> None:
        seq = 0
        while not is_over.is_set():
            seq += 1
            with writing(sqlite) as connection:
                connection.execute(high_water.update().values(seq=seq))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            facts = copy_books(sqlite, tmp_path / f"copy-{number}", lambda moved: None)
            copy = connect(f"sqlite:///{tmp_path / f'copy-{number}'}")
            with reading(copy) as connection:
                marks = {row.frontend: row.seq for row in connection.execute(select(high_water))}
            copy.dispose()
            assert marks["a"] == marks["b"]
            assert facts.high_water == marks
    finally:
        is_over.set()
        writer.join()


def test_an_sqlite_copy_is_one_file(sqlite: Engine, tmp_path: Path) -> None:
    copy_books(sqlite, tmp_path / "copy", lambda moved: None)
    assert sorted(path.name for path in tmp_path.glob("copy*")) == ["copy"]
    with closing(sqlite3.connect(tmp_path / "copy")) as found:
        assert found.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
