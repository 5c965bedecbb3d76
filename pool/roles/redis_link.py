"""Redis as the configuration has it: one that is given, or the pool's own (`pool.roles.own_redis`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pool import failpoints
from pool.config import Config
from pool.paths import Paths
from pool.ports import ShareBatch
from pool.store.redis import RedisStore
from pool.store.redis_moves import RedisMoves
from pool.store.redis_ranges import RedisRanges
from pool.store.redis_server import url_of

# What accounting takes at once, and how long it waits for shares; in between it looks after blocks.
READ_ENTRIES = 16
READ_BLOCK_MS = 200


def open_redis(config: Config) -> RedisStore:
    """The store; it connects when it is first used."""
    return RedisStore(config.redis.url or url_of(_paths(config).redis))


def open_redis_moves(config: Config) -> RedisMoves:
    """What regions tell each other; likewise."""
    return RedisMoves(config.redis.url or url_of(_paths(config).redis))


def open_redis_ranges(config: Config) -> RedisRanges:
    """Who has which extranonce range; likewise."""
    return RedisRanges(config.redis.url or url_of(_paths(config).redis))


class RedisShares:
    """Where accounting gets its shares. Satisfies `payout.ports.ShareSource`; every method raises StoreUnavailable."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    def read(self) -> Sequence[ShareBatch]:
        """Always from the first entry there is: what was taken is trimmed, and Redis' clock may have stepped."""
        return self._store.read_shares("0", READ_ENTRIES, READ_BLOCK_MS)

    def committed(self, batch: ShareBatch, high_water: int) -> None:
        """The ledger has it: the shipper may know, the stream may forget."""
        failpoints.hit("shares-booked")
        self._store.publish_hwm({batch.frontend: high_water})
        failpoints.hit("shares-published")
        self._store.trim(batch.entry_id)

    def resend(self, batch: ShareBatch, high_water: int) -> None:
        """It came after a gap: its journal goes on behind what the ledger has."""
        self._store.forget_shipped(batch.frontend, high_water)
        self._store.trim(batch.entry_id)


def _paths(config: Config) -> Paths:
    return Paths(Path(config.pool.data_dir))
