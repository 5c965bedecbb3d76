"""The tables that reports of fleets are made of, beside those of `pool.store.sql`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table, Text

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
