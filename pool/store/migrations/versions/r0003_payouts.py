"""Payouts: batches with lines, attempts and inputs; the switch, the lease, thresholds and held addresses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pool.store.append_only import make_append_only

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger()
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("payout_address", sa.Column("requested_ms", _BIG))
    _create_payees()
    _create_payouts()
    op.create_table(
        "payout_switch",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("time_ms", _BIG, nullable=False),
        sa.Column("is_stopped", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_payout_switch"),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("fence", _BIG, nullable=False),
        sa.Column("expires_ms", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )
    make_append_only("payout_address_cancel", ("account_id", "valid_from_ms"))
    make_append_only("payout_threshold", ("account_id", "valid_from_ms"))
    make_append_only("payout_line", ("payout_id", "account_id"))
    make_append_only("payout_attempt", ("payout_id", "number"))
    make_append_only("payout_switch", ("id",))


def _create_payees() -> None:
    op.create_table(
        "payout_address_cancel",
        sa.Column("account_id", _ID, autoincrement=False, nullable=False),
        sa.Column("valid_from_ms", _BIG, autoincrement=False, nullable=False),
        sa.Column("cancelled_ms", _BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "valid_from_ms"],
            ["payout_address.account_id", "payout_address.valid_from_ms"],
            name="fk_payout_address_cancel_account_id",
        ),
        sa.PrimaryKeyConstraint("account_id", "valid_from_ms", name="pk_payout_address_cancel"),
    )
    op.create_table(
        "payout_threshold",
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("valid_from_ms", _BIG, autoincrement=False, nullable=False),
        sa.Column("threshold_sat", _BIG),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_payout_threshold_account_id"),
        sa.PrimaryKeyConstraint("account_id", "valid_from_ms", name="pk_payout_threshold"),
    )


def _create_payouts() -> None:
    op.create_table(
        "payout",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_ms", _BIG, nullable=False),
        sa.Column("changed_ms", _BIG, nullable=False),
        sa.Column("total_sat", _BIG, nullable=False),
        sa.Column("draft_purpose", sa.Text),
        sa.Column("draft_psbt", sa.Text),
        sa.Column("draft_fee_sat", _BIG),
        sa.Column("confirmed_number", sa.Integer),
        sa.Column("block_hash", sa.LargeBinary),
        sa.Column("block_height", _BIG),
        sa.Column("flips", sa.Integer, nullable=False),
        sa.Column("first_sent_ms", _BIG),
        sa.CheckConstraint("total_sat > 0", name=op.f("ck_payout_total_sat")),
        sa.PrimaryKeyConstraint("id", name="pk_payout"),
    )
    op.create_index("ix_payout_state", "payout", ["state"])
    op.create_table(
        "payout_line",
        sa.Column("payout_id", _ID, nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("script", sa.LargeBinary, nullable=False),
        sa.Column("amount_sat", _BIG, nullable=False),
        sa.CheckConstraint("amount_sat > 0", name=op.f("ck_payout_line_amount_sat")),
        sa.ForeignKeyConstraint(["payout_id"], ["payout.id"], name="fk_payout_line_payout_id"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_payout_line_account_id"),
        sa.PrimaryKeyConstraint("payout_id", "account_id", name="pk_payout_line"),
    )
    op.create_index("ix_payout_line_account_id", "payout_line", ["account_id"])
    op.create_table(
        "payout_attempt",
        sa.Column("payout_id", _ID, nullable=False),
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("txid", sa.LargeBinary, nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("is_signed", sa.Boolean, nullable=False),
        sa.Column("fee_sat", _BIG, nullable=False),
        sa.Column("stored_ms", _BIG, nullable=False),
        sa.ForeignKeyConstraint(["payout_id"], ["payout.id"], name="fk_payout_attempt_payout_id"),
        sa.PrimaryKeyConstraint("payout_id", "number", name="pk_payout_attempt"),
    )
    op.create_index("ix_payout_attempt_txid", "payout_attempt", ["txid"])
    op.create_table(
        "payout_input",
        sa.Column("txid", sa.LargeBinary, nullable=False),
        sa.Column("vout", _BIG, autoincrement=False, nullable=False),
        sa.Column("payout_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["payout_id"], ["payout.id"], name="fk_payout_input_payout_id"),
        sa.PrimaryKeyConstraint("txid", "vout", name="pk_payout_input"),
    )
    op.create_index("ix_payout_input_payout_id", "payout_input", ["payout_id"])
