"""A real redis-server for a test, in a folder short enough for a socket."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import redis

from pool.store.redis import RedisStore
from pool.store.redis_link import connect
from pool.store.redis_server import RedisServer


class RedisChild:
    """A server, our store on it, and a client for what tests do to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "redis.log"
        self.server = RedisServer(folder / "redis", self.log)
        self.url = self.server.start()
        self.store = RedisStore(self.url)
        self.client: redis.Redis = connect(self.url)

    def stop(self) -> None:
        self.store.close()
        self.client.close()
        self.server.stop()


@contextlib.contextmanager
def redis_child() -> Iterator[RedisChild]:
    """A server of its own, with nothing in it."""
    folder = Path(tempfile.mkdtemp(prefix="steppe-test-"))
    try:
        child = RedisChild(folder)
        try:
            yield child
        finally:
            child.stop()
    finally:
        shutil.rmtree(folder)
