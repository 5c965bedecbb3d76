"""A mail server and a webhook's receiver on loopback, for those who send."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from msgspec import Struct


class MailBox:
    """A real SMTP server (RFC 5321), as much of it as a sender needs. refuse: recipients that it does not take.
    failing: so many mails are put off with 451 first."""

    def __init__(self, refuse: tuple[str, ...] = (), failing: int = 0, capabilities: tuple[str, ...] = ()) -> None:
        self.mails: list[Message] = []
        self.refuse = refuse
        self.failing = failing
        self.capabilities = capabilities
        self.logins: list[str] = []
        self.arrived = threading.Event()
        box = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                box._talk(self.rfile, self.wfile)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])

    @contextmanager
    def open(self) -> Iterator[MailBox]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def _talk(self, lines: Iterator[bytes], out: socketserver._BufferedIOBase) -> None:  # type: ignore[name-defined]
        def say(text: str) -> None:
            out.write(text.encode() + b"\r\n")
            out.flush()

        say("220 mail.test ESMTP")
        for line in lines:
            word = line[:4].upper()
            if word == b"EHLO":
                for capability in ("mail.test", *self.capabilities):
                    say(f"250-{capability}")
                say("250 8BITMIME")
            elif word == b"AUTH":
                self.logins.append(line.decode().strip())
                say("235 welcome")
            elif word == b"RCPT" and any(each.encode() in line for each in self.refuse):
                say("550 no such mailbox")
            elif word == b"DATA":
                say("354 go on")
                mail = b""
                for part in lines:
                    if part == b".\r\n":
                        break
                    mail += part[1:] if part.startswith(b"..") else part
                if self.failing > 0:
                    self.failing -= 1
                    say("451 try again later")
                    continue
                self.mails.append(message_from_bytes(mail, policy=default))
                self.arrived.set()
                say("250 taken")
            elif word == b"QUIT":
                say("221 bye")
                return
            else:
                say("250 yes")


class Posted(Struct, frozen=True):
    """A request. headers: by lower-case name."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class Hook:
    """Takes what is posted. statuses: what it answers, one after the other; the last one for ever."""

    def __init__(self, *statuses: int) -> None:
        self.posted: list[Posted] = []
        self.arrived = threading.Event()
        self._statuses = list(statuses or (200,))
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status = hook._statuses.pop(0) if len(hook._statuses) > 1 else hook._statuses[0]
                hook.posted.append(Posted(self.path, headers, body))
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "4")
                self.end_headers()
                self.wfile.write(b"said")
                if status == 200:
                    hook.arrived.set()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook?of=steppe"

    @contextmanager
    def open(self) -> Iterator[Hook]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()
