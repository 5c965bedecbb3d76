"""What reports need: the network's difficulty over time, workers in the dark, and the shares of a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger()


def upgrade() -> None:
    op.create_table(
        "network_epoch",
        sa.Column("from_height", _BIG, autoincrement=False, nullable=False),
        sa.Column("from_ms", _BIG, nullable=False),
        sa.Column("nbits", _BIG, nullable=False),
        sa.Column("subsidy_sat", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("from_height", name="pk_network_epoch"),
    )
    op.create_table(
        "worker_dark",
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("since_ms", _BIG, autoincrement=False, nullable=False),
        sa.Column("until_ms", _BIG),
        sa.PrimaryKeyConstraint("login", "since_ms", name="pk_worker_dark"),
    )
    op.create_index("ix_share_batch_time_ms", "share_batch", ["time_ms"])
