"""Probes of the doors: whether the pool answers there, or could."""

from __future__ import annotations

import errno
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from pool.config import Config
from pool.doctor.finding import Finding, Health, bad, good, warning
from pool.ports import Clock
from pool.roles.certificate import EXPIRES_SOON_MS, BadCertificate, Certificate
from pool.roles.doors import host_and_port

ANSWER_SECONDS = 3.0
_DAY_MS = 86_400_000
_HEALTH_OF = {"ok": Health.GOOD, "warn": Health.WARNING, "down": Health.BAD}
_MENDS = {
    errno.EACCES: "ports below 1024 need a right: take a higher one, or let the unit have CAP_NET_BIND_SERVICE",
    errno.EADDRNOTAVAIL: "this machine does not have that address",
}
_SUBSCRIBE = b'{"id":1,"method":"mining.subscribe","params":["steppe doctor"]}\n'
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - not where we listen


def look_at_doors(config: Config) -> Iterator[Finding]:
    """The miners' doors."""
    for door in config.stratum.doors(config.port):
        for listen in door.listen:
            yield _stratum(listen)


def _stratum(listen: str) -> Finding:
    what = f"miners' door {listen}"
    if (finding := _unless_taken(what, listen)) is not None:
        return finding
    try:
        with closing(_connect(listen)) as miner:
            miner.sendall(_SUBSCRIBE)
            answer = json.loads(miner.makefile("rb").readline() or b"{}")
    except (OSError, ValueError) as error:
        port = listen.rpartition(":")[2]
        mend = (
            f"`ss -ltnp 'sport = :{port}'` says who: if it is not the pool, end that, or set stratum.listen to another "
            "port; if it is, see the log of the stratum role (behind a load balancer this is as it should be)"
        )
        return warning(what, f"something listens there, and does not speak Stratum with us: {error}", mend)
    if isinstance(answer, dict) and answer.get("result"):
        return good(what, "miners are taken in")
    return warning(what, f"it says {answer or 'nothing'}", "look at /readyz: there may be no work")


def look_at_page(config: Config) -> list[Finding]:
    """Both doors of the page, and what it says of all roles."""
    doors = {"web.listen": f"page {config.web.listen}", "web.admin_listen": f"operators {config.web.admin_listen}"}
    free = {option: _unless_taken(what, what.partition(" ")[2]) for option, what in doors.items()}
    said = None
    if free["web.admin_listen"] is None:
        said = _readyz(config.web.admin_listen)
    found = []
    for option, what in doors.items():
        if (finding := free[option]) is not None:
            found.append(finding)
        elif said is not None:
            found.append(good(what, "the pool runs"))
        else:
            port = what.rpartition(":")[2]
            text = "somebody holds it, and no page of this pool answers at web.admin_listen"
            mend = f"`ss -ltnp 'sport = :{port}'` says who: end that, or set {option} to another port"
            found.append(bad(what, text, mend))
    return [*found, *_checks(said or {})]


def _readyz(listen: str) -> dict[str, Any] | None:
    """What the pool says of itself; None if it is not the pool that answers."""
    host, port = host_and_port(listen)
    connection = HTTPConnection(_ANY.get(host, host), port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/readyz")
        said = json.loads(connection.getresponse().read())
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return said if isinstance(said, dict) and "checks" in said else None


def look_at_certificate(config: Config, clock: Clock) -> list[Finding]:
    """What miners get over TLS."""
    if not config.stratum.tls_certificate:
        return []
    what = "certificate"
    try:
        found = Certificate(Path(config.stratum.tls_certificate), Path(config.stratum.tls_key), clock)
    except BadCertificate as error:
        return [bad(what, f"{error}", "correct tls_certificate and tls_key")]
    days = (found.expires_ms - clock.time_ms()) // _DAY_MS
    if days < 0:
        return [bad(what, f"it ended {-days} days ago", "renew it; the pool reads it by itself")]
    if days * _DAY_MS < EXPIRES_SOON_MS:
        return [warning(what, f"it ends in {days} days", "renew it; the pool reads it by itself")]
    return [good(what, f"good for {days} days")]


def _unless_taken(what: str, listen: str) -> Finding | None:
    """Whether the pool could listen there; None if somebody does. What is not ours is never connected to."""
    host, port = host_and_port(listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as door:
            # As the pool does: what an earlier run has left behind is no hindrance.
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind((host, port))
            door.listen()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return None
        return bad(what, f"it cannot be opened: {error.strerror}", _MENDS.get(error.errno or 0, "take another address"))
    return good(what, "free; the pool does not run")


def _connect(listen: str) -> socket.socket:
    host, port = host_and_port(listen)
    return socket.create_connection((_ANY.get(host, host), port), ANSWER_SECONDS)


def _checks(said: Any) -> Iterator[Finding]:
    """What `/readyz` of a pool that runs says, a finding each."""
    for check in said.get("checks", ()):
        health = _HEALTH_OF.get(check.get("state"), Health.UNKNOWN)
        yield Finding(f"pool: {check.get('name')}", health, str(check.get("text")), check.get("mend") or "")
