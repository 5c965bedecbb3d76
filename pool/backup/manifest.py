"""What a backup says of itself."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"

BOOKS_SQLITE: Final = "ledger.sqlite"
BOOKS_POSTGRESQL: Final = "ledger.dump"
CONFIGURATION: Final = "config/steppe.toml"
SECRETS: Final = "config/secrets"


class BackupFailed(Exception):
    """It could not be taken, or not be put back. The text says what is wrong, where, and how to mend it."""


class File(Struct, frozen=True):
    """A file of the backup, by its name in it. sha256: in hex."""

    name: str
    size: int
    sha256: str


class KeptJournal(Struct, frozen=True):
    """A journal of the machine: the folder it was in, its id, and the first and last record that the backup has."""

    range: str
    frontend: str
    first_seq: int
    last_seq: int


class Books(Struct, frozen=True):
    """The books at one moment. database: sqlite or postgresql. revision: of the schema. high_water: of each journal the
    last record that is in them. chain_height: how far they have followed the chain. rows: of the ledger."""

    database: str
    revision: str
    high_water: dict[str, int]
    chain_height: int
    rows: int


class Manifest(Struct, frozen=True):
    """made_ms: when it was begun. version: of Steppe. payout_address: of the configuration then. has_secrets: whether
    the files of secrets are in it. elsewhere: journals of other machines that the books have records of."""

    format: int
    made_ms: int
    version: str
    chain: str
    payout_address: str
    has_secrets: bool
    books: Books
    journals: tuple[KeptJournal, ...]
    elsewhere: tuple[str, ...]
    files: tuple[File, ...]
