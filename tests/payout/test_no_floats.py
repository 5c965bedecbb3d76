"""No float takes part in money: nothing in payout/ writes one, makes one or divides into one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import payout

FILES = sorted(Path(payout.__file__).parent.rglob("*.py"))


def floats(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=float() | complex()):
                yield f"line {node.lineno}: the number {node.value!r}"
            case ast.Name(id="float" | "complex" as name) | ast.Attribute(attr="float" | "complex" as name):
                yield f"line {node.lineno}: {name}"
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield f"line {node.lineno}: a true division"
            case ast.Attribute(attr="truediv" | "sqrt" | "exp" | "log" | "pow" as name):
                # decimal's own are exact to its digits; those of math and operator are not.
                if isinstance(node.value, ast.Name) and node.value.id in ("math", "operator"):
                    yield f"line {node.lineno}: {name}"
            case ast.ImportFrom(module="math" | "operator" | "statistics" | "random" as name):
                yield f"line {node.lineno}: from {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_module_of_payout_has_no_float(path: Path) -> None:
    assert list(floats(path.read_text())) == []


@pytest.mark.parametrize(
    "source",
    ["x = 1.5", "x = 1e8", "x = a / b", "x /= 2", "x = float(1)", "x: float", "operator.truediv(1, 2)", "x = 1j"],
)
def test_this_test_would_see_one(source: str) -> None:
    assert list(floats(source))


def test_all_of_payout_is_looked_at() -> None:
    assert {"rewards.py", "apportion.py", "accounting.py", "journal.py"} <= {path.name for path in FILES}
