"""What Alembic runs for every command.

The program gives its own connection (`pool.store.upgrade`). A developer's `alembic` command opens one by
`-x url=sqlite:///PATH`, to compare the schema with the tables and write the next revision.
"""

from alembic import context
from sqlalchemy import Connection

from pool.store import (  # noqa: F401 - their tables are part of the metadata
    access_tables,
    fleet_tables,
    move_tables,
    scheme_tables,
    watch_tables,
)
from pool.store.sql import connect, metadata, writing


def _run(connection: Connection) -> None:
    # The transaction is the caller's, and holds the lock: SQLite can take DDL back as well as PostgreSQL can.
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    with writing(connect(context.get_x_argument(as_dictionary=True)["url"])) as opened:
        _run(opened)
