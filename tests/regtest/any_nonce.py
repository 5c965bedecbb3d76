"""A miner that hashes nothing: where one hash in a few is a share, it asks the pool which."""

from __future__ import annotations

import json
import socket
from typing import Any


class AnyNonceMiner:
    """A connection that mines by sending any nonce."""

    def __init__(self, port: int, login: str, session_id: str | None = None) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._file = self._socket.makefile("rb")
        self._login = login
        self.nonce = 0
        try:
            names, self.extranonce1, _ = self.ask("mining.subscribe", ["test", session_id])
            self.session_id = names[0][1]
            assert self.ask("mining.authorize", [login, "x"]) is True
            while (message := self._read()).get("method") != "mining.notify":
                pass
        except BaseException:
            self.close()
            raise
        self.job = message["params"]

    @property
    def range(self) -> int:
        return int(self.extranonce1[:2], 16)

    def share(self) -> Any:
        """The answer to a share that is hard enough."""
        while True:
            self.nonce += 1
            answer = self.ask("mining.submit", [self._login, self.job[0], "00" * 8, self.job[7], f"{self.nonce:08x}"])
            if answer is True or answer[0] != 23:
                return answer

    def ask(self, method: str, params: list[Any]) -> Any:
        """The result of a request, or its error."""
        self._socket.sendall(json.dumps({"id": 1, "method": method, "params": params}).encode() + b"\n")
        while "result" not in (message := self._read()):
            if message["method"] == "mining.notify":
                self.job = message["params"]
        return message["error"] or message["result"]

    def told(self, method: str) -> list[Any]:
        """Wait for a notification; returns its params."""
        while (message := self._read()).get("method") != method:
            pass
        params: list[Any] = message["params"]
        return params

    def lost(self) -> bool:
        """Wait for the end of the connection."""
        try:
            while self._file.readline():
                pass
        except ConnectionResetError:
            pass
        return True

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _read(self) -> dict[str, Any]:
        line = self._file.readline()
        if not line:
            raise ConnectionResetError("the connection ended")
        message: dict[str, Any] = json.loads(line)
        return message
