"""The tables of planned moves, and of where each worker was last seen; beside those of `pool.store.sql`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from pool.store.sql import metadata

_ID = BigInteger().with_variant(Integer(), "sqlite")

# Append-only, as is move_event. plan: JSON of pool.fleet.move.Plan.
move = Table(
    "move",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, unique=True),
    Column("planned_ms", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("plan", Text, nullable=False),
)

# Who did what about a move, and why.
move_event = Table(
    "move_event",
    metadata,
    Column("move_id", ForeignKey("move.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    UniqueConstraint("move_id", "key"),
)

# Moves that a notice has opened, and what happened to them until they were planned or dropped: pool.fleet.draft.Draft.
# Append-only: how one stands says its newest row. One whose name a move has is planned.
move_draft = Table(
    "move_draft",
    metadata,
    Column("name", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("site", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("pattern", Text, nullable=False),
    Column("deadline_ms", BigInteger, nullable=False),
    Column("step", Text, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

# How far each machine is: pool.fleet.travel.Traveller.
move_worker = Table(
    "move_worker",
    metadata,
    Column("move_id", ForeignKey("move.id"), primary_key=True),
    Column("login", Text, primary_key=True),
    Column("out_asked_ms", BigInteger),
    Column("out_tries", BigInteger, nullable=False),
    Column("out_told_ms", BigInteger),
    Column("out_gone_ms", BigInteger),
    Column("out_arrived_ms", BigInteger),
    Column("back_asked_ms", BigInteger),
    Column("back_tries", BigInteger, nullable=False),
    Column("back_told_ms", BigInteger),
    Column("back_gone_ms", BigInteger),
    Column("back_arrived_ms", BigInteger),
    Column("twice_ms", BigInteger),
    Index(None, "login"),
)

# Where a worker was seen last.
worker_region = Table(
    "worker_region",
    metadata,
    Column("login", Text, primary_key=True),
    Column("region", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
)

# A worker that came on in another region, and no move says so; until somebody confirms it.
stray = Table(
    "stray",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=False),
    Column("login", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("from_region", Text, nullable=False),
    Column("to_region", Text, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("confirmed_ms", BigInteger),
    Column("confirmed_by", Text),
    Index(None, "account", "confirmed_ms"),
)
