"""Which slice the shares of a login have: looked up once per login and change, an attribute's read per share."""

from __future__ import annotations

from typing import Protocol

from stratum.login import Login

NEVER_MS = 1 << 62


class Standing(Protocol):
    """What holds from a moment on. until_ms: when it changes."""

    until_ms: int

    def slice_of(self, account: str, worker: str) -> int | None:
        """The slice of a worker; None: none that anybody has named."""


class Table(Protocol):
    """All that is to come."""

    def at(self, time_ms: int) -> Standing:
        """What holds at a time."""


class Slices:
    """The table as it is now.

    turn: rises with each change, so that a login knows whether it was looked up since. until_ms: when the next is due.
    """

    __slots__ = ("_standing", "_table", "turn", "until_ms")

    def __init__(self) -> None:
        self.turn = 0
        self.until_ms = NEVER_MS
        self._table: Table | None = None
        self._standing: Standing | None = None

    def take(self, table: Table, time_ms: int) -> None:
        """Another table holds."""
        self._table = table
        self.change(time_ms)

    def change(self, time_ms: int) -> None:
        """What holds changes."""
        if self._table is not None:
            self._standing = self._table.at(time_ms)
            self.until_ms = self._standing.until_ms
        self.turn += 1

    def look_up(self, login: Login) -> None:
        """Tell a login its slice."""
        standing = self._standing
        login.slice_id = None if standing is None else standing.slice_of(login.account, login.worker)
        login.turn = self.turn
