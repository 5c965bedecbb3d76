"""Parameters of a request, parsed strictly: what is not understood is refused by name, never ignored."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from payout.instants import parse_instant
from pool.dashboard.answers import Refusal

PER_PAGE_DEFAULT = 50
PER_PAGE_MAX = 500
"""Rows of one answer. 500 workers are about 250 kB of JSON; who wants all of them asks page by page."""

PAGE_MAX = 1_000_000
"""Far beyond any table, and small enough that page times rows fits every integer of a database."""

SEARCH_CHARACTERS_MAX = 130
"""A login has at most 64 + 1 + 64 characters."""

_NUMBER = re.compile(r"[0-9]{1,7}", re.ASCII)


class TableQuery(Struct, frozen=True):
    """Which rows of a table: those that contain `search`, in which order, and which page of them, from 1."""

    search: str
    sort: str
    descending: bool
    page: int
    per_page: int

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.per_page


class Parameters:
    """The parameters of one request. known: the names that its path understands."""

    def __init__(self, arguments: Mapping[bytes, Sequence[bytes]], known: Collection[str]) -> None:
        self._values: dict[str, str] = {}
        for raw_name, raw_values in arguments.items():
            name = raw_name.decode("ascii", "replace")
            if name not in known:
                allowed = ", ".join(known) if known else "none"
                raise bad_parameter(name[:40], "is not known here", f"Known parameters: {allowed}.")
            if len(raw_values) > 1:
                raise bad_parameter(name, "is given more than once", "Give it once.")
            try:
                self._values[name] = raw_values[0].decode("utf-8")
            except UnicodeDecodeError:
                raise bad_parameter(name, "is not UTF-8", "Percent-encode it as UTF-8.") from None

    def text(self, name: str, default: str = "") -> str:
        value = self._values.get(name, default)
        if len(value) > SEARCH_CHARACTERS_MAX:
            raise bad_parameter(name, "is too long", f"At most {SEARCH_CHARACTERS_MAX} characters.")
        return value

    def given(self, name: str) -> str | None:
        """As `text`; None if it was not given, which for some is another thing than empty."""
        return self.text(name) if name in self._values else None

    def instant(self, name: str, default_ms: int) -> int:
        """Unix milliseconds."""
        text = self.text(name)
        if not text:
            return default_ms
        try:
            return parse_instant(text)
        except ValueError as error:
            raise bad_parameter(name, "is no time", f"{error}.") from error

    def choice(self, name: str, choices: Collection[str], default: str) -> str:
        value = self._values.get(name, default)
        if value not in choices:
            raise bad_parameter(name, "is none of the choices", f"One of: {', '.join(choices)}.")
        return value

    def number(self, name: str, default: int, maximum: int) -> int:
        text = self._values.get(name)
        if text is None:
            return default
        # int() alone would also take "+1", " 1", "1_0" and full-width digits.
        value = int(text) if _NUMBER.fullmatch(text) else 0
        if not 1 <= value <= maximum:
            raise bad_parameter(name, "is not a number in range", f"A whole number from 1 to {maximum}.")
        return value


TABLE_PARAMETERS = ("q", "sort", "order", "page", "per_page")
"""What every table understands."""


def table_query(parameters: Parameters, sorts: Collection[str], sort: str) -> TableQuery:
    """The parameters of a table; sorts: what it can be sorted by; sort: by which it is if nobody says."""
    return TableQuery(
        search=parameters.text("q"),
        sort=parameters.choice("sort", sorts, sort),
        descending=parameters.choice("order", ("asc", "desc"), "asc") == "desc",
        page=parameters.number("page", 1, PAGE_MAX),
        per_page=parameters.number("per_page", PER_PAGE_DEFAULT, PER_PAGE_MAX),
    )


def bad_parameter(name: str, problem: str, hint: str) -> Refusal:
    """A refusal that names the parameter."""
    return Refusal(400, "bad_parameter", f"Parameter '{name}' {problem}.", hint)
