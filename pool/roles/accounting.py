"""The accounting role: shares from Redis into the ledger, blocks through their life. A plain loop, no reactor."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import partial

import msgspec

from payout.accounting import Accounting
from payout.accounts import Scheme
from payout.intake import Rules, Taken
from payout.ledger import LedgerError
from payout.ports import LedgerUnavailable
from payout.rewards import Startup
from payout.store.ledger import SqlLedger
from pool import events
from pool.bitcoin.amount import subsidy
from pool.bitcoin.network import NETWORKS
from pool.bitcoin.script import output_script
from pool.config import Config
from pool.node.chain import BitcoindChain
from pool.node.chains import SeveralChains
from pool.ports import NodeUnavailable, StoreUnavailable
from pool.roles.clock import SystemClock
from pool.roles.database import open_database
from pool.roles.heartbeat import LIFE_SECONDS
from pool.roles.payments import Payments
from pool.roles.redis_link import RedisShares, open_redis
from pool.roles.work import rpc_settings

FOLLOW_SECONDS = 0.5
BEAT_SECONDS = 1.0
# While a node that hangs is waited for, nothing else is done: less than `LIFE_SECONDS`, or the role would look dead.
NODE_SECONDS = 3.0
# Between two tries while the database or Redis is away.
RETRY_SECONDS = 1.0


def rules_of(config: Config) -> Rules:
    """How this pool pays, as configured."""
    network, options = NETWORKS[config.pool.chain], config.accounting
    return Rules(
        window_x=Fraction(options.pplns_window),
        startup=Startup(options.pplns_startup),
        default_scheme=Scheme(options.default_scheme),
        default_fee_bps=options.default_fee_bps,
        settle_period_ms=options.pps_period_seconds * 1000,
        pool_scripts=frozenset({output_script(config.pool.payout_address, network)}),
        subsidy_sat=partial(subsidy, halving_interval=network.halving_interval),
    )


class PaymentsFailed(Exception):
    """What cannot happen did, in the thread of the payments."""


class AccountingRole:
    """One writer of the ledger."""

    def __init__(self, config: Config) -> None:
        self._redis = open_redis(config)
        engine = open_database(config)
        self._ledger = SqlLedger(engine)
        self._shares = RedisShares(self._redis)
        self._clock = SystemClock()
        chains = [
            BitcoindChain(msgspec.structs.replace(settings, timeout_seconds=NODE_SECONDS))
            for settings in rpc_settings(config)
        ]
        self._accounting = Accounting(self._ledger, SeveralChains(chains, self._clock), rules_of(config))
        self._troubles: dict[str, str] = {}
        self._follow_at = 0.0
        self._beat_at = 0.0
        self._lag_shares: int | None = None
        self._payments = Payments(config, engine) if config.payouts.enabled else None

    def run(self, stop: Callable[[], bool]) -> None:
        """Work until `stop()`. Raises LedgerError when a person must look: mining goes on, money waits."""
        events.role_started("accounting", os.getpid())
        if self._payments is not None:
            self._payments.start()
        try:
            while not stop():
                self._step()
        except LedgerError as error:
            with self._ledger.write() as books:
                books.payouts.set_switch(is_stopped=True, reason=str(error), time_ms=self._clock.time_ms())
            raise
        finally:
            if self._payments is not None:
                self._payments.stop()
        events.role_stopping("accounting", "told to")

    def _step(self) -> None:
        if self._payments is not None and self._payments.has_failed:
            raise PaymentsFailed("payments have ended, so the role is started anew")
        now = time.monotonic()
        if now >= self._beat_at:
            self._beat_at = now + BEAT_SECONDS
            self._attempt("redis", self._beat)
        if now >= self._follow_at:
            self._follow_at = now + FOLLOW_SECONDS
            self._attempt("node", self._follow)
        if not self._attempt("shares", self._take):
            time.sleep(RETRY_SECONDS)

    def _attempt(self, what: str, work: Callable[[], None]) -> bool:
        """Do it; what the world refuses is said once, and once more when it is over."""
        try:
            work()
        except (StoreUnavailable, LedgerUnavailable, NodeUnavailable) as error:
            if self._troubles.get(what) != str(error):
                self._troubles[what] = str(error)
                events.accounting_waits(what, str(error))
            return False
        if self._troubles.pop(what, None) is not None:
            events.accounting_goes_on(what)
        return True

    def _take(self) -> None:
        """Whatever shares there are; waits a moment for some."""
        _tell_blocks(self._accounting.drain(self._shares))

    def _follow(self) -> None:
        for step in self._accounting.follow(self._clock.time_ms()):
            events.block_state_changed(
                step.after.height, step.after.hash_hex, step.before.state.value, step.after.state.value
            )

    def _beat(self) -> None:
        with self._ledger.read() as books:
            high_waters = books.shares.high_waters()
        self._redis.publish_hwm(high_waters)
        self._redis.publish_role(
            "accounting", "0", {"lag_shares": self._redis.backlog(high_waters)}, ttl_seconds=LIFE_SECONDS
        )


def run(config: Config, stop: Callable[[], bool]) -> int:
    """Run the role until `stop()`; returns the exit code of the process."""
    try:
        AccountingRole(config).run(stop)
    except LedgerError as error:
        events.ledger_stopped(str(error))
        return 1
    except LedgerUnavailable as error:
        events.accounting_waits("database", str(error))
        return 1
    except PaymentsFailed as error:
        events.accounting_waits("payments", str(error))
        return 1
    return 0


def _tell_blocks(taken: Iterable[Taken]) -> None:
    for batch in taken:
        if batch.gap:
            events.share_gap(batch.frontend, batch.high_water)
        for block in batch.blocks:
            events.block_recorded(block.height, block.block_hash[::-1].hex(), block.finder, block.worker)
