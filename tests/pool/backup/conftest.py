"""Books of both databases."""

from __future__ import annotations

from tests.payout.conftest import engine, postgresql_books, sqlite, sqlite_file

__all__ = ["engine", "postgresql_books", "sqlite", "sqlite_file"]
