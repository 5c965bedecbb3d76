"""Coming in and going out."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from msgspec import Meta, Struct
from twisted.internet.defer import DeferredSemaphore

from pool.access.credential import SESSION_MS, Credential, Directory, Kind, csrf_of, is_secret
from pool.access.lockout import Lockout
from pool.access.scope import AccessRefused
from pool.dashboard.access.operations import Operation
from pool.dashboard.access.ports import Credentials
from pool.dashboard.access.principal import (
    NOBODY,
    Principal,
    Recognizer,
    check_change,
    check_origin,
    cookie_name,
    session_secret,
)
from pool.dashboard.answers import Answer, Refusal, encoded
from pool.dashboard.asked import Asked
from pool.ports import Clock

_HASHING_MAX = 2
_WAITING_MAX = 8
"""Passwords hashed at once, of 64 MiB each, and how many more wait: whoever comes then is asked to come again."""


class Login(Struct, frozen=True, forbid_unknown_fields=True):
    """name: an operator's or an account's; empty with a link. secret: the password, the key, or what ends the link."""

    secret: Annotated[str, Meta(min_length=1, max_length=1024)]
    name: Annotated[str, Meta(max_length=64)] = ""


class SessionAnswer(Struct, frozen=True):
    """Who asks. role: nobody, watcher, owner, operator or token. scope: what is seen: pool, account:NAME, site:NAME or
    fleet:NAME; null for nobody. csrf: what the header X-CSRF-Token of a change must say. public: what everybody sees.
    is_admin: whether this is the operators' listener. needs_setup: whether no operator has a password yet."""

    who: str
    role: str
    scope: str | None
    rights: tuple[str, ...]
    csrf: str | None
    until_ms: int | None
    public: tuple[str, ...]
    is_admin: bool
    needs_setup: bool


SESSION = "/api/v1/session"
SESSIONS = (
    Operation("GET", SESSION, "always", "Who asks, and what they may see.", SessionAnswer, refusals=(401, 503)),
    Operation(
        "POST",
        SESSION,
        "always",
        "Log in: sets the session's cookie.",
        SessionAnswer,
        body=Login,
        refusals=(400, 401, 403, 415, 429, 503),
    ),
    Operation("DELETE", SESSION, "always", "Log out.", SessionAnswer, refusals=(403, 503)),
)


class Doorkeeper:
    """Lets in who shows the right thing. public: the parts that everybody sees."""

    def __init__(self, credentials: Credentials, recognizer: Recognizer, clock: Clock, public: tuple[str, ...]) -> None:
        self._credentials = credentials
        self._recognizer = recognizer
        self._clock = clock
        self._public = public
        self._lockout = Lockout()
        self._hashing = DeferredSemaphore(_HASHING_MAX)

    async def session(self, asked: Asked, principal: Principal) -> Answer:
        """Who asks."""
        needs_setup = asked.is_admin and not (await self._recognizer.directory()).has_operator
        return encoded(
            SessionAnswer(
                principal.who,
                principal.role,
                None if principal.scope is None else str(principal.scope),
                tuple(sorted(principal.rights)),
                principal.csrf,
                principal.until_ms,
                self._public,
                asked.is_admin,
                needs_setup,
            )
        )

    async def log_in(self, asked: Asked, said: Login) -> Answer:
        """Raises Refusal."""
        check_origin(asked)
        now = self._clock.monotonic()
        directory = await self._recognizer.directory_now()  # a link may have been made this second
        name = "" if is_secret(said.secret) else said.name
        wait = self._lockout.wait_seconds(asked.address, name, now)
        if wait > 0:
            raise _locked(wait)
        if len(self._hashing.waiting) >= _WAITING_MAX:
            raise Refusal(503, "busy", "Too many log in at once.", "Try again.", (("Retry-After", "5"),))
        # Counted before it is known: else many tries at once would all be free.
        is_locked = self._lockout.failed(asked.address, name, now)
        found = await self._look_up(asked, said, directory)
        if found is None:
            known = _known_name(directory, said.name)
            await self._credentials.record(known, "login.failed", "", asked.address, "wrong name or secret")
            if is_locked:
                wait = self._lockout.wait_seconds(asked.address, name, now)
                await self._credentials.record(known, "login.locked", "", asked.address, f"for {wait:.0f} s")
            raise _wrong(asked)
        role = "operator" if found.is_operator else {Kind.KEY: "owner", Kind.LINK: "watcher"}[found.kind]
        try:
            secret = await self._credentials.log_in(found, f"{role}:{found.name}", asked.address)
        except AccessRefused as error:
            raise Refusal(401, "over", f"{error}.", "Ask the operator for another.") from error
        self._lockout.succeeded(asked.address, name)
        self._recognizer.forget()
        principal = Principal(
            f"{role}:{found.name}", role, found.scope, found.rights, None, found.until_ms, csrf_of(secret)
        )
        seconds = SESSION_MS[found.kind] // 1000
        return _with_cookie(await self.session(asked, principal), asked, secret, seconds)

    async def log_out(self, asked: Asked, principal: Principal) -> Answer:
        """The session is over, also for whoever has a copy of its cookie."""
        if session_secret(asked) is not None and principal.csrf is not None and principal.credential is not None:
            check_change(asked, principal)
            with suppress(AccessRefused):  # over already
                await self._credentials.revoke(principal.credential, principal.who, asked.address)
            self._recognizer.forget()
        return _with_cookie(await self.session(asked, NOBODY), asked, "", 0)

    async def _look_up(self, asked: Asked, said: Login, directory: Directory) -> Credential | None:
        if is_secret(said.secret):
            row = directory.find(said.secret, self._clock.time_ms())
            if row is None or row.kind not in SESSION_MS:
                return None
            if row.kind is Kind.INVITE and not asked.is_admin:
                return None
            return row if not said.name or said.name == row.name else None
        if not asked.is_admin:
            return None
        row = directory.password(said.name)
        kept = None if row is None else row.secret
        await self._hashing.acquire()
        try:
            is_right = await self._credentials.check_password(kept, said.secret)
        finally:
            self._hashing.release()
        return row if is_right else None


def _locked(wait: float) -> Refusal:
    seconds = int(wait) + 1
    return Refusal(
        429,
        "locked_out",
        f"Too many wrong attempts: this is locked for {seconds} seconds.",
        "Wait, then try again. Operators get in at once with `steppe operator link` on the pool's machine.",
        (("Retry-After", str(seconds)),),
    )


def _wrong(asked: Asked) -> Refusal:
    hint = (
        "`steppe operator password` sets an operator's password anew."
        if asked.is_admin
        else "Accounts and links log in here; operators at their own address (web.admin_listen)."
    )
    return Refusal(401, "wrong_login", "Name or secret is wrong, or it is over.", hint)


def _known_name(directory: Directory, name: str) -> str:
    """For the log: a name that exists. Anything else may be a password in the wrong field."""
    if any(row.name == name and row.kind in (Kind.PASSWORD, Kind.KEY) for row in directory.rows.values()):
        return f"as:{name}"
    return "nobody"


def _with_cookie(answer: Answer, asked: Asked, secret: str, seconds: int) -> Answer:
    flags = "; Secure" if asked.is_secure else ""
    cookie = f"{cookie_name(is_admin=asked.is_admin)}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict"
    return Answer(answer.status, answer.content_type, answer.body, None, (("Set-Cookie", cookie + flags),))
