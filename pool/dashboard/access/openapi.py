"""The OpenAPI document, made from the operations and the types of their answers: the very types that are encoded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from pool.dashboard.access.fleet_orders import FLEET_ORDERS
from pool.dashboard.access.login import SESSIONS
from pool.dashboard.access.money_orders import MONEY_ORDERS
from pool.dashboard.access.office import OFFICE
from pool.dashboard.access.operations import Operation, Table
from pool.dashboard.access.reads import READS
from pool.dashboard.answers import JSON, Answer, encoded

PATH = "/api/v1/openapi.json"

TABLE = Table(
    (
        *READS,
        *SESSIONS,
        *MONEY_ORDERS,
        *FLEET_ORDERS,
        *OFFICE,
        Operation("GET", PATH, "always", "This document.", dict[str, Any]),
    )
)

_REF = "#/components/schemas/{name}"
_REFUSED = {
    304: "Nothing has changed since the answer with this ETag.",
    400: "Something of the request is not understood: the message names it.",
    401: "A login or a token is needed, or is wrong.",
    403: "Who asks may not.",
    404: "There is no such thing, or not for who asks.",
    405: "The path is for other methods.",
    409: "It cannot be done as things are: the message says why.",
    413: "The body is too long.",
    415: "The body is of another media type.",
    429: "Too many failed logins: wait as Retry-After says.",
    503: "A source cannot be asked now.",
}


class Error(Struct, frozen=True):
    """What is wrong. code: a word for programs. hint: how to mend it."""

    code: str
    message: str
    hint: str


class ErrorAnswer(Struct, frozen=True):
    """Every refusal."""

    error: Error


def document(version: str, table: Iterable[Operation] = TABLE) -> dict[str, Any]:
    """As OpenAPI 3.1 has it."""
    operations = tuple(table)
    kinds = [ErrorAnswer, *(each.answer for each in operations if not isinstance(each.answer, str))]
    kinds += [each.other for each in operations if each.other is not None]
    kinds += [each.body for each in operations if each.body is not None]
    unique = list(dict.fromkeys(kinds))
    schemas, components = msgspec.json.schema_components(unique, ref_template=_REF)
    of = dict(zip(unique, schemas, strict=True))
    paths: dict[str, Any] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Steppe",
            "version": version,
            "summary": "What the pool does, whom it pays, and what operators may order.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "steppe_session",
                    "description": "Set by POST /api/v1/session; at the operators' listener it is named steppe_admin. "
                    "Changes need the header X-CSRF-Token too.",
                },
            },
        },
    }


def answer(version: str) -> Answer:
    """The document as it is served."""
    return encoded(document(version))


def refusals(operation: Operation) -> tuple[int, ...]:
    """The statuses by which it may be refused."""
    codes = set(operation.refusals) | {405}
    if operation.method == "GET" and not isinstance(operation.answer, str):
        codes |= {304}
    if operation.parameters or operation.path.startswith("/api/v1/"):
        codes |= {400}
    if operation.part != "always":
        codes |= {401, 403, 503}
    if operation.path == "/readyz":
        codes |= {503}
    if operation.body is not None:
        codes |= {413}
    return tuple(sorted(codes))


def _operation(each: Operation, of: dict[Any, Any]) -> dict[str, Any]:
    content: dict[str, Any]
    if isinstance(each.answer, str):
        content = {each.answer: {"schema": {"type": "string"}}}
    else:
        content = {JSON: {"schema": of[each.answer]}}
    if each.other is not None:
        content[JSON] = {"schema": {"anyOf": [of[each.answer], of[each.other]]}}
    content |= {media: {"schema": schema} for media, schema in each.also.items()}
    found: dict[str, Any] = {
        "operationId": each.id,
        "summary": each.text,
        "tags": [each.part],
        "parameters": [*(_name(name) for name in each.names), *(_parameter(row) for row in each.parameters)],
        "responses": {"200": {"description": "The answer.", "content": content}},
        "x-steppe-listener": "admin" if each.is_admin else "both",
        "x-steppe-right": each.right.value,
    }
    for code in refusals(each):
        found["responses"][str(code)] = {"description": _REFUSED[code]}
        if code == 503 and each.path == "/readyz":
            found["responses"]["503"]["content"] = content
        elif code != 304:
            found["responses"][str(code)]["content"] = {JSON: {"schema": of[ErrorAnswer]}}
    if each.body is not None:
        found["requestBody"] = {"required": True, "content": {each.media: {"schema": of[each.body]}}}
    if each.part != "always":
        found["security"] = [{"token": []}, {"session": []}, *([] if each.part == "operators" else [{}])]
    return found


def _name(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _parameter(row: Any) -> dict[str, Any]:
    return {"name": row.name, "in": "query", "description": row.text, "schema": dict(row.schema)}
