"""What regions tell each other through Redis; all of it is told again within seconds.

Keys, all under `steppe:`
    redirects:REGION     orders to that region's stratum processes, a whole list each time; gone when nobody renews it
    told:REGION          hash, login to (time of the order, time when it was told) by whichever process told it
    difficulties:REGION  hash, login to (difficulty, time when accepted shares had proven it)
    difficulty_regions   set of the regions that have such a hash
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from pool.fleet.orders import RegionOrder
from pool.ports import StoreUnavailable
from pool.stats.tally import Tally
from pool.store.redis_link import address_of, connect, errors_of

ORDERS_MS: Final = 15_000
"""How long orders stand that nobody renews: then whoever carries moves out is down, and nobody is sent away."""

TOLD_SECONDS: Final = 3600
DIFFICULTIES_SECONDS: Final = 86_400
_AT_ONCE: Final = 500
_REGIONS: Final = "steppe:difficulty_regions"

T = TypeVar("T")

_orders_of = msgspec.msgpack.Decoder(tuple[RegionOrder, ...]).decode
_told_of = msgspec.msgpack.Decoder(tuple[int, int]).decode
_difficulty_of = msgspec.msgpack.Decoder(tuple[float, int]).decode
_tally_of = msgspec.json.Decoder(Tally).decode
_encode = msgspec.msgpack.encode


class RedisMoves:
    """One object may be used by several threads. Every method blocks and raises StoreUnavailable."""

    def __init__(self, url: str) -> None:
        self._redis: Any = connect(url)  # redis-py types its answers only in part
        self._address = address_of(url)

    def close(self) -> None:
        """Give all connections back."""
        self._redis.close()

    def publish_orders(self, region: str, orders: Sequence[RegionOrder]) -> None:
        """These stand in a region, until ORDERS_MS from now if nobody says more."""
        with errors_of(self._address):
            if orders:
                self._redis.set(f"steppe:redirects:{region}", _encode(orders), px=ORDERS_MS)
            else:
                self._redis.delete(f"steppe:redirects:{region}")

    def orders(self, region: str) -> tuple[RegionOrder, ...]:
        """The orders that stand in a region."""
        with errors_of(self._address):
            data = self._redis.get(f"steppe:redirects:{region}")
        return () if data is None else self._read(_orders_of, data)

    def report_told(self, region: str, told: Mapping[str, tuple[int, int]]) -> None:
        """These were told: by login the time of the order, and when."""
        key = f"steppe:told:{region}"
        with errors_of(self._address):
            if told:
                self._redis.hset(key, mapping={login: _encode(each) for login, each in told.items()})
                self._redis.expire(key, TOLD_SECONDS)

    def told(self, region: str, logins: Sequence[str]) -> dict[str, tuple[int, int]]:
        """What was reported of these."""
        found = self._hmget(f"steppe:told:{region}", logins)
        return {login: self._read(_told_of, data) for login, data in found.items()}

    def share_times(self, frontends: Iterable[str], logins: Sequence[str]) -> dict[str, int]:
        """By login, the newest accepted share in any of these journals."""
        newest: dict[str, int] = {}
        for frontend in frontends:
            for login, data in self._hmget(f"steppe:workers:{frontend}", logins).items():
                share_ms = self._read(_tally_of, data).last_share_ms
                if share_ms is not None:
                    newest[login] = max(share_ms, newest.get(login, 0))
        return newest

    def logins(self, frontends: Iterable[str]) -> set[str]:
        """Everyone who has tallies in one of these journals."""
        with errors_of(self._address):
            found = [self._redis.hkeys(f"steppe:workers:{frontend}") for frontend in frontends]
        return {name.decode() for names in found for name in names}

    def publish_difficulties(self, region: str, entries: Mapping[str, tuple[float, int]]) -> None:
        """What workers of a region have proven lately."""
        key = f"steppe:difficulties:{region}"
        items = list(entries.items())
        with errors_of(self._address):
            for at in range(0, len(items), _AT_ONCE):
                self._redis.hset(key, mapping={login: _encode(each) for login, each in items[at : at + _AT_ONCE]})
            if items:
                self._redis.sadd(_REGIONS, region)
                self._redis.expire(key, DIFFICULTIES_SECONDS)

    def difficulties_elsewhere(self, region: str) -> dict[str, tuple[float, int]]:
        """What workers have proven in all other regions; by login the newest."""
        newest: dict[str, tuple[float, int]] = {}
        with errors_of(self._address):
            regions = sorted(each.decode() for each in self._redis.smembers(_REGIONS))
            tables = [self._redis.hgetall(f"steppe:difficulties:{each}") for each in regions if each != region]
        for table in tables:
            for name, data in table.items():
                login, entry = name.decode(), self._read(_difficulty_of, data)
                if login not in newest or newest[login][1] < entry[1]:
                    newest[login] = entry
        return newest

    def forget_difficulties(self, region: str, logins: Sequence[str]) -> None:
        """These were not seen for too long."""
        with errors_of(self._address):
            for at in range(0, len(logins), _AT_ONCE):
                self._redis.hdel(f"steppe:difficulties:{region}", *logins[at : at + _AT_ONCE])

    def difficulties(self, region: str) -> dict[str, tuple[float, int]]:
        """What is kept of a region."""
        with errors_of(self._address):
            table = self._redis.hgetall(f"steppe:difficulties:{region}")
        return {name.decode(): self._read(_difficulty_of, data) for name, data in table.items()}

    def _hmget(self, key: str, logins: Sequence[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        with errors_of(self._address):
            for at in range(0, len(logins), _AT_ONCE):
                some = logins[at : at + _AT_ONCE]
                values = self._redis.hmget(key, some)
                found.update({login: data for login, data in zip(some, values, strict=True) if data is not None})
        return found

    def _read(self, decode: Callable[[bytes], T], data: bytes) -> T:
        try:
            return decode(data)
        except msgspec.MsgspecError as error:
            raise StoreUnavailable(
                f"Redis at {self._address} holds what this version cannot read ({error}): run all roles in the same "
                "version"
            ) from error
