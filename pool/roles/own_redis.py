"""The pool's own Redis: a child of the supervisor, on a unix socket."""

from __future__ import annotations

from pathlib import Path

from pool.config import Config
from pool.paths import Paths
from pool.store.redis_server import RedisServerError, prepare
from pool.supervisor import CannotSupervise, Program


def redis_program(config: Config) -> Program | None:
    """Our own Redis as a program for the supervisor; None if another one is configured. Raises CannotSupervise."""
    if config.redis.url:
        return None
    paths = Paths(Path(config.pool.data_dir))
    try:
        return Program("redis", prepare(paths.redis).argv, paths.log("redis"))
    except RedisServerError as error:
        raise CannotSupervise(str(error)) from error
