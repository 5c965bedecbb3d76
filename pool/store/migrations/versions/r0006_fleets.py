"""Fleets: a table of history for each kind of fact, charges for energy, and what slices earn per share."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pool.store import guards

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger()
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_HISTORY = {
    "model": "name nominal_ghs# nominal_w#",
    "site": "name country time_zone host region",
    "capacity": "site capacity_w#",
    "site_event": "site kind announced_ms# wording time_zone",
    "contract": "name kind steps site reserved_w#",
    "fleet": "name",
    "batch": "name model machines# nominal_ghs# price_minor# currency planned_ms#?",
    "count": "batch ordered# in_transit# delivered# installed# hashing# retired# reason",
    "assignment": "account pattern fleet site batch contract slice_id#",
    "tariff": "contract party currency per_kwh",
    "levy": "country name currency per_kwh price_from price_to?",
    "reading": "meter site account contract energy_wh#",
    "rate": "currency sat_per_minor",
}
"""Columns of each kind: # a number instead of a text, ? may be missing."""


def upgrade() -> None:
    for name, columns in _HISTORY.items():
        _create_history(f"fleet_{name}", columns.split())
    op.create_index("ix_fleet_assignment_slice_id", "fleet_assignment", ["slice_id"])
    op.create_table(
        "fleet_charge",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("made_ms", _BIG, nullable=False),
        sa.Column("reading", _ID, nullable=False),
        sa.Column("tariff", _ID),
        sa.Column("levy", _ID),
        sa.Column("rate", _ID, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("party", sa.Text, nullable=False),
        sa.Column("amount_sat", _BIG, nullable=False),
        sa.CheckConstraint("amount_sat >= 0", name=op.f("ck_fleet_charge_amount_sat")),
        *(
            sa.ForeignKeyConstraint([name], [f"fleet_{name}.row_id"], name=f"fk_fleet_charge_{name}")
            for name in ("reading", "tariff", "levy", "rate")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_charge"),
        sa.UniqueConstraint("reading", "party", name="uq_fleet_charge_reading"),
    )
    op.create_table(
        "slice_accrual",
        sa.Column("basis", sa.Text, nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("at_ms", _BIG, autoincrement=False, nullable=False),
        sa.Column("slice_id", _BIG, autoincrement=False, nullable=False),
        sa.Column("fee_bps", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column("earned_sat", _BIG, nullable=False),
        sa.Column("earned_psat", _BIG, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_slice_accrual_account_id"),
        sa.PrimaryKeyConstraint("basis", "account_id", "at_ms", "slice_id", "fee_bps", name="pk_slice_accrual"),
    )
    guards.put_back(op.get_bind(), {*(f"fleet_{name}" for name in _HISTORY), "fleet_charge"})


def _create_history(table: str, columns: list[str]) -> None:
    op.create_table(
        table,
        sa.Column("row_id", _ID, autoincrement=False, nullable=False),
        sa.Column("valid_from_ms", _BIG, nullable=False),
        sa.Column("valid_to_ms", _BIG),
        sa.Column("recorded_ms", _BIG, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("replaces", _ID),
        *(
            sa.Column(column.rstrip("#?"), _BIG if "#" in column else sa.Text(), nullable=column.endswith("?"))
            for column in columns
        ),
        sa.ForeignKeyConstraint(["replaces"], [f"{table}.row_id"], name=f"fk_{table}_replaces"),
        sa.PrimaryKeyConstraint("row_id", name=f"pk_{table}"),
        sa.UniqueConstraint("replaces", name=f"uq_{table}_replaces"),
    )
