"""A backup of a folder and of real books, put back elsewhere; what is refused."""

from __future__ import annotations

import io
import sqlite3
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, insert, make_url, select
from sqlalchemy.engine import URL

from payout import ledger as rules
from payout.store.ledger import SqlLedger
from pool import config_file
from pool.backup.books import copy_books
from pool.backup.files import secrets_of
from pool.backup.manifest import BackupFailed, Manifest
from pool.backup.restore import Restored, restore
from pool.backup.take import take
from pool.config import Config
from pool.journal.inspect import verify
from pool.store.sql import connect, high_water, reading, writing
from tests.databases import dump
from tests.pool.journal.samples import JOB, Bench

NOW_MS = 1_700_000_000_000
CONFIGURATION = """\
[pool]
chain = "regtest"
payout_address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
data_dir = "data"

[[node]]
url = "http://127.0.0.1:1"
user = "pool"
password_file = "rpc-password"

[redis]
url = "redis://steppe:very-secret-word@127.0.0.1:6379/3"
"""


class FakeRedis:
    """Satisfies pool.backup.restore.Redis."""

    def __init__(self, roles: tuple[str, ...] = (), is_empty: bool = True) -> None:
        self._roles, self._is_empty = roles, is_empty

    def living_roles(self) -> list[str]:
        return list(self._roles)

    def is_empty(self) -> bool:
        return self._is_empty


class Pool:
    """A pool that has run, and a place to restore it to."""

    def __init__(self, folder: Path, engine: Engine, empty: Engine) -> None:
        self.folder, self.engine, self.empty = folder, engine, empty
        self.file = folder / "steppe.toml"
        self.file.write_text(CONFIGURATION)
        (folder / "rpc-password").write_text("correct horse battery staple\n")
        self.config = config_file.load(self.file)
        self.data = folder / "data"
        bench = Bench(self.data / "journal" / "7", segment_bytes_max=700)
        bench.journal.append(JOB)
        for nonce in range(1, 7):
            bench.commit(nonce)
        self.frontend = bench.journal.frontend
        self.bench = bench
        for name, text in (
            ("candidates/1-ab.block", "00"),
            ("candidates/1-ab.verdict", "{}"),
            ("candidates/reserve-1", "0" * 100),
            ("candidates/job-ids", "18bcfe56800\n"),
            ("extranonces/7", "4096\n8192\n"),
            ("sessions/key", "k" * 32),
            ("redis/dump.rdb", "cache"),
        ):
            (self.data / name).parent.mkdir(exist_ok=True)
            (self.data / name).write_text(text)
        with writing(engine) as connection:
            connection.execute(insert(high_water).values(frontend=self.frontend, seq=5))
            connection.execute(insert(high_water).values(frontend="elsewhere", seq=9))
        with SqlLedger(engine).write() as books:
            books.journal.post([rules.posting("adjust:a", "adjust", "a", 1, {rules.WALLET: 500, rules.POOL_FEE: -500})])

    def take(self, name: str = "backup", *, with_secrets: bool = False, engine: Engine | None = None) -> Manifest:
        return take(
            self.config,
            self.file,
            engine or self.engine,
            self.folder / name,
            with_secrets=with_secrets,
            version="0.1.0",
            now_ms=NOW_MS,
            progress=lambda part: None,
        )

    @property
    def elsewhere(self) -> Config:
        pool = replace(self.config.pool, data_dir=str(self.folder / "new"))
        return replace(self.config, pool=pool)

    def restore(self, name: str = "backup", redis: FakeRedis | None = None, config: Config | None = None) -> Restored:
        return restore(
            config or self.elsewhere,
            self.empty,
            self.folder / name,
            redis or FakeRedis(),
            now_ms=NOW_MS + 60_000,
            progress=lambda part: None,
        )


@pytest.fixture
def pool(engine: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Pool]:
    if engine.dialect.name == "sqlite":
        empty = connect(f"sqlite:///{tmp_path / 'new' / 'ledger.sqlite'}")
    else:
        url: Callable[[str], str] = request.getfixturevalue("postgresql")
        empty = connect(url(""))
    made = Pool(tmp_path, engine, empty)
    yield made
    made.bench.close()
    empty.dispose()


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

    def test_what_a_crash_of_a_restore_left(self, pool: Pool) -> None:
        pool.take()
        (pool.folder / "new/.restoring").mkdir(parents=True)
        self.refused(pool, "left of a restore that did not end")


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


def test_an_sqlite_copy_is_one_file(sqlite: Engine, tmp_path: Path) -> None:
    copy_books(sqlite, tmp_path / "copy", lambda moved: None)
    assert sorted(path.name for path in tmp_path.glob("copy*")) == ["copy"]
    with closing(sqlite3.connect(tmp_path / "copy")) as found:
        assert found.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
