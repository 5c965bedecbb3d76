"""One process at a time: a lease in the books, whose fence every transaction of its holder names.

A process that was stopped and wakes up after another took over cannot commit: the lease is looked at inside the
transaction, under the lock of the one writer. The clock only decides when a lease may be taken, never who has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from payout.payment_ports import LeaseLost, Leases


class LeasedBooks(Protocol):
    """What a transaction needs to have."""

    @property
    def leases(self) -> Leases: ...


B = TypeVar("B", bound=LeasedBooks)
B_co = TypeVar("B_co", bound=LeasedBooks, covariant=True)


class LeasedStore(Protocol[B_co]):
    """The books, on disk. Every method raises payout.ports.LedgerUnavailable."""

    def write(self) -> AbstractContextManager[B_co]: ...
    def read(self) -> AbstractContextManager[B_co]: ...


class Term(Struct, frozen=True):
    """A lease by name: how long it lasts, and after how long its holder takes it again."""

    name: str
    lasts_ms: int
    renew_ms: int


class Lead(Generic[B]):
    """The lease of one process, and the books as its holder writes them."""

    def __init__(self, store: LeasedStore[B], term: Term, holder: str, is_dead: Callable[[str], bool]) -> None:
        """holder: this process, by name. is_dead: whether another holder has ended: its lease is free at once."""
        self._store = store
        self._term = term
        self._holder = holder
        self._is_dead = is_dead
        self._renew_ms = 0
        self.fence: int | None = None
        """The number of this holder's time; None while it is not the holder."""

    def take(self, now_ms: int) -> str | None:
        """Take or keep the lease; who has it instead, if somebody does."""
        if self.fence is not None and now_ms < self._renew_ms:
            return None
        name = self._term.name
        with self._store.write() as books:
            other = books.leases.holder(name) or self._holder
            dead = other if other != self._holder and self._is_dead(other) else None
            self.fence = books.leases.take(name, self._holder, now_ms, now_ms + self._term.lasts_ms, dead)
        self._renew_ms = now_ms + self._term.renew_ms
        return None if self.fence is not None else other

    def lose(self) -> None:
        """Somebody else has it: `LeaseLost` said so."""
        self.fence = None

    def give_back(self) -> None:
        """Let another process have it at once."""
        if self.fence is not None:
            with self._store.write() as books:
                books.leases.give_back(self._term.name, self.fence)
            self.fence = None

    @contextmanager
    def write(self) -> Iterator[B]:
        """A transaction of the holder. Raises LeaseLost, and then nothing of it is done."""
        with self._store.write() as books:
            if self.fence is None:
                raise LeaseLost(f"this process does not have the lease {self._term.name!r}")
            books.leases.check(self._term.name, self.fence)
            yield books

    def read(self) -> AbstractContextManager[B]:
        """The books as they were at one moment; nobody needs a lease for that."""
        return self._store.read()
