"""The tables that reports of fleets are made of, beside those of `pool.store.sql`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text

from pool.store.sql import metadata

# What a hash was worth from a height on: the difficulty, as nBits, and the subsidy. from_ms: the first share of it.
network_epoch = Table(
    "network_epoch",
    metadata,
    Column("from_height", BigInteger, primary_key=True, autoincrement=False),
    Column("from_ms", BigInteger, nullable=False),
    Column("nbits", BigInteger, nullable=False),
    Column("subsidy_sat", BigInteger, nullable=False),
)

# A worker that sent nothing. since_ms: its last share; until_ms: the first one after, None while there is none.
worker_dark = Table(
    "worker_dark",
    metadata,
    Column("login", Text, primary_key=True),
    Column("since_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("until_ms", BigInteger),
)

# What a slice's shares came to in a minute, which began at minute_ms, each ten seconds: see payout.store.activity.
slice_minute = Table(
    "slice_minute",
    metadata,
    Column("slice_id", BigInteger, primary_key=True, autoincrement=False),
    Column("minute_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("steps", LargeBinary, nullable=False),
    Index(None, "minute_ms"),
)

# A worker that had a share of a slice accepted on a day, which began at day_ms.
slice_worker = Table(
    "slice_worker",
    metadata,
    Column("slice_id", BigInteger, primary_key=True, autoincrement=False),
    Column("day_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("login", Text, primary_key=True),
)
