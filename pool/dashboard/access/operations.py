"""What can be asked of the API, and ordered: each operation declared once. From here come who may use it, which paths
there are at all, and the OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal
from urllib.parse import unquote

from msgspec import Struct

from pool.access.credential import Right
from pool.dashboard.answers import Refusal

Part = Literal[
    "always", "overview", "blocks", "job", "workers", "accounts", "payouts", "fleets", "moves", "readiness",
    "metrics", "operators",
]  # fmt: skip


BRIEF_BYTES_MAX = 8192
"""What everybody may send: a login, and the longest ordinary order, have some hundred bytes."""

LARGE_BYTES_MAX = 4 * 1024 * 1024
"""What who may order can send: a fleet of ten thousand batches, or a PSBT that has with it every transaction that it
spends from."""


class Parameter(Struct, frozen=True):
    """A query parameter. schema: as of JSON Schema."""

    name: str
    text: str
    schema: Mapping[str, Any]


class Operation(Struct, frozen=True):
    """One. path: with {names}. part: of `web.public`; `always`: for everybody, `operators`: for them alone. answer: the
    type of what is answered, or a media type. own: who sees a part of the pool gets it about that part. body: the type
    of what is sent. right: what a token must have. is_admin: only at the operators' listener. also: media types beside
    JSON, with their schemas. other: another type that JSON may have, by a parameter. action: by which orders know it.
    media, body_bytes_max: of what is sent."""

    method: str
    path: str
    part: Part
    text: str
    answer: Any
    parameters: tuple[Parameter, ...] = ()
    own: bool = False
    body: Any = None
    right: Right = Right.READ
    is_admin: bool = False
    also: Mapping[str, Any] = {}
    other: Any = None
    refusals: tuple[int, ...] = ()
    action: str = ""
    media: str = "application/json"
    body_bytes_max: int = BRIEF_BYTES_MAX

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(re.findall(r"\{(\w+)\}", self.path))

    @property
    def id(self) -> str:
        words = re.findall(r"\w+", self.path.removeprefix("/api/v1"))
        return "_".join([self.method.lower(), *(words or ["page"])])


class Table:
    """All operations, found by method and path."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._operations = tuple(operations)
        self._fixed: dict[str, dict[str, Operation]] = {}
        self._named: list[tuple[re.Pattern[str], dict[str, Operation]]] = []
        named: dict[str, dict[str, Operation]] = {}
        for each in self._operations:
            methods = (named if each.names else self._fixed).setdefault(each.path, {})
            methods[each.method] = each
        # A name at the end may have anything in it, so that its own endpoint says that there is no such thing.
        for path, methods in sorted(named.items(), key=lambda item: item[0].endswith("}")):
            pattern = re.sub(r"\{\w+\}", "([^/]+)", re.sub(r"\{\w+\}$", "(.*)", path))
            self._named.append((re.compile(pattern, re.DOTALL), methods))

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._operations)

    def find(self, method: str, path: str) -> tuple[Operation, tuple[str, ...]]:
        """The operation, and the names in the path. Raises Refusal. path: percent-encoded."""
        methods, names = self._methods(path)
        found = methods.get("GET" if method == "HEAD" else method)
        if found is None:
            allowed = ["GET", "HEAD"] if "GET" in methods else []
            allow = ", ".join([*allowed, *(each for each in methods if each != "GET")])
            message = "This can only be read." if allow == "GET, HEAD" else f"{method[:20]} means nothing here."
            raise Refusal(405, "wrong_method", message, f"Use {allow.replace(', ', ' or ')}.", (("Allow", allow),))
        return found, names

    def _methods(self, path: str) -> tuple[dict[str, Operation], tuple[str, ...]]:
        if (fixed := self._fixed.get(path)) is not None:
            return fixed, ()
        for pattern, methods in self._named:
            if (matched := pattern.fullmatch(path)) is not None:
                return methods, tuple(map(unquote, matched.groups()))
        raise Refusal(404, "unknown_path", "There is nothing here.", "The page is at /, the API below /api/v1.")
