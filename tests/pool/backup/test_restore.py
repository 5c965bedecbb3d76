"""A backup put back elsewhere; what is refused, and what a crash leaves."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, make_url
from sqlalchemy.engine import URL

from payout.store.ledger import SqlLedger
from pool.backup.manifest import BackupFailed
from pool.failpoints import VARIABLE
from pool.journal.inspect import verify
from pool.store.sql import writing
from pool.store.upgrade import upgrade
from tests.databases import dump
from tests.pool.backup.pools import CONFIGURATION, NOW_MS, FakeRedis, Pool


class TestWhatIsRestored:
    @pytest.mark.parametrize("name", ["backup", "backup.tar"])
    def test_the_books_are_the_same_but_for_the_stop(self, pool: Pool, name: str) -> None:
        before = dump(pool.engine)
        pool.take(name)
        pool.restore(name)
        after = dump(pool.empty)
        changed = {table for table in before if before[table] != after[table]}
        assert changed == {"payout_switch", "progress"}
        with SqlLedger(pool.empty).read() as books:
            switch = books.payouts.switch()
            assert switch.is_stopped
            assert switch.reason.startswith("restored from a backup of 2023-11-14 22:13:20 UTC")
            assert books.payouts.restored_height() == 1

    def test_each_journal_is_a_former_one_and_whole(self, pool: Pool) -> None:
        pool.take()
        told = pool.restore()
        folder = pool.folder / "new" / "journal" / f"7-{pool.frontend[:8]}"
        assert told.journals == {pool.frontend: str(folder)}
        assert told.behind == {pool.frontend: 2}
        assert verify(folder).last_seq == 7
        assert not (pool.folder / "new/journal/7").exists()

    def test_extranonces_and_job_ids_go_on_behind_all_that_may_have_been_used(self, pool: Pool) -> None:
        pool.take()
        pool.restore()
        assert int((pool.folder / "new/extranonces/7").read_text()) == 8192 + 2**23
        assert int((pool.folder / "new/candidates/job-ids").read_text(), 16) >= NOW_MS + 60_000
        assert (pool.folder / "new/sessions/key").read_text() == "k" * 32

    def test_a_clock_that_went_back_brings_no_job_id_back(self, pool: Pool) -> None:
        (pool.data / "candidates/job-ids").write_text(f"{NOW_MS * 2:x}\n")
        pool.take()
        pool.restore()
        assert int((pool.folder / "new/candidates/job-ids").read_text(), 16) > NOW_MS * 2

    def test_a_folder_that_is_there_and_empty_will_do(self, pool: Pool) -> None:
        (pool.folder / "new").mkdir()
        pool.take()
        pool.restore()
        assert not (pool.folder / "new/.restoring").exists()
        assert verify(pool.folder / "new" / "journal" / f"7-{pool.frontend[:8]}").last_seq == 7


class TestWhatIsRefused:
    def refused(self, pool: Pool, match: str, **changes: object) -> None:
        before = set(pool.folder.rglob("*"))
        with pytest.raises(BackupFailed, match=match):
            pool.restore(**changes)  # type: ignore[arg-type]
        assert set(pool.folder.rglob("*")) == before

    def test_a_folder_with_something_in_it(self, pool: Pool) -> None:
        pool.take()
        (pool.folder / "new").mkdir()
        (pool.folder / "new/x").write_text("mine")
        self.refused(pool, "is not empty")

    def test_books_that_are_there(self, pool: Pool) -> None:
        pool.take()
        pool.empty = pool.engine
        self.refused(pool, "database.url: .* already")

    def test_a_pool_that_runs(self, pool: Pool) -> None:
        pool.take()
        self.refused(pool, r"a pool runs on this Redis \(web 0\)", redis=FakeRedis(("web 0",)))

    def test_a_redis_of_another_life(self, pool: Pool) -> None:
        pool.take()
        self.refused(pool, "another life of the pool", redis=FakeRedis(is_empty=False))

    def test_another_chain(self, pool: Pool) -> None:
        pool.take()
        config = pool.elsewhere
        self.refused(pool, "chain regtest", config=replace(config, pool=replace(config.pool, chain="signet")))

    @pytest.mark.parametrize("how", ["changed", "shorter", "missing", "added"])
    def test_damage(self, pool: Pool, how: str) -> None:
        pool.take()
        victim = min((pool.folder / "backup/journal/7").glob("*.seg"))
        data = victim.read_bytes()
        if how == "changed":
            victim.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        elif how == "shorter":
            victim.write_bytes(data[:-1])
        elif how == "missing":
            victim.unlink()
        else:
            victim.with_name("0000000000000099.seg").write_bytes(data)
        self.refused(pool, "the backup is (damaged|not as it was made)")

    def test_a_tar_that_was_cut_off(self, pool: Pool) -> None:
        pool.take("backup.tar")
        file = pool.folder / "backup.tar"
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        self.refused(pool, "no backup of a pool|damaged", name="backup.tar")

    def test_something_else(self, pool: Pool) -> None:
        (pool.folder / "backup").mkdir()
        self.refused(pool, "no backup of a pool")
        (pool.folder / "other.tar").write_text("not a tar")
        self.refused(pool, "no backup of a pool", name="other.tar")
        self.refused(pool, "there is no backup", name="nothing")

    def test_names_that_lead_out_of_it(self, pool: Pool) -> None:
        manifest = pool.take("backup.tar")
        bad = replace(manifest.files[0], name="journal/../../../evil")
        with tarfile.open(pool.folder / "bad.tar", "w") as tar:
            for name, data in (
                (bad.name, b""),
                ("manifest.json", msgspec.json.encode(replace(manifest, files=(bad,)))),
            ):
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
        self.refused(pool, "leads out of it", name="bad.tar")

    @pytest.mark.parametrize(
        ("field", "value", "match"), [("format", 2, "a newer Steppe reads it"), ("revision", "9999", "a newer version")]
    )
    def test_a_newer_version(self, pool: Pool, field: str, value: object, match: str) -> None:
        manifest = pool.take()
        file = pool.folder / "backup/manifest.json"
        if field == "format":
            file.write_bytes(msgspec.json.encode(replace(manifest, format=2)))
        else:
            file.write_bytes(msgspec.json.encode(replace(manifest, books=replace(manifest.books, revision=str(value)))))
        self.refused(pool, match)


class TestWhatACrashLeaves:
    """In a process of its own, which ends itself as kill -9 does."""

    def kill(self, pool: Pool, place: str) -> None:
        elsewhere = CONFIGURATION.partition("[redis]")[0].replace('"data"', '"new"')
        pool.file.write_text(f'{elsewhere}[database]\nurl = "{shown(pool.empty)}"\n')
        done = subprocess.run(
            [sys.executable, "-m", "pool", "restore", str(pool.folder / "backup"), "-c", str(pool.file)],
            env={**os.environ, VARIABLE: place},
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()

    @pytest.mark.parametrize("place", ["restore-ready", "restore-books-placed", "restore-file-placed"])
    def test_the_same_command_ends_it(self, pool: Pool, place: str) -> None:
        before = dump(pool.engine)
        pool.take()
        self.kill(pool, f"{place}=1")
        assert (pool.folder / "new/.restoring").exists()
        told = pool.restore()
        assert told.behind == {pool.frontend: 2}
        after = dump(pool.empty)
        assert {table for table in before if before[table] != after[table]} == {"payout_switch", "progress"}
        assert verify(pool.folder / "new" / "journal" / f"7-{pool.frontend[:8]}").last_seq == 7
        assert (pool.folder / "new/sessions/key").read_text() == "k" * 32
        assert sorted(path.name for path in (pool.folder / "new").glob("*restor*")) == []

    def test_another_backup_does_not_end_it(self, pool: Pool) -> None:
        pool.take()
        self.kill(pool, "restore-books-placed=1")
        take_later = pool.take("later", now_ms=NOW_MS + 1)
        assert take_later.made_ms == NOW_MS + 1
        with pytest.raises(BackupFailed, match="of 2023-11-14 22:13:20 UTC has to be ended first"):
            pool.restore("later")

    def test_books_that_came_there_since_are_left_alone(self, pool: Pool) -> None:
        pool.take()
        self.kill(pool, "restore-ready=1")
        upgrade(pool.empty)
        with pytest.raises(BackupFailed, match=r"name an empty one|is not empty"):
            pool.restore()
        assert dump(pool.empty)["high_water"] == []

    @pytest.mark.parametrize("engine", ["postgresql"], indirect=True)  # SQLite's get their place by one rename
    def test_a_load_that_goes_on_is_waited_for(self, pool: Pool) -> None:
        pool.take()
        self.kill(pool, "restore-ready=1")
        with writing(pool.empty), pytest.raises(BackupFailed, match="still loads this database"):
            pool.restore()
        pool.restore()


def shown(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def test_the_password_of_a_database_is_no_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pool.backup import books

    seen = tmp_path / "seen"
    program = tmp_path / "psql"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$PGPASSWORD" "$@" > {seen}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    url: URL = make_url("postgresql+psycopg://steppe:hunter22@db.test/pool")
    books._run(url, "psql", "--quiet")
    assert seen.read_text().splitlines() == ["hunter22", "--quiet", "--dbname=postgresql://steppe@db.test/pool"]
