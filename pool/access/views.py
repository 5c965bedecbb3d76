"""Credentials and the log as they are shown: the same on the command line and in the API."""

from __future__ import annotations

from msgspec import Struct

from pool.access.credential import Credential
from pool.access.log import Row


class CredentialRow(Struct, frozen=True):
    """A credential that holds, without its secret. until_ms: null for no end."""

    id: int
    kind: str
    name: str
    scope: str
    rights: tuple[str, ...]
    created_ms: int
    until_ms: int | None
    made_by: str


class LogRow(Struct, frozen=True):
    """Something that was done or tried."""

    id: int
    time_ms: int
    who: str
    action: str
    target: str
    origin: str
    result: str
    hash: str


def credential_row(row: Credential) -> CredentialRow:
    """A credential in a row."""
    return CredentialRow(
        row.id,
        row.kind.value,
        row.name,
        str(row.scope),
        tuple(sorted(row.rights)),
        row.created_ms,
        row.until_ms,
        row.made_by,
    )


def log_row(row: Row) -> LogRow:
    """An entry of the log in a row."""
    said = row.entry
    return LogRow(row.id, said.time_ms, said.who, said.action, said.target, said.origin, said.result, row.hash)
