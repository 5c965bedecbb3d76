"""pool.store.access, and the transactions of pool.roles.access, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from pool.access import credential
from pool.access.credential import DAY_MS, Kind
from pool.access.log import Sought
from pool.access.scope import AccessRefused
from pool.roles.access import AccessBooks
from pool.store.sql import writing
from tests.payout.conftest import engine, postgresql_books, sqlite, sqlite_file
from tests.pool.dashboard.fakes import FakeClock

__all__ = ["engine", "postgresql_books", "sqlite", "sqlite_file"]

WHO, HERE = "cli:root", "this machine"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def books(engine: Engine, clock: FakeClock) -> AccessBooks:
    return AccessBooks(engine, clock)


def issue(books: AccessBooks, clock: FakeClock, kind: str = "link", name: str = "noc") -> tuple[int, str]:
    return books.issue(credential.wish(kind, name, "pool", (), 1, clock.now_ms), WHO, HERE)


def test_a_link_is_found_by_its_secret_which_is_nowhere_in_the_database(
    engine: Engine, books: AccessBooks, clock: FakeClock
) -> None:
    number, secret = issue(books, clock)
    found = books.directory().find(secret, clock.now_ms)
    assert found is not None
    assert (found.id, found.kind, found.name) == (number, Kind.LINK, "noc")
    with writing(engine) as connection:
        rows = [
            str(row)
            for table in ("access_credential", "access_log")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    assert not [row for row in rows if secret in row or secret.rpartition("-")[2] in row]


def test_one_that_is_revoked_or_has_expired_is_found_no_more(books: AccessBooks, clock: FakeClock) -> None:
    number, _ = issue(books, clock)
    books.revoke(number, WHO, HERE)
    assert books.directory().rows == {}
    issue(books, clock)
    clock.now_ms += DAY_MS
    assert books.directory().rows == {}


def test_what_has_ended_cannot_be_ended_again(books: AccessBooks, clock: FakeClock) -> None:
    number, _ = issue(books, clock)
    books.revoke(number, WHO, HERE)
    for gone in (number, 99):
        with pytest.raises(AccessRefused, match=f"there is no credential {gone} that holds"):
            books.revoke(gone, WHO, HERE)


def test_a_name_is_taken_until_it_is_free_again(books: AccessBooks, clock: FakeClock) -> None:
    number, _ = issue(books, clock)
    with pytest.raises(AccessRefused, match="there is a link noc already"):
        issue(books, clock)
    issue(books, clock, kind="token")
    books.revoke(number, WHO, HERE)
    issue(books, clock)


def test_a_session_is_found_until_its_link_is_revoked(books: AccessBooks, clock: FakeClock) -> None:
    number, secret = issue(books, clock)
    by = books.directory().find(secret, clock.now_ms)
    assert by is not None
    session = books.log_in(by, "watcher:noc", "192.0.2.1")
    assert books.directory().find(session, clock.now_ms) is not None
    books.revoke(number, WHO, HERE)
    assert books.directory().find(session, clock.now_ms) is None
    with pytest.raises(AccessRefused, match="this is over"):
        books.log_in(by, "watcher:noc", "192.0.2.1")


def test_an_invitation_lets_in_once(books: AccessBooks, clock: FakeClock) -> None:
    secret = books.invite("anna", WHO, HERE)
    by = books.directory().find(secret, clock.now_ms)
    assert by is not None
    books.log_in(by, "operator:anna", "127.0.0.1")
    with pytest.raises(AccessRefused, match="this is over"):
        books.log_in(by, "operator:anna", "127.0.0.1")


def test_a_new_password_ends_the_old_one_and_all_its_sessions(books: AccessBooks, clock: FakeClock) -> None:
    books.set_password("anna", "correct horse battery", WHO, HERE)
    old = books.directory().password("anna")
    assert old is not None
    secret = books.invite("anna", WHO, HERE)
    invited = books.directory().find(secret, clock.now_ms)
    assert invited is not None
    sessions = [books.log_in(by, "operator:anna", "127.0.0.1") for by in (old, invited)]
    books.set_password("anna", "another horse battery", WHO, HERE)
    directory = books.directory()
    assert [directory.find(secret, clock.now_ms) for secret in sessions] == [None, None]
    new = directory.password("anna")
    assert new is not None
    assert new.id != old.id


def test_everything_that_was_done_is_in_the_log_with_who_and_where(books: AccessBooks, clock: FakeClock) -> None:
    number, secret = issue(books, clock)
    by = books.directory().find(secret, clock.now_ms)
    assert by is not None
    books.log_in(by, "watcher:noc", "192.0.2.1")
    books.revoke(number, WHO, HERE)
    books.record("nobody", "login.failed", "", "192.0.2.9", "wrong name or secret")
    found = books.entries(0, 10)
    rows = found.rows
    assert (found.found, found.kept) == (4, 4)
    assert [(row.entry.who, row.entry.action, row.entry.origin) for row in reversed(rows)] == [
        (WHO, "link.made", HERE),
        ("watcher:noc", "login", "192.0.2.1"),
        (WHO, "link.revoked", HERE),
        ("nobody", "login.failed", "192.0.2.9"),
    ]
    assert [row.id for row in books.entries(1, 2).rows] == [3, 2]
    assert books.broken() is None


class TestSought:
    @pytest.fixture
    def log(self, books: AccessBooks) -> AccessBooks:
        for said in (
            ("operator:anna", "moves.start", "ganzi-out reason=50 % of it", "10.0.0.21", "begun"),
            ("operator:anna", "moves.start", "ganzi-out reason=50 % of it", "10.0.0.21", "done"),
            ("nobody", "login.failed", "", "192.0.2.9", "Wrong name or secret"),
            ("operator:bert", "payouts.bump", "payout=3", "10.0.0.22", "refused: it is confirmed"),
        ):
            books.record(*said)
        return books

    @pytest.mark.parametrize(
        ("sought", "found"),
        [
            (Sought(), [4, 3, 2, 1]),
            (Sought(("ANNA",)), [2, 1]),
            (Sought(("anna", "ganzi", "21")), [2, 1]),
            (Sought(("anna", "payouts")), []),
            (Sought(("wrong",)), [3]),
            (Sought(("50", "%")), [2, 1]),
            (Sought(("_",)), []),
            (Sought(result="done"), [2]),
            (Sought(result="begun"), [1]),
            (Sought(result="refused"), [4, 3]),
            (Sought(("10.0.0",), "refused"), [4]),
        ],
    )
    def test_each_word_is_in_some_text_of_a_row_and_its_result_is_the_one(
        self, log: AccessBooks, sought: Sought, found: list[int]
    ) -> None:
        excerpt = log.entries(0, 10, sought)
        assert [row.id for row in excerpt.rows] == found
        assert (excerpt.found, excerpt.kept) == (len(found), 4)

    def test_how_many_there_are_is_told_of_all_pages(self, log: AccessBooks) -> None:
        excerpt = log.entries(1, 1, Sought(("anna",)))
        assert ([row.id for row in excerpt.rows], excerpt.found, excerpt.kept) == ([1], 2, 4)


@pytest.mark.parametrize("table", ["access_credential", "access_end", "access_log"])
@pytest.mark.parametrize("change", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_the_database_refuses_to_change_or_forget_any_of_it(
    engine: Engine, books: AccessBooks, clock: FakeClock, table: str, change: str
) -> None:
    number, _ = issue(books, clock)
    books.revoke(number, WHO, HERE)
    column = {"access_credential": "name", "access_end": "ended_by", "access_log": "who"}[table]
    with pytest.raises(IntegrityError, match="append-only"), writing(engine) as connection:
        connection.execute(text(change.format(table, column, "'x'")))


def test_who_gets_around_that_is_found_out(engine: Engine, books: AccessBooks, clock: FakeClock) -> None:
    for name in ("a", "b", "c"):
        issue(books, clock, name=name)
    on_table = " ON access_log" if engine.dialect.name == "postgresql" else ""
    trigger = "access_log_no_change" if on_table else "access_log_no_update"
    with writing(engine) as connection:
        connection.execute(text(f"DROP TRIGGER {trigger}{on_table}"))
        connection.execute(text("UPDATE access_log SET who = 'cli:bob' WHERE id = 2"))
    assert books.broken() == 2
