"""Probes of Redis, the database and the data folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import redis as redis_library
from sqlalchemy.exc import SQLAlchemyError

from pool.config import Config
from pool.doctor.finding import Finding, bad, good, unknown, warning
from pool.journal.room import has_room
from pool.paths import Paths
from pool.roles.database import reach_database
from pool.store.redis_server import url_of
from pool.store.revisions import known_revisions
from pool.store.sql import reading
from pool.store.upgrade import revision_of

ANSWER_SECONDS = 3.0
REDIS_MIN = (6, 2)
_MIB = 1024 * 1024


def look_at_redis(config: Config) -> list[Finding]:
    """Whether Redis answers, and refuses when it is full instead of forgetting."""
    own = url_of(Paths(Path(config.pool.data_dir)).redis)
    if not config.redis.url:
        if shutil.which("redis-server") is None:
            return [bad("redis", "there is no redis-server on PATH", "apt install redis-server, or set redis.url")]
        if not Path(own.removeprefix("unix://")).exists():
            return [good("redis", "redis-server is there; it starts with the pool")]
    client = redis_library.Redis.from_url(
        config.redis.url or own,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        decode_responses=True,
    )
    try:
        info = client.info()
    except (redis_library.RedisError, OSError) as error:
        mend = "start it, or correct redis.url" if config.redis.url else "`steppe run` starts it"
        return [bad("redis", f"it does not answer: {error}", mend)]
    finally:
        client.close()
    version = str(info["redis_version"])
    if tuple(map(int, version.split(".")[:2])) < REDIS_MIN:
        return [bad("redis", f"it is version {version}", "run Redis 6.2 or newer")]
    policy = info.get("maxmemory_policy", "noeviction")
    if info.get("maxmemory") and policy != "noeviction":
        text = f"when it is full it forgets ({policy}): shares would be sent again and again"
        return [bad("redis", text, "CONFIG SET maxmemory-policy noeviction")]
    return [good("redis", f"version {version}, {info['used_memory_human']} in use")]


def look_at_database(config: Config) -> list[Finding]:
    """Whether the books are there, and of this version."""
    what, file = "database", Paths(Path(config.pool.data_dir)).ledger
    if not config.database.url and not file.exists():
        return [good(what, f"{file} is made at the first start")]
    engine = reach_database(config)
    try:
        with reading(engine) as connection:
            current = revision_of(connection)
    except (SQLAlchemyError, OSError) as error:
        return [bad(what, f"it cannot be read: {error}", "start it, or correct database.url")]
    finally:
        engine.dispose()
    known = known_revisions()
    if current is None:
        return [good(what, "empty; its tables are made at the first start")]
    if current == known[0]:
        return [good(what, f"the books are of this version ({current})")]
    if current in known:
        text = f"the books are of an older version ({current}): they are upgraded at the next start"
        return [warning(what, text, "make a backup first")]
    return [bad(what, f"the books are of a newer version ({current})", "run the version of Steppe that wrote them")]


def look_at_folder(config: Config) -> list[Finding]:
    """Whether the data folder can be written, by the pool alone, and has room."""
    what, folder = "data folder", Path(config.pool.data_dir)
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        return [bad(what, f"{there} cannot be written by this user", f"chown it, or run as its owner: {there.owner()}")]
    if there != folder:
        return [good(what, f"{folder} is made at the first start"), *_room(config, there)]
    if folder.stat().st_mode & 0o007:
        return [warning(what, f"{folder} is open to every user", f"chmod 700 {folder}"), *_room(config, folder)]
    return [good(what, f"{folder}"), *_room(config, folder)]


def _room(config: Config, folder: Path) -> list[Finding]:
    what, found = "disk", os.statvfs(folder)
    free, total = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
    limit = max(config.pool.disk_low_mib * _MIB, total * config.pool.disk_low_percent // 100)
    text = f"{free // _MIB} MiB of {total // _MIB} are free"
    if not total:
        return [unknown(what, f"nobody says how large the disk of {folder} is")]
    if not has_room(folder):
        text = f"{text}: no share would be accepted"
        return [bad(what, text, "make room, or set pool.data_dir to a folder on another disk")]
    if free < limit:
        return [warning(what, f"{text}, fewer than the {limit // _MIB} of the alarm", "make room, or set disk_low_mib")]
    return [good(what, text)]
