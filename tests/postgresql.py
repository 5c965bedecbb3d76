"""A real PostgreSQL server for the tests that run on both databases: private, on a unix socket, without TCP."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import create_engine, make_url, text

FORGETFUL: Final = "-c fsync=off -c full_page_writes=off -c max_wal_size=128MB"
MEMORY: Final = Path("/dev/shm")
_MEMORY_BYTES_MIN: Final = 4 << 30  # the servers of three workers fill half of it together


class Databases:
    """Makes databases on a server. url: of one, with `{name}` for its name."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._numbers = itertools.count(1)

    def __call__(self, template_url: str, url: str = "") -> str:
        """The URL of a new one. template_url: of one to copy; empty for one without anything. url: of a former one,
        whose place it takes, whoever is still connected."""
        name = make_url(url).database if url else f"test_{next(self._numbers)}"
        template = make_url(template_url).database if template_url else "template1"
        administrator = create_engine(
            self._url.format(name="postgres").replace("postgresql:", "postgresql+psycopg:"),
            isolation_level="AUTOCOMMIT",
        )
        with administrator.connect() as connection:
            if url:
                connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        administrator.dispose()
        return self._url.format(name=name)


def _folder() -> Path | None:
    """Where the server's programs are: on PATH, or where Debian hides those of each version; the newest one."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).parent
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    return max(versions, key=lambda path: int(path.parent.name), default=None)


def memory() -> Path | None:
    """A file system in memory with room for databases, of which hundreds of tests have one each: for the eight
    megabytes of PostgreSQL a busy disk takes half a second. None if there is none."""
    with suppress(OSError):
        there = os.statvfs(MEMORY)
        if there.f_bavail * there.f_frsize >= _MEMORY_BYTES_MIN:
            return MEMORY
    return None


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Databases]:
    """Makes databases."""
    if _folder() is None:
        pytest.fail("there is no PostgreSQL server; scripts/test installs one", pytrace=False)
    with server(place=memory()) as databases:
        yield databases


@contextmanager
def server(options: str = FORGETFUL, place: Path | None = None) -> Iterator[Databases]:
    """A server for a while, which makes databases; by default it may forget everything when the power goes.

    place: where its folder is made, instead of the usual one. Raises FileNotFoundError if none is installed.
    """
    programs = _folder()
    if programs is None:
        raise FileNotFoundError("there is no PostgreSQL server; `scripts/setup --test` installs one")
    # PostgreSQL refuses to run as root; Debian's package brings a user for it.
    user = "postgres" if os.getuid() == 0 else None
    # Not pytest's own folder: its path may be too long for a socket, and it is closed to other users.
    with tempfile.TemporaryDirectory(prefix="pg-", dir=place) as folder:
        if user is not None:
            shutil.chown(folder, user)
        data, log = Path(folder, "data"), Path(folder, "log")

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [programs / program, "-D", data, *arguments],
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                user=user,
                cwd=folder,
            )

        run("initdb", "--username", "steppe", "--auth", "trust", "--encoding", "UTF8", "--no-sync")
        run("pg_ctl", "start", "-w", "-l", str(log), "-o", f"-k {folder} -c listen_addresses= {options}")
        try:
            yield Databases(f"postgresql://steppe@/{{name}}?host={folder}")
        finally:
            run("pg_ctl", "stop", "-w", "-m", "immediate")
