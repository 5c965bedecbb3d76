"""Runs pip-audit, and answers its questions from the pages of a package index.

    python scripts/advisories.py pip-audit [ARGUMENT...]

PyPI has a page for each version of a package that tells what is known of it. Some mirrors have only the page of the
package itself, which tells that of its newest version; by itself pip-audit learns nothing there. It asks here, in the
words of OSV. Versions of which nothing can be learned are named, and the status is 1.

Sources: PyPI's JSON API; osv.dev, POST /v1/query.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

INDEX: Final = "https://pypi.org/pypi"
_TIMEOUT_SECONDS: Final = 30.0

Page = dict[str, Any]


class Advisories:
    """Answers on a port of loopback. read_page: the index's page with that path, such as `twisted/26.10.0`; raises
    OSError. unknown: `NAME VERSION` of all of which nothing could be learned, and why."""

    def __init__(self, read_page: Callable[[str], Page]) -> None:
        self.unknown: dict[str, str] = {}
        self._read_page = read_page
        advisories = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                body = json.dumps(advisories.answer(asked["package"]["name"], asked["version"])).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, name: str, version: str) -> dict[str, Any]:
        """As OSV answers."""
        reason = ""
        for path in (f"{name}/{version}", name):
            try:
                page = self._read_page(path)
            except OSError as error:
                reason = str(error)
                continue
            if page["info"]["version"] == version:
                return {"vulns": [_as_osv(name, each) for each in page["vulnerabilities"]]}
            reason = f"the newest is {page['info']['version']}, and the index has no page of this one"
        self.unknown[f"{name} {version}"] = reason
        return {}


def _as_osv(name: str, vulnerability: dict[str, Any]) -> dict[str, Any]:
    fixed = [{"introduced": "0"}, *({"fixed": version} for version in vulnerability["fixed_in"])]
    return {
        **{key: vulnerability[key] for key in ("id", "aliases", "summary", "details", "withdrawn")},
        "affected": [
            {"package": {"name": name, "ecosystem": "PyPI"}, "ranges": [{"type": "ECOSYSTEM", "events": fixed}]}
        ],
    }


def _read_page(path: str) -> Page:
    with urllib.request.urlopen(f"{INDEX}/{path}/json", timeout=_TIMEOUT_SECONDS) as response:
        page: Page = json.load(response)
    return page


def main(command: list[str]) -> int:
    advisories = Advisories(_read_page)
    try:
        service = ["--vulnerability-service", "osv", "--osv-url", advisories.url]
        status = subprocess.run([*command, *service], check=False).returncode
    finally:
        advisories.close()
    for package, reason in sorted(advisories.unknown.items()):
        print(f"Nothing can be learned of {package}: {reason}")
    return status or bool(advisories.unknown)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
