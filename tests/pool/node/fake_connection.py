"""The HTTP connection below python-bitcoinrpc, with answers written by the test."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

RIGHT_CHAIN = {"chain": "regtest", "blocks": 0, "headers": 0, "initialblockdownload": True}


class FakeResponse:
    """An answer: a status and a body."""

    def __init__(self, body: bytes, status: int = 200, reason: str = "OK", kind: str = "application/json") -> None:
        self.status = status
        self.reason = reason
        self._kind = kind
        self._body = BytesIO(body)

    def getheader(self, name: str) -> str | None:
        return self._kind if name == "Content-Type" else None

    def read(self) -> bytes:
        return self._body.read()


def result(value: object) -> FakeResponse:
    """A JSON-RPC result."""
    return FakeResponse(json.dumps({"result": value, "error": None, "id": 1}).encode())


def error(code: int, message: str) -> FakeResponse:
    """A JSON-RPC error, as bitcoind sends it with HTTP 500."""
    body = json.dumps({"result": None, "error": {"code": code, "message": message}, "id": 1}).encode()
    return FakeResponse(body, 500, "Internal Server Error")


def shut(status: int, reason: str) -> FakeResponse:
    """An answer of bitcoind's HTTP server alone."""
    return FakeResponse(b"", status, reason, "text/html")


class FakeConnection:
    """Stands in for `http.client.HTTPConnection`: gives the answers in turn; an exception among them is raised."""

    def __init__(self, *answers: FakeResponse | Exception) -> None:
        self.answers = list(answers)
        self.calls: list[tuple[str, list[Any]]] = []
        self.paths: list[str] = []
        self.authorizations: list[str] = []
        self.opened_with: tuple[Any, ...] = ()
        self.sock: Any = None
        self.closed = 0
        self.is_shut = False

    def open(self, *args: object, **kwargs: object) -> FakeConnection:
        """Be what `open_connection` gives."""
        self.opened_with = (*args, kwargs)
        return self

    def request(self, method: str, url: str, body: str | Sequence[bytes], headers: Mapping[str, str | bytes]) -> None:
        sent = body.encode() if isinstance(body, str) else b"".join(body)
        # Else http.client would send it in chunks, which bitcoind does not read.
        assert isinstance(body, str) or headers["Content-Length"] == str(len(sent))
        request = json.loads(sent)
        self.calls.append((request["method"], request["params"]))
        self.paths.append(url)
        self.authorizations.append(b64decode(str(headers["Authorization"]).removeprefix("Basic ")).decode())
        self.sock = _FakeSocket(self)

    def getresponse(self) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        self.closed += 1
        self.sock = None


class _FakeSocket:
    def __init__(self, connection: FakeConnection) -> None:
        self._connection = connection

    def settimeout(self, seconds: float) -> None:
        """Nothing waits here."""

    def shutdown(self, how: int) -> None:
        self._connection.is_shut = True
