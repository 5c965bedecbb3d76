"""A node that says when the first byte of each block came; a process of its own, so that it keeps no thread waiting of
those whose blocks it takes.

    python -m tests.load.block_node

Its port is the first line on standard output. Each block is another one, once it has come whole: `CLOCK_MONOTONIC` in
nanoseconds, when the first bytes of its RPC were there. Ends when standard input does.
"""

from __future__ import annotations

import json
import socketserver
import sys
import threading
import time
from typing import Any, Final

_BLOCK: Final = b'"submitblock"'
_HEAD_BYTES: Final = 60

# The block is in its chain, under six others: nothing is left to do for it.
_ANSWERS: Final[dict[str, Any]] = {
    "getblockchaininfo": {"chain": "regtest", "blocks": 800_006, "headers": 800_006},
    "getblockheader": {"confirmations": 7},
    "getblockcount": 800_006,
    "uptime": 3_600,
}


class _Node(socketserver.ThreadingTCPServer):
    daemon_threads = True


class _Connection(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while self.rfile.readline():
            left = self._content_length()
            head = self.rfile.read(min(left, _HEAD_BYTES))
            now = time.monotonic_ns()
            body = head + self.rfile.read(left - len(head))
            is_block = _BLOCK in head
            self._answer(None if is_block else _ANSWERS[json.loads(body)["method"]])
            if is_block:
                print(now, flush=True)

    def _content_length(self) -> int:
        """Read the headers: `http.client` would take a good part of the time that is measured."""
        length = 0
        while (line := self.rfile.readline()) != b"\r\n":
            name, _, value = line.partition(b":")
            if name == b"Content-Length":
                length = int(value)
        return length

    def _answer(self, result: Any) -> None:
        answer = json.dumps({"result": result, "error": None, "id": 0}).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer)
        self.wfile.write(head + answer)


def main() -> None:
    """See the module."""
    with _Node(("127.0.0.1", 0), _Connection) as node:
        threading.Thread(target=node.serve_forever, daemon=True).start()
        print(node.server_address[1], flush=True)
        sys.stdin.read()
        node.shutdown()


if __name__ == "__main__":
    main()
