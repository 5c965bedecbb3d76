"""A request as a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

Arguments = Mapping[bytes, Sequence[bytes]]


class Asked(Struct, frozen=True):
    """What somebody asks for. path: percent-encoded, as on the wire. headers: the few that matter, by lower-case name.
    address: of the asker, as far as proxies are believed."""

    method: str
    path: str
    arguments: Arguments
    headers: Mapping[str, str] = {}
    body: bytes = b""
    address: str = ""
    is_secure: bool = False
    is_admin: bool = False
