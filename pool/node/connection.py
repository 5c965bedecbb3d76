"""The HTTP connection below python-bitcoinrpc: our header, honest errors, and a way out of a waiting call."""

from __future__ import annotations

import contextlib
import http.client
import socket
from collections.abc import Mapping, Sequence
from typing import Protocol

from pool.node.credentials import Credentials


class HttpConnection(Protocol):
    """What is used of `http.client.HTTPConnection`."""

    sock: socket.socket | None

    def request(
        self, method: str, url: str, body: str | Sequence[bytes], headers: Mapping[str, str | bytes]
    ) -> None: ...

    def getresponse(self) -> http.client.HTTPResponse: ...

    def close(self) -> None: ...


class UnexpectedStatus(Exception):
    """An answer that is no JSON: bitcoind's way to say that the door is shut or the house full."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status


class AuthorizedConnection:
    """A kept connection whose requests carry credentials, read when it is opened: a block waits for no file.

    python-bitcoinrpc takes them from its URL only and does not decode them, so some passwords cannot be written there;
    and it tells a refused password only in the text of an error. It accepts a connection of ours.
    """

    def __init__(self, connection: HttpConnection, credentials: Credentials) -> None:
        self._connection = connection
        self._credentials = credentials
        self._authorization: str | None = None
        self._is_interrupted = False

    @property
    def sock(self) -> socket.socket | None:
        """None while there is no connection."""
        return self._connection.sock

    def request(self, method: str, url: str, body: str | Sequence[bytes], headers: Mapping[str, str | bytes]) -> None:
        """Send a request; a body in pieces needs its Content-Length among the headers.

        Raises NodeUnavailable if the credentials cannot be read, OSError if it cannot be sent.
        """
        if self._authorization is None or self._connection.sock is None:
            self._authorization = self._credentials.authorization()
        self._connection.request(method, url or "/", body, {**headers, "Authorization": self._authorization})

    def getresponse(self) -> http.client.HTTPResponse:
        """Wait for the answer. Raises UnexpectedStatus, OSError or HTTPException."""
        if self._is_interrupted:  # before there was a socket to shut down: nobody would end the wait
            raise ConnectionAbortedError("the connection was interrupted")
        response = self._connection.getresponse()
        if response.getheader("Content-Type") != "application/json":
            raise UnexpectedStatus(response.status, response.reason)
        return response

    def close(self) -> None:
        """Close it; the next request opens another."""
        self._connection.close()

    def interrupt(self) -> None:
        """Make a call that waits in another thread end with an error."""
        self._is_interrupted = True
        if (sock := self._connection.sock) is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
