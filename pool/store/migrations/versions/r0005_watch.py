"""What a person holds and hears of: blocks held back, blocks that are not in the books, bad luck; and more guards.

Every trigger is made anew, so that all of them are as `pool.store.guards` wants them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pool.store import guards

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger()

_GUARDED = (
    "account", "block", "block_hold", "credit", "entry", "fee_block", "fee_day", "journal", "luck_test", "payout",
    "payout_address", "payout_address_cancel", "payout_attempt", "payout_line", "payout_switch", "payout_threshold",
    "plan", "plan_cancel", "pps_stop", "share_batch", "share_sum", "stake", "stray_block", "stray_block_end",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "block_hold",
        sa.Column("block_hash", sa.LargeBinary, nullable=False),
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("time_ms", _BIG, nullable=False),
        sa.Column("is_held", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("block_hash", "number", name="pk_block_hold"),
    )
    op.create_table(
        "stray_block",
        sa.Column("block_hash", sa.LargeBinary, nullable=False),
        sa.Column("height", _BIG, nullable=False),
        sa.Column("seen_ms", _BIG, nullable=False),
        sa.Column("paid_sat", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("block_hash", name="pk_stray_block"),
    )
    op.create_table(
        "stray_block_end",
        sa.Column("block_hash", sa.LargeBinary, nullable=False),
        sa.Column("time_ms", _BIG, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["block_hash"], ["stray_block.block_hash"], name="fk_stray_block_end_block_hash"),
        sa.PrimaryKeyConstraint("block_hash", name="pk_stray_block_end"),
    )
    op.create_table(
        "luck_group",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("tally", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name="pk_luck_group"),
    )
    op.create_table(
        "luck_test",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("checkpoint", _BIG, autoincrement=False, nullable=False),
        sa.Column("time_ms", _BIG, nullable=False),
        sa.Column("groups", sa.Integer, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("bands", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", "checkpoint", name="pk_luck_test"),
    )
    guards.put_back(op.get_bind(), _GUARDED)
