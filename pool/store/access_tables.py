"""The tables of access: credentials, which of them have ended, and the log; beside those of `pool.store.sql`. All are
append-only."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from pool.store.sql import metadata

_ID = BigInteger().with_variant(Integer(), "sqlite")

# secret: SHA-256 of 256 random bits in hex, or of a password what argon2 says. rights: words with commas.
access_credential = Table(
    "access_credential",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("rights", Text, nullable=False),
    Column("secret", Text, nullable=False, unique=True),
    Column("parent_id", ForeignKey("access_credential.id")),
    Column("created_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger),
    Column("made_by", Text, nullable=False),
    Index(None, "until_ms"),
)

access_end = Table(
    "access_end",
    metadata,
    Column("credential_id", ForeignKey("access_credential.id"), primary_key=True, autoincrement=False),
    Column("ended_ms", BigInteger, nullable=False),
    Column("ended_by", Text, nullable=False),
)

access_log = Table(
    "access_log",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("hash", Text, nullable=False, unique=True),
)
