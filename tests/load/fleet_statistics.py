"""Statistics of a fleet in Redis, as the roles publish them: all at once, then each second what changed.

A program: `python -m tests.load.fleet_statistics REDIS_URL WORKERS` says `filled`, and goes on until its standard input
ends.
"""

from __future__ import annotations

import random
import select
import sys
import time
from functools import reduce
from typing import Final

from pool.bitcoin.target import share_work
from pool.stats.hashrate import Hashrate
from pool.stats.history import Cell, Rings
from pool.stats.tally import Snapshot, Tally, login
from pool.store.redis import RedisStore
from pool.work.share import Outcome

ACCOUNTS: Final = ("sichuan-fleet", "texas-2", "kz-ekibastuz")
SITES: Final = ("almaty", "ekibastuz", "ganzi", "garden", "pecos", "rockdale")
AGENTS: Final = (
    "bmminer/2.0.0",
    "BOSer/25.01",
    "LUXminer 2025.5.28 AML",
    "vnish/1.2.6",
    "cgminer/4.12",
    "whatsminer/v1.1",
)
SHARES_PER_MINUTE: Final = 6
_RACK: Final = 24
_LIFE_SECONDS: Final = 10
_DAY_SECONDS: Final = 86_400
_NBITS: Final = 0x170E1EF9
_DIFFICULTY: Final = 131_072.0
_FRONTEND: Final = "0000000000000001"


class Fleet:
    """Machines that each send a share now and then. now_s: Unix seconds."""

    def __init__(self, workers: int, now_s: int) -> None:
        self._dice = random.Random(workers)
        self._work = share_work(_DIFFICULTY, _NBITS)
        self.names = [_name(number) for number in range(workers)]
        self._tallies = {login(*name): self._mined_a_day(now_s) for name in self.names}
        self._accounts = {
            account: reduce(Tally.plus, [self._tallies[login(*name)] for name in self.names if name[0] == account])
            for account in {account for account, _ in self.names}
        }
        self._pool = reduce(Tally.plus, self._accounts.values())
        self._rings = Rings()
        for minute in range(now_s // 60 - 1440, now_s // 60):
            work = workers * SHARES_PER_MINUTE * self._work
            self._rings = self._rings.with_minute(
                Cell(minute * 60, work, float(work * self._work), workers * 6, workers // 20)
            )

    def snapshot(self) -> Snapshot:
        return Snapshot(self._tallies, self._accounts, self._pool, history=self._rings)

    def second(self, now_s: int) -> Snapshot:
        """What a second's shares change."""
        some = self._dice.sample(self.names, max(1, len(self.names) * SHARES_PER_MINUTE // 60))
        workers, accounts = {}, {}
        for account, worker in some:
            name = login(account, worker)
            workers[name] = self._tallies[name] = self._more(self._tallies[name], now_s)
            accounts[account] = self._accounts[account] = self._more(self._accounts[account], now_s)
            self._pool = self._more(self._pool, now_s)
        return Snapshot(workers, accounts, self._pool)

    def presence(self, now_ms: int) -> list[tuple[object, ...]]:
        """All but one in thirty."""
        return [
            (account, worker, f"192.0.2.{number % 250}", AGENTS[number // 40 % len(AGENTS)], _DIFFICULTY, now_ms)
            for number, (account, worker) in enumerate(self.names)
            if number % 30
        ]

    def _mined_a_day(self, now_s: int) -> Tally:
        begun = Hashrate(now_s - _DAY_SECONDS, now_s - self._dice.randrange(20))
        rate = 100e12 * self._dice.uniform(0.8, 1.2)
        sums = tuple(rate * window for window in (60, 300, 3600, 86400 * 0.63))
        squares = tuple(each * self._work for each in sums)
        counts = [0] * len(Outcome)
        counts[Outcome.ACCEPTED] = self._dice.randrange(8_000, 9_000)
        counts[Outcome.STALE] = self._dice.randrange(40)
        counts[Outcome.LOW_DIFFICULTY] = self._dice.randrange(3)
        return Tally(
            begun.first_s * 1000,
            begun.last_s * 1000,
            Hashrate(begun.first_s, begun.last_s, sums, squares),
            begun.last_s * 1000,
            tuple(counts),
            int(rate * _DAY_SECONDS),
            difficulty=_DIFFICULTY,
        )

    def _more(self, tally: Tally, now_s: int) -> Tally:
        share = Tally(
            now_s * 1000,
            now_s * 1000,
            Hashrate(now_s, now_s).add(now_s, self._work, self._work * self._work),
            now_s * 1000,
            tuple(int(outcome is Outcome.ACCEPTED) for outcome in Outcome),
            self._work,
            difficulty=_DIFFICULTY,
        )
        return tally.plus(share)


def _name(number: int) -> tuple[str, str]:
    site = SITES[number % len(SITES)]
    rack, place = divmod(number // len(SITES), _RACK)
    return ACCOUNTS[number % len(SITES) % len(ACCOUNTS)], f"{site}-r{rack + 1:02d}-{place + 1:04d}"


def main(url: str, workers: int) -> None:
    store = RedisStore(url)
    fleet = Fleet(workers, int(time.time()))
    seq = 1
    store.publish_tallies(_FRONTEND, fleet.snapshot(), seq, previous=None)
    _sign(store, fleet)
    print("filled", flush=True)
    while not select.select([sys.stdin], [], [], 1.0)[0]:
        store.publish_tallies(_FRONTEND, fleet.second(int(time.time())), seq + 1, previous=seq)
        seq += 1
        _sign(store, fleet)


def _sign(store: RedisStore, fleet: Fleet) -> None:
    now_ms = time.time_ns() // 1_000_000
    presence = fleet.presence(now_ms)
    stratum = {"sessions": len(presence), "counters": {}, "presence": presence, "candidates_pending": 0}
    work = {
        "node_reason": None,
        "candidates_pending": 0,
        "height": 961_632,
        "tip_hash_hex": "00" * 32,
        "job_id": "17a6d3f8c40",
        "template_ms": now_ms,
        "transactions": 2_481,
        "network_difficulty": 14_363_025_673_659.65,
    }
    store.publish_role("stratum", "0", stratum, _LIFE_SECONDS)
    store.publish_role("work", "0", work, _LIFE_SECONDS)
    store.publish_role("accounting", "0", {"lag_shares": 200}, _LIFE_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
