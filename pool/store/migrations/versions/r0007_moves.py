"""Planned moves with their events and machines; where each worker was seen last, and who strayed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pool.store import guards

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger()
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _create_moves()
    op.create_table(
        "worker_region",
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("since_ms", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("login", name="pk_worker_region"),
    )
    op.create_table(
        "stray",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("from_region", sa.Text, nullable=False),
        sa.Column("to_region", sa.Text, nullable=False),
        sa.Column("seen_ms", _BIG, nullable=False),
        sa.Column("confirmed_ms", _BIG),
        sa.Column("confirmed_by", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_stray"),
    )
    op.create_index("ix_stray_account", "stray", ["account", "confirmed_ms"])
    guards.put_back(op.get_bind(), ("move", "move_event"))


def _create_moves() -> None:
    op.create_table(
        "move",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("planned_ms", _BIG, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("plan", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_move"),
        sa.UniqueConstraint("name", name="uq_move_name"),
    )
    op.create_table(
        "move_event",
        sa.Column("move_id", _ID, nullable=False),
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("time_ms", _BIG, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["move_id"], ["move.id"], name="fk_move_event_move_id"),
        sa.PrimaryKeyConstraint("move_id", "number", name="pk_move_event"),
        sa.UniqueConstraint("move_id", "key", name="uq_move_event_move_id"),
    )
    legs = [
        sa.Column(f"{leg}_{name}", _BIG, nullable=name != "tries")
        for leg in ("out", "back")
        for name in ("asked_ms", "tries", "told_ms", "gone_ms", "arrived_ms")
    ]
    op.create_table(
        "move_worker",
        sa.Column("move_id", _ID, nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        *legs,
        sa.Column("twice_ms", _BIG),
        sa.ForeignKeyConstraint(["move_id"], ["move.id"], name="fk_move_worker_move_id"),
        sa.PrimaryKeyConstraint("move_id", "login", name="pk_move_worker"),
    )
    op.create_index("ix_move_worker_login", "move_worker", ["login"])
