"""Credentials and orders without a database: the rules are those of pool.access, only what keeps them is a list."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pool.access import credential, log
from pool.access.credential import Credential, Directory, Kind, Wish
from pool.access.log import Entry, Excerpt, Row, Sought
from pool.access.scope import AccessRefused
from pool.dashboard.access.orders import Order, Ordered, OrderRefused
from pool.dashboard.ports import SourceUnavailable
from pool.ports import Clock


class FakeCredentials:
    """Passwords are kept as they are; the log as it was said."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.rows: list[Credential] = []
        self.entries_kept: list[Entry] = []
        self.reason: str | None = None
        self.passwords_checked = 0

    def add(self, wished: Wish, secret: str) -> Credential:
        """Keep one; secret: as it is kept."""
        number = max((row.id for row in self.rows), default=0) + 1
        made = Credential(
            number,
            wished.kind,
            wished.name,
            wished.scope,
            wished.rights,
            secret,
            wished.parent,
            self._clock.time_ms(),
            wished.until_ms,
            "cli:root",
        )
        self.rows.append(made)
        return made

    def operator(self, name: str, password: str) -> None:
        """An operator with a password."""
        self.add(credential.operator(Kind.PASSWORD, name, None), password)

    def make(self, kind: str, name: str, scope: str = "pool", *rights: str, days: int | None = 7) -> str:
        """The secret of a new link, key or token."""
        secret = credential.new_secret(Kind(kind))
        self.add(credential.wish(kind, name, scope, rights, days, self._clock.time_ms()), credential.digest(secret))
        return secret

    def invite(self, name: str) -> str:
        """The secret of an invitation."""
        secret = credential.new_secret(Kind.INVITE)
        until_ms = self._clock.time_ms() + credential.INVITE_MS
        self.add(credential.operator(Kind.INVITE, name, until_ms), credential.digest(secret))
        return secret

    def said(self) -> list[tuple[str, str, str]]:
        """The log: who, what, with what result."""
        return [(each.who, each.action, each.result) for each in self.entries_kept]

    async def directory(self) -> Directory:
        self._reach()
        return Directory(self.rows)

    async def check_password(self, kept: str | None, password: str) -> bool:
        self.passwords_checked += 1
        return kept == password

    async def log_in(self, by: Credential, who: str, origin: str) -> str:
        self._reach()
        if by not in self.rows:
            raise AccessRefused("this is over")
        if by.kind is Kind.INVITE:
            self.rows.remove(by)
        secret = credential.new_secret(Kind.SESSION)
        self.add(credential.session(by, self._clock.time_ms()), credential.digest(secret))
        await self.record(who, "login", f"{by.id}", origin, "done")
        return secret

    async def issue(self, wished: Wish, who: str, origin: str) -> tuple[int, str]:
        self._reach()
        secret = credential.new_secret(wished.kind)
        made = self.add(wished, credential.digest(secret))
        await self.record(who, f"{wished.kind}.made", f"{made.id}", origin, "done")
        return made.id, secret

    async def revoke(self, number: int, who: str, origin: str) -> Credential:
        self._reach()
        found = next((row for row in self.rows if row.id == number), None)
        if found is None:
            raise AccessRefused(f"there is no credential {number} that holds")
        self.rows.remove(found)
        await self.record(who, f"{found.kind}.revoked", f"{number}", origin, "done")
        return found

    async def record(self, who: str, action: str, target: str, origin: str, result: str) -> None:
        self._reach()
        self.entries_kept.append(log.entry(self._clock.time_ms(), who, action, target, origin, result))

    async def entries(self, offset: int, count: int, sought: Sought) -> Excerpt:
        self._reach()
        rows = [Row(number + 1, said, "ab" * 32) for number, said in enumerate(self.entries_kept)]
        found = [row for row in reversed(rows) if _is_sought(row.entry, sought)]
        return Excerpt(tuple(found[offset : offset + count]), len(found), len(rows))

    def _reach(self) -> None:
        if self.reason is not None:
            raise SourceUnavailable(self.reason)


def _is_sought(said: Entry, sought: Sought) -> bool:
    texts = [text.casefold() for text in (said.who, said.action, said.target, said.origin, said.result)]
    result = said.result if said.result in ("done", "begun") else "refused"
    has_words = all(any(word.casefold() in text for text in texts) for word in sought.words)
    return has_words and sought.result in ("", result)


@dataclass
class FakeOrders:
    """Remembers what was ordered. refusal: what every order is told. reason: why nothing can be done. answers: by
    action; others are done."""

    given: list[Order] = field(default_factory=list)
    refusal: str | None = None
    is_input: bool = False
    reason: str | None = None
    answers: dict[str, Any] = field(default_factory=dict)

    async def carry_out(self, order: Order) -> Any:
        if self.reason is not None:
            raise SourceUnavailable(self.reason)
        if self.refusal is not None:
            raise OrderRefused(self.refusal, is_input=self.is_input)
        self.given.append(order)
        return self.answers.get(order.action, Ordered("it is done"))
