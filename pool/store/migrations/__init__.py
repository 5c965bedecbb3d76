"""Alembic: how the schema of the books came to be, revision by revision."""
