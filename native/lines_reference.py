"""The fast reader of submissions in plain Python: the definition of `native.lines`."""

from __future__ import annotations

import json
import re
from typing import Final

# Miners send some 130 bytes. Far below every limit of a line, so that none need be looked at.
ORDINARY_BYTES_MAX: Final = 512

# No sign, fraction, exponent or leading zero: of such a number there is one spelling, so that the echo is exact.
ID_DIGITS_MAX: Final = 18

_HEX_8_BYTES: Final = re.compile(r"[0-9a-fA-F]{16}")
_HEX_UINT32: Final = re.compile(r"[0-9a-fA-F]{1,8}")
# What may stand in an ordinary line: printable ASCII without backslashes, for a string is then its own text; and one
# opening bracket of each kind, so that nothing is nested.
_ORDINARY: Final = re.compile(rb"[\t\r\x20-\x5b\x5d-\x7e]*")

Submit = tuple[bytes, str, str, bytes, int, int, int]


def read_submit(line: bytes) -> Submit | None:
    """The request of a `mining.submit` in its ordinary form, or None for every other line.

    line: with or without its newline. Returns its id as it came, to be echoed; login; job id; extranonce2; ntime; nonce
    and version bits (0 if there are none). Ordinary is what every firmware known sends: one JSON object of id, method
    and params, a number or a string for the id, five or six strings as params, 16 hex digits of extranonce2 and one to
    eight of each number. None says nothing about the line: it may be another request, a wrong one, or right in a way
    that is left to the general reader, which reads an ordinary one just so.
    """
    line = line.removesuffix(b"\n")
    if len(line) > ORDINARY_BYTES_MAX or not _ORDINARY.fullmatch(line) or line.count(b"{") + line.count(b"[") != 2:
        return None
    try:
        # Numbers stay text, as bytes to tell them from strings.
        members = json.loads(line, object_pairs_hook=list, parse_int=str.encode)
    except ValueError:
        return None
    if not isinstance(members, list) or sorted(name for name, _ in members) != ["id", "method", "params"]:
        return None
    request = dict(members)
    request_id, params = _request_id(request["id"]), request["params"]
    if request_id is None or request["method"] != "mining.submit" or not isinstance(params, list):
        return None
    if not (5 <= len(params) <= 6 and all(isinstance(each, str) for each in params)):
        return None
    login, job_id, extranonce2, *numbers = params
    if not _HEX_8_BYTES.fullmatch(extranonce2) or not all(map(_HEX_UINT32.fullmatch, numbers)):
        return None
    ntime, nonce, *bits = (int(text, 16) for text in numbers)
    return request_id, login, job_id, bytes.fromhex(extranonce2), ntime, nonce, sum(bits)


def _request_id(value: object) -> bytes | None:
    if isinstance(value, str):
        return f'"{value}"'.encode()
    if isinstance(value, bytes) and value.isdigit() and len(value) <= ID_DIGITS_MAX:
        return value
    return None
