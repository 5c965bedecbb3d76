"""Fields of facts as text, for files and the command line."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import Any, get_args

from msgspec import NODEFAULT
from msgspec.structs import FieldInfo, fields

from payout.contracts import Contract as Steps
from payout.contracts import parse_steps, steps_text
from pool.fleet.facts import BOOKKEEPING, Fact, FleetRefused
from pool.fleet.times import parse_time, utc

_WHEN = ("valid_from_ms", "valid_to_ms", "source")
_DIGITS_MAX = 19


def columns(kind: type[Fact]) -> list[str]:
    """What people say of a fact: its own fields, then when it holds and who says so. Times are in words, so their
    names do not end in _ms."""
    own = (name for name in kind.__struct_fields__ if name not in BOOKKEEPING | {"slice_id", *_WHEN})
    return [name.removesuffix("_ms") for name in (*own, *_WHEN)]


def is_required(kind: type[Fact], column: str) -> bool:
    """Whether something must be said."""
    return field_of(kind, column).default is NODEFAULT and field_of(kind, column).type is not Steps


@cache
def field_of(kind: type[Fact], column: str) -> FieldInfo:
    """The field of a column."""
    return next(each for each in fields(kind) if each.name in (column, f"{column}_ms"))


def from_cells(kind: type[Fact], cells: Mapping[str, str]) -> Fact:
    """The fact that the texts of its columns say. Raises FleetRefused, with the column."""
    if unknown := [name for name in cells if name not in columns(kind)]:
        raise FleetRefused(f"{unknown[0]!r} is no field of it; there are {', '.join(columns(kind))}")
    values: dict[str, Any] = {}
    for name in columns(kind):
        try:
            values[field_of(kind, name).name] = read_cell(kind, name, cells.get(name, ""))
        except FleetRefused as refused:
            raise FleetRefused(f"{name}: {refused}") from refused
    return kind(**values)


def write_cell(fact: Fact, column: str) -> str:
    """A field of a fact as text."""
    name = field_of(type(fact), column).name
    value = getattr(fact, name)
    if value is None:
        return ""
    if name.endswith("_ms"):
        return utc(value)
    if isinstance(value, Steps):
        return steps_text(value)
    return str(value.value) if isinstance(value, enum.Enum) else str(value)


def read_cell(kind: type[Fact], column: str, text: str) -> Any:
    """What a text means in a field; empty: what the field is when nothing is said. Raises FleetRefused."""
    field = field_of(kind, column)
    if not text:
        if field.default is NODEFAULT and field.type is not str and field.type is not Steps:
            raise FleetRefused("it must be given")
        if field.default is not NODEFAULT:
            return field.default
    if field.name.endswith("_ms"):
        return parse_time(text)
    types = [each for each in (get_args(field.type) or (field.type,)) if each is not type(None)]
    return _read(types[0], text)


def _read(kind: Any, text: str) -> Any:
    if kind is str:
        return text
    try:
        if kind is int:
            return _whole(text)
        if kind is Fraction:
            return _fraction(text)
        return parse_steps(text) if kind is Steps else kind(text)
    except ValueError as error:
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            raise FleetRefused(f"{text!r} is none of {', '.join(each.value for each in kind)}") from error
        raise FleetRefused(str(error)) from error


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > _DIGITS_MAX:
        raise FleetRefused(f"{text!r} is no whole number of at most {_DIGITS_MAX} digits")
    return int(text)


def _fraction(text: str) -> Fraction:
    # An exponent in a few characters may be a number that fills the memory.
    if not text.isascii() or "e" in text.lower() or "_" in text or len(text) > 80:
        raise FleetRefused(f"{text!r} is no number such as 2.5 or 5/2")
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise FleetRefused(f"{text!r} is no number such as 2.5 or 5/2") from error
