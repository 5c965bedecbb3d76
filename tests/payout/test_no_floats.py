"""No float takes part in money: nothing in payout/ writes one, makes one, divides into one or lets one in."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, Boolean, Integer, LargeBinary, SmallInteger, Text

import payout
from pool.store.sql import Score, metadata
from tests.payout.money_cases import check

FILES = sorted(Path(payout.__file__).parent.rglob("*.py"))

# What else there is makes floats, or lets them through without a word: math, statistics, random, time, array, numpy...
# A module that is added here must not.
IMPORTS = {
    *("__future__", "abc", "base64", "bisect", "collections", "contextlib", "csv", "datetime", "decimal", "enum"),
    *("fractions", "functools", "hashlib", "io", "itertools", "json", "pathlib", "re", "string", "struct", "typing"),
    *("zlib", "msgspec", "sqlalchemy", "native", "payout", "pool"),
}
MAKERS = {
    *("float", "complex", "truediv", "__truediv__", "__rtruediv__", "__float__", "from_float"),
    *("timestamp", "total_seconds"),
}
FLOAT_FORMATS = set("efd")
# The one float that comes in: the difficulty on the wire, whose exact value is made a fraction at once.
DIFFICULTY = {"scoring.py", "vector_operations.py"}


def floats(source: str, name: str = "") -> Iterator[str]:
    """Where a module could get a float. name: of its file."""
    for node in ast.walk(ast.parse(source)):
        for what in _floats(node, name):
            yield f"line {getattr(node, 'lineno', 0)}: {what}"


def _floats(node: ast.AST, name: str) -> Iterator[str]:
    match node:
        case ast.Constant(value=float() | complex()):
            yield f"the number {node.value!r}"
        case ast.Constant(value=str(text)) if text in MAKERS:  # getattr(x, "__truediv__")
            yield f"{text!r}"
        case ast.Name(id=word) | ast.Attribute(attr=word) if word in MAKERS:
            yield word
        case ast.Attribute(attr="difficulty") if name not in DIFFICULTY:
            yield "a difficulty, which is a float"
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            yield "a true division"
        case ast.BinOp(op=ast.Pow(), right=power) | ast.AugAssign(op=ast.Pow(), value=power):
            if not (isinstance(power, ast.Constant) and isinstance(power.value, int)):
                yield "a power that may be negative, and so a fraction"
        case ast.Call(func=ast.Name(id="pow"), args=[_, power]) if not isinstance(power, ast.Constant):
            yield "a power that may be negative, and so a fraction"
        case ast.Call(func=ast.Name(id="round"), args=[_, _]):
            yield "a number rounded to digits"
        case ast.Import(names=names):
            yield from (f"import {each.name}" for each in names if each.name.split(".")[0] not in IMPORTS)
        case ast.ImportFrom(module=module) if (module or "").split(".")[0] not in IMPORTS:
            yield f"from {module}"
        case ast.Call(func=ast.Name(id="__import__" | "eval" | "exec" | "import_module")):
            yield "something that cannot be read here"
        case ast.Call(func=ast.Attribute(value=ast.Name(id="json"), attr="load" | "loads")):
            if "parse_float" not in {each.arg for each in node.keywords}:
                yield "JSON without parse_float"
        case ast.Call(func=ast.Attribute(value=ast.Name(id="struct"))):
            formats = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant)]
            yield from (f"the format {each!r}" for each in formats if isinstance(each, str) and FLOAT_FORMATS & {*each})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_module_of_payout_has_no_float(path: Path) -> None:
    assert list(floats(path.read_text(), path.name)) == []


@pytest.mark.parametrize(
    "source",
    [
        "x = 1.5",
        "x = 1e8",
        "x = 1j",
        "x = a / b",
        "x /= 2",
        "x = float(1)",
        "x: float",
        "x = builtins.float(1)",
        "x = list(map(float, y))",
        "import operator",
        "x = operator.truediv(1, 2)",
        "x = a.__truediv__(b)",
        "x = getattr(a, '__truediv__')(b)",
        "x = 10 ** -8",
        "x = 10 ** digits",
        "x **= digits",
        "x = pow(10, -8)",
        "x = pow(10, digits)",
        "x = round(amount, 8)",
        "import time",
        "from time import time",
        "import math as m",
        "from math import log",
        "import random",
        "from statistics import mean",
        "import numpy as np",
        "from numpy import int64",
        "import array",
        "x = __import__('numpy')",
        "x = eval('1/2')",
        "x = at.timestamp()",
        "x = (b - a).total_seconds()",
        "x = Decimal.from_float(y)",
        "x = json.loads(text)",
        "x = struct.unpack('>d', raw)",
        "x = struct.unpack(f'>{count}d', raw)",
        "x = share.difficulty",
    ],
)
def test_this_test_would_see_one(source: str) -> None:
    assert list(floats(source, "rewards.py"))


@pytest.mark.parametrize(
    "source",
    [
        "x = a // b",
        "x, y = divmod(a, b)",
        "x = 10**12",
        "x = round(Fraction(a, b))",
        "x = json.loads(text, parse_float=Decimal)",
        "x = struct.unpack('>BHI', raw)",
        "from decimal import Decimal",
        "import msgspec",
    ],
)
def test_it_lets_integers_be(source: str) -> None:
    assert list(floats(source, "rewards.py")) == []


def test_all_of_payout_is_looked_at() -> None:
    assert {"rewards.py", "apportion.py", "accounting.py", "journal.py"} <= {path.name for path in FILES}


def test_no_column_of_the_books_holds_one() -> None:
    """Integers, and sums as bytes: no type of a database that rounds."""
    kinds = {type(column.type) for table in metadata.sorted_tables for column in table.columns}
    assert kinds <= {BigInteger, Integer, SmallInteger, Boolean, LargeBinary, Text, Score}


def test_every_amount_of_a_ledger_is_an_integer() -> None:
    for seed in range(200):
        books = check(seed)
        amounts: list[object] = [each.amount_sat for row in books.journal.rows() for each in row.posting.entries]
        amounts += [each for block in books.blocks.every() for each in (block.reserve_sat, block.found.end)]
        amounts += [
            amount
            for block in books.blocks.every()
            for each in block.credits
            for amount in (each.weight, each.gross_sat, each.fee_sat)
        ]
        amounts += [*books.accruals.earned_psat.values(), *books.accruals.carries_psat.values()]
        amounts += [units for _, units in books.shares.line]
        assert {type(each) for each in amounts} <= {int}
