"""Answers to HTTP requests as values, and the errors that become one."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from msgspec import Struct

JSON = "application/json"
HTML = "text/html; charset=utf-8"
CSV = "text/csv; charset=utf-8; header=present"

HEADERS = (
    # The page has no inline script or style and nothing from elsewhere, so that a hostile worker name that slipped
    # through as markup would still do nothing.
    (
        "Content-Security-Policy",
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
"""On every answer, errors included. No Access-Control-* header: other sites' scripts may not read the pool."""


class Answer(Struct, frozen=True):
    """A whole answer. etag: quoted as on the wire, or None for what must not be cached."""

    status: int
    content_type: str
    body: bytes
    etag: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


class Refusal(Exception):
    """A request that gets an error. code: a word for programs; message: what is wrong; hint: how to mend it."""

    def __init__(
        self, status: int, code: str, message: str, hint: str, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
        self.headers = headers

    def answer(self) -> Answer:
        error = {"code": self.code, "message": self.message, "hint": self.hint}
        return Answer(self.status, JSON, msgspec.json.encode({"error": error}), headers=self.headers)


def encoded(value: Any, status: int = 200) -> Answer:
    """A value as JSON. Only success is cacheable."""
    body = msgspec.json.encode(value)
    return Answer(status, JSON, body, etag=etag(body) if status == 200 else None)


def etag(body: bytes) -> str:
    """A strong entity tag: equal for equal bytes, in this process and the next."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def is_known(answer: Answer, if_none_match: str | None) -> bool:
    """Whether the asker holds these bytes already (RFC 9110 13.1.2: weak comparison, a list, or `*`)."""
    if answer.etag is None or if_none_match is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or answer.etag in tags
