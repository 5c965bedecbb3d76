"""The accounting role: shares from Redis into the ledger, blocks through their life. A plain loop, no reactor."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from fractions import Fraction
from functools import partial

import msgspec

from payout.accounting import Accounting
from payout.accounts import Scheme
from payout.fee_days import day_name
from payout.intake import Rules, Taken
from payout.invariants import MENDS, STRAYS
from payout.lead import Lead, Term
from payout.ledger import LedgerError
from payout.payment_ports import LeaseLost
from payout.ports import LedgerUnavailable
from payout.pps import fee_rate_of
from payout.reserve import Level, Policy, Standing
from payout.rewards import Startup
from payout.store.ledger import SqlBooks, SqlLedger
from payout.treasury import Terms
from pool import events, payout_events
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
from pool.roles.lookout import open_lookout
from pool.roles.mover import open_mover
from pool.roles.payments import Payments
from pool.roles.processes import has_ended, this_process
from pool.roles.redis_link import RedisShares, open_redis
from pool.roles.watching import Watching
from pool.roles.work import rpc_settings

FOLLOW_SECONDS = 0.5
BEAT_SECONDS = 1.0
# While a node that hangs is waited for, nothing else is done: less than `LIFE_SECONDS`, or the role would look dead.
NODE_SECONDS = 3.0
# A share is worth a few satoshis, so a reserve is not used up in seconds; a look sums what came since the last.
RESERVE_SECONDS = 5.0
# Between two tries while the database or Redis is away.
RETRY_SECONDS = 1.0
# With more than this not in the books, a block in the chain that they do not know may well be among it.
LAG_SHARES = 50_000
TERM = Term("accounting", lasts_ms=30_000, renew_ms=5_000)
"""Longer than a transaction takes. What ends on this machine frees its lease at once."""


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
        fee_hold_sat=options.fee_hold_sat,
        reserve=Policy(options.pps_losses_bps, options.pps_floor_sat),
    )


def terms_of(config: Config) -> Terms:
    """What the reserve of pay per share is judged by, as configured."""
    rules = rules_of(config)
    return Terms(rules.reserve, rules.subsidy_sat)


class ThreadFailed(Exception):
    """What cannot happen did, in the thread of the payments or of the watch."""


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
        self._lead: Lead[SqlBooks] = Lead(self._ledger, TERM, this_process(), has_ended)
        several = SeveralChains(chains, self._clock)
        self._accounting = Accounting(self._lead, several, rules_of(config), several)
        self._standing: Standing | None = None
        self._reserve_at = 0.0
        self._troubles: dict[str, str] = {}
        self._follow_at = 0.0
        self._beat_at = 0.0
        self._lag_shares: int | None = None
        self._watching = Watching(engine)
        self._payments = Payments(config, engine) if config.payouts.enabled else None
        self._mover = open_mover(config, engine)
        self._lookout = open_lookout(config, engine)

    def run(self, stop: Callable[[], bool]) -> None:
        """Work until `stop()`. Raises LedgerError when a person must look: mining goes on, money waits."""
        events.role_started("accounting", os.getpid())
        self._watching.start()
        if self._payments is not None:
            self._payments.start()
        self._mover.start()
        self._lookout.start()
        try:
            while not stop():
                self._step()
        except LedgerError as error:
            # If the books cannot be written either, the payer stops by itself: it looks before each step.
            with suppress(LedgerUnavailable), self._ledger.write() as books:
                books.payouts.set_switch(is_stopped=True, reason=str(error), time_ms=self._clock.time_ms())
            raise
        finally:
            self._lookout.stop()
            self._mover.stop()
            if self._payments is not None:
                self._payments.stop()
            self._watching.stop()
        with suppress(LedgerUnavailable):  # else it runs out by itself
            self._lead.give_back()
        events.role_stopping("accounting", "told to")

    def _step(self) -> None:
        if self._watching.has_failed or (self._payments is not None and self._payments.has_failed):
            raise ThreadFailed("the watch or the payments have ended, so the role is started anew")
        if not self._attempt("lease", self._take_lead):
            time.sleep(RETRY_SECONDS)
            return
        now = time.monotonic()
        if now >= self._beat_at:
            self._beat_at = now + BEAT_SECONDS
            self._attempt("redis", self._beat)
        if now >= self._follow_at:
            self._follow_at = now + FOLLOW_SECONDS
            self._attempt("node", self._follow)
        if now >= self._reserve_at:
            self._reserve_at = now + RESERVE_SECONDS
            self._attempt("database", self._watch_reserve)
        if not self._attempt("shares", self._take):
            time.sleep(RETRY_SECONDS)

    def _attempt(self, what: str, work: Callable[[], None]) -> bool:
        """Do it; what the world refuses is said once, and once more when it is over."""
        try:
            work()
        except (StoreUnavailable, LedgerUnavailable, NodeUnavailable, LeaseLost) as error:
            if isinstance(error, LeaseLost):
                self._lead.lose()
            if self._troubles.get(what) != str(error):
                self._troubles[what] = str(error)
                events.accounting_waits(what, str(error))
            return False
        if self._troubles.pop(what, None) is not None:
            events.accounting_goes_on(what)
        return True

    def _take_lead(self) -> None:
        """Be the one who writes the books. Raises LeaseLost while another process is."""
        if (other := self._lead.take(self._clock.time_ms())) is not None:
            raise LeaseLost(f"{other} keeps the books; this process takes over when that one ends")

    def _take(self) -> None:
        """Whatever shares there are; waits a moment for some."""
        _tell_blocks(self._accounting.drain(self._shares))

    def _follow(self) -> None:
        follow_chain(self._accounting, self._clock.time_ms())
        is_behind = self._lag_shares is None or self._lag_shares > LAG_SHARES
        for stray in self._accounting.scan(self._clock.time_ms(), is_behind=is_behind):
            payout_events.stray_block(stray.height, stray.hash_hex, stray.paid_sat, MENDS[STRAYS])

    def _watch_reserve(self) -> None:
        before, (self._standing, decided) = self._standing, self._accounting.watch_reserve(self._clock.time_ms())
        if decided is not None:
            payout_events.pps_stopped(decided.from_height, decided.reason)
        if self._standing.level is not (Level.UNUSED if before is None else before.level):
            tell_level(self._standing)

    def _beat(self) -> None:
        with self._ledger.read() as books:
            high_waters = books.shares.high_waters()
        self._redis.publish_hwm(high_waters)
        self._lag_shares = self._redis.backlog(high_waters)
        sign = {
            "lag_shares": self._lag_shares,
            "reserve": reserve_sign(self._standing),
            "moves": self._mover.sign,
            "alarms": self._lookout.sign(),
            **self._watching.sign(),
        }
        self._redis.publish_role("accounting", "0", sign, ttl_seconds=LIFE_SECONDS)


def follow_chain(accounting: Accounting, time_ms: int) -> None:
    """Take the steps that the chain decides now, of blocks and of days, and tell them. Raises as these do."""
    for step in accounting.follow(time_ms):
        events.block_state_changed(
            step.after.height, step.after.hash_hex, step.before.state.value, step.after.state.value
        )
        if step.held is not None:
            payout_events.block_held(step.after.height, step.after.hash_hex, step.held)
    if (settled := accounting.settle_day()) is not None:
        rate = fee_rate_of(settled.day.blocks)
        day = day_name(settled.day.day_ms)
        payout_events.fee_day_settled(day, len(settled.day.blocks), rate.fees_sat, rate.subsidy_sat, settled.accounts)


def tell_level(found: Standing) -> None:
    """Say that the reserve stands otherwise than before."""
    if found.level in (Level.FUNDED, Level.UNUSED):
        payout_events.reserve_well(found.level.value, found.held_sat)
        return
    payout_events.reserve_low(
        found.level.value, found.held_sat, found.alarm_sat, found.close_sat, found.floor_sat, found.margin_bps
    )


def reserve_sign(found: Standing | None) -> dict[str, object] | None:
    """The reserve in the role's sign of life; None before the first look."""
    if found is None:
        return None
    return {
        "level": found.level.value,
        "held_sat": found.held_sat,
        "alarm_sat": found.alarm_sat,
        "close_sat": found.close_sat,
        "floor_sat": found.floor_sat,
    }


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
    except ThreadFailed as error:
        events.accounting_waits("threads", str(error))
        return 1
    return 0


def _tell_blocks(taken: Iterable[Taken]) -> None:
    for batch in taken:
        if batch.gap:
            events.share_gap(batch.frontend, batch.high_water)
        for block in batch.blocks:
            events.block_recorded(block.height, block.block_hash[::-1].hex(), block.finder, block.worker)
