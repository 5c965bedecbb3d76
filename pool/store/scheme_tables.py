"""Tables of the schemes: changes of plan taken back, FPPS by days, decisions about pay per share."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
)

from pool.store.sql import metadata

_Integer = BigInteger().with_variant(Integer(), "sqlite")  # as in `pool.store.sql`

# A change of plan that was taken back before it came into force.
plan_cancel = Table(
    "plan_cancel",
    metadata,
    Column("account_id", _Integer, primary_key=True, autoincrement=False),
    Column("valid_from_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("cancelled_ms", BigInteger, nullable=False),
    ForeignKeyConstraint(
        ["account_id", "valid_from_ms"], ["plan.account_id", "plan.valid_from_ms"], name="fk_plan_cancel_account_id"
    ),
)

# What shares under FPPS earned before the pool's fee, which transaction fees come on top of.
fpps_base = Table(
    "fpps_base",
    metadata,
    Column("day_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("fee_bps", SmallInteger, primary_key=True, autoincrement=False),
    Column("base_sat", BigInteger, nullable=False),
    Column("base_psat", BigInteger, nullable=False),
)

fpps_carry = Table(
    "fpps_carry",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("carry_psat", BigInteger, nullable=False),
)

# A day whose fees are in the ledger, and the network's blocks that it had.
fee_day = Table(
    "fee_day",
    metadata,
    Column("day_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("blocks", Integer, nullable=False),
)

fee_block = Table(
    "fee_block",
    metadata,
    Column("day_ms", ForeignKey("fee_day.day_ms"), primary_key=True),
    Column("height", BigInteger, primary_key=True, autoincrement=False),
    Column("block_hash", LargeBinary, nullable=False),
    Column("fees_sat", BigInteger, CheckConstraint("fees_sat >= 0", name="fees_sat"), nullable=False),
    Column("subsidy_sat", BigInteger, CheckConstraint("subsidy_sat >= 0", name="subsidy_sat"), nullable=False),
)

# Whether shares of jobs from a height on are paid per share: the newest row that is not higher says so.
pps_stop = Table(
    "pps_stop",
    metadata,
    Column("from_height", BigInteger, primary_key=True, autoincrement=False),
    Column("is_stopped", Boolean, nullable=False),
    Column("decided_ms", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
)
