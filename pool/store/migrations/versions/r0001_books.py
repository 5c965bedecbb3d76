"""The books: accounts, shares in their order, blocks, and the ledger with its triggers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pool.store.append_only import make_append_only

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_BIG = sa.BigInteger()
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SCORE = sa.LargeBinary(24)

_APPEND_ONLY = {
    "journal": (("id",), ("key",), ("hash",)),
    "entry": (("journal_id", "account"),),
    "credit": (("block_hash", "stake_id"),),
    "plan": (("account_id", "valid_from_ms"),),
    "payout_address": (("account_id", "valid_from_ms"),),
}
"""Tables whose rows are never changed, with their unique keys."""


def upgrade() -> None:
    _create_accounts()
    _create_shares()
    _create_blocks()
    _create_ledger()
    for table, keys in _APPEND_ONLY.items():
        make_append_only(table, *keys)


def _create_accounts() -> None:
    op.create_table(
        "account",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_ms", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("name", name="uq_account_name"),
    )
    op.create_table(
        "plan",
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("valid_from_ms", _BIG, autoincrement=False, nullable=False),
        sa.Column("scheme", sa.Text, nullable=False),
        sa.Column("fee_bps", sa.SmallInteger, nullable=False),
        sa.CheckConstraint("fee_bps BETWEEN 0 AND 10000", name=op.f("ck_plan_fee_bps")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_plan_account_id"),
        sa.PrimaryKeyConstraint("account_id", "valid_from_ms", name="pk_plan"),
    )
    op.create_table(
        "payout_address",
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("valid_from_ms", _BIG, autoincrement=False, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("script", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_payout_address_account_id"),
        sa.PrimaryKeyConstraint("account_id", "valid_from_ms", name="pk_payout_address"),
    )
    op.create_table(
        "stake",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("slice_id", _BIG, nullable=False),
        sa.Column("scheme", sa.Text, nullable=False),
        sa.Column("fee_bps", sa.SmallInteger, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_stake_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_stake"),
        sa.UniqueConstraint("account_id", "slice_id", "scheme", "fee_bps", name="uq_stake_account_id"),
    )


def _create_shares() -> None:
    op.create_table(
        "high_water",
        sa.Column("frontend", sa.Text, nullable=False),
        sa.Column("seq", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("frontend", name="pk_high_water"),
    )
    op.create_table(
        "share_batch",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("frontend", sa.Text, nullable=False),
        sa.Column("first_seq", _BIG, nullable=False),
        sa.Column("last_seq", _BIG, nullable=False),
        sa.Column("time_ms", _BIG, nullable=False),
        sa.Column("score_before", _SCORE, nullable=False),
        sa.Column("score_after", _SCORE, nullable=False),
        sa.Column("sums", sa.LargeBinary, nullable=False),
        sa.Column("shares", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_share_batch"),
        sa.UniqueConstraint("frontend", "last_seq", name="uq_share_batch_frontend"),
    )
    op.create_index("ix_share_batch_score_after", "share_batch", ["score_after"])
    op.create_table(
        "pps_accrual",
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("period_ms", _BIG, autoincrement=False, nullable=False),
        sa.Column("earned_sat", _BIG, nullable=False),
        sa.Column("earned_psat", _BIG, nullable=False),
        sa.Column("settled", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_pps_accrual_account_id"),
        sa.PrimaryKeyConstraint("account_id", "period_ms", name="pk_pps_accrual"),
    )
    op.create_index("ix_pps_accrual_settled", "pps_accrual", ["settled", "period_ms"])
    op.create_table(
        "pps_carry",
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("carry_psat", _BIG, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_pps_carry_account_id"),
        sa.PrimaryKeyConstraint("account_id", name="pk_pps_carry"),
    )
    op.create_table(
        "progress",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_progress"),
    )


def _create_blocks() -> None:
    op.create_table(
        "block",
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("height", _BIG, nullable=False),
        sa.Column("found_ms", _BIG, nullable=False),
        sa.Column("finder", sa.Text, nullable=False),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("frontend", sa.Text, nullable=False),
        sa.Column("seq", _BIG, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("score_end", _SCORE, nullable=False),
        sa.Column("window_x", sa.Text, nullable=False),
        sa.Column("startup", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("flips", sa.Integer, nullable=False),
        sa.Column("reward_sat", _BIG),
        sa.Column("reserve_sat", _BIG),
        sa.PrimaryKeyConstraint("hash", name="pk_block"),
    )
    op.create_index("ix_block_height", "block", ["height"])
    op.create_index("ix_block_state", "block", ["state"])
    op.create_table(
        "credit",
        sa.Column("block_hash", sa.LargeBinary, nullable=False),
        sa.Column("stake_id", _ID, nullable=False),
        sa.Column("weight", _SCORE, nullable=False),
        sa.Column("gross_sat", _BIG, nullable=False),
        sa.Column("fee_sat", _BIG, nullable=False),
        sa.ForeignKeyConstraint(["block_hash"], ["block.hash"], name="fk_credit_block_hash"),
        sa.ForeignKeyConstraint(["stake_id"], ["stake.id"], name="fk_credit_stake_id"),
        sa.PrimaryKeyConstraint("block_hash", "stake_id", name="pk_credit"),
    )
    op.create_index("ix_credit_stake_id", "credit", ["stake_id"])


def _create_ledger() -> None:
    op.create_table(
        "journal",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("time_ms", _BIG, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("prev_hash", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_journal"),
        sa.UniqueConstraint("key", name="uq_journal_key"),
        sa.UniqueConstraint("hash", name="uq_journal_hash"),
    )
    op.create_index("ix_journal_ref", "journal", ["ref"])
    op.create_table(
        "entry",
        sa.Column("journal_id", _ID, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("amount_sat", _BIG, nullable=False),
        sa.CheckConstraint("amount_sat <> 0", name=op.f("ck_entry_amount_sat")),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"], name="fk_entry_journal_id"),
        sa.PrimaryKeyConstraint("journal_id", "account", name="pk_entry"),
    )
    op.create_index("ix_entry_account", "entry", ["account", "amount_sat"])
