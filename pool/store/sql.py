"""The SQL schema of the books, on SQLite or PostgreSQL, and connections to them.

Truth, unlike Redis: ledger, accounts, blocks, and the accepted shares in their order.

Numbers that do not fit 64 bits (units of score, sums of them) are stored as 24 bytes, big endian: fixed width, so that
bytes compare as the numbers do and an index over them finds a window, and wide enough for 2^96 blocks' worth of units.
Decimal text would need padding to compare and twice the room.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Dialect,
    Engine,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    create_engine,
    event,
    text,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

_LOCK_WAIT_SECONDS = 30  # longer than any transaction of ours; a reader never waits
WRITER_LOCK = 0x5374_6570_7065  # "Steppe": the advisory lock that PostgreSQL's writers take in turn

# PostgreSQL needs the width said; SQLite's INTEGER has 64 bits anyway, and only that word makes it the row's own id.
_Integer = BigInteger().with_variant(Integer(), "sqlite")


class Score(TypeDecorator[int]):
    """A number of units, as 24 bytes, big endian."""

    impl = LargeBinary(24)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> bytes | None:
        return None if value is None else value.to_bytes(24, "big")

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        return None if value is None else int.from_bytes(value, "big")


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

account = Table(
    "account",
    metadata,
    Column("id", _Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, unique=True),
    Column("created_ms", BigInteger, nullable=False),
)

# Rows are never changed: the plan of a moment is the newest one that is not younger and was not taken back.
plan = Table(
    "plan",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("valid_from_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("scheme", Text, nullable=False),
    Column("fee_bps", SmallInteger, CheckConstraint("fee_bps BETWEEN 0 AND 10000", name="fee_bps"), nullable=False),
    Column("requested_ms", BigInteger),  # None: with the account, or before it was kept
)

payout_address = Table(
    "payout_address",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("valid_from_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("address", Text, nullable=False),
    Column("script", LargeBinary, nullable=False),
    Column("requested_ms", BigInteger),  # None: with the account, or before there were holds
)

# A change of address that was taken back while it was on hold.
payout_address_cancel = Table(
    "payout_address_cancel",
    metadata,
    Column("account_id", _Integer, primary_key=True, autoincrement=False),
    Column("valid_from_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("cancelled_ms", BigInteger, nullable=False),
    ForeignKeyConstraint(
        ["account_id", "valid_from_ms"],
        ["payout_address.account_id", "payout_address.valid_from_ms"],
        name="fk_payout_address_cancel_account_id",
    ),
)

# From when on an account is paid once it has so much; None: the pool's default again.
payout_threshold = Table(
    "payout_threshold",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("valid_from_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("threshold_sat", BigInteger),
)

stake = Table(
    "stake",
    metadata,
    Column("id", _Integer, primary_key=True, autoincrement=False),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("slice_id", BigInteger, nullable=False),
    Column("scheme", Text, nullable=False),
    Column("fee_bps", SmallInteger, nullable=False),
    UniqueConstraint("account_id", "slice_id", "scheme", "fee_bps"),
)

high_water = Table(
    "high_water",
    metadata,
    Column("frontend", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
)

# What came into the books together, in its order; the ids rise with the line of score. first_seq, last_seq: the records
# of a journal, accepted shares or not. shares: see payout.order.
share_batch = Table(
    "share_batch",
    metadata,
    Column("id", _Integer, primary_key=True, autoincrement=False),
    Column("frontend", Text, nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("score_before", Score, nullable=False),
    Column("score_after", Score, nullable=False),
    Column("shares", LargeBinary, nullable=False),
    UniqueConstraint("frontend", "last_seq"),
    Index(None, "score_after"),
    Index(None, "time_ms"),
)

# Sum 0 of height 1 is over the first 64 batches, see payout.order.
share_sum = Table(
    "share_sum",
    metadata,
    Column("height", SmallInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("sums", LargeBinary, nullable=False),
)

# One row per account and period that earned per share.
pps_accrual = Table(
    "pps_accrual",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("period_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("earned_sat", BigInteger, nullable=False),
    Column("earned_psat", BigInteger, nullable=False),
    Column("settled", Boolean, nullable=False),
    Index(None, "settled", "period_ms"),
)

pps_carry = Table(
    "pps_carry",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("carry_psat", BigInteger, nullable=False),
)

# Single numbers: `pps_period_ms`, `chain_height`, `share_height`, `payout_day`, `payout_run_open`, `scan_began`,
# `scan_height`.
progress = Table(
    "progress",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

block = Table(
    "block",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("height", BigInteger, nullable=False),
    Column("found_ms", BigInteger, nullable=False),
    Column("finder", Text, nullable=False),
    Column("worker", Text, nullable=False),
    Column("frontend", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("score_end", Score, nullable=False),
    Column("window_x", Text, nullable=False),
    Column("startup", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("flips", Integer, nullable=False),
    Column("reward_sat", BigInteger),
    Column("reserve_sat", BigInteger),
    Column("subsidy_sat", BigInteger),
    Column("taker_stake_id", BigInteger),  # of its finder, under SOLO
    Index(None, "height"),
    Index(None, "state"),
)

# The window of a block as it was paid; kept for ever, while shares may be pruned.
credit = Table(
    "credit",
    metadata,
    Column("block_hash", ForeignKey("block.hash"), primary_key=True),
    Column("stake_id", ForeignKey("stake.id"), primary_key=True),
    Column("weight", Score, nullable=False),
    Column("gross_sat", BigInteger, nullable=False),
    Column("fee_sat", BigInteger, nullable=False),
    Column("bought_sat", BigInteger),  # None in older books: all of it under PPS, else nothing
    Index(None, "stake_id"),
)

# Append-only, by triggers of the migrations: journal, entry, credit, plan, payout_address, payout_address_cancel,
# payout_threshold, payout_line, payout_attempt, payout_switch, and those of `pool.store.scheme_tables` that say so.
journal = Table(
    "journal",
    metadata,
    Column("id", _Integer, primary_key=True, autoincrement=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("prev_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Index(None, "ref"),
)

entry = Table(
    "entry",
    metadata,
    Column("journal_id", ForeignKey("journal.id"), primary_key=True),
    Column("account", Text, primary_key=True),
    Column("amount_sat", BigInteger, CheckConstraint("amount_sat <> 0", name="amount_sat"), nullable=False),
    Index(None, "account", "amount_sat"),  # holds all that a balance needs
)


# A batch of payments: see payout.payment. The draft is a transaction that waits for signatures.
payout = Table(
    "payout",
    metadata,
    Column("id", _Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("total_sat", BigInteger, CheckConstraint("total_sat > 0", name="total_sat"), nullable=False),
    Column("draft_purpose", Text),
    Column("draft_psbt", Text),
    Column("draft_fee_sat", BigInteger),
    Column("confirmed_number", Integer),
    Column("block_hash", LargeBinary),
    Column("block_height", BigInteger),
    Column("flips", Integer, nullable=False),
    Column("first_sent_ms", BigInteger),
    Index(None, "state"),
)

payout_line = Table(
    "payout_line",
    metadata,
    Column("payout_id", ForeignKey("payout.id"), primary_key=True),
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("address", Text, nullable=False),
    Column("script", LargeBinary, nullable=False),
    Column("amount_sat", BigInteger, CheckConstraint("amount_sat > 0", name="amount_sat"), nullable=False),
    Index(None, "account_id"),
)

payout_attempt = Table(
    "payout_attempt",
    metadata,
    Column("payout_id", ForeignKey("payout.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("purpose", Text, nullable=False),
    Column("txid", LargeBinary, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("is_signed", Boolean, nullable=False),
    Column("fee_sat", BigInteger, nullable=False),
    Column("stored_ms", BigInteger, nullable=False),
    Index(None, "txid"),
)

# What a batch spends. The key is why two batches never spend the same; rows go only when nothing signed spends them.
payout_input = Table(
    "payout_input",
    metadata,
    Column("txid", LargeBinary, primary_key=True),
    Column("vout", BigInteger, primary_key=True, autoincrement=False),
    Column("payout_id", ForeignKey("payout.id"), nullable=False),
    Index(None, "payout_id"),
)

# Whether coins may be sent: the newest row says so.
payout_switch = Table(
    "payout_switch",
    metadata,
    Column("id", _Integer, primary_key=True, autoincrement=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("is_stopped", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
)

# Who may do what only one may do at a time; fence rises with each holder.
lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
)


def connect(url: str) -> Engine:
    """An engine for `sqlite:///PATH` or `postgresql://USER@HOST/NAME`; nothing is opened yet.

    Raises ValueError for any other URL. Use `reading` and `writing`, which begin transactions as the books need them.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ValueError(f"the database URL cannot be read; it looks like sqlite:///PATH: {error}") from error
    match parsed.get_backend_name():
        case "sqlite":
            return _connect_sqlite(parsed)
        case "postgresql":
            return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        case other:
            raise ValueError(f"the database {other!r} is not supported: sqlite:///PATH or postgresql://USER@HOST/NAME")


def _connect_sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise ValueError("the books need a file: sqlite:///PATH")
    engine = create_engine(url, connect_args={"timeout": _LOCK_WAIT_SECONDS})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # The driver must not begin transactions by itself: it does so too late, and never IMMEDIATE.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode = WAL",  # readers go on while the writer commits
            "synchronous = FULL",  # a commit is on the disk before anything is done about it
            "foreign_keys = ON",
            "recursive_triggers = ON",  # else INSERT OR REPLACE deletes rows behind the triggers' back
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer that begins as a reader could find its lock taken halfway, and nothing but a retry would help.
        immediate = connection.get_execution_options().get("writer", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write; one at a time over all processes. Rolled back if the block raises."""
    with engine.connect().execution_options(writer=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": WRITER_LOCK})
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """The database as it is at one moment."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            yield connection
