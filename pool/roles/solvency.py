"""The configured books against the configured wallet."""

from __future__ import annotations

import threading

from sqlalchemy import Engine

from payout import solvency
from payout.store.solvency import accounts_of
from payout.wallet import BitcoindWallet
from pool.config import Config
from pool.roles.clock import SystemClock
from pool.roles.payments import wallet_settings

FRESH_SECONDS = 30.0
"""How long a report is given again: anybody may ask for it over HTTP, and each costs the node some calls."""


class Solvency:
    """Reports, one at a time, from any thread."""

    def __init__(self, config: Config, engine: Engine) -> None:
        self._engine = engine
        self._wallet = BitcoindWallet(wallet_settings(config))
        self._clock = SystemClock()
        self._lock = threading.Lock()
        self._newest: tuple[float, solvency.Solvency] | None = None

    def report(self) -> solvency.Solvency:
        """The newest report, at most so old. Raises NodeUnavailable, WalletWaits, LedgerUnavailable."""
        with self._lock:
            now = self._clock.monotonic()
            if self._newest is None or now - self._newest[0] > FRESH_SECONDS:
                made = solvency.report(lambda: accounts_of(self._engine), self._wallet, self._clock.time_ms())
                self._newest = now, made
            return self._newest[1]

    def close(self) -> None:
        """Close the connection to the node."""
        self._wallet.close()
