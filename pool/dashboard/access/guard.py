"""The one way in: who asks, whether they may, and from which sources they are answered."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from typing import Protocol

import msgspec
from msgspec.structs import replace

from pool.access.credential import Right
from pool.access.scope import POOL, Scope
from pool.dashboard.access.login import SESSION, Doorkeeper, Login
from pool.dashboard.access.office import MakeCredential, Office
from pool.dashboard.access.operations import BRIEF_BYTES_MAX, LARGE_BYTES_MAX, Operation, Table
from pool.dashboard.access.ordering import Ordering, body
from pool.dashboard.access.principal import NOBODY, Principal, Recognizer, check_change
from pool.dashboard.answers import Answer, Refusal, encoded
from pool.dashboard.asked import Arguments, Asked
from pool.dashboard.health import Health
from pool.dashboard.ports import SourceUnavailable

SCOPES_MAX = 64
"""Views of parts of the pool that are kept ready; the oldest is made anew when it is asked for again."""

_NAMES = frozenset({"workers", "accounts", "payouts"})


class Source(Protocol):
    """Answers what is read."""

    async def answer(self, method: bytes, path: bytes, arguments: Arguments) -> Answer: ...


class Views(Protocol):
    """The sources, for who sees everything, for everybody, and for who sees a part."""

    @property
    def full(self) -> Source: ...
    @property
    def anonymous(self) -> Source: ...
    def scoped(self, scope: Scope) -> Source: ...


class Guard:
    """Every request passes here. A path that is no operation of the table is not there."""

    def __init__(
        self,
        table: Table,
        views: Views,
        public: Collection[str],
        recognizer: Recognizer,
        doorkeeper: Doorkeeper,
        office: Office,
        ordering: Ordering,
        document: Callable[[], Answer],
    ) -> None:
        self._table = table
        self._views = views
        self._public = frozenset(public)
        self._recognizer = recognizer
        self._doorkeeper = doorkeeper
        self._office = office
        self._ordering = ordering
        self._document = document
        self._scoped: dict[Scope, Source] = {}

    async def answer(self, asked: Asked) -> Answer:
        """Raises Refusal."""
        operation, names = self._table.find(asked.method, asked.path)
        if operation.is_admin and not asked.is_admin:
            raise Refusal(
                403,
                "operators_only",
                "This is for operators, at their own listener.",
                "Its address is web.admin_listen of the pool's configuration.",
            )
        if operation.path == "/healthz":
            return await self._read(self._views.full, asked)
        principal = await self._recognizer.who(asked)
        try:
            answer = await self._answer(operation, names, asked, principal)
        except SourceUnavailable as error:
            message = f"This cannot be answered now. database: {error}"
            raise Refusal(503, "unavailable", message, "Try again in a few seconds.") from error
        return self._marked(answer, operation, principal)

    async def body_bytes_max(self, asked: Asked) -> int:
        """How long a body whoever asks may send; what is asked need not be known yet. Raises Refusal."""
        principal = await self._recognizer.who(asked)
        may_order = asked.is_admin and principal.scope == POOL and principal.rights != {Right.READ}
        return LARGE_BYTES_MAX if may_order else BRIEF_BYTES_MAX

    async def admit(self, asked: Asked) -> tuple[Principal, Source]:
        """Who asks for a stream, and whose overview they get. Raises Refusal."""
        operation, _ = self._table.find(asked.method, asked.path)
        principal = await self._recognizer.who(asked)
        return principal, self._source(operation, asked, principal)

    async def still_holds(self, principal: Principal) -> bool:
        """Whether who was let in would be let in now."""
        if principal.credential is None:
            return True
        try:
            return await self._recognizer.holds(principal.credential)
        except Refusal:
            return True  # nobody can say; see Recognizer

    async def _answer(self, operation: Operation, names: tuple[str, ...], asked: Asked, principal: Principal) -> Answer:
        if operation.path == SESSION:
            return await self._session(asked, principal)
        if operation.path == "/api/v1/openapi.json":
            return self._document()
        if operation.part == "operators":
            self._check_operator(operation, asked, principal)
            if asked.method not in ("GET", "HEAD"):
                check_change(asked, principal)
            return await self._office_work(operation, names, asked, principal)
        if operation.path == "/readyz":
            return await self._readiness(asked, principal)
        return await self._read(self._source(operation, asked, principal), asked)

    async def _office_work(
        self, operation: Operation, names: tuple[str, ...], asked: Asked, principal: Principal
    ) -> Answer:
        is_read = operation.method == "GET"
        if operation.action:
            ask = self._ordering.look if is_read else self._ordering.order
            return await ask(operation, names, asked, principal)
        if is_read:
            return await (self._office.log(asked) if operation.path == "/api/v1/audit" else self._office.listed())
        if operation.method == "DELETE":
            return await self._office.revoke(asked, principal, names[0])
        return await self._office.make(asked, principal, body(asked, MakeCredential))

    async def _session(self, asked: Asked, principal: Principal) -> Answer:
        if asked.method == "POST":
            return await self._doorkeeper.log_in(asked, body(asked, Login))
        if asked.method == "DELETE":
            return await self._doorkeeper.log_out(asked, principal)
        return await self._doorkeeper.session(asked, principal)

    def _check_operator(self, operation: Operation, asked: Asked, principal: Principal) -> None:
        if principal is NOBODY:
            raise _login_required(asked)
        is_made_for_it = operation.action and principal.scope == POOL and operation.right in principal.rights
        if principal.is_operator or is_made_for_it:
            return
        raise Refusal(
            403, "not_allowed", f"{principal.who} may not do this.", "An operator may, or a token made for it."
        )

    def _source(self, operation: Operation, asked: Asked, principal: Principal) -> Source:
        scope = principal.scope
        is_public = operation.part in self._public or operation.part == "always"
        if scope == POOL or (asked.is_admin and operation.part == "metrics"):
            return self._views.full
        if scope is not None and operation.own:
            return self._of(scope)
        if is_public:
            return self._views.full if self._public & _NAMES else self._views.anonymous
        if scope is not None and operation.part == "overview" and operation.path != "/api/v1/history":
            return self._of(scope)
        if scope is not None:
            raise Refusal(
                403,
                "not_yours",
                f"{principal.who} sees {scope}, and this is about the whole pool.",
                "Ask for what is yours: /api/v1/workers, /api/v1/accounts/NAME.",
            )
        raise _login_required(asked)

    def _of(self, scope: Scope) -> Source:
        found = self._scoped.pop(scope, None) or self._views.scoped(scope)
        self._scoped[scope] = found
        while len(self._scoped) > SCOPES_MAX:
            del self._scoped[next(iter(self._scoped))]
        return found

    async def _readiness(self, asked: Asked, principal: Principal) -> Answer:
        """The verdict is everybody's: balancers ask for it. The reasons name hosts, paths and accounts."""
        answer = await self._read(self._views.full, asked)
        if asked.is_admin or principal.scope == POOL or "readiness" in self._public:
            return answer
        verdict = msgspec.json.decode(answer.body, type=Health)
        return encoded(replace(verdict, checks=()), status=answer.status)

    async def _read(self, source: Source, asked: Asked) -> Answer:
        return await source.answer(asked.method.encode(), asked.path.encode("ascii", "replace"), asked.arguments)

    def _marked(self, answer: Answer, operation: Operation, principal: Principal) -> Answer:
        """What is not for everybody stays in no cache, and its tag is of who asked."""
        headers = (*answer.headers, ("Vary", "Cookie, Authorization"))
        is_public = principal is NOBODY and (operation.part in self._public or operation.part == "always")
        if is_public and operation.path != SESSION:
            return replace(answer, headers=headers)
        tag = answer.etag
        if tag is not None:
            whose = hashlib.sha256(f"{principal.who} {principal.scope}".encode()).hexdigest()[:8]
            tag = f'{tag[:-1]}.{whose}"'
        return replace(answer, etag=tag, headers=(*headers, ("Cache-Control", "no-store")))


def _login_required(asked: Asked) -> Refusal:
    return Refusal(
        401,
        "login_required",
        "This needs a login.",
        "Log in on the page, or send a token as `Authorization: Bearer TOKEN`."
        + ("" if asked.is_admin else " Operators log in at their own address (web.admin_listen)."),
        (("WWW-Authenticate", "Bearer"),),
    )
