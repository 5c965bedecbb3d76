"""Credentials: what opens the page and the API, for whom, how far and how long. Their secrets are kept as hashes only,
and shown once, when they are made."""

from __future__ import annotations

import enum
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping

from msgspec import Struct

from pool.access.scope import POOL, AccessRefused, Scope, parse_scope

DAY_MS = 86_400_000
MINUTE_MS = 60_000

INVITE_MS = 15 * MINUTE_MS
"""How long an operator has to follow the link that a command of the pool's own machine printed."""

DAYS_MAX = 3660


class Kind(enum.StrEnum):
    """password: an operator's, hashed by argon2. invite: a link by which an operator comes in once. key: an account
    owner's. link: a watcher's. token: a program's. session: a browser's, made by one of the others."""

    PASSWORD = "password"  # noqa: S105 - a word, no secret
    INVITE = "invite"
    KEY = "key"
    LINK = "link"
    TOKEN = "token"  # noqa: S105 - a word, no secret
    SESSION = "session"


class Right(enum.StrEnum):
    """What a token may do. read: ask. payouts: what operators do about payments, blocks, accounts and the reserve.
    moves: about moves and fleets."""

    READ = "read"
    PAYOUTS = "payouts"
    MOVES = "moves"


EVERY_RIGHT = frozenset(Right)
_READ_ONLY = frozenset({Right.READ})

SESSION_MS = {Kind.PASSWORD: DAY_MS // 2, Kind.INVITE: DAY_MS // 2, Kind.KEY: 30 * DAY_MS, Kind.LINK: 30 * DAY_MS}
"""How long a browser stays in: an operator for a shift."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_PREFIX = {
    Kind.INVITE: "steppe-invite-",
    Kind.KEY: "steppe-key-",
    Kind.LINK: "steppe-watch-",
    Kind.TOKEN: "steppe-token-",
    Kind.SESSION: "steppe-session-",
}
_SECRET = re.compile(r"steppe-(invite|key|watch|token|session)-[A-Za-z0-9_-]{43}", re.ASCII)


class Credential(Struct, frozen=True):
    """One that is kept. secret: the hash. parent: of a session, whose end is its end. until_ms: None for no end."""

    id: int
    kind: Kind
    name: str
    scope: Scope
    rights: frozenset[Right]
    secret: str
    parent: int | None
    created_ms: int
    until_ms: int | None
    made_by: str

    @property
    def is_operator(self) -> bool:
        """Whether its holder is an operator, who sees and may do everything."""
        return self.kind in (Kind.PASSWORD, Kind.INVITE) or (self.kind is Kind.SESSION and Right.PAYOUTS in self.rights)


class Wish(Struct, frozen=True):
    """A credential that is to be made."""

    kind: Kind
    name: str
    scope: Scope
    rights: frozenset[Right]
    until_ms: int | None
    parent: int | None = None


def wish(kind: str, name: str, scope: str, rights: Iterable[str], days: int | None, now_ms: int) -> Wish:
    """A watcher's link, an owner's key or a program's token as somebody asks for it. Raises AccessRefused."""
    if kind not in (Kind.LINK, Kind.KEY, Kind.TOKEN):
        raise AccessRefused(f"{kind!r} cannot be made: write link, key or token")
    seen = parse_scope(scope)
    if not _NAME.fullmatch(name):
        raise AccessRefused(f"name {name[:80]!r}: 1 to 64 letters, digits, _ . and -, the first a letter or digit")
    if days is not None and not 1 <= days <= DAYS_MAX:
        raise AccessRefused(f"days: {days} is not between 1 and {DAYS_MAX}")
    if kind == Kind.KEY and (seen.kind != "account" or name != seen.name):
        raise AccessRefused("a key is of an account and has its name: scope account:NAME")
    if kind == Kind.LINK and days is None:
        raise AccessRefused("a link that is passed on ends some day: say after how many days")
    return Wish(Kind(kind), name, seen, _rights(kind, rights, seen), None if days is None else now_ms + days * DAY_MS)


def _rights(kind: str, asked: Iterable[str], scope: Scope) -> frozenset[Right]:
    try:
        rights = frozenset(map(Right, asked)) | _READ_ONLY
    except ValueError as error:
        raise AccessRefused(f"{error}: rights are {', '.join(Right)}") from error
    if rights != _READ_ONLY and kind != Kind.TOKEN:
        raise AccessRefused("a link or a key only reads; a token may do more")
    if rights != _READ_ONLY and scope != POOL:
        raise AccessRefused("payouts and moves are the pool's: a token that acts has scope pool")
    return rights


def operator(kind: Kind, name: str, until_ms: int | None) -> Wish:
    """A password or an invitation of an operator. Raises AccessRefused."""
    if not _NAME.fullmatch(name):
        raise AccessRefused(f"name {name[:80]!r}: 1 to 64 letters, digits, _ . and -, the first a letter or digit")
    return Wish(kind, name, POOL, EVERY_RIGHT, until_ms)


def session(of: Credential, now_ms: int) -> Wish:
    """What a browser that showed a credential gets."""
    until_ms = now_ms + SESSION_MS[of.kind]
    if of.until_ms is not None and of.kind is not Kind.INVITE:
        until_ms = min(until_ms, of.until_ms)
    # An invitation is over once it was used; who came in by it stays.
    parent = None if of.kind is Kind.INVITE else of.id
    return Wish(Kind.SESSION, of.name, of.scope, of.rights, until_ms, parent)


def new_secret(kind: Kind) -> str:
    """256 bits that nobody can guess; what they are can be told from the beginning, as by a scanner for leaks."""
    return _PREFIX[kind] + secrets.token_urlsafe(32)


def is_secret(text: str) -> bool:
    """Whether it has the form of one."""
    return _SECRET.fullmatch(text) is not None


def digest(secret: str) -> str:
    """What is kept of a secret: it has 256 bits, so nothing slower is needed against guessing."""
    return hashlib.sha256(secret.encode()).hexdigest()


def csrf_of(session_secret: str) -> str:
    """What a page must say with each change: another site can send the cookie along, but does not know this."""
    return hmac.new(session_secret.encode(), b"steppe csrf", hashlib.sha256).hexdigest()


class Directory:
    """The credentials that hold, as of one reading."""

    def __init__(self, rows: Iterable[Credential]) -> None:
        self.rows: Mapping[int, Credential] = {row.id: row for row in rows}
        self._by_secret = {row.secret: row for row in self.rows.values() if row.kind is not Kind.PASSWORD}

    def find(self, secret: str, now_ms: int) -> Credential | None:
        """Whose secret it is, if that holds now."""
        wanted = digest(secret)
        row = self._by_secret.get(wanted)
        if row is None or not hmac.compare_digest(row.secret, wanted):
            return None
        return row if self.holds(row.id, now_ms) else None

    def holds(self, credential_id: int, now_ms: int) -> bool:
        """Whether it, and what it was made by, has not ended."""
        row = self.rows.get(credential_id)
        if row is None or (row.until_ms is not None and row.until_ms <= now_ms):
            return False
        return row.parent is None or self.holds(row.parent, now_ms)

    def password(self, name: str) -> Credential | None:
        """An operator's."""
        return next((row for row in self.rows.values() if row.kind is Kind.PASSWORD and row.name == name), None)

    @property
    def has_operator(self) -> bool:
        return any(row.kind is Kind.PASSWORD for row in self.rows.values())
