"""Credentials of the page and the API, which of them have ended, and the log of who did what."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pool.store import guards

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger()
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "access_credential",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("kind", "name", "scope", "rights", "secret")),
        sa.Column("parent_id", _ID),
        sa.Column("created_ms", _BIG, nullable=False),
        sa.Column("until_ms", _BIG),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_credential"),
        sa.UniqueConstraint("secret", name="uq_access_credential_secret"),
        sa.ForeignKeyConstraint(["parent_id"], ["access_credential.id"], name="fk_access_credential_parent_id"),
    )
    op.create_index("ix_access_credential_until_ms", "access_credential", ["until_ms"])
    op.create_table(
        "access_end",
        sa.Column("credential_id", _ID, autoincrement=False, nullable=False),
        sa.Column("ended_ms", _BIG, nullable=False),
        sa.Column("ended_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("credential_id", name="pk_access_end"),
        sa.ForeignKeyConstraint(["credential_id"], ["access_credential.id"], name="fk_access_end_credential_id"),
    )
    op.create_table(
        "access_log",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("time_ms", _BIG, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("who", "action", "target", "origin", "result", "hash")),
        sa.PrimaryKeyConstraint("id", name="pk_access_log"),
        sa.UniqueConstraint("hash", name="uq_access_log_hash"),
    )
    guards.put_back(op.get_bind(), ("access_credential", "access_end", "access_log"))
