"""The ledger's database."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from payout.store.ledger import errors_of_ours
from pool.config import Config, Paths
from pool.store.sql import connect
from pool.store.upgrade import upgrade


def reach_database(config: Config) -> Engine:
    """An engine for the configured database, as it is; it connects when it is first used."""
    return connect(config.database.url or f"sqlite:///{Paths(Path(config.pool.data_dir)).ledger}")


def open_database(config: Config) -> Engine:
    """The same, brought to this version's schema. Raises LedgerUnavailable."""
    engine = reach_database(config)
    with errors_of_ours(engine):
        upgrade(engine)
    return engine
