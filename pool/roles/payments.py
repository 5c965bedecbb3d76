"""Payments, in a thread of the accounting role: a wallet may take its time without keeping shares waiting.

Why a thread: docs/decisions/0060-payments-in-a-thread-of-the-accounting-role.md.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from msgspec.structs import replace
from sqlalchemy import Engine

from payout.advance import Moved, Settings
from payout.checks import FeeCaps
from payout.outputs import VBYTES_PER_KVB
from payout.payer import Payer, Stopped, Told
from payout.payment_ports import WalletWaits
from payout.planning import Policy
from payout.ports import LedgerUnavailable
from payout.store.ledger import SqlLedger
from payout.wallet import BitcoindWallet
from pool import events, payout_events
from pool.bitcoin.network import NETWORKS
from pool.bitcoin.script import output_script
from pool.config import Config
from pool.failpoints import hit
from pool.node.rpc import RpcSettings
from pool.ports import Clock, NodeUnavailable
from pool.roles.clock import SystemClock
from pool.roles.processes import has_ended, this_process
from pool.roles.work import rpc_settings

TICK_SECONDS = 0.5
# Watching what is on its way may take this part of one core at most.
BUSY_PART = 10
STOP_SECONDS = 10.0


def settings_of(config: Config) -> Settings:
    """How this pool pays, as configured."""
    options, network = config.payouts, NETWORKS[config.pool.chain]
    return Settings(
        policy=Policy(options.threshold_sat, options.outputs_max, lambda address: output_script(address, network)),
        caps=FeeCaps(options.fee_rate_max * VBYTES_PER_KVB, options.fee_max_sat),
        target_blocks=options.fee_target_blocks,
        fee_rate_fallback_sat_kvb=options.fee_rate_fallback * VBYTES_PER_KVB,
        signs=options.signer == "wallet",
        hour_utc=None if options.hour_utc < 0 else options.hour_utc,
    )


def wallet_settings(config: Config) -> RpcSettings:
    """How to reach the wallet: at the first node."""
    return replace(rpc_settings(config)[0], wallet=config.payouts.wallet)


class Payments:
    """The payer with its wallet, as a loop."""

    def __init__(self, config: Config, engine: Engine, clock: Clock | None = None) -> None:
        self._wallet = BitcoindWallet(wallet_settings(config))
        self._payer = Payer(SqlLedger(engine), self._wallet, settings_of(config), this_process(), has_ended, hit)
        self._clock = clock or SystemClock()
        self._troubles: dict[str, str] = {}
        self._must_end = threading.Event()
        self.has_failed = False
        self._thread = threading.Thread(target=self._run, name="payments", daemon=True)

    def start(self) -> None:
        """Begin in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End it: a call of the wallet is broken off, which at any point is as good as at another."""
        self._must_end.set()
        self._wallet.interrupt()
        self._thread.join(STOP_SECONDS)

    def run(self, stop: Callable[[], bool]) -> None:
        """Pay until `stop()`."""
        while not stop():
            began = time.monotonic()
            if not self.tick():
                self._must_end.wait(max(TICK_SECONDS, BUSY_PART * (time.monotonic() - began)))
        try:
            self._payer.leave()
        except LedgerUnavailable:
            return  # the lease runs out by itself
        finally:
            self._wallet.close()

    def tick(self) -> bool:
        """One step of everything; whether there was one to take."""
        moved, waiting = False, dict[str, str]()
        try:
            for told in self._payer.tick(self._clock.time_ms()):
                moved |= isinstance(told, Moved)
                self._tell(told, waiting)
        except NodeUnavailable as error:
            waiting["node"] = str(error)
        except WalletWaits as error:
            waiting["wallet"] = str(error)
        except LedgerUnavailable as error:
            waiting["database"] = str(error)
        self._tell_waiting(waiting)
        return moved

    def _tell_waiting(self, waiting: dict[str, str]) -> None:
        """What cannot go on is said once, and once more when it is over."""
        for what, text in waiting.items():
            if self._troubles.get(what) != text:
                self._troubles[what] = text
                payout_events.payouts_wait(what, text)
        if not waiting.keys() & {"node", "wallet", "database"}:  # else the tick was broken off before the rest
            for what in self._troubles.keys() - waiting.keys():
                del self._troubles[what]
                payout_events.payouts_go_on(what)

    def _run(self) -> None:
        try:
            self.run(self._must_end.is_set)
        except Exception as error:  # noqa: BLE001 - a thread has nobody above it who would say so
            events.bug("payments", error)
            self.has_failed = True

    def _tell(self, told: Told, waiting: dict[str, str]) -> None:
        match told:
            case Moved(before=before, after=after, attempt=attempt):
                payout_events.payout_changed(
                    after.id,
                    before.value if before else None,
                    after.state.value,
                    after.total_sat,
                    attempt.txid_hex if attempt else None,
                    attempt.fee_sat if attempt else None,
                )
            case Stopped(reason=reason):
                payout_events.payouts_stopped(reason)
            case _:
                waiting[told.what] = told.text
