"""Runs worked payout examples against the real rules.

A file of the format `payout-vectors/1` is a JSON object whose "vectors" each name an operation, what goes in and what
comes out. Money is a JSON integer in satoshi, anything that can pass 2^53 a decimal string, a ratio "p" or "p/q".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from payout.ledger import LedgerError
from payout.vector_operations import OPERATIONS

_FORMAT = "payout-vectors/1"
_TOLERANCE = Decimal("1e-9")  # of `poisson_tail`, the one operation whose result is no integer


class BadFile(Exception):
    """The file cannot be read as vectors. The text says where and why."""


class Vector(Struct, frozen=True):
    """One worked example."""

    id: str
    op: str
    given: dict[str, Any] = field(name="in")
    expected: dict[str, Any] = field(name="out")


class Result(Struct, frozen=True):
    """What became of a vector. message: empty when it passed, else the first difference."""

    id: str
    passed: bool
    message: str = ""

    def __str__(self) -> str:
        return f"{self.id} passed" if self.passed else f"{self.id} failed: {self.message}"


class _Format(Struct):
    version: str = _FORMAT


class _File(Struct):
    vectors: list[Vector]
    format: _Format = field(default_factory=_Format)


def run(path: Path) -> Iterator[Result]:
    """One result per vector, in the order of the file. Raises BadFile."""
    return (check(vector) for vector in read(path))


def read(path: Path) -> Sequence[Vector]:
    """The vectors of a file. Raises BadFile."""
    try:
        content = json.loads(
            path.read_bytes(), parse_float=_refuse_number, parse_constant=_refuse_number, object_pairs_hook=_object
        )
        file = msgspec.convert(content, _File)
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # msgspec's and json's errors are of this family
        raise BadFile(f"{path} is no file of vectors: {error}") from error
    if file.format.version != _FORMAT:
        raise BadFile(f"{path} has the format {file.format.version!r}, not {_FORMAT!r}")
    return file.vectors


def check(vector: Vector) -> Result:
    """Work out one vector and compare."""
    operation = OPERATIONS.get(vector.op)
    if operation is None:
        return Result(vector.id, False, f"op not supported: {vector.op}")
    if not vector.expected:
        return Result(vector.id, False, "nothing is expected")
    try:
        result = operation(vector.given)
    except (ValueError, ArithmeticError, LedgerError) as error:
        return Result(vector.id, False, f"{vector.op} refused it: {error}")
    # A vector says which results it is about; below that, nothing may be missing or too much.
    stated = {name: result[name] for name in vector.expected if name in result}
    difference = _difference("out", vector.expected, stated)
    return Result(vector.id, difference is None, difference or "")


def _difference(where: str, expected: Any, got: Any) -> str | None:
    """The first place where the result is not what was expected; None if there is none."""
    if isinstance(got, Decimal):
        same = isinstance(expected, str) and _close(expected, got)
        return None if same else f"{where}: expected {_short(expected)}, got {got:.15E}"
    if isinstance(expected, Mapping) and isinstance(got, Mapping):
        for key in [*expected, *(key for key in got if key not in expected)]:
            if key not in got:
                return f"{where}.{key}: expected {_short(expected[key])}, got nothing"
            if key not in expected:
                return f"{where}.{key}: expected nothing, got {_short(got[key])}"
            if difference := _difference(f"{where}.{key}", expected[key], got[key]):
                return difference
        return None
    if isinstance(expected, list) and isinstance(got, list):
        if len(expected) != len(got):
            return f"{where}: expected {len(expected)} items, got {len(got)}"
        pairs = enumerate(zip(expected, got, strict=True))
        return next((d for i, (e, g) in pairs if (d := _difference(f"{where}[{i}]", e, g))), None)
    same = type(expected) is type(got) and expected == got
    return None if same else f"{where}: expected {_short(expected)}, got {_short(got)}"


def _close(expected: str, got: Decimal) -> bool:
    try:
        wanted = Decimal(expected)
        return abs(got - wanted) <= _TOLERANCE * abs(wanted)
    except InvalidOperation:
        return False


def _short(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 100 else text[:97] + "..."


def _refuse_number(text: str) -> Any:
    raise ValueError(f"{text} is neither an integer nor a string: money knows no fractions")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(f"an object names a key twice: {sorted(key for key, _ in pairs)}")
    return found
