"""pool.roles.watching: whatever is broken in the database itself stops payouts, on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, Engine, text

from payout import ledger
from payout.accounts import PayoutAddress, Scheme
from payout.luck import Group, Kind, tally_of
from payout.payment import amounts_sat
from payout.payment_ports import PaidLine
from payout.rewards import UNIT
from payout.settlement import Line, reserve
from payout.watch_ports import Stray
from pool.roles.watching import Watching
from pool.store import guards
from pool.store.sql import writing
from tests.payout.conftest import engine, postgresql_books, sqlite, sqlite_file
from tests.payout.scene import START_MS, Scene, share

__all__ = ["engine", "postgresql_books", "sqlite", "sqlite_file"]

Break = Callable[[Connection], object]


@pytest.fixture
def scene(engine: Engine) -> Scene:
    """A mature block and an immature one, and a batch whose money is reserved."""
    made = Scene(engine)
    made.take(share("alice"), share("bob", block="B1", height=100))
    made.reach(100, B1=100)
    made.take(share("alice", block="B2", height=200))
    made.reach(200, B2=200)
    with made.ledger.write() as books:
        lines = [PaidLine(Line("alice", "0014", 1000), "a")]
        batch = books.payouts.reserve(lines, START_MS)
        books.journal.post([reserve(batch.name, amounts_sat(each.line for each in lines), START_MS)])
    return made


def unguarded(connection: Connection, *tables: str) -> None:
    """Take the guards away, as only the owner of the database can."""
    for table in tables:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        else:
            for ending in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER {table}_no_{ending}"))


def guarded_again(connection: Connection, *tables: str) -> None:
    """Put them back, as somebody would who does not want to be found out."""
    for table in tables:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER ALL"))
    guards.put_back(connection)


def behind(table: str, change: str) -> Break:
    """A change behind the back of the guards."""

    def by_hand(connection: Connection) -> None:
        unguarded(connection, table)
        assert connection.execute(text(change)).rowcount
        guarded_again(connection, table)

    return by_hand


def sql(change: str) -> Break:
    """A change that no guard refuses, as these columns do change."""
    return lambda connection: connection.execute(text(change)).rowcount or pytest.fail("nothing was changed")


ENTRY = "UPDATE entry SET amount_sat = amount_sat - 1 WHERE account = 'liab:bob:available'"
BROKEN: dict[str, tuple[int, Break]] = {
    "an amount": (1, behind("entry", ENTRY)),
    "a time of a row": (1, behind("journal", "UPDATE journal SET time_ms = time_ms + 1 WHERE id = 2")),
    "a hash of a row": (
        1,
        behind("journal", "UPDATE journal SET hash = (SELECT prev_hash FROM journal WHERE id = 1) WHERE id = 2"),
    ),
    "an entry that is gone": (1, behind("entry", "DELETE FROM entry WHERE account = 'income:pool_fee'")),
    "the state of a block": (3, sql("UPDATE block SET state = 'mature' WHERE state = 'immature'")),
    "a credit": (3, behind("credit", "UPDATE credit SET fee_sat = fee_sat + 1")),
    "the state of a batch": (4, sql("UPDATE payout SET state = 'final'")),
    "a line of a batch": (4, behind("payout_line", "UPDATE payout_line SET amount_sat = amount_sat + 1")),
    "a batch that is not booked": (
        4,
        sql(
            "INSERT INTO payout (id, state, created_ms, changed_ms, total_sat, flips) "
            "VALUES (2, 'reserved', 1, 1, 9, 0)"
        ),
    ),
    "a guard that is gone": (9, lambda connection: unguarded(connection, "entry")),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_in_the_database_stops_payouts_with_the_next_look(scene: Scene, what: str) -> None:
    watching = Watching(scene.engine)
    watching.look()
    assert (watching.findings, watching.switch.is_stopped) == ((), False)
    number, break_it = BROKEN[what]
    with writing(scene.engine) as connection:
        break_it(connection)
    watching.look()
    assert number in {each.invariant for each in watching.findings}
    assert watching.switch.is_stopped
    with scene.ledger.read() as books:
        assert books.payouts.switch().reason == str(watching.findings[0])


def test_a_balance_on_the_wrong_side_and_coins_that_are_missing_stop_payouts(scene: Scene) -> None:
    watching = Watching(scene.engine)
    with scene.ledger.write() as books:
        spent = {ledger.WALLET: -600_000, "expense:network_fee": 600_000}
        books.journal.post([ledger.posting("spent", "test", "spent", START_MS, spent)])
    watching.look()
    assert {each.invariant for each in watching.findings} == {6}
    assert watching.switch.is_stopped


def test_a_block_that_pays_us_and_is_not_in_the_books_stops_payouts_until_somebody_has_looked(scene: Scene) -> None:
    watching = Watching(scene.engine)
    with scene.ledger.write() as books:
        assert books.strays.add(Stray(bytes(32), 150, 1, 5))
        assert not books.strays.add(Stray(bytes(32), 150, 1, 5))
    watching.look()
    assert {each.invariant for each in watching.findings} == {8}
    with scene.ledger.write() as books:
        assert books.strays.end(bytes(32), 2, "another pool of ours")
        assert not books.strays.end(bytes(32), 2, "again")
    watching.look()
    assert watching.findings == ()
    assert watching.switch.is_stopped


def test_shares_and_credits_that_were_changed_are_found_by_the_scan(scene: Scene) -> None:
    watching = Watching(scene.engine)
    with writing(scene.engine) as connection:
        behind("stake", "UPDATE stake SET fee_bps = 7")(connection)
    for _ in range(4):
        watching.scan()
    watching.look()
    assert 7 in {each.invariant for each in watching.findings}
    assert watching.switch.is_stopped


def test_what_was_mended_is_found_no_more_and_payouts_wait_for_a_person(scene: Scene) -> None:
    watching = Watching(scene.engine)
    with writing(scene.engine) as connection:
        behind("entry", ENTRY)(connection)
    watching.look()
    with writing(scene.engine) as connection:
        behind("entry", ENTRY.replace("- 1", "+ 1"))(connection)
    watching.look()
    assert (watching.findings, watching.switch.is_stopped) == ((), True)
    assert watching.sign()["broken"] == []
    with scene.ledger.write() as books:
        books.payouts.set_switch(is_stopped=False, reason="mended", time_ms=START_MS + 5)
    watching.look()
    assert not watching.switch.is_stopped


def test_what_the_scan_found_before_it_was_mended_does_not_stop_payouts_that_a_person_has_let_go_on(
    scene: Scene,
) -> None:
    watching = Watching(scene.engine)
    with writing(scene.engine) as connection:
        behind("entry", ENTRY)(connection)
    watching.scan()
    watching.look()
    assert watching.switch.is_stopped
    with writing(scene.engine) as connection:
        behind("entry", ENTRY.replace("- 1", "+ 1"))(connection)
    watching.look()
    assert watching.findings  # until a round of the scan is over, nobody knows whether that was all
    with scene.ledger.write() as books:
        books.payouts.set_switch(is_stopped=False, reason="audited", time_ms=START_MS + 5)
    watching.look()
    assert (watching.findings, watching.switch.is_stopped) == ((), False)
    with writing(scene.engine) as connection:
        behind("entry", ENTRY)(connection)
    watching.scan()
    watching.look()
    assert watching.switch.is_stopped


def test_the_scan_reads_everything_over_and_over(scene: Scene) -> None:
    watching = Watching(scene.engine)
    for _ in range(9):
        watching.scan()
    assert watching._scan.rounds == 2  # rows, two blocks, the end
    assert watching.findings == ()


def test_the_address_of_an_account_is_taken_for_what_it_is(scene: Scene) -> None:
    with scene.ledger.write() as books:
        books.accounts.add("carol", Scheme.PPLNS, 0, PayoutAddress("c", b"c"), START_MS)
    watching = Watching(scene.engine)
    watching.look()
    assert watching.findings == ()


def test_a_group_that_finds_too_few_blocks_is_told_once_and_payouts_go_on(engine: Engine) -> None:
    scene = Scene(engine)
    group = Group(Kind.FIRMWARE, "x/1")
    with scene.ledger.write() as books:
        books.luck.add({group: tally_of(UNIT // 4096, 4096 * 20, (0, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 0))})
    watching = Watching(engine)
    watching.judge_luck()
    watching.judge_luck()
    [suspected] = watching.sign()["suspected"]
    assert suspected[:2] == ["firmware", "x/1"]
    watching.look()
    assert not watching.switch.is_stopped
    assert watching.findings == ()


def test_shares_say_whose_and_which_firmware_found_how_many(engine: Engine) -> None:
    scene = Scene(engine)
    scene.take(replace(share("alice"), agent="x/1", near=0), replace(share("bob"), agent="x/1", near=2))
    with scene.ledger.read() as books:
        tallies = books.luck.tallies()
    assert {group.name: (round(tally.expected_blocks * 1000), tally.found[:3]) for group, tally in tallies.items()} == {
        "alice": (250, (1, 0, 0)),
        "bob": (250, (0, 0, 1)),
        "x/1": (500, (1, 0, 1)),
    }
