"""Operators' orders that came through the API, carried out at the desks where the commands are."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from payout.accounts import AccountRefused, AddressRefused
from payout.desk import DeskRefused
from payout.ledger import LedgerError
from payout.payment import StateChanged
from payout.payment_ports import WalletWaits
from payout.ports import LedgerUnavailable
from payout.treasury import ReserveRefused
from pool.config import Config
from pool.dashboard.access.orders import Order, OrderRefused
from pool.dashboard.ports import SourceUnavailable
from pool.dashboard.threads import InThread
from pool.fleet.facts import FleetRefused
from pool.fleet.move import MoveRefused
from pool.ports import NodeUnavailable, StoreUnavailable
from pool.roles.fleet_orders import FLEETS
from pool.roles.money_orders import MONEY
from pool.store.fleets import EntriesRefused

HANDLERS = {**MONEY, **FLEETS}

_WRONG_INPUT = (AddressRefused, EntriesRefused, FleetRefused)
_REFUSED = (AccountRefused, DeskRefused, LedgerError, MoveRefused, ReserveRefused, StateChanged)
_AWAY = (LedgerUnavailable, NodeUnavailable, StoreUnavailable, WalletWaits)


class OfficeOrders:
    """Satisfies pool.dashboard.access.orders.Orders."""

    def __init__(self, config: Config, in_thread: InThread) -> None:
        self._config = config
        self._in_thread = in_thread

    async def carry_out(self, order: Order) -> Any:
        """Away from the reactor: books, node and wallet may take their time."""
        answer: Awaitable[Any] = self._in_thread(lambda: HANDLERS[order.action](self._config, order))
        try:
            return await answer
        except _WRONG_INPUT as error:
            raise OrderRefused(str(error), is_input=True) from error
        except _REFUSED as error:
            raise OrderRefused(str(error)) from error
        except _AWAY as error:
            raise SourceUnavailable(str(error)) from error
