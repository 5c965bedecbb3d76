"""Lines to typed messages and back. Nothing beyond this module knows JSON, hex text or swapped words.

Every line out is ASCII and ends with one newline; none is empty. A message to no request has `id` null.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Raw, Struct

from pool.work.extranonce import EXTRANONCE2_BYTES
from pool.work.job import Job
from stratum.difficulty import wire_text
from stratum.errors import MalformedRequest, StratumError

_NULL: Final = Raw(b"null")
_NO_PARAMS: Final = Raw(b"[]")
_UINT32_HEX: Final = re.compile(r"[0-9a-fA-F]{1,8}")

MESSAGE_CHARACTERS_MAX: Final = 256

GET_VERSION: Final = b'{"id":1,"method":"client.get_version","params":[]}\n'
"""Our only request; ids are whole numbers, since cgminer and esp-miner lose others."""

Params = TypeVar("Params")


class MalformedMessage(Exception):
    """The line is no request and no reply; there is no id to answer."""


class Request(Struct, frozen=True):
    """A line from a miner. method: None in a reply to us. params, result: JSON, not yet read. request_id: as it
    came, to be echoed byte for byte; `null` in a notification."""

    method: str | None = None
    params: Raw = _NO_PARAMS
    request_id: Raw = msgspec.field(name="id", default=_NULL)
    result: Raw = _NULL


class Subscribe(Struct, frozen=True, array_like=True):
    """Params of mining.subscribe; braiins' proxy sends nulls and up to four. session_id: to resume."""

    agent: Any = None
    session_id: Any = None


class Authorize(Struct, frozen=True, array_like=True):
    """Params of mining.authorize."""

    login: str
    password: Any = None


class Configure(Struct, frozen=True, array_like=True):
    """Params of mining.configure (BIP-0310)."""

    extensions: tuple[str, ...]
    options: dict[str, Any] = {}


class Suggestion(Struct, frozen=True, array_like=True):
    """Params of mining.suggest_difficulty."""

    difficulty: Any = None


class TargetSuggestion(Struct, frozen=True, array_like=True):
    """Params of mining.suggest_target."""

    target: Any = None


class Submission(Struct, frozen=True):
    """A claim not yet judged. What is None was no such text. version_bits: the sixth of the params (BIP-0310), 0 if
    there are five."""

    login: str
    job_id: str
    extranonce2: bytes | None
    ntime: int | None
    nonce: int | None
    version_bits: int | None = 0


class _Submit(Struct, frozen=True, array_like=True):
    """Params of mining.submit."""

    login: str
    job_id: str
    extranonce2: str
    ntime: str
    nonce: str
    version_bits: str = "0"


class JobLines(Struct, frozen=True):
    """A job's mining.notify as every session gets it, once for each value of clean_jobs."""

    clean: bytes
    unclean: bytes


_REQUEST: Final = msgspec.json.Decoder(Request)
_SUBMIT: Final = msgspec.json.Decoder(_Submit)


def decode_request(line: bytes) -> Request:
    """The message of one line without its newline; raises MalformedMessage."""
    try:
        return _REQUEST.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedMessage from None


_ID: Final = msgspec.json.Decoder(str | int | float)


def decode_id(raw: Raw) -> bytes | None:
    """The id to echo, None for a notification; raises MalformedMessage if it is neither number nor string."""
    text = bytes(raw)
    if text == b"null":
        return None
    if text.isdigit():
        return text
    try:
        # All of it, since we send it back: what was taken as raw may be no UTF-8.
        _ID.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise MalformedMessage from None
    return text


