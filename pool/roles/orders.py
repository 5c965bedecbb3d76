"""Operators' orders that came through the API, carried out at the counter and the dispatch, as the commands are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from payout.accounts import AccountRefused
from payout.desk import DeskRefused
from payout.ledger import LedgerError
from payout.payment import StateChanged
from payout.payment_ports import WalletWaits
from payout.ports import LedgerUnavailable
from pool.config import Config
from pool.dashboard.access.orders import FeeRate, MoveOrder, MoveVerb, Nothing, OrderRefused, PayoutVerb, Why
from pool.dashboard.ports import SourceUnavailable
from pool.dashboard.threads import InThread
from pool.fleet.move import MoveRefused, Step
from pool.ports import NodeUnavailable, StoreUnavailable
from pool.roles.counter import Counter, open_counter
from pool.roles.dispatch import open_dispatch

_STEPS: dict[MoveVerb, Step] = {
    "start": Step.START,
    "pause": Step.PAUSE,
    "resume": Step.RESUME,
    "rollback": Step.ROLL_BACK,
}


class OfficeOrders:
    """Satisfies pool.dashboard.access.orders.Orders."""

    def __init__(self, config: Config, in_thread: InThread) -> None:
        self._config = config
        self._in_thread = in_thread

    async def payouts(self, verb: PayoutVerb, payout_id: int, said: FeeRate | Why | Nothing) -> str:
        return await self._carry_out(lambda: self._at_the_counter(lambda counter: _pay(counter, verb, payout_id, said)))

    async def block(self, hash_hex: str, reason: str, *, is_held: bool) -> str:
        def hold(counter: Counter) -> str:
            counter.hold(hash_hex, reason, is_held=is_held)
            return f"block {hash_hex} is {'held' if is_held else 'let go'}"

        return await self._carry_out(lambda: self._at_the_counter(hold))

    async def move(self, name: str, verb: MoveVerb, said: MoveOrder, who: str) -> str:
        def step() -> str:
            with open_dispatch(self._config) as dispatch:
                after = dispatch.step(name, _STEPS[verb], who, said.reason, key=said.key)
            return f"move {name} is {after.state.value}"

        return await self._carry_out(step)

    def _at_the_counter(self, order: Callable[[Counter], str]) -> str:
        with open_counter(self._config) as counter:
            return order(counter)

    async def _carry_out(self, order: Callable[[], str]) -> str:
        answer: Awaitable[str] = self._in_thread(order)
        try:
            return await answer
        except (AccountRefused, DeskRefused, LedgerError, MoveRefused, StateChanged) as error:
            raise OrderRefused(str(error)) from error
        except (LedgerUnavailable, NodeUnavailable, StoreUnavailable, WalletWaits) as error:
            raise SourceUnavailable(str(error)) from error


def _pay(counter: Counter, verb: PayoutVerb, payout_id: int, said: FeeRate | Why | Nothing) -> str:
    if verb == "run":
        return counter.run().note
    if isinstance(said, Why):
        counter.switch(is_stopped=verb == "stop", reason=said.reason)
        return "payouts are stopped" if verb == "stop" else "payouts go on"
    if isinstance(said, FeeRate):
        draft = counter.bump if verb == "bump" else counter.cancel
        return draft(payout_id, said.fee_rate).note
    released = counter.release(payout_id)
    return f"payout {payout_id} is released: {released.total_sat} satoshi are available again"
