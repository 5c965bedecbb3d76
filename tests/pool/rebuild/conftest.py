"""The books of the payout tests, here too."""

from tests.payout.conftest import engine, postgresql_books, sqlite, sqlite_file

__all__ = ["engine", "postgresql_books", "sqlite", "sqlite_file"]
