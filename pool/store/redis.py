"""Redis: the stream of shares to accounting, live statistics, signs of life. All of it is rebuildable.

Keys, all under `steppe:`
    shares                  stream of batches: f frontend, s first number, n count, d payload (msgpack records)
    shipped:FRONTEND        last record of a journal that went into the stream
    hwm                     hash, frontend to the last record that is in the ledger
    workers:FRONTEND        hash, login to tally; accounts:FRONTEND likewise; pool:FRONTEND, the tally of all
    history:FRONTEND        the rings of the pool's hashrate over time
    tallied:FRONTEND        the record up to which these tallies stand
    frontends               set of the journals with tallies
    rejects:NAME            hash, login to the newest refused shares at the stratum process NAME; rejecting, their set
    silence                 maintenance, until when and why
    roles, role:ROLE/NAME   set of names, and the last sign of life of each

Tallies are JSON: sums of work pass 64 bits, where msgpack ends.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import reduce
from itertools import islice
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from redis.exceptions import WatchError

from pool.ports import ShareBatch, StoreUnavailable, StreamPlace
from pool.stats.hashrate import Moment
from pool.stats.history import Rings
from pool.stats.rejects import REJECTS_KEPT, Reject
from pool.stats.tally import Row, Snapshot, Tally
from pool.store.redis_link import BLOCK_MS_MAX, address_of, connect, errors_of
from pool.store.tally_memory import TallyMemory

_STREAM = "steppe:shares"
_COMMITTED = "steppe:hwm"
_FRONTENDS = "steppe:frontends"
_ROLES = "steppe:roles"
_REJECTING = "steppe:rejecting"
_SILENCE = "steppe:silence"

# Rows of a frontend that is gone fade after this time; its workers have long been seen elsewhere by then.
TALLIES_SECONDS = 86_400

# So that neither Redis nor the threads beside the publishing one wait for ten thousand at a time.
_FIELDS_AT_ONCE = 500

Item = TypeVar("Item")

_rings_of = msgspec.json.Decoder(Rings).decode
_tally_of = msgspec.json.Decoder(Tally).decode
_rejects_of = msgspec.msgpack.Decoder(tuple[Reject, ...]).decode


class RoleSign(Struct, frozen=True):
    """The last sign of life of a role. time_ms: when it was given, by the clock of its machine."""

    role: str
    name: str
    time_ms: int
    data: dict[str, Any]


class Silence(Struct, frozen=True):
    """Maintenance: no messages to people until then, by the wall clock."""

    until_ms: int
    reason: str


_sign_of = msgspec.msgpack.Decoder(RoleSign).decode


class RedisStore:
    """What the roles keep in Redis; one object may be used by several threads. Every method raises StoreUnavailable.

    url: `redis://`, `rediss://` or `unix:///path`; nothing is connected before it is used.
    """

    def __init__(self, url: str) -> None:
        self._redis = connect(url)
        self._address = address_of(url)
        self._tallies = {kind: TallyMemory(self._tally) for kind in ("workers", "accounts")}

    def close(self) -> None:
        """Give all connections back."""
        self._redis.close()

    def ping(self) -> None:
        """Return if Redis answers."""
        with self._errors():
            self._redis.ping()

    def place(self, frontend: str) -> StreamPlace:
        """How far a journal has come."""
        with self._errors(), self._pipeline() as pipe:
            pipe.get(_shipped(frontend))
            pipe.hget(_COMMITTED, frontend)
            pipe.xlen(_STREAM)
            shipped, committed, entries = pipe.execute()
        return StreamPlace(_int(shipped), _int(committed), entries)

    def ship(self, batch: ShareBatch, shipped: int | None) -> bool:
        """Put a batch into the stream and note its last record as shipped, both or neither.

        Neither, and False, if another record than `shipped` was noted meanwhile. If it raises, either may be the case.
        """
        key = _shipped(batch.frontend)
        with self._errors(), self._pipeline() as pipe:
            pipe.watch(key)
            if _int(pipe.get(key)) != shipped:
                return False
            pipe.multi()
            pipe.xadd(_STREAM, {"f": batch.frontend, "s": batch.first_seq, "n": batch.count, "d": batch.payload})
            pipe.set(key, batch.last_seq)
            return _done(pipe)

    def read_shares(self, after_id: str, count: int, block_ms: int) -> list[ShareBatch]:
        """The next batches behind entry `after_id` (`0` for all there are), oldest first; waits up to `block_ms`.

        Whoever trims what it has taken should always read from `0`: entries are numbered by Redis' clock, which may
        step back, and then new ones stand before one that was remembered.
        """
        with self._errors():
            found: Any = self._redis.xread({_STREAM: after_id}, count=count, block=min(block_ms, BLOCK_MS_MAX) or None)
        return [self._batch(entry_id, fields) for _, entries in found or () for entry_id, fields in entries]

    def publish_hwm(self, committed: Mapping[str, int]) -> None:
        """Tell the shippers how far the ledger is: by frontend the last record in it."""
        if committed:
            with self._errors():
                self._redis.hset(_COMMITTED, items=[part for pair in committed.items() for part in pair])

    def trim(self, through_id: str) -> None:
        """Drop the batches up to and with this entry: they are in the ledger."""
        time_ms, _, number = through_id.partition("-")
        with self._errors():
            self._redis.xtrim(_STREAM, minid=f"{time_ms}-{int(number) + 1}", approximate=False)

    def forget_shipped(self, frontend: str, committed: int) -> None:
        """Have a journal sent again from behind record `committed`, the last of it in the ledger."""
        with self._errors(), self._pipeline() as pipe:
            pipe.hset(_COMMITTED, frontend, committed)
            pipe.delete(_shipped(frontend))
            pipe.execute()

    def backlog(self, committed: Mapping[str, int]) -> int:
        """How many journalled records are not in the ledger, which is at `committed` by frontend."""
        with self._errors():
            frontends = self._frontends()
            tallied = self._mget([f"steppe:tallied:{frontend}" for frontend in frontends])
        last = zip(frontends, map(_int, tallied), strict=True)
        return sum(max(0, seq - committed.get(frontend, 0)) for frontend, seq in last if seq is not None)

    def publish_tallies(self, frontend: str, snapshot: Snapshot, seq: int, *, previous: int | None) -> bool:
        """Publish the tallies of a journal as of its record `seq`.

        With previous None they take the place of whatever was there. Else they are those that changed since `previous`:
        nothing is published, and False returned, if what is there does not stand at that record.
        """
        tallied, workers = f"steppe:tallied:{frontend}", f"steppe:workers:{frontend}"
        accounts, pool = f"steppe:accounts:{frontend}", f"steppe:pool:{frontend}"
        with self._errors(), self._pipeline() as pipe:
            if previous is not None:
                pipe.watch(tallied)
                if _int(pipe.get(tallied)) != previous:
                    return False
                pipe.multi()
            else:
                pipe.delete(workers, accounts, pool)
            _hset(pipe, workers, snapshot.workers)
            _hset(pipe, accounts, snapshot.accounts)
            if snapshot.forgotten:
                pipe.hdel(workers, *snapshot.forgotten)
            if snapshot.pool is not None:
                pipe.set(pool, msgspec.json.encode(snapshot.pool))
            pipe.set(tallied, seq)
            pipe.sadd(_FRONTENDS, frontend)
            if snapshot.history is not None:
                pipe.set(f"steppe:history:{frontend}", msgspec.json.encode(snapshot.history))
            for key in (tallied, workers, accounts, pool, f"steppe:history:{frontend}"):
                pipe.expire(key, TALLIES_SECONDS)
            return _done(pipe)

    def tallies_of(self, frontend: str) -> tuple[int, Snapshot] | None:
        """The tallies of one journal as they stand, with the record up to which they do; None if there are none."""
        with self._errors(), self._pipeline() as pipe:
            pipe.get(f"steppe:tallied:{frontend}")
            pipe.hgetall(f"steppe:workers:{frontend}")
            pipe.hgetall(f"steppe:accounts:{frontend}")
            pipe.get(f"steppe:pool:{frontend}")
            pipe.get(f"steppe:history:{frontend}")
            seq, workers, accounts, pool, history = pipe.execute()
        if seq is None:
            return None
        return int(seq), Snapshot(
            {name.decode(): self._tally(data) for name, data in workers.items()},
            {name.decode(): self._tally(data) for name, data in accounts.items()},
            None if pool is None else self._tally(pool),
            history=None if history is None else self._rings(history),
        )

    def frontends(self) -> list[str]:
        """The journals that ever had tallies."""
        with self._errors():
            return self._frontends()

    def read_workers(self, now_ms: int) -> list[Row]:
        """The workers by login, those of several frontends as one, with their hashrates of now."""
        return self._rows("workers", now_ms)

    def read_accounts(self, now_ms: int) -> list[Row]:
        """The accounts by name, with their hashrates of now."""
        return self._rows("accounts", now_ms)

    def read_pool(self, now_ms: int) -> Row | None:
        """The whole pool with its hashrates of now; None before the first share."""
        with self._errors():
            found = self._mget([f"steppe:pool:{frontend}" for frontend in self._frontends()])
        tallies = [self._tally(data) for data in found if data is not None]
        return reduce(Tally.plus, tallies).row("", now_ms) if tallies else None

    def read_history(self) -> Rings:
        """The pool's hashrate over time, as all frontends saw it."""
        with self._errors():
            found = self._mget([f"steppe:history:{frontend}" for frontend in self._frontends()])
        return reduce(Rings.plus, [self._rings(data) for data in found if data is not None], Rings())

    def publish_rejects(self, name: str, changed: Mapping[str, tuple[Reject, ...]], forgotten: tuple[str, ...]) -> None:
        """Replace the refused shares of some workers, as a stratum process has them; drop those of others."""
        key = f"steppe:rejects:{name}"
        with self._errors(), self._pipeline() as pipe:
            if changed:
                pipe.hset(key, mapping={login: msgspec.msgpack.encode(each) for login, each in changed.items()})
            if forgotten:
                pipe.hdel(key, *forgotten)
            pipe.sadd(_REJECTING, name)
            pipe.expire(key, TALLIES_SECONDS)
            pipe.execute()

    def read_rejects(self, login: str) -> list[Reject]:
        """The newest refused shares of a worker, of all stratum processes, newest first."""
        with self._errors():
            names: Any = self._redis.smembers(_REJECTING)
            found: list[Any] = [self._redis.hget(f"steppe:rejects:{name.decode()}", login) for name in sorted(names)]
        try:
            rejects = [each for data in found if data is not None for each in _rejects_of(data)]
        except msgspec.MsgspecError as error:
            raise self._of_another_version("refused shares", error) from error
        return sorted(rejects, key=lambda each: each.time_ms, reverse=True)[:REJECTS_KEPT]

    def publish_role(self, role: str, name: str, data: Mapping[str, Any], ttl_seconds: float) -> None:
        """Give a sign of life that counts for `ttl_seconds`; data: of msgpack's types."""
        sign = RoleSign(role, name, time.time_ns() // 1_000_000, dict(data))
        member = f"{role}/{name}"
        with self._errors(), self._pipeline() as pipe:
            pipe.sadd(_ROLES, member)
            pipe.set(f"steppe:role:{member}", msgspec.msgpack.encode(sign), px=int(ttl_seconds * 1000))
            pipe.execute()

    def read_roles(self) -> list[RoleSign]:
        """The signs of life that still count, by role and name."""
        with self._errors():
            members: Any = self._redis.smembers(_ROLES)
            found = self._mget([f"steppe:role:{member.decode()}" for member in sorted(members)])
        try:
            return [_sign_of(data) for data in found if data is not None]
        except msgspec.MsgspecError as error:
            raise self._of_another_version("signs of life", error) from error

    def is_empty(self) -> bool:
        """Whether nothing of a pool is in it."""
        with self._errors():
            return next(iter(self._redis.scan_iter("steppe:*", count=1000)), None) is None

    def silence(self, silence: Silence | None, ttl_ms: int = 0) -> None:
        """Have messages to people silenced for so long, or, with None, no more."""
        with self._errors():
            if silence is None:
                self._redis.delete(_SILENCE)
            else:
                self._redis.set(_SILENCE, msgspec.json.encode(silence), px=ttl_ms)

    def silenced(self) -> Silence | None:
        """Whether they are."""
        with self._errors():
            found: Any = self._redis.get(_SILENCE)
        try:
            return None if found is None else msgspec.json.decode(found, type=Silence)
        except msgspec.MsgspecError as error:
            raise self._of_another_version("a silence", error) from error

    def _rows(self, kind: str, now_ms: int) -> list[Row]:
        with self._errors(), self._pipeline() as pipe:
            frontends = self._frontends()
            for frontend in frontends:
                pipe.hgetall(f"steppe:{kind}:{frontend}")
            found = dict(zip(frontends, pipe.execute(), strict=True))
        tallies = self._tallies[kind].read(found)
        moment = Moment(now_ms / 1000)
        return [
            Row(name, tally, moment.estimates(tally.hashrate)) for name, tally in sorted(tallies.items(), key=_name)
        ]

    def _frontends(self) -> list[str]:
        members: Any = self._redis.smembers(_FRONTENDS)
        return sorted(member.decode() for member in members)

    def _tally(self, data: bytes) -> Tally:
        try:
            return _tally_of(data)
        except msgspec.MsgspecError as error:
            raise self._of_another_version("tallies", error) from error

    def _rings(self, data: bytes) -> Rings:
        try:
            return _rings_of(data)
        except msgspec.MsgspecError as error:
            raise self._of_another_version("the history", error) from error

    def _batch(self, entry_id: bytes, fields: Mapping[bytes, bytes]) -> ShareBatch:
        try:
            return ShareBatch(
                fields[b"f"].decode(), int(fields[b"s"]), int(fields[b"n"]), fields[b"d"], entry_id.decode()
            )
        except (KeyError, ValueError) as error:
            raise self._of_another_version(f"batch {entry_id.decode()}", error) from error

    def _of_another_version(self, what: str, error: Exception) -> StoreUnavailable:
        return StoreUnavailable(
            f"Redis at {self._address} holds {what} that this version cannot read ({error}): run all roles in the same "
            f"version, and give the pool a database of its own in redis.url"
        )

    def _mget(self, keys: list[str]) -> list[Any]:
        return list(self._redis.mget(keys)) if keys else []

    def _pipeline(self) -> Any:  # redis-py types its pipelines only in part
        return self._redis.pipeline(transaction=True)

    def _errors(self) -> AbstractContextManager[None]:
        return errors_of(self._address)


def _name(item: tuple[str, Tally]) -> str:
    return item[0]


def _shipped(frontend: str) -> str:
    return f"steppe:shipped:{frontend}"


def _hset(pipe: Any, key: str, tallies: Mapping[str, Tally]) -> None:
    for some in _batched(tallies.items(), _FIELDS_AT_ONCE):
        pipe.hset(key, mapping={name: msgspec.json.encode(tally) for name, tally in some})


def _batched(items: Iterable[Item], size: int) -> Iterator[tuple[Item, ...]]:
    """As itertools.batched of Python 3.12."""
    rest = iter(items)
    while some := tuple(islice(rest, size)):
        yield some


def _done(pipe: Any) -> bool:
    """Whether what was queued took effect; it does not if a watched key changed."""
    try:
        pipe.execute()
    except WatchError:
        return False
    return True


def _int(data: Any) -> int | None:
    return None if data is None else int(data)
