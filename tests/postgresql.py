"""A real PostgreSQL server for the tests that run on both databases: private, on a unix socket, without TCP."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

Databases = Callable[[str], str]


def _folder() -> Path | None:
    """Where the server's programs are: on PATH, or where Debian hides those of each version; the newest one."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).parent
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    return max(versions, key=lambda path: int(path.parent.name), default=None)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Databases]:
    """Makes databases: call it with the URL of one to copy, or with nothing, for the URL of a new one."""
    if _folder() is None:
        pytest.fail("there is no PostgreSQL server; scripts/test installs one", pytrace=False)
    with server() as databases:
        yield databases


@contextmanager
def server(options: str = "-c fsync=off") -> Iterator[Databases]:
    """A server for a while, which makes databases; by default it may forget everything when the power goes.

    Raises FileNotFoundError if none is installed.
    """
    programs = _folder()
    if programs is None:
        raise FileNotFoundError("there is no PostgreSQL server; `scripts/setup --test` installs one")
    # PostgreSQL refuses to run as root; Debian's package brings a user for it.
    user = "postgres" if os.getuid() == 0 else None
    # Not pytest's own folder: its path may be too long for a socket, and it is closed to other users.
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
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
            yield _databases(f"postgresql://steppe@/{{name}}?host={folder}")
        finally:
            run("pg_ctl", "stop", "-w", "-m", "immediate")


def _databases(url: str) -> Databases:
    numbers = itertools.count(1)

    def make(template_url: str) -> str:
        name = f"test_{next(numbers)}"
        template = make_url(template_url).database if template_url else "template1"
        administrator = create_engine(
            url.format(name="postgres").replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
        )
        with administrator.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        administrator.dispose()
        return url.format(name=name)

    return make
