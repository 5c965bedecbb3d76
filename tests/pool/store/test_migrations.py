"""The migrations on books that an older version filled, on both databases."""

from __future__ import annotations

import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from alembic import command
from sqlalchemy import Engine, text

from payout.accounts import Scheme, Stake
from payout.order import SUMMED, unpack
from payout.store.ledger import SqlLedger
from pool.store.revisions import known_revisions, migrations
from pool.store.sql import connect, reading, writing
from pool.store.upgrade import NEWEST, NewerBooks, revision_of, upgrade
from tests.databases import NAMES, sqlite_url


@pytest.fixture(params=NAMES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database of revision 0001."""
    made = connect(sqlite_url(tmp_path) if request.param == "sqlite" else request.getfixturevalue("postgresql")(""))
    with writing(made) as connection:
        config = migrations()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    yield made
    made.dispose()


def short(units: int) -> bytes:
    return units.to_bytes((units.bit_length() + 7) // 8, "big")


def test_shares_of_revision_0001_are_read_and_summed(engine: Engine) -> None:
    """Each batch: three shares of 5 (twice) and 2^80 units, with a record between them that is none."""
    batches, big = SUMMED * 2 + 3, 1 << 80
    of_batch = 10 + big
    with writing(engine) as connection:
        for number, name in ((1, "alice"), (2, "bob")):
            connection.execute(text(f"INSERT INTO account VALUES ({number}, '{name}', 1)"))
            connection.execute(text(f"INSERT INTO stake VALUES ({number}, {number}, 0, 'pplns', 100)"))
        insert = text("INSERT INTO share_batch VALUES (:id, 'f', :first, :last, 9, :before, :after, :sums, :shares)")
        for number in range(batches):
            first_seq = number * 10 + 1
            columns = [1, first_seq, [2, 1], [1, 2, 1], [short(5), short(big)], [0, 1, 0]]
            connection.execute(
                insert,
                {
                    "id": number + 1,
                    "first": first_seq,
                    "last": first_seq + 3,
                    "before": (number * of_batch).to_bytes(24, "big"),
                    "after": ((number + 1) * of_batch).to_bytes(24, "big"),
                    "sums": msgspec.msgpack.encode({1: short(10), 2: short(big)}),
                    "shares": zlib.compress(msgspec.msgpack.encode(columns)),
                },
            )
    upgrade(engine)
    alice, bob = Stake("alice", 0, Scheme.PPLNS, 100), Stake("bob", 0, Scheme.PPLNS, 100)
    with SqlLedger(engine).read() as books:
        assert books.shares.window(7, batches * of_batch - 3) == {alice: 10 * batches - 8, bob: big * batches - 2}
    with reading(engine) as connection:
        shares = unpack(connection.execute(text("SELECT shares FROM share_batch WHERE id = 2")).scalar_one())
        assert list(zip(shares.seqs(), shares.in_order(), strict=True)) == [(11, (1, 5)), (13, (2, big)), (14, (1, 5))]
        rows = connection.execute(text("SELECT height, number FROM share_sum ORDER BY number")).all()
        assert [tuple(row) for row in rows] == [(1, 0), (1, 1)]


def test_the_newest_revision_is_the_last_migration() -> None:
    assert known_revisions()[0] == NEWEST


def test_books_of_this_version_need_no_alembic(tmp_path: Path) -> None:
    upgrade(made := connect(sqlite_url(tmp_path)))
    made.dispose()
    asked = (
        "import sys; from pool.store.sql import connect; from pool.store.upgrade import upgrade; "
        f"upgrade(connect({sqlite_url(tmp_path)!r})); print('alembic' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", asked]) == b"False\n"


def test_books_of_a_newer_version_are_refused_and_left_as_they_are(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerBooks, match="of a newer version \\(9999\\)"):
        upgrade(engine)
    with reading(engine) as connection:
        assert revision_of(connection) == "9999"
