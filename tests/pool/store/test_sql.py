"""pool.store.sql and its migrations, on both databases."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, event, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from pool.store.fleet_tables import FLEET_TABLES
from pool.store.sql import account, connect, entry, journal, metadata, plan, progress, reading, share_batch, writing
from pool.store.upgrade import upgrade
from tests.databases import NAMES, sqlite_url


@pytest.fixture(params=NAMES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    made: str = request.getfixturevalue("postgresql")("")
    return made


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    made = connect(url)
    upgrade(made)
    yield made
    made.dispose()


def one_row_each(connection: Connection) -> None:
    connection.execute(insert(account).values(id=1, name="alice", created_ms=1))
    connection.execute(insert(plan).values(account_id=1, valid_from_ms=1, scheme="pplns", fee_bps=100))
    row = {"id": 1, "time_ms": 1, "key": "k", "kind": "test", "ref": "", "prev_hash": b"0", "hash": b"1"}
    connection.execute(insert(journal).values(row))
    connection.execute(insert(entry).values(journal_id=1, account="asset:wallet", amount_sat=5))


class TestMigrations:
    def test_they_make_the_tables_that_the_code_declares(self, engine: Engine) -> None:
        assert FLEET_TABLES["site"].metadata is metadata
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, metadata) == []

    def test_they_make_the_checks_that_the_code_declares(self, engine: Engine) -> None:
        made = {check["name"] for table in ("plan", "entry") for check in inspect(engine).get_check_constraints(table)}
        assert made == {"ck_plan_fee_bps", "ck_entry_amount_sat"}

    def test_a_second_run_changes_nothing(self, engine: Engine) -> None:
        with writing(engine) as connection:
            one_row_each(connection)
        upgrade(engine)
        with reading(engine) as connection:
            assert connection.execute(select(account.c.name)).scalars().all() == ["alice"]

    def test_processes_that_start_at_once_take_turns(self, url: str) -> None:
        program = "import sys; from pool.store import sql, upgrade; upgrade.upgrade(sql.connect(sys.argv[1]))"
        started = [
            subprocess.Popen([sys.executable, "-c", program, url], stderr=subprocess.PIPE, text=True) for _ in range(4)
        ]
        assert [process.communicate()[1] for process in started] == [""] * 4
        assert [process.returncode for process in started] == [0] * 4

    def test_a_failure_halfway_leaves_nothing_behind(self, url: str) -> None:
        engine = connect(url)
        with writing(engine) as connection:
            connection.execute(text("CREATE TABLE entry (in_the_way INTEGER)"))
        with pytest.raises(DBAPIError):
            upgrade(engine)
        assert inspect(engine).get_table_names() == ["entry"]
        engine.dispose()


class TestAppendOnly:
    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE journal SET time_ms = 2",
            "DELETE FROM journal WHERE id = 1",
            "UPDATE entry SET amount_sat = 6",
            "DELETE FROM entry",
            "UPDATE plan SET fee_bps = 0",
            "DELETE FROM plan",
        ],
    )
    def test_the_database_refuses_to_change_a_row(self, engine: Engine, change: str) -> None:
        with writing(engine) as connection:
            one_row_each(connection)
        with pytest.raises(IntegrityError, match="append-only"), writing(engine) as connection:
            connection.execute(text(change))

    def test_sqlite_refuses_to_replace_a_row(self, tmp_path: Path) -> None:
        engine = connect(sqlite_url(tmp_path))
        upgrade(engine)
        with writing(engine) as connection:
            one_row_each(connection)
        replace = "INSERT OR REPLACE INTO entry (journal_id, account, amount_sat) VALUES (1, 'asset:wallet', 6)"
        with pytest.raises(IntegrityError, match="append-only"), writing(engine) as connection:
            connection.execute(text(replace))
        engine.dispose()

    @pytest.mark.parametrize("table", ["journal", "entry", "credit"])
    def test_postgresql_refuses_to_empty_a_table(self, request: pytest.FixtureRequest, table: str) -> None:
        engine = connect(request.getfixturevalue("postgresql")(""))
        upgrade(engine)
        with pytest.raises(IntegrityError, match="append-only"), writing(engine) as connection:
            connection.execute(text(f"TRUNCATE {table} CASCADE"))
        engine.dispose()

    @pytest.mark.parametrize(
        "row",
        [
            insert(entry).values(journal_id=1, account="asset:other", amount_sat=0),
            insert(plan).values(account_id=1, valid_from_ms=2, scheme="pplns", fee_bps=10_001),
            insert(entry).values(journal_id=7, account="asset:wallet", amount_sat=1),
        ],
        ids=["an entry of nothing", "a fee above the whole", "an entry of no posting"],
    )
    def test_the_database_repeats_the_rules_of_the_code(self, engine: Engine, row: object) -> None:
        with writing(engine) as connection:
            one_row_each(connection)
        with pytest.raises(IntegrityError), writing(engine) as connection:
            connection.execute(row)  # type: ignore[call-overload]


class TestTransactions:
    def test_what_raises_leaves_nothing_behind(self, engine: Engine) -> None:
        with suppress(ZeroDivisionError), writing(engine) as connection:
            one_row_each(connection)
            raise ZeroDivisionError
        with reading(engine) as connection:
            assert connection.execute(select(account)).all() == []

    def test_a_reader_sees_one_moment(self, engine: Engine) -> None:
        with reading(engine) as before:
            assert before.execute(select(progress)).all() == []
            with writing(engine) as connection:
                connection.execute(insert(progress).values(name="x", value=1))
            assert before.execute(select(progress)).all() == []

    def test_there_is_one_writer_at_a_time(self, engine: Engine) -> None:
        impatient = connect(engine.url.render_as_string(hide_password=False))
        give_up = {"sqlite": "PRAGMA busy_timeout = 1", "postgresql": "SET lock_timeout = 1"}[engine.dialect.name]
        event.listen(impatient, "connect", lambda connection, _record: connection.execute(give_up).close())
        with writing(engine), pytest.raises(OperationalError, match="lock"), writing(impatient):
            pass
        impatient.dispose()

    def test_a_number_of_units_of_any_size_comes_back(self, engine: Engine) -> None:
        columns = {"frontend": "f", "first_seq": 1, "last_seq": 1, "time_ms": 1, "shares": b""}
        with writing(engine) as connection:
            connection.execute(insert(share_batch).values(id=1, score_before=0, score_after=2**192 - 1, **columns))
            row = connection.execute(select(share_batch)).one()
        assert (row.score_before, row.score_after) == (0, 2**192 - 1)

    def test_numbers_of_units_compare_as_numbers(self, engine: Engine) -> None:
        columns = {"frontend": "f", "first_seq": 1, "time_ms": 1, "shares": b"", "score_before": 0}
        with writing(engine) as connection:
            for number, score in enumerate([255, 256, 2**96, 2**96 + 1], 1):
                connection.execute(insert(share_batch).values(id=number, last_seq=number, score_after=score, **columns))
            above = select(share_batch.c.id).where(share_batch.c.score_after > 256).order_by(share_batch.c.id)
            assert connection.execute(above).scalars().all() == [3, 4]


class TestConnect:
    def test_sqlite_keeps_what_is_committed(self, tmp_path: Path) -> None:
        engine = connect(sqlite_url(tmp_path))
        with reading(engine) as connection:
            pragmas = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in SAFE_PRAGMAS}
        assert pragmas == SAFE_PRAGMAS
        engine.dispose()

    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://h/n", "ledger.sqlite", ""])
    def test_a_url_without_a_lasting_database_is_refused(self, url: str) -> None:
        with pytest.raises(ValueError, match="sqlite:///PATH"):
            connect(url)

    def test_a_missing_folder_is_told_when_it_is_used(self, tmp_path: Path) -> None:
        engine = connect(f"sqlite:///{tmp_path}/missing/books.sqlite")
        with pytest.raises(OperationalError, match="unable to open"), reading(engine):
            pass


SAFE_PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
