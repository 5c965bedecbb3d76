"""The tables of what a person holds back and has to hear of: part of the schema of `pool.store.sql`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, Table, Text

from pool.store.sql import metadata

# Whether what a block pays is held back for a person to look; the newest row of a block says so.
block_hold = Table(
    "block_hold",
    metadata,
    Column("block_hash", LargeBinary, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("is_held", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
)

# A block in the chain that pays the pool and that the books did not know.
stray_block = Table(
    "stray_block",
    metadata,
    Column("block_hash", LargeBinary, primary_key=True),
    Column("height", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("paid_sat", BigInteger, nullable=False),
)

# What became of it: a person has looked, or it left the chain.
stray_block_end = Table(
    "stray_block_end",
    metadata,
    Column("block_hash", ForeignKey("stray_block.block_hash"), primary_key=True),
    Column("time_ms", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
)

# What a group of machines should have found and what it has, see payout.luck.
luck_group = Table(
    "luck_group",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("tally", LargeBinary, nullable=False),
)

# How it was judged at each checkpoint. bands: JSON, of each band its number, what was expected, found and how likely.
luck_test = Table(
    "luck_test",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("checkpoint", BigInteger, primary_key=True, autoincrement=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("groups", Integer, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("bands", Text, nullable=False),
)
