"""FPPS, PPS+ and SOLO; changes of plan with their time of asking; decisions about pay per share."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pool.store.append_only import make_append_only

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger()
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    # Added, never rebuilt: a copy of a table would lose its triggers.
    op.add_column("plan", sa.Column("requested_ms", _BIG))
    op.add_column("block", sa.Column("subsidy_sat", _BIG))
    op.add_column("block", sa.Column("taker_stake_id", _BIG))
    op.add_column("credit", sa.Column("bought_sat", _BIG))
    op.create_table(
        "plan_cancel",
        sa.Column("account_id", _ID, autoincrement=False, nullable=False),
        sa.Column("valid_from_ms", _BIG, autoincrement=False, nullable=False),
        sa.Column("cancelled_ms", _BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "valid_from_ms"],
            ["plan.account_id", "plan.valid_from_ms"],
            name="fk_plan_cancel_account_id",
        ),
        sa.PrimaryKeyConstraint("account_id", "valid_from_ms", name="pk_plan_cancel"),
    )
    _create_fee_days()
    op.create_table(
        "pps_stop",
        sa.Column("from_height", _BIG, autoincrement=False, nullable=False),
        sa.Column("is_stopped", sa.Boolean, nullable=False),
        sa.Column("decided_ms", _BIG, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("from_height", name="pk_pps_stop"),
    )
    make_append_only("plan_cancel", ("account_id", "valid_from_ms"))
    make_append_only("fee_day", ("day_ms",))
    make_append_only("fee_block", ("day_ms", "height"))
    make_append_only("pps_stop", ("from_height",))


def _create_fee_days() -> None:
    op.create_table(
        "fpps_base",
        sa.Column("day_ms", _BIG, autoincrement=False, nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("fee_bps", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column("base_sat", _BIG, nullable=False),
        sa.Column("base_psat", _BIG, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_fpps_base_account_id"),
        sa.PrimaryKeyConstraint("day_ms", "account_id", "fee_bps", name="pk_fpps_base"),
    )
    op.create_table(
        "fpps_carry",
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("carry_psat", _BIG, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_fpps_carry_account_id"),
        sa.PrimaryKeyConstraint("account_id", name="pk_fpps_carry"),
    )
    op.create_table(
        "fee_day",
        sa.Column("day_ms", _BIG, autoincrement=False, nullable=False),
        sa.Column("blocks", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("day_ms", name="pk_fee_day"),
    )
    op.create_table(
        "fee_block",
        sa.Column("day_ms", _BIG, nullable=False),
        sa.Column("height", _BIG, autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.LargeBinary, nullable=False),
        sa.Column("fees_sat", _BIG, nullable=False),
        sa.Column("subsidy_sat", _BIG, nullable=False),
        sa.CheckConstraint("fees_sat >= 0", name=op.f("ck_fee_block_fees_sat")),
        sa.CheckConstraint("subsidy_sat >= 0", name=op.f("ck_fee_block_subsidy_sat")),
        sa.ForeignKeyConstraint(["day_ms"], ["fee_day.day_ms"], name="fk_fee_block_day_ms"),
        sa.PrimaryKeyConstraint("day_ms", "height", name="pk_fee_block"),
    )
