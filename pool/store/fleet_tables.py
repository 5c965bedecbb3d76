"""The tables of the fleet: one of history for each kind of `pool.fleet.kinds`, columns named as the fields.

All are append-only, by triggers of the migrations: a correction is a row that names the one it replaces.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from pool.store.sql import metadata

# As in `pool.store.sql`.
_Integer = BigInteger().with_variant(Integer(), "sqlite")


def _history(name: str, *columns: Column[object] | Index) -> Table:
    return Table(
        f"fleet_{name}",
        metadata,
        Column("row_id", _Integer, primary_key=True, autoincrement=False),
        Column("valid_from_ms", BigInteger, nullable=False),
        Column("valid_to_ms", BigInteger),
        Column("recorded_ms", BigInteger, nullable=False),
        Column("source", Text, nullable=False),
        Column("replaces", ForeignKey(f"fleet_{name}.row_id")),
        *columns,
        UniqueConstraint("replaces"),
    )


def _text(name: str) -> Column[object]:
    return Column(name, Text, nullable=False)


def _number(name: str) -> Column[object]:
    return Column(name, BigInteger, nullable=False)


FLEET_TABLES: dict[str, Table] = {
    "model": _history("model", _text("name"), _number("nominal_ghs"), _number("nominal_w")),
    "site": _history("site", _text("name"), _text("country"), _text("time_zone"), _text("host"), _text("region")),
    "capacity": _history("capacity", _text("site"), _number("capacity_w")),
    "site_event": _history(
        "site_event", _text("site"), _text("kind"), _number("announced_ms"), _text("wording"), _text("time_zone")
    ),
    "contract": _history(
        "contract", _text("name"), _text("kind"), _text("steps"), _text("site"), _number("reserved_w")
    ),
    "fleet": _history("fleet", _text("name")),
    "batch": _history(
        "batch",
        _text("name"),
        _text("model"),
        _number("machines"),
        _number("nominal_ghs"),
        _number("price_minor"),
        _text("currency"),
        Column("planned_ms", BigInteger),
    ),
    "count": _history(
        "count",
        _text("batch"),
        _number("ordered"),
        _number("in_transit"),
        _number("delivered"),
        _number("installed"),
        _number("hashing"),
        _number("retired"),
        _text("reason"),
    ),
    "assignment": _history(
        "assignment",
        _text("account"),
        _text("pattern"),
        _text("fleet"),
        _text("site"),
        _text("batch"),
        _text("contract"),
        _number("slice_id"),
        Index(None, "slice_id"),
    ),
    "tariff": _history("tariff", _text("contract"), _text("party"), _text("currency"), _text("per_kwh")),
    "levy": _history(
        "levy",
        _text("country"),
        _text("name"),
        _text("currency"),
        _text("per_kwh"),
        _text("price_from"),
        Column("price_to", Text),
    ),
    "reading": _history(
        "reading", _text("meter"), _text("site"), _text("account"), _text("contract"), _number("energy_wh")
    ),
    "rate": _history("rate", _text("currency"), _text("sat_per_minor")),
}
"""By the name of the kind, each after those that it names."""

# Energy of a reading that is charged to its account: what a tariff or a levy made of it, at which rate. What of it is
# not posted in the ledger yet is an invoice.
fleet_charge = Table(
    "fleet_charge",
    metadata,
    Column("id", _Integer, primary_key=True, autoincrement=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("reading", ForeignKey("fleet_reading.row_id"), nullable=False),
    Column("tariff", ForeignKey("fleet_tariff.row_id")),
    Column("levy", ForeignKey("fleet_levy.row_id")),
    Column("rate", ForeignKey("fleet_rate.row_id"), nullable=False),
    Column("account", Text, nullable=False),
    Column("party", Text, nullable=False),
    Column("amount_sat", BigInteger, CheckConstraint("amount_sat >= 0", name="amount_sat"), nullable=False),
    UniqueConstraint("reading", "party"),
)

# Of what an account earned per share in a period, or of what FPPS adds fees to in a day, what its slices earned; the
# rest is its own. basis: which of the two.
slice_accrual = Table(
    "slice_accrual",
    metadata,
    Column("basis", Text, primary_key=True),
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("at_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("slice_id", BigInteger, primary_key=True, autoincrement=False),
    Column("fee_bps", SmallInteger, primary_key=True, autoincrement=False),
    Column("earned_sat", BigInteger, nullable=False),
    Column("earned_psat", BigInteger, nullable=False),
)
