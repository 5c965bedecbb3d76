"""Bring the database to the schema of this version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, Engine, inspect, text

from pool.store.sql import reading, writing

NEWEST: Final = "0011"
"""The revision of this version's schema: the last one of `pool.store.migrations`."""


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
    with reading(engine) as connection:
        if revision_of(connection) == NEWEST:
            return
    from pool.store.revisions import known_revisions, run_missing

    with writing(engine) as connection:
        revision = revision_of(connection)
        if revision is not None and revision not in known_revisions():
            raise NewerBooks(
                f"the books are of a newer version ({revision}), which this one does not know and leaves alone: run "
                "the version that wrote them, or put back the copy of before the upgrade"
            )
        if revision not in (None, NEWEST) and (kept_by := keeper(connection)) is not None:
            raise BooksInUse(
                f"the books are of an older version ({revision}), and a pool keeps them (process {kept_by}): stop that "
                "pool, then type this again, or start this version, which upgrades them (docs/upgrading.md)"
            )
        run_missing(connection)


def revision_of(connection: Connection) -> str | None:
    """Which revision the books are of; None if there are none yet. Source: Alembic, the table of its version."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found
