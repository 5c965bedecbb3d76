"""What may follow what in a session, as a table."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

from stratum.errors import NotSubscribed, StratumError, Unauthorized


class State(enum.Enum):
    """What a session has done. Either of subscribe and authorize may come first."""

    NEW = enum.auto()
    SUBSCRIBED = enum.auto()
    AUTHORIZED = enum.auto()
    READY = enum.auto()
    CLOSED = enum.auto()


_ALWAYS: Final[Mapping[str, type[StratumError] | None]] = dict.fromkeys(
    (
        "mining.authorize",
        "mining.configure",
        "mining.extranonce.subscribe",
        "mining.get_transactions",
        "mining.ping",
        "mining.subscribe",
        "mining.suggest_difficulty",
        "mining.suggest_target",
        # esp-miner answers a ping with a request of this name and waits for nothing.
        "pong",
    )
)

MAY_FOLLOW: Final[Mapping[State, Mapping[str, type[StratumError] | None]]] = {
    State.NEW: {**_ALWAYS, "mining.submit": NotSubscribed},
    State.SUBSCRIBED: {**_ALWAYS, "mining.submit": Unauthorized},
    State.AUTHORIZED: {**_ALWAYS, "mining.submit": NotSubscribed},
    State.READY: {**_ALWAYS, "mining.submit": None},
    State.CLOSED: {},
}
"""What may follow what: None, or the error that answers. A method that is not named is unknown."""

AFTER_SUBSCRIBE: Final = {State.NEW: State.SUBSCRIBED, State.AUTHORIZED: State.READY}
AFTER_AUTHORIZE: Final = {State.NEW: State.AUTHORIZED, State.SUBSCRIBED: State.READY}
"""The next state; a state that is not named stays: a second subscribe or authorize is no step."""
