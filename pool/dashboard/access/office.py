"""What operators do about access: credentials, and the log."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import asdict

from pool.access.credential import Credential, Kind, wish
from pool.access.log import RESULTS, Sought
from pool.access.scope import AccessRefused
from pool.access.views import CredentialRow, LogRow, credential_row, log_row
from pool.dashboard.access.operations import Operation, Parameter
from pool.dashboard.access.ports import Credentials
from pool.dashboard.access.principal import Principal, Recognizer
from pool.dashboard.answers import Answer, Refusal, encoded
from pool.dashboard.asked import Asked
from pool.dashboard.query import PAGE_MAX, PER_PAGE_DEFAULT, PER_PAGE_MAX, SEARCH_CHARACTERS_MAX, Parameters
from pool.dashboard.tables import Page
from pool.ports import Clock


class HeldCredential(CredentialRow, frozen=True):
    """A credential without its secret, and its use. until_ms: null for no end. sessions: of browsers that came in by it
    and end with it. used_ms: of the last request with it or with one of these; null for none, as far as the process
    that answers knows since it started."""

    sessions: int
    used_ms: int | None


class CredentialsAnswer(Struct, frozen=True):
    """All credentials that hold, sessions included."""

    rows: tuple[HeldCredential, ...]


class LogPage(Page[LogRow], frozen=True):
    """One page of the log. kept: how many entries there are, those included that were not sought."""

    kept: int


class MakeCredential(Struct, frozen=True, forbid_unknown_fields=True):
    """A credential that is to be made. scope: pool, account:NAME, site:NAME or fleet:NAME. days: until it expires."""

    kind: Literal["link", "key", "token"]
    name: Annotated[str, Meta(max_length=64)]
    scope: Annotated[str, Meta(max_length=200)] = "pool"
    rights: tuple[Literal["read", "payouts", "moves"], ...] = ()
    days: int | None = None


class MadeCredential(Struct, frozen=True):
    """The new one. secret: shown now and never again. path: of the page that a link opens; empty for others."""

    id: int
    secret: str
    path: str


_LOG = (
    Parameter(
        "q",
        "Only entries that have each of these words, in whichever of their texts.",
        {"type": "string", "maxLength": SEARCH_CHARACTERS_MAX},
    ),
    Parameter(
        "result",
        "Only those that were done, begun, or refused or failed.",
        {"type": "string", "enum": ["", *RESULTS], "default": ""},
    ),
    Parameter("page", "Which page, from 1.", {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": 1}),
    Parameter(
        "per_page",
        "Rows of a page.",
        {"type": "integer", "minimum": 1, "maximum": PER_PAGE_MAX, "default": PER_PAGE_DEFAULT},
    ),
)

OFFICE = (
    Operation("GET", "/api/v1/access", "operators", "The credentials that hold.", CredentialsAnswer, is_admin=True),
    Operation(
        "POST",
        "/api/v1/access",
        "operators",
        "Make a watcher's link, an owner's key or a program's token.",
        MadeCredential,
        body=MakeCredential,
        is_admin=True,
        refusals=(400, 409, 415, 503),
    ),
    Operation(
        "DELETE",
        "/api/v1/access/{id}",
        "operators",
        "Revoke a credential, and the sessions it made.",
        CredentialsAnswer,
        is_admin=True,
        refusals=(404, 503),
    ),
    Operation(
        "GET",
        "/api/v1/audit",
        "operators",
        "The log of who did what, newest first.",
        LogPage,
        _LOG,
        is_admin=True,
        refusals=(503,),
    ),
)


class Office:
    """The answers below /api/v1/access, and the log."""

    def __init__(self, credentials: Credentials, recognizer: Recognizer, clock: Clock) -> None:
        self._credentials = credentials
        self._recognizer = recognizer
        self._clock = clock

    async def listed(self) -> Answer:
        """What holds."""
        now_ms = self._clock.time_ms()
        directory = await self._recognizer.directory()
        held = [row for row in directory.rows.values() if directory.holds(row.id, now_ms)]
        made: defaultdict[int | None, list[Credential]] = defaultdict(list)
        for row in held:
            made[row.parent].append(row)
        return encoded(CredentialsAnswer(tuple(self._shown(row, made[row.id]) for row in held)))

    def _shown(self, row: Credential, made: list[Credential]) -> HeldCredential:
        # Who came in did so by a request, which a process that was started later did not see.
        times = [each.created_ms for each in (row, *made) if each.kind is Kind.SESSION]
        used_ms = self._recognizer.used_ms(row.id)
        last_ms = max(times if used_ms is None else [*times, used_ms], default=None)
        return HeldCredential(**asdict(credential_row(row)), sessions=len(made), used_ms=last_ms)

    async def make(self, asked: Asked, principal: Principal, said: MakeCredential) -> Answer:
        """Raises Refusal."""
        try:
            wished = wish(said.kind, said.name, said.scope, said.rights, said.days, self._clock.time_ms())
        except AccessRefused as error:
            raise Refusal(400, "bad_body", f"{error}.", "Nothing was made.") from error
        try:
            number, secret = await self._credentials.issue(wished, principal.who, asked.address)
        except AccessRefused as error:
            raise Refusal(409, "refused", f"{error}.", "Nothing was made.") from error
        self._recognizer.forget()
        return encoded(MadeCredential(number, secret, f"/#/enter/{secret}" if wished.kind is Kind.LINK else ""))

    async def revoke(self, asked: Asked, principal: Principal, number: str) -> Answer:
        """Raises Refusal."""
        try:
            if not number.isascii() or not number.isdecimal() or len(number) > 15:
                raise AccessRefused("this is no number of a credential")
            await self._credentials.revoke(int(number), principal.who, asked.address)
        except AccessRefused as error:
            raise Refusal(404, "unknown_credential", f"{error}.", "/api/v1/access lists them.") from error
        self._recognizer.forget()
        return await self.listed()

    async def log(self, asked: Asked) -> Answer:
        """A page of it."""
        parameters = Parameters(asked.arguments, ("q", "result", "page", "per_page"))
        words = tuple(parameters.text("q").split())
        sought = Sought(words, parameters.choice("result", ("", *RESULTS), ""))
        page = parameters.number("page", 1, PAGE_MAX)
        per_page = parameters.number("per_page", PER_PAGE_DEFAULT, PER_PAGE_MAX)
        found = await self._credentials.entries((page - 1) * per_page, per_page, sought)
        shown = tuple(log_row(row) for row in found.rows)
        return encoded(LogPage(page, per_page, found.found, shown, {}, found.kept))
