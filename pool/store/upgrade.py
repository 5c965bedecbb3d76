"""Bring the database to the schema of this version."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

from pool.store.sql import writing


def upgrade(engine: Engine) -> None:
    """Run the migrations that are missing, in one transaction.

    Two processes that start at once take turns, and the second finds nothing to do.
    """
    with writing(engine) as connection:
        config = migrations()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def migrations() -> Config:
    """Where Alembic finds the revisions."""
    config = Config()
    # A percent sign in the path would be read as the start of an interpolation.
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    return config
