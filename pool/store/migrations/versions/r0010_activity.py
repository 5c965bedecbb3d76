"""What slices did, each ten seconds, and who worked under them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger()


def upgrade() -> None:
    op.create_table(
        "slice_minute",
        sa.Column("slice_id", _BIG, autoincrement=False, nullable=False),
        sa.Column("minute_ms", _BIG, autoincrement=False, nullable=False),
        sa.Column("steps", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("slice_id", "minute_ms", name="pk_slice_minute"),
    )
    op.create_index("ix_slice_minute_minute_ms", "slice_minute", ["minute_ms"])
    op.create_table(
        "slice_worker",
        sa.Column("slice_id", _BIG, autoincrement=False, nullable=False),
        sa.Column("day_ms", _BIG, autoincrement=False, nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("slice_id", "day_ms", "login", name="pk_slice_worker"),
    )