def decode_params(decoder: msgspec.json.Decoder[Params], raw: Raw) -> Params:
    """Params of the decoder's type; absent and null ones count as empty. Raises MalformedRequest."""
    try:
        return decoder.decode(_NO_PARAMS if bytes(raw) == b"null" else raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedRequest from None


def decode_submission(params: Raw) -> Submission:
    """Params of mining.submit; raises MalformedRequest if they are not five or six strings.

    The general reader: `native.read_submit` reads the lines that ordinary miners send, to the same values.
    """
    submit = decode_params(_SUBMIT, params)
    return Submission(
        submit.login,
        submit.job_id,
        decode_extranonce2(submit.extranonce2),
        decode_uint32(submit.ntime),
        decode_uint32(submit.nonce),
        decode_uint32(submit.version_bits),
    )


def decode_uint32(text: str) -> int | None:
    """A header field of one to eight hex digits; fewer than eight are read as a number, because NerdMiner drops
    leading zeros. None for anything else: sign, space, underscore, 0x, other digits than ASCII's."""
    return int(text, 16) if _UINT32_HEX.fullmatch(text) else None


def decode_extranonce2(text: str) -> bytes | None:
    """Exactly EXTRANONCE2_BYTES in hex, else None."""
    if len(text) != 2 * EXTRANONCE2_BYTES:
        return None
    try:
        extranonce2 = bytes.fromhex(text)
    except ValueError:
        return None
    # fromhex skips spaces, so that a text of the right length may still be too short.
    return extranonce2 if len(extranonce2) == EXTRANONCE2_BYTES else None


def encode_result(request_id: bytes, result: bytes) -> bytes:
    """A successful reply; result: JSON. All three keys, because Bitaxe (2025) takes a missing `error` for an error."""
    return b'{"id":%b,"result":%b,"error":null}\n' % (request_id, result)


def encode_error(request_id: bytes, error: type[StratumError], result: bytes = b"null") -> bytes:
    """A refusal; result: `null`, or `false` where the miner asks yes or no (mining.authorize)."""
    return b'{"id":%b,"result":%b,"error":%b}\n' % (request_id, result, error.json())


def encode_subscription(extranonce1: bytes, session_id: str) -> bytes:
    """Result of mining.subscribe. session_id: hex, as the second parameter of a later one.

    Two pairs, not one: nightminer takes exactly two apart, the others look for mining.notify.
    """
    name, space = session_id.encode(), extranonce1.hex().encode()
    return b'[[["mining.set_difficulty","%b"],["mining.notify","%b"]],"%b",%d]' % (name, name, space, EXTRANONCE2_BYTES)


def encode_set_difficulty(difficulty: float) -> bytes:
    """mining.set_difficulty: holds from the next notify on."""
    return _notification(b"mining.set_difficulty", b"[%b]" % wire_text(difficulty))


def encode_reconnect(host: str, port: int, wait_seconds: int) -> bytes:
    """The request to go to another server; cgminer follows it within the same domain only, esp-miner just reconnects
    to the one it knows."""
    params = msgspec.json.encode([host, port, wait_seconds])
    return b'{"id":null,"method":"client.reconnect","params":' + params + b"}\n"


def encode_set_version_mask(mask: int) -> bytes:
    """mining.set_version_mask (BIP-0310): holds from the next notify on."""
    return _notification(b"mining.set_version_mask", b'["%08x"]' % mask)


def encode_set_extranonce(extranonce1: bytes) -> bytes:
    """mining.set_extranonce: holds from the next notify on."""
    return _notification(b"mining.set_extranonce", b'["%b",%d]' % (extranonce1.hex().encode(), EXTRANONCE2_BYTES))


def encode_show_message(text: str) -> bytes:
    """client.show_message: printable ASCII, as much as ESP-Miner shows."""
    shown = "".join(c if " " <= c <= "~" else "?" for c in text[:MESSAGE_CHARACTERS_MAX])
    return _notification(b"client.show_message", msgspec.json.encode([shown]))


def encode_job(job: Job) -> JobLines:
    """mining.notify: nine params, hex in lower case. Each 4-byte word of the previous hash is reversed, as getwork had
    it; the branch is plain."""
    prev_hash = b"".join(job.prev_hash[start : start + 4][::-1] for start in range(0, 32, 4))
    params: Sequence[object] = (
        job.job_id,
        prev_hash.hex(),
        job.coinb1.hex(),
        job.coinb2.hex(),
        [node.hex() for node in job.branch],
        f"{job.version:08x}",
        f"{job.nbits:08x}",
        f"{job.ntime:08x}",
    )
    head = msgspec.json.encode(params)[:-1]
    return JobLines(
        clean=_notification(b"mining.notify", head + b",true]"),
        unclean=_notification(b"mining.notify", head + b",false]"),
    )


def _notification(method: bytes, params: bytes) -> bytes:
    return b'{"id":null,"method":"%b","params":%b}\n' % (method, params)
