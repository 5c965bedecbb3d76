"""A connection to Redis, and what its errors mean to an operator."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthenticationWrongNumberOfArgsError,
    BusyLoadingError,
    InvalidResponse,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.retry import Retry

from pool.ports import StoreUnavailable

# An answer takes milliseconds; a Redis that needs longer than this is as good as away. Longer than any blocking read.
TIMEOUT_SECONDS = 5.0
BLOCK_MS_MAX = 4_000


def connect(url: str) -> redis.Redis:
    """A client for `redis://`, `rediss://` or `unix://`; it connects when it is first used. Raises ValueError.

    Nothing is tried again behind our back: whether a command took effect before its connection broke is known only to
    one who looks, and a share must not be sent twice unseen.
    """
    return redis.Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        protocol=2,
    )


def address_of(url: str) -> str:
    """The url without its password, for texts."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return unquote(parts.path)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or 6379}{parts.path}"


@contextlib.contextmanager
def errors_of(address: str) -> Iterator[None]:
    """Within: what Redis refuses becomes StoreUnavailable with the reason and the mend."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise StoreUnavailable(f"Redis at {address} {_reason(error)}") from error


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    match error:
        case BusyLoadingError():
            return "is loading its data: wait until it has"
        case AuthenticationError() | AuthenticationWrongNumberOfArgsError():
            return f"refuses the login: correct name and password in redis.url ({text})"
        case NoPermissionError():
            return f"does not permit it: its ACL must allow this user all commands on keys steppe:* ({text})"
        case ReadOnlyError():
            return "is a read-only replica: set redis.url to the primary"
        case OutOfMemoryError():
            return "has no memory left: raise its maxmemory, or look why accounting does not take the shares"
        case InvalidResponse():
            return f"does not answer like Redis: another program listens there ({text})"
        case redis.TimeoutError():
            return f"does not answer within {TIMEOUT_SECONDS:g} s: it or the network is overloaded or cut"
        case redis.ConnectionError() | OSError():
            return f"cannot be reached: start it, or correct redis.url ({text})"
        case ResponseError() if text.startswith("MISCONF"):
            return f"cannot write to its disk: make room there or mend its rights ({text})"
        case ResponseError() if text.startswith("WRONGTYPE"):
            return f"has other data under our keys: give the pool a database of its own in redis.url ({text})"
        case ResponseError() if "unknown command" in text or "syntax error" in text:
            return f"is too old: version 6.2 or newer is needed ({text})"
        case _:
            return f"refuses: {text}"
