"""The revisions of the schema, by Alembic; apart from `pool.store.upgrade`, as to read Alembic takes a start of the
program a tenth of a second that it needs once in an upgrade."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def known_revisions() -> list[str]:
    """Every revision that this program knows, the newest first."""
    return [each.revision for each in ScriptDirectory.from_config(migrations()).walk_revisions()]


def run_missing(connection: Connection) -> None:
    """The migrations up to the newest, in the connection's transaction."""
    config = migrations()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def migrations() -> Config:
    """Where Alembic finds the revisions."""
    config = Config()
    # A percent sign in the path would be read as the start of an interpolation.
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    return config
