"""Who asks, found by what the request shows: a session's cookie or a token."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable

from msgspec import Struct
from twisted.internet.defer import Deferred

from pool import events
from pool.access.credential import Credential, Directory, Kind, Right, csrf_of, is_secret
from pool.access.scope import POOL, Scope
from pool.dashboard.access.ports import Credentials
from pool.dashboard.answers import Refusal
from pool.dashboard.asked import Asked
from pool.dashboard.ports import SourceUnavailable
from pool.ports import Clock

FRESH_SECONDS = 1.0
"""How long credentials are taken as read; so soon is a revoked one felt."""

_ROLE = {Kind.KEY: "owner", Kind.LINK: "watcher", Kind.TOKEN: "token"}


class Principal(Struct, frozen=True):
    """Somebody. scope: None for who has shown nothing. csrf: what a session's page must say with a change."""

    who: str
    role: str
    scope: Scope | None
    rights: frozenset[Right]
    credential: int | None = None
    until_ms: int | None = None
    csrf: str | None = None

    @property
    def is_operator(self) -> bool:
        return self.role == "operator"


NOBODY = Principal("nobody", "nobody", None, frozenset())


def cookie_name(*, is_admin: bool) -> str:
    """Cookies know no ports, so each listener has its own: an operator's never opens anything at the public one."""
    return "steppe_admin" if is_admin else "steppe_session"


class Recognizer:
    """Knows credentials as of a second ago, new ones at once, and as of the last reading while the database is away:
    nobody could revoke one meanwhile either."""

    def __init__(self, credentials: Credentials, clock: Clock) -> None:
        self._credentials = credentials
        self._clock = clock
        self._directory: Directory | None = None
        self._reason = ""
        self._read_at = float("-inf")
        self._changes = 0
        self._waiting: list[Deferred[None]] = []
        self._used_ms: dict[int, int] = {}

    def used_ms(self, credential: int) -> int | None:
        """When a request last came with it, or with a session that it made; None for not since this process started."""
        return self._used_ms.get(credential)

    def forget(self) -> None:
        """Read again before the next answer: something was changed."""
        self._read_at = float("-inf")
        self._changes += 1

    async def directory(self) -> Directory:
        """What holds; all who ask at once share one reading. Raises Refusal when it was never read."""
        if self._clock.monotonic() - self._read_at >= FRESH_SECONDS:
            waiter: Deferred[None] = Deferred()
            self._waiting.append(waiter)
            if len(self._waiting) == 1:
                Deferred.fromCoroutine(self._read())
            await waiter
        if self._directory is None:
            message = f"Who you are cannot be found out now. database: {self._reason}"
            raise Refusal(503, "unavailable", message, "Try again in a few seconds.")
        return self._directory

    async def directory_now(self) -> Directory:
        """Of a reading that begins after this is asked, for a secret that may have just been made. However many ask,
        one reading runs at a time, so that guessing secrets costs us no more than that."""
        self.forget()
        if self._waiting:
            await self.directory()
        return await self.directory()

    async def _read(self) -> None:
        changes, began_at = self._changes, self._clock.monotonic()
        try:
            self._directory = await self._credentials.directory()
            self._read_at = began_at if changes == self._changes else float("-inf")
            self._used_ms = {each: used for each, used in self._used_ms.items() if each in self._directory.rows}
        except SourceUnavailable as error:
            self._reason = str(error)
        except Exception as error:  # noqa: BLE001 - a bug: whoever waits must not wait for ever
            events.bug("credentials", error)
            self._directory, self._reason = None, "this is a bug of the pool; its log has the details"
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.callback(None)

    async def who(self, asked: Asked) -> Principal:
        """Raises Refusal for a token that does not hold; a cookie that does not hold is as none."""
        token = _bearer(asked)
        if token is not None:
            row = await self._find(token, lambda kind: kind is Kind.TOKEN)
            if row is None:
                raise Refusal(
                    401,
                    "bad_token",
                    "This token does not hold: it is unknown, was revoked, or has expired.",
                    "An operator makes another with `steppe access make token`.",
                    (("WWW-Authenticate", 'Bearer error="invalid_token"'),),
                )
            self._use(row)
            return _principal(row, None)
        secret = session_secret(asked)
        if secret is None:
            return NOBODY
        row = await self._find(secret, lambda kind: kind is Kind.SESSION)
        if row is None or (row.is_operator and not asked.is_admin):
            return NOBODY
        self._use(row)
        return _principal(row, csrf_of(secret), await self.directory())

    def _use(self, row: Credential) -> None:
        now_ms = self._clock.time_ms()
        self._used_ms[row.id] = now_ms
        if row.parent is not None:
            self._used_ms[row.parent] = now_ms

    async def _find(self, secret: str, takes: Callable[[Kind], bool]) -> Credential | None:
        if not is_secret(secret):
            return None
        row = (await self.directory()).find(secret, self._clock.time_ms())
        if row is None:
            row = (await self.directory_now()).find(secret, self._clock.time_ms())
        return row if row is not None and takes(row.kind) else None

    async def holds(self, credential: int) -> bool:
        """Whether a credential still does."""
        return (await self.directory()).holds(credential, self._clock.time_ms())


def session_secret(asked: Asked) -> str | None:
    """Of the cookie."""
    found = re.findall(
        rf"(?:^|;\s*){cookie_name(is_admin=asked.is_admin)}=([A-Za-z0-9_-]{{1,100}})(?=;|$)",
        asked.headers.get("cookie", ""),
    )
    return found[0] if len(found) == 1 else None


def check_change(asked: Asked, principal: Principal) -> None:
    """A change by a session must come from its own page. Raises Refusal."""
    check_origin(asked)
    if principal.csrf is not None and not hmac.compare_digest(
        principal.csrf.encode(), asked.headers.get("x-csrf-token", "").encode()
    ):
        raise Refusal(
            403,
            "bad_csrf_token",
            "The request does not carry the token of this session.",
            "Send what GET /api/v1/session says as `csrf` in the header X-CSRF-Token; reload the page.",
        )


def check_origin(asked: Asked) -> None:
    """Another site's page may not order anything. Raises Refusal."""
    origin = asked.headers.get("origin")
    is_cross = asked.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    if is_cross or (origin is not None and origin.partition("://")[2] != asked.headers.get("host")):
        raise Refusal(403, "other_site", "This request comes from another site.", "Use the pool's own page.")


def _bearer(asked: Asked) -> str | None:
    scheme, _, token = asked.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _principal(row: Credential, csrf: str | None, directory: Directory | None = None) -> Principal:
    maker = directory.rows.get(row.parent) if directory and row.parent is not None else row
    role = "operator" if row.is_operator else _ROLE.get(maker.kind if maker else row.kind, "watcher")
    return Principal(f"{role}:{row.name}", role, row.scope or POOL, row.rights, row.id, row.until_ms, csrf)
