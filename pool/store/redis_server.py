"""Debian's `redis-server` as a child on a unix socket, for those who do not bring a Redis of their own."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct

from pool import events
from pool.ports import StoreUnavailable
from pool.store.redis import RedisStore

# `sun_path` of a unix socket's address has 108 bytes with the closing zero. Source: unix(7).
_SOCKET_PATH_BYTES_MAX = 107

START_SECONDS = 30.0
STOP_SECONDS = 10.0
# A server whose supervisor was killed ends by itself a moment later; a new one waits for that.
PREDECESSOR_SECONDS = 5.0
_POLL_SECONDS = 0.05

# AOF, because what is in the stream need not be sent again then; snapshots add nothing to it. A full Redis must refuse,
# never forget.
_CONFIGURATION = """\
# Written by steppe at each start; changes are lost.
port 0
unixsocket {socket}
unixsocketperm 700
dir {folder}
daemonize no
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
logfile ""
"""


class RedisServerError(Exception):
    """Redis cannot be started; the text says why and how to mend it."""


class Prepared(Struct, frozen=True):
    """A Redis that is ready to be started. url: where it will answer. argv: the command."""

    url: str
    argv: tuple[str, ...]


def socket_of(folder: Path) -> Path:
    """Where the Redis of a folder listens: in it, or in the temporary folder if that path is too long for a socket."""
    path = folder.absolute() / "redis.sock"
    if len(os.fsencode(path)) <= _SOCKET_PATH_BYTES_MAX:
        return path
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()
    return Path(tempfile.gettempdir()) / f"steppe-redis-{digest[:16]}" / path.name


def url_of(folder: Path) -> str:
    """The url of the Redis of a folder."""
    return f"unix://{quote(str(socket_of(folder)))}"


def prepare(
    folder: Path,
    find: Callable[[str], str | None] = shutil.which,
    predecessor_seconds: float = PREDECESSOR_SECONDS,
) -> Prepared:
    """Make the folder and the configuration, and see that nothing is in the way. Raises RedisServerError.

    folder: what Redis keeps; its own, of no one else. predecessor_seconds: how long to wait for one that is ending.
    """
    binary = find("redis-server")
    if binary is None:
        raise RedisServerError(
            "redis-server is not on PATH: install it (Debian, Ubuntu: apt install redis-server), or set redis.url to a "
            "Redis that runs already"
        )
    folder = folder.absolute()
    configuration, path = folder / "redis.conf", socket_of(folder)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.parent != folder:
            _make_private(path.parent)
            events.redis_socket_elsewhere(path, f"{folder} is too long for the path of a socket")
        configuration.write_text(_CONFIGURATION.format(socket=_quoted(path), folder=_quoted(folder)))
    except OSError as error:
        raise RedisServerError(f"the folder for Redis, {folder}, cannot be used: {error}") from error
    if _is_served(path, predecessor_seconds):
        raise RedisServerError(
            f"another Redis listens at {path}: end it (is this pool running already?), or set redis.url to use it"
        )
    return Prepared(url_of(folder), (binary, str(configuration)))


def wait_until_ready(url: str, status: Callable[[], int | None], timeout_seconds: float = START_SECONDS) -> None:
    """Return when Redis answers; loading a long log takes its time. Raises RedisServerError.

    status: the exit code of the server, None while it lives.
    """
    store = RedisStore(url)
    deadline = time.monotonic() + timeout_seconds
    try:
        while True:
            try:
                return store.ping()
            except StoreUnavailable as error:
                reason = str(error)
            if (code := status()) is not None:
                raise RedisServerError(f"redis-server ended at once with status {code}; its log says why")
            if time.monotonic() >= deadline:
                raise RedisServerError(f"redis-server did not answer within {timeout_seconds:g} s: {reason}")
            time.sleep(_POLL_SECONDS)
    finally:
        store.close()


class RedisServer:
    """A server that this process starts and ends.

    log: file that gets what it says. wrap: what to do to the command, such as binding it to the life of its parent.
    """

    def __init__(
        self, folder: Path, log: Path, wrap: Callable[[Sequence[str]], Sequence[str]] = lambda argv: argv
    ) -> None:
        self._folder = folder
        self._log = log
        self._wrap = wrap
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process; None before the start and after the stop."""
        return None if self._process is None else self._process.pid

    def start(self, timeout_seconds: float = START_SECONDS) -> str:
        """Start it and wait until it answers; returns its url. Raises RedisServerError."""
        prepared = prepare(self._folder)
        try:
            with self._log.open("ab") as log:
                process = subprocess.Popen(
                    self._wrap(prepared.argv),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            raise RedisServerError(f"redis-server cannot be started: {error}") from error
        self._process = process
        try:
            wait_until_ready(prepared.url, process.poll, timeout_seconds)
        except RedisServerError as error:
            self.stop()
            raise RedisServerError(f"{error} ({self._log})") from error
        return prepared.url

    def stop(self, timeout_seconds: float = STOP_SECONDS) -> None:
        """End it, by force if it takes longer than that."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _make_private(folder: Path) -> None:
    """A folder for the socket alone, in one that all users share."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise OSError(f"{folder} is not a folder of this user alone")


def _quoted(path: Path) -> str:
    """As a word of a Redis configuration, which knows the escapes of C."""
    plain = (chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in os.fsencode(path))
    return f'"{"".join(plain)}"'


def _is_served(path: Path, timeout_seconds: float) -> bool:
    """Whether a program listens on the socket, and still does after that time.

    It is not asked for an answer, since it may be loading: a second Redis would take the socket from it all the same,
    and both would write to the same files.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(os.fsencode(path))
            except OSError:
                return False
        if time.monotonic() >= deadline:
            return True
        time.sleep(_POLL_SECONDS)
