"""Which stratum process has which extranonce range, in Redis: no two may give miners the same work.

Keys: `steppe:extranonce_range:NUMBER`, the claim of the process that has it; gone when nobody renews it.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Struct

from pool.ports import StoreUnavailable
from pool.store.redis_link import address_of, connect, errors_of

# One step for Redis: what is free, ours or of a process that has ended is taken, or taken for longer.
_TAKE: Final = """
local found = redis.call('GET', KEYS[1])
if not found or found == ARGV[1] or found == ARGV[3] then
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    return ARGV[1]
end
return found
"""
_RELEASE: Final = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class Claim(Struct, frozen=True, array_like=True):
    """holder: a name that no other process has. region: of the process. place: of its journal: which one, and on a
    machine since which start of that."""

    holder: str
    region: str
    place: str


_claim_of = msgspec.msgpack.Decoder(Claim).decode
_encode = msgspec.msgpack.encode


class RedisRanges:
    """Every method blocks and raises StoreUnavailable."""

    def __init__(self, url: str) -> None:
        self._redis: Any = connect(url)
        self._address = address_of(url)

    def close(self) -> None:
        """Give all connections back."""
        self._redis.close()

    def take(self, number: int, claim: Claim, life_ms: int, ended: Claim | None = None) -> Claim:
        """Claim a range, or keep it, for so long; whose it is then. ended: a claim that counts no more."""
        dead = b"" if ended is None else _encode(ended)
        with errors_of(self._address):
            found = self._redis.eval(_TAKE, 1, _key(number), _encode(claim), life_ms, dead)
        try:
            return _claim_of(found)
        except msgspec.MsgspecError as error:
            raise StoreUnavailable(
                f"Redis at {self._address} holds what this version cannot read ({error}): run all roles in the same "
                "version"
            ) from error

    def release(self, number: int, claim: Claim) -> None:
        """It is nobody's from now on, if it was this one's."""
        with errors_of(self._address):
            self._redis.eval(_RELEASE, 1, _key(number), _encode(claim))


def _key(number: int) -> str:
    return f"steppe:extranonce_range:{number}"
