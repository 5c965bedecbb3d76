"""Moves that a notice has opened."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pool.store import guards

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger()


def upgrade() -> None:
    op.create_table(
        "move_draft",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("pattern", sa.Text, nullable=False),
        sa.Column("deadline_ms", _BIG, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("time_ms", _BIG, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", "number", name="pk_move_draft"),
    )
    guards.put_back(op.get_bind(), ("move_draft",))
