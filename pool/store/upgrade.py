"""Bring the database to the schema of this version."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from pool.store.sql import writing


class NewerBooks(Exception):
    """A newer version of the program has written these books. The text says so and what to do."""


class BooksInUse(Exception):
    """Books of an older version that somebody keeps. The text says so and what to do."""


Keeper = Callable[[Connection], str | None]
"""Who keeps the books now, as the version does that they are of; None if nobody does."""


def upgrade(engine: Engine, keeper: Keeper = lambda _: None) -> None:
    """Run the migrations that are missing, in one transaction. Raises NewerBooks and BooksInUse, and changes nothing
    then.

    Two processes that start at once take turns, and the second finds nothing to do.
    """
    with writing(engine) as connection:
        revision = revision_of(connection)
        if revision is not None and revision not in known_revisions():
            raise NewerBooks(
                f"the books are of a newer version ({revision}), which this one does not know and leaves alone: run "
                "the version that wrote them, or put back the copy of before the upgrade"
            )
        if revision not in (None, known_revisions()[0]) and (kept_by := keeper(connection)) is not None:
            raise BooksInUse(
                f"the books are of an older version ({revision}), and a pool keeps them (process {kept_by}): stop that "
                "pool, then type this again, or start this version, which upgrades them (docs/upgrading.md)"
            )
        config = migrations()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def revision_of(connection: Connection) -> str | None:
    """Which revision the books are of; None if there are none yet."""
    return MigrationContext.configure(connection).get_current_revision()


def known_revisions() -> list[str]:
    """Every revision that this program knows, the newest first."""
    return [each.revision for each in ScriptDirectory.from_config(migrations()).walk_revisions()]


def migrations() -> Config:
    """Where Alembic finds the revisions."""
    config = Config()
    # A percent sign in the path would be read as the start of an interpolation.
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    return config
