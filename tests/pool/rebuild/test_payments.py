"""pool.rebuild.payments: a ledger with payments is computed again to the satoshi, and what was changed is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from payout.accounts import PayoutAddress
from tests.databases import PostgresqlBooks, dump, fresh
from tests.payout.fake_wallet import script
from tests.payout.payment_scene import COIN, PaymentScene
from tests.pool.rebuild.pools import Pool, differences


def play(engine: Engine) -> PaymentScene:
    """Payments that are final, cancelled, replaced, taken back by a reorg, released, and on their way."""
    scene = PaymentScene(engine)
    for name in ("alice", "bob"):
        scene.account(name, COIN)
    with scene.ledger.write() as books:
        books.payees.change_threshold("bob", 2_000_000, scene.now_ms)
        books.payees.change_address("bob", PayoutAddress("elsewhere", script("elsewhere")), scene.now_ms, 1_000_000_000)
        books.payees.cancel_change("bob", scene.now_ms)
    _pay(scene)
    scene.finish()
    scene.earn("alice", COIN)
    _pay(scene)
    scene.desk.cancel(2, None)
    scene.ticks(2)
    scene.finish()
    _pay(scene)
    scene.desk.bump(3, 50_000)
    scene.ticks(2)
    scene.wallet.mine()
    scene.ticks(1)
    scene.wallet.reorg(1, forget=True)
    scene.ticks(2)
    scene.wallet.mempool.clear()
    scene.wallet.send(scene.batch(3).attempts[0].raw)
    scene.wallet.mine()
    scene.finish()
    scene.earn("bob", COIN)
    scene.run()
    scene.ticks(2)
    scene.desk.release(4, scene.now_ms)
    scene.run()
    scene.ticks(3)
    return scene


def _pay(scene: PaymentScene) -> None:
    scene.run()
    scene.ticks(4)


@pytest.fixture
def pool(engine: Engine, sqlite_file: bytes, tmp_path: Path) -> Pool:
    (tmp_path / "journal").mkdir()
    return Pool(tmp_path, engine, sqlite_file)


@pytest.fixture
def changed(sqlite: Engine, sqlite_file: bytes, tmp_path: Path) -> Pool:
    """Books on SQLite that were paid from, to be changed."""
    (tmp_path / "journal").mkdir()
    made = Pool(tmp_path, sqlite, sqlite_file)
    play(sqlite)
    return made


def test_every_row_of_payments_comes_out_the_same(pool: Pool, engine: Engine, sqlite_file: bytes) -> None:
    scene = play(engine)
    assert scene.keys() == [
        "payout:1:reserved",
        "payout:1:confirmed",
        "payout:2:reserved",
        "payout:2:cancelled",
        "payout:2:released",
        "payout:3:reserved",
        "payout:3:confirmed",
        "payout:3:unconfirmed",
        "payout:3:confirmed:1",
        "payout:4:reserved",
        "payout:4:released",
        "payout:5:reserved",
    ]
    with fresh(sqlite_file) as empty:
        report = pool.rebuild_into(empty)
        assert differences(report) == {}
        assert report.identical
        live, rebuilt = dump(engine), dump(empty)
    assert {name for name in live if live[name] != rebuilt[name]} == {"lease"}
    assert {check.what: check.live for check in report.checks}["payments"] == 5 + 6
    assert {"1 rows of payout_threshold", "1 rows of payout_address_cancel", "5 rows of payout"} <= {*report.taken_over}


def test_on_postgresql_too(changed: Pool, postgresql_books: PostgresqlBooks) -> None:
    with postgresql_books() as engine:
        assert changed.rebuild_into(engine).identical


def test_the_rebuilt_books_can_be_paid_from(sqlite: Engine, sqlite_file: bytes, tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    scene = play(sqlite)
    with fresh(sqlite_file) as empty:
        assert Pool(tmp_path, sqlite, sqlite_file).rebuild_into(empty).identical
        again = PaymentScene(empty, coins=0)
        again.wallet, again.now_ms = scene.wallet, scene.now_ms
        again.restart()
        again.finish()
        assert again.wallet.paid_sat() == {script("alice"): 2 * COIN, script("bob"): 2 * COIN}
        again.balances()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE payout_line SET amount_sat = amount_sat + 1 WHERE payout_id = 1 AND account_id = 1", "payout 1"),
        ("UPDATE payout_line SET script = x'0014' WHERE payout_id = 1 AND account_id = 1", "sat to 0014"),
        ("UPDATE payout_line SET account_id = 2 WHERE payout_id = 2", "liab:bob:reserved"),
        ("DELETE FROM payout_line WHERE payout_id = 2", "payout 2 cannot be read: it has no lines"),
        ("UPDATE payout SET total_sat = total_sat + 1 WHERE id = 5", "payout 5: 100000001 sat live, 100000000 sat"),
        ("UPDATE payout SET state = 'lost' WHERE id = 1", "payout 1 cannot be read"),
        ("UPDATE payout SET state = 'released' WHERE id = 5", "payout:5:released: none live"),
        ("UPDATE payout SET confirmed_number = NULL WHERE id = 1", "payout:1:unconfirmed: none live"),
        ("UPDATE payout SET confirmed_number = 1 WHERE id = 5", "payout:5:confirmed: none live"),
        ("UPDATE payout SET confirmed_number = 9 WHERE id = 1", "payout 1 cannot be read"),
        ("UPDATE payout SET confirmed_number = 2 WHERE id = 3", "expense:network_fee"),
        ("UPDATE payout_attempt SET fee_sat = fee_sat + 1 WHERE payout_id = 1", "expense:network_fee"),
        ("UPDATE payout_attempt SET raw = x'00' WHERE payout_id = 1", "payout 1 cannot be read"),
        ("UPDATE payout_attempt SET txid = zeroblob(32) WHERE payout_id = 1", "payout 1, transaction 1: 0000"),
        ("UPDATE journal SET ref = '9' WHERE key = 'payout:1:reserved'", "payout:1:reserved: none live"),
        ("UPDATE journal SET ref = 'x' WHERE key = 'payout:1:confirmed'", "payout:1:confirmed: none live"),
        ("UPDATE entry SET amount_sat = amount_sat - 1 WHERE account = 'liab:bob:reserved'", "liab:bob:reserved"),
    ],
)
def test_what_was_changed_is_named(changed: Pool, change: str, named: str) -> None:
    assert changed.rebuild().identical
    changed.tamper(change)
    report = changed.rebuild()
    assert not report.identical
    assert named in "\n".join(report.lines())
